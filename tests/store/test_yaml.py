"""The strict reader: what it refuses, and where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError
from advisor.store.yaml import MAX_BYTES, parse, read


def problems(text: str | bytes) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(AdvisorError) as caught:
        parse(text, file="f.yaml")
    return [(found.line, found.column, found.message) for found in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\na: 2\n", 2, 1, 'duplicate key "a", first on line 1'),
        ("x: {b: 1, b: 2}\n", 1, 11, 'duplicate key "b"'),
        ("a: &one 1\n", 1, 4, "anchor &one"),
        ("a: [*one]\n", 1, 5, "alias *one"),
        ("a: !!int 3\n", 1, 4, "tag"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("1: a\n", 1, 1, "a key must be text"),
        ("null: a\n", 1, 1, "a key must be text"),
        ("[a]: b\n", 1, 1, "a key must be text"),
        ("a: .nan\n", 1, 4, ".nan is not a number"),
        ("a: -.inf\n", 1, 4, "-.inf is not a number"),
        ("a: 1e999\n", 1, 4, "too large"),
        (f"a: {'9' * 400}\n", 1, 4, "more than 300 digits"),
        ("a: 017\n", 1, 4, "octal"),
        ("[" * 30, 1, 21, "nested deeper than 20"),
        ("", 1, 1, "the file is empty"),
        ("# words\n", 1, 1, "the file is empty"),
        ("a: [1\n", 2, 1, "not valid YAML here"),
        ("a: b\n\tc: d\n", 2, 1, "not valid YAML here"),
        ("a: \x01\n", 1, 4, "not allowed in YAML"),
        ('a: "\\u0007"\n', 1, 4, "U+0007"),
        ("a: x\u202ey\n", 1, 4, "U+202E"),
        (b"a: 1\nb: \xff\n", 2, 4, "byte 0xff is not UTF-8"),
        (b"\xff\xfea\x00", 1, 1, "byte 0xff is not UTF-8"),
        ("a: \ud800\n", 1, 4, "not UTF-8"),
    ],
)
def test_what_could_be_misread_is_refused_at_its_place(text: str | bytes, line: int, column: int, words: str) -> None:
    found = problems(text)
    assert any(one[0] == line and one[1] == column and words in one[2] for one in found), found


def test_a_tab_is_named_since_nobody_sees_it() -> None:
    with pytest.raises(AdvisorError) as caught:
        parse("a:\n\tb: 1\n", file="f.yaml")
    (found,) = caught.value.problems
    assert (found.line, found.column, found.fix) == (2, 1, "indent with spaces: this is a tab")


def test_every_mistake_of_a_file_is_reported_in_order() -> None:
    found = problems("a: &x 1\nb: *x\na: 3\nc: .inf\n")
    assert [line for line, _, _ in found] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("400e6", 400_000_000.0),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("+3", 3),
        ("0", 0),
        ("yes", "yes"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1:30", "1:30"),
        ("2026-11-01", "2026-11-01"),
        ("True", True),
        ("~", None),
        ('"200"', "200"),
        ("'true'", "true"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = parse(f"a: {text}\n", file="f").value["a"]
    assert (found, type(found)) == (value, type(value))


def test_json_with_tabs_and_escapes_is_read() -> None:
    assert parse('{"a":\t1,\n\t"b": "\\u00e9", "c": [true, null]}', file="f").value == {
        "a": 1,
        "b": "é",
        "c": [True, None],
    }


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", file="f").value == {"a": 1, "b": 2}


def test_every_node_keeps_its_place() -> None:
    parsed = parse("a: 1\nb: [1, 2, {c: deep}]\n", file="f")
    assert parsed.place(("b", 2, "c")) == (2, 15, 4)
    assert parsed.place(("b", 2, "c"), key=True) == (2, 12, 1)
    assert parsed.place(("b", 2, "absent"))[:2] == (2, 11)


def test_a_file_over_one_mebibyte_is_refused() -> None:
    assert "larger than 1 MiB" in problems("a: " + "x" * MAX_BYTES)[0][2]


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.yaml", "no such file"), (tmp_path, "folder")):
        with pytest.raises(AdvisorError) as caught:
            read(path)
        assert caught.value.problems[0].file == str(path)
        assert words in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r'{"a": "\ud83d\ude00 \uD83D\uDE00"}', "😀 😀"),
        (r'{"a": "\\ud83d\\ude00"}', r"\ud83d\ude00"),
        (r'{"a": "\\\ud83d\ude00"}', "\\😀"),
        ('{"a": "😀"}', "😀"),
    ],
)
def test_json_may_write_a_character_in_two_escapes(text: str, meant: str) -> None:
    assert parse(text, file="f.json").value == {"a": meant}


@pytest.mark.parametrize("text", [r'{"a": "\ud83d"}', r'{"a": "\ude00\ud83d"}'])
def test_half_a_character_is_none(text: str) -> None:
    with pytest.raises(AdvisorError):
        parse(text, file="f.json")
