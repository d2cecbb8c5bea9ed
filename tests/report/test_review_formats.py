"""A review in the formats that machines read: valid by their schemas, complete, and nothing in them acts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt

from advisor.core.characters import ACTING
from advisor.core.guide.recommendation import Level
from advisor.core.review.document import CheckDocument, Location
from advisor.report import check_markdown, github, gitlab, junit, sarif
from advisor.report.review import review_text, verdict_words
from tests.report.reviews import EVERY_OUTCOME, result, review

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
FORMATS = {"sarif": sarif, "junit": junit, "gitlab": gitlab, "github": github, "md": check_markdown}
HOSTILE = "a\x1b[31mb\x00c\u202ed\ne::error file=x::f%0Ag<script>]]>&amp;\ufffe\r::stop-commands::t, h:i | *j* [k](l)"


def sarif_run(document: CheckDocument) -> dict[str, Any]:
    log = json.loads(sarif.render(document))
    Draft202012Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def hostile() -> CheckDocument:
    place = Location(file=f"src/{HOSTILE}.py", line=1, column=1)
    poisoned = [
        one.model_copy(update={"message": HOSTILE, "fix": HOSTILE, "component": HOSTILE}) for one in EVERY_OUTCOME
    ]
    return review(*poisoned, result(message=HOSTILE, location=place, pointer=None))


def test_sarif_meets_the_schema_and_holds_what_failed_or_did_not_settle() -> None:
    run = sarif_run(review())
    assert [(one["ruleId"], one["kind"], one["level"]) for one in run["results"]] == [
        ("EMB-101", "fail", "error"),
        ("WVR-001", "fail", "warning"),
        ("CODE-101", "fail", "warning"),
        ("EMB-102", "fail", "note"),
        ("BUD-201", "open", "none"),
    ]
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]


def test_sarif_rules_explain_themselves() -> None:
    for rule in sarif_run(review())["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"]
        assert "Why: " in rule["help"]["text"]
        assert "**Source:**" in rule["help"]["markdown"]


def test_sarif_says_what_was_not_checked_and_leaves_out_what_is_waived() -> None:
    text = sarif.render(review())
    (invocation,) = json.loads(text)["runs"][0]["invocations"]
    told = [one["associatedRule"]["id"] for one in invocation["toolExecutionNotifications"]]
    assert told == ["ARC-002", "CODE-100"]
    assert "GEN-101" not in {one["ruleId"] for one in json.loads(text)["runs"][0]["results"]}
    assert "ships in March" not in text


def test_sarif_holds_what_is_waived_as_suppressed_where_that_is_asked_for() -> None:
    log = json.loads(sarif.render(review(), waived=True))
    Draft202012Validator(SCHEMA).validate(log)
    (waived,) = [one for one in log["runs"][0]["results"] if one["ruleId"] == "GEN-101"]
    (suppression,) = waived["suppressions"]
    assert suppression["justification"] == "the encoder ships in March (search-team, until 2027-02-01)"


def test_sarif_places_stand_in_files_as_uris() -> None:
    places = [one["locations"][0]["physicalLocation"] for one in sarif_run(review())["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "architecture.yaml"},
        "region": {"startLine": 12, "startColumn": 21, "endColumn": 33},
    }
    assert places[2]["artifactLocation"] == {"uri": "src/a%20b.py"}


def fingerprints(document: CheckDocument) -> list[str]:
    return [one["partialFingerprints"][sarif.FINGERPRINT] for one in sarif_run(document)["results"]]


def test_a_fingerprint_outlives_moved_lines_and_components() -> None:
    moved = result(
        location=Location(file="architecture.yaml", line=99, column=3), pointer="/components/7/choice/architecture"
    )
    assert fingerprints(review(result())) == fingerprints(review(moved))
    waiver = result(check="WVR-001", message="The waiver of EMB-101 waives nothing.", pointer="/waivers/0")
    later = waiver.model_copy(update={"pointer": "/waivers/3"})
    assert fingerprints(review(waiver)) == fingerprints(review(later))
    in_code = result(location=Location(file="a.py", line=3, column=1), pointer=None)
    below = result(location=Location(file="a.py", line=30, column=9), pointer=None)
    assert fingerprints(review(in_code)) == fingerprints(review(below))


@pytest.mark.parametrize(
    "change",
    [{"check": "EMB-103"}, {"component": "other"}, {"pointer": "/components/0/choice/model"}, {"pointer": None}],
    ids=str,
)
def test_findings_that_differ_have_different_fingerprints(change: dict[str, Any]) -> None:
    assert fingerprints(review(result())) != fingerprints(review(result(**change)))


def test_of_several_files_a_fingerprint_does_not_hang_on_what_became_of_the_others() -> None:
    files = tuple(f"{name}/architecture.yaml" for name in ("mail", "search"))
    first, second = (result(location=Location(file=file, line=5, column=3)) for file in files)
    both, mended = (review(*some).model_copy(update={"files": files}) for some in ((first, second), (second,)))
    assert fingerprints(both)[1:] == fingerprints(mended)


def test_gitlab_findings_have_fingerprints_of_their_own_and_known_severities() -> None:
    same = [result() for _ in range(3)]
    found = json.loads(gitlab.render(review(*EVERY_OUTCOME, *same)))
    assert len({one["fingerprint"] for one in found}) == len(found) == 8
    assert {one["severity"] for one in found} == {"critical", "minor", "info"}
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert set(one["location"]) == {"path", "lines"}
        assert one["location"]["lines"]["begin"] >= 1


def test_junit_is_read_back_as_it_was_meant() -> None:
    read = JUnitXml.fromstring(junit.render(review()).encode())
    cases = {case.name.split()[0]: case for suite in read for case in suite}
    assert (read.tests, read.failures, read.errors, read.skipped) == (9, 1, 1, 3)
    kinds = {check: [type(one) for one in case.result] for check, case in cases.items()}
    assert kinds == {
        "EMB-101": [Failure],
        "BUD-201": [Error],
        "GEN-101": [Skipped],
        "ARC-002": [Skipped],
        "CODE-100": [Skipped],
        "CODE-101": [],
        "ARC-001": [],
        "EMB-102": [],
        "WVR-001": [],
    }
    assert "search-team" in cases["GEN-101"].result[0].message
    assert cases["CODE-101"].system_out.startswith("warning: ")
    assert {suite.name for suite in read} == {"search", "other", "architecture file"}


def test_junit_has_no_two_cases_of_one_name() -> None:
    cases = ElementTree.fromstring(junit.render(review(*[result(check="CODE-105")] * 3))).iter("testcase")
    names = [case.get("name", "") for case in cases]
    assert [name.rpartition(" ")[2] for name in names[1:]] == ["(2)", "(3)"]
    assert len(set(names)) == 3


def test_junit_counts_a_failure_from_the_fail_level_on() -> None:
    assert JUnitXml.fromstring(junit.render(review(fail_level="note")).encode()).failures == 4


def annotations(document: CheckDocument) -> list[str]:
    return github.render(document).splitlines()


def test_github_annotations_come_worst_first() -> None:
    assert annotations(review())[0] == (
        "::error file=architecture.yaml,line=12,col=21,endColumn=33,title=EMB-101 A plain decoder's vectors all look "
        "alike (search)::a plain decoder embeds. Use an encoder."
    )
    assert [line.split(" ")[0] for line in annotations(review())] == ["::error", *["::warning"] * 3, "::notice"]


def test_github_has_ten_slots_a_level_and_the_last_one_says_how_many_more() -> None:
    assert len(annotations(review(*[result(message=str(n)) for n in range(10)]))) == 10
    lines = annotations(review(*[result(message=str(n)) for n in range(14)], result("fail", "note")))
    assert len(lines) == 11
    assert lines[9].startswith("::error title=archadvisor::5 more of this level")
    assert lines[10].startswith("::notice file=")


def test_that_something_was_not_checked_takes_one_of_the_slots() -> None:
    found = [result("fail", "warning", message=str(number)) for number in range(10)]
    lines = annotations(review(*found).model_copy(update={"empty": ("services/mail",)}))
    assert len(lines) == 10
    assert "no architecture file in services/mail" in lines[0]
    assert lines[-1].startswith("::warning title=archadvisor::2 more of this level")


def test_github_has_nothing_to_say_of_a_review_without_findings() -> None:
    assert github.render(review(result("pass"))) == ""


def test_a_review_of_nothing_is_not_taken_for_one_that_passed() -> None:
    nothing = review(result("not-checked"))
    assert annotations(nothing) == [f"::warning title=archadvisor::{verdict_words(nothing)}"]
    (invocation,) = sarif_run(nothing)["invocations"]
    assert invocation["toolExecutionNotifications"][0] == {
        "level": "warning",
        "message": {"text": verdict_words(nothing)},
    }
    assert check_markdown.render(nothing).startswith("## ! Architecture review: ")


def test_no_text_of_a_file_becomes_a_command_of_the_runner() -> None:
    for line in annotations(hostile()):
        assert re.fullmatch(r"::(error|warning|notice) [^:]*::.*", line)
        assert "\n" not in line
    assert sum("stop-commands" in line and line.strip().startswith("::stop") for line in annotations(hostile())) == 0


@pytest.mark.parametrize("name", FORMATS)
def test_no_report_holds_a_character_that_acts(name: str) -> None:
    written = FORMATS[name].render(hostile())
    assert not ACTING.search(written)
    if name in ("sarif", "gitlab"):
        assert not ACTING.search("".join(texts(json.loads(written))))
    if name == "junit":
        assert not ACTING.search("".join(ElementTree.fromstring(written).itertext()))


def texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in (*value, *value.values()) for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


def test_hostile_words_leave_every_format_whole() -> None:
    sarif_run(hostile())
    assert len(json.loads(gitlab.render(hostile()))) == 6
    assert JUnitXml.fromstring(junit.render(hostile()).encode()).tests == 10


def test_markdown_tells_findings_waivers_and_what_was_not_checked() -> None:
    page = check_markdown.render(review())
    assert page.startswith("## ✗ Architecture review: 4 findings")
    for words in (
        "EMB-101",
        "ships in March (search-team, until 2027-02-01)",
        "### Not checked",
        "no config.json",
        "2 not checked",
    ):
        assert words in page
    assert page.count("\n| ") == 1 + 1 + 5


@pytest.mark.parametrize(("level", "sign"), [("error", "✗"), ("warning", "!")])
def test_markdown_is_headed_as_the_text_is(level: Level, sign: str) -> None:
    made = review(result("fail", level))
    assert check_markdown.render(made).startswith(f"## {sign} ")
    assert review_text(made, lambda place: None).startswith(f"{sign} ")


def test_words_of_an_architecture_file_are_no_markup() -> None:
    html = MarkdownIt("commonmark").enable("table").render(check_markdown.render(hostile()))
    assert "<script>" not in html
    assert "<a " not in html
    assert html.count("<tr>") == 1 + 6


def test_the_markdown_of_very_many_findings_stays_short() -> None:
    page = check_markdown.render(review(*[result(message=str(n)) for n in range(500)]))
    assert "450 more are not shown here" in page
