"""Documents of programs: read at once where they are plain, and then as the strict reader reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.errors import AdvisorError
from advisor.store import written_json
from advisor.store.written_json import Written, read_written
from advisor.store.yaml import Parsed, parse_all

LIMIT = 1 << 20
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written") / "document.json"


def outcome(read: Any) -> Any:
    """What a reader makes of a document, in a form that can be compared: 1 is not true."""
    try:
        found = read()
    except AdvisorError as error:
        return error.problems
    return repr(found.value), found.refused


@settings(max_examples=300, deadline=None)
@given(value=VALUES, spread=st.booleans(), escaped=st.booleans())
def test_a_document_reads_as_under_the_strict_reader(path: Path, value: Any, spread: bool, escaped: bool) -> None:
    text = json.dumps(value, indent=2 if spread else None, ensure_ascii=escaped)
    data = text.encode("utf-8", "surrogatepass")
    path.write_bytes(data)
    strict = outcome(lambda: parse_all(data, file=str(path), max_bytes=LIMIT))
    assert outcome(lambda: read_written(path, max_bytes=LIMIT)) == strict


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": [1e999]}',
        '{"a": "\\u001b[31m"}',
        '{"a\\u202e": 1}',
        '{"a": "\\ud800"}',
        '{"a": "\ufffe"}',
        '{"a": 1',
        "a: 1",
        "",
        "[" * 30 + "]" * 30,
        "9" * 400,
        '{"a": 1}' + " " * LIMIT,
    ],
)
def test_what_is_doubtful_is_left_to_the_strict_reader(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    strict = outcome(lambda: parse_all(text.encode(), file=str(path), max_bytes=LIMIT))
    assert outcome(lambda: read_written(path, max_bytes=LIMIT)) == strict


def test_places_are_looked_for_only_once_something_is_wrong(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noting(data: bytes, *, file: str, max_bytes: int) -> Parsed:
        asked.append(file)
        return parse_all(data, file=file, max_bytes=max_bytes)

    monkeypatch.setattr(written_json, "parse_all", noting)
    path.write_text('{"a": 1,\n "b": [2, {"c": 3}]}')
    read = read_written(path, max_bytes=LIMIT)
    assert (isinstance(read, Written), read.value, asked) == (True, {"a": 1, "b": [2, {"c": 3}]}, [])
    found = [read.problem(("b", 1, "c"), "wrong"), read.problem(("b",), "wrong", key=True)]
    assert [(one.line, one.column, one.width) for one in found] == [(2, 17, 1), (2, 2, 3)]
    assert asked == [str(path)]
