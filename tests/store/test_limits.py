"""The limits that measurements are held to: what is shipped, and what of a changed file is refused, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from advisor.core.errors import AdvisorError
from advisor.core.hardware import Dtype
from advisor.store.limits import load_limits, shipped_limits
from advisor.store.paths import shipped_file

SHIPPED = shipped_file("limits.yaml")


def test_every_dtype_has_a_limit_and_fewer_bits_may_stray_further() -> None:
    limits = shipped_limits().by_dtype()
    assert set(limits) == set(get_args(Dtype))
    assert limits["float32"] >= limits["bfloat16"] >= limits["int8"] > 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("value: 0.99\n", "value: 1.1\n", "at most 1"),
        ("value: 0.99\n", 'value: "0.99"\n', "must be a number"),
        ("  int8:", "  int4:", "int4"),
        ("    value: 0.99\n", "", "value"),
        ("least_cosine:", "most_cosine:", "most_cosine"),
        ("value: 0.99\n", "value: .nan\n", "nan"),
    ],
)
def test_a_limit_that_cannot_hold_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "limits.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AdvisorError) as error:
        load_limits(file)
    assert any(says in problem.message and problem.line for problem in error.value.problems)


def test_a_dtype_without_a_limit_is_asked_for(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    file = tmp_path / "limits.yaml"
    file.write_text(text[: text.index("  int8:")], encoding="utf-8")
    with pytest.raises(AdvisorError) as error:
        load_limits(file)
    assert [problem.message for problem in error.value.problems] == ["no limit for int8"]
