"""A review as JUnit XML: a suite for each component, a test case for each result.

A finding at or above the fail level is a failure and one that did not settle an error, as the exit code counts them.
A lesser finding passes and is told in the case's output; what is waived or was not checked is skipped, with the reason.
"""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

from advisor.core.review.case import LEVEL_ORDER
from advisor.core.review.document import CheckDocument, Result
from advisor.report.review_keys import one_line, sources, words


def render(document: CheckDocument) -> str:
    """The review as one XML document."""
    root = ElementTree.Element("testsuites", name="archadvisor")
    titles = {one.id: one.title for one in document.checks}
    suites: dict[str, list[Result]] = {}
    for one in document.results:
        suites.setdefault(one.component or "architecture file", []).append(one)
    for name, results in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", name=one_line(name))
        seen: Counter[str] = Counter()
        for result in results:
            seen[result.check] += 1
            number = f" ({seen[result.check]})" if seen[result.check] > 1 else ""  # of two alike, readers drop one
            _case(suite, result, f"{titles[result.check]}{number}", document)
        _count(suite)
    _count(root)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _case(suite: ElementTree.Element, result: Result, title: str, document: CheckDocument) -> None:
    place = result.location
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=one_line(f"{result.check} {title}"),
        classname=suite.get("name", ""),
        file=one_line(place.file),
        time="0",
    )
    if place.line is not None:
        case.set("line", str(place.line))
    said = words(result)
    match result.outcome:
        case "fail" if LEVEL_ORDER.index(result.level) <= LEVEL_ORDER.index(document.fail_level):
            _told(case, "failure", said, result)
        case "inconclusive":
            _told(case, "error", said, result)
        case "fail":
            ElementTree.SubElement(case, "system-out").text = f"{result.level}: {said}"
        case "waived" | "not-checked":
            waiver = f" Waived by {result.waiver.owner}: {result.waiver.reason}" if result.waiver else ""
            ElementTree.SubElement(case, "skipped", message=one_line(f"{result.outcome}: {said}{waiver}"))


def _told(case: ElementTree.Element, kind: str, said: str, result: Result) -> None:
    place = result.location
    where = ":".join(str(part) for part in (place.file, place.line, place.column) if part is not None)
    one = ElementTree.SubElement(case, kind, message=said, type=f"{result.check} {result.level}")
    one.text = f"{one_line(where)}: {said} [{sources(result)}]"


def _count(element: ElementTree.Element) -> None:
    """Readers want the counts as attributes."""
    counted = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for attribute, tag in counted.items():
        element.set(attribute, str(len(element.findall(f".//{tag}"))))
    element.set("time", "0")
