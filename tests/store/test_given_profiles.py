"""Profiles from files: read whole and strictly, or refused with their place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from advisor.core.errors import AdvisorError, Problem
from advisor.core.sizing.measurement import Profile
from advisor.store.given_profiles import read_profiles

ROOT = Path(__file__).resolve().parents[2]
PROFILE = json.loads((ROOT / "examples" / "profile.json").read_text())
REPORT = json.loads((ROOT / "examples" / "report.json").read_text())
Write = Callable[[Any], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def go(document: Any) -> str:
        path = tmp_path / f"given-{len(list(tmp_path.iterdir()))}.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document, indent=2))
        return str(path)

    return go


def problems(*files: str) -> tuple[Problem, ...]:
    with pytest.raises(AdvisorError) as refused:
        read_profiles(files)
    assert refused.value.exit_code == 2
    return refused.value.problems


def test_a_profile_comes_back_as_it_was_written(write: Write) -> None:
    (given,) = read_profiles([write(PROFILE)])
    assert json.loads(given.profile.model_dump_json())["cells"][0]["median_s"] == PROFILE["cells"][0]["median_s"]
    assert given.profile.model.id == PROFILE["model"]["id"]


def test_a_report_gives_its_profiles_and_several_files_keep_their_order(write: Write) -> None:
    files = [write(REPORT), write(PROFILE)]
    assert [one.profile.model.id for one in read_profiles(files)] == ["bert-base", PROFILE["model"]["id"]]


@pytest.mark.parametrize(
    ("document", "words", "line"),
    [
        ({"schema_version": 1, "kind": "comparison"}, 'kind "comparison"', 3),
        ({"schema_version": 2, "kind": "profile"}, "schema_version 2", 2),
        ({"schema_version": True, "kind": "profile"}, "schema_version True", 2),
        ({"kind": "profile"}, "schema_version None", 1),
        ([1, 2], "neither a profile nor a report", 1),
        ({"cells": []}, "neither a profile nor a report", 1),
        ({"schema_version": 1, "kind": "report", "profiles": []}, "holds no profile", 4),
        (PROFILE | {"cells": []}, "holds no cell", None),
    ],
)
def test_what_is_no_profile_is_refused_at_its_place(write: Write, document: Any, words: str, line: int | None) -> None:
    (problem,) = problems(write(document))
    assert words in problem.message
    assert problem.fix
    assert problem.line is not None
    assert line in (None, problem.line)


def test_a_figure_in_quotes_is_no_figure(write: Write) -> None:
    cells = [PROFILE["cells"][0] | {"median_s": "0.001"}, *PROFILE["cells"][1:]]
    path = write(PROFILE | {"cells": cells})
    (problem,) = problems(path)
    assert "median_s must be a number" in problem.message
    assert problem.line is not None
    assert '"median_s": "0.001"' in Path(path).read_text().splitlines()[problem.line - 1]


def test_a_mistake_inside_a_report_stands_at_its_own_line(write: Write) -> None:
    profile = REPORT["profiles"][0] | {"wall_s": "long"}
    path = write(REPORT | {"profiles": [profile]})
    (problem,) = problems(path)
    assert "wall_s must be a number" in problem.message
    assert '"wall_s": "long"' in Path(path).read_text().splitlines()[(problem.line or 0) - 1]


def test_keys_that_a_later_release_added_are_passed_over(write: Write) -> None:
    cells = [PROFILE["cells"][0] | {"later": {"deep": [1]}}, *PROFILE["cells"][1:]]
    (given,) = read_profiles([write(PROFILE | {"cells": cells, "later": 1})])
    assert given.profile == Profile.model_validate(PROFILE)


@pytest.mark.parametrize("text", ["", "{", '{"kind": "profile", "kind": "profile"}', "\x00", "[" * 50])
def test_a_broken_file_is_one_sentence_with_a_place(write: Write, text: str) -> None:
    assert all(problem.line is not None and problem.fix for problem in problems(write(text)))


def test_every_file_that_is_wrong_is_named_in_one_run(write: Write, tmp_path: Path) -> None:
    found = problems(write("{"), str(tmp_path / "nowhere.json"), write({"kind": "model", "schema_version": 1}))
    assert len({problem.file for problem in found}) == 3


def test_a_profile_may_be_longer_than_answers_may(write: Write) -> None:
    samples = [0.001 * number for number in range(1, 300)]
    told = {"samples_s": samples, "samples": 299, "process_samples": [299]}
    cells = [cell | told for cell in PROFILE["cells"]] * 30
    path = write(PROFILE | {"cells": cells})
    assert Path(path).stat().st_size > 1 << 20
    assert len(read_profiles([path])[0].profile.cells) == len(cells)
