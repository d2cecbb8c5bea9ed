"""A review as SARIF 2.1.0, the format that code scanning reads.

What failed is a result; what did not settle is one too, of the kind `open`. What was not checked stands among the
notifications of the run, so that a reader sees what the absence of a result does not mean. Waived findings are left
out unless asked for: somebody answers for them elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from advisor import __version__
from advisor.core.characters import escaped
from advisor.core.review.document import CheckDocument, CheckHelp, Location, Result
from advisor.report.review import verdict_words
from advisor.report.review_keys import nothing_checked, one_line, reported, sources, uri, words

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "archadvisor/v1"


def render(document: CheckDocument, *, waived: bool = False) -> str:
    """The review as a SARIF log with one run; with `waived`, what is waived is in it as suppressed."""
    rules = {one.id: index for index, one in enumerate(document.checks)}
    run = {
        "tool": {"driver": _driver(document)},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(document)],
        "results": [_result(result, key, rules) for result, key in reported(document, waived=waived)],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return escaped(json.dumps(log, indent=2, ensure_ascii=False)) + "\n"


def _driver(document: CheckDocument) -> dict[str, Any]:
    return {
        "name": "archadvisor",
        "semanticVersion": __version__,
        "rules": [_rule(one) for one in document.checks],
        "properties": {"rulesVersion": document.rules_version, "rulesSha256": document.rules_sha256},
    }


def _rule(check: CheckHelp) -> dict[str, Any]:
    """A check as a rule that explains itself where it is shown."""
    parts = [
        ("What", check.says),
        ("Why", check.because),
        ("Instead", check.remedy),
        ("Unless", check.unless),
        ("Source", ", ".join(f"{one.id} ({one.section})" for one in check.source)),
    ]
    said = [(word, one_line(text)) for word, text in parts if text]
    return {
        "id": check.id,
        "shortDescription": {"text": one_line(check.title)},
        "fullDescription": {"text": one_line(check.says)},
        "help": {
            "text": "\n".join(f"{word}: {text}" for word, text in said),
            "markdown": "\n\n".join(f"**{word}:** {_plain_in_markdown(text)}" for word, text in said),
        },
        "defaultConfiguration": {"level": check.level},
    }


def _plain_in_markdown(text: str) -> str:
    return "".join(f"\\{one}" if one in "\\`*_[]<>#|~" else one for one in text)


def _invocation(document: CheckDocument) -> dict[str, Any]:
    """How the run ended, and everything it did not check."""
    notes: list[dict[str, Any]] = []
    if nothing_checked(document):
        notes.append({"level": "warning", "message": {"text": one_line(verdict_words(document))}})
    for one in document.results:
        if one.outcome == "not-checked":
            said = {"text": f"Not checked: {words(one)}"}
            rule = {"id": one.check}
            notes.append({"level": "note", "associatedRule": rule, "message": said, "locations": [_location(one)]})
    return {"executionSuccessful": True, "exitCode": document.exit_code, "toolExecutionNotifications": notes}


def _result(result: Result, key: str, rules: dict[str, int]) -> dict[str, Any]:
    """One finding; the level of what is still open is none, as the format demands."""
    failed = result.outcome in ("fail", "waived")
    made: dict[str, Any] = {
        "ruleId": result.check,
        "ruleIndex": rules[result.check],
        "kind": "fail" if failed else "open",
        "level": result.level if failed else "none",
        "message": {"text": words(result)},
        "locations": [_location(result)],
        "partialFingerprints": {FINGERPRINT: key},
        "properties": dict(_properties(result)),
    }
    if result.outcome == "waived" and result.waiver is not None:
        why = one_line(f"{result.waiver.reason} ({result.waiver.owner}, until {result.waiver.expires})")
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    if result.baseline is not None:
        made["baselineState"] = "new" if result.baseline == "new" else "unchanged"
    return made


def _properties(result: Result) -> Iterator[tuple[str, Any]]:
    yield "source", sources(result)
    if result.component is not None:
        yield "component", one_line(result.component)
    if result.pointer is not None:
        yield "pointer", one_line(result.pointer)
    if result.flip:
        yield "flip", [one_line(f"{one.answer} {one.from_} → {one.to}") for one in result.flip]


def _location(result: Result) -> dict[str, Any]:
    made: dict[str, Any] = {"physicalLocation": _physical(result.location)}
    if result.component is not None:
        made["logicalLocations"] = [{"name": one_line(result.component), "kind": "module"}]
    return made


def _physical(location: Location) -> dict[str, Any]:
    """A place as SARIF says it; a finding about a whole file has no region."""
    made: dict[str, Any] = {"artifactLocation": {"uri": uri(location.file)}}
    if location.line is not None:
        made["region"] = {"startLine": location.line}
        if location.column is not None:
            end = location.column + max(1, location.width)
            made["region"] |= {"startColumn": location.column, "endColumn": end}
    return made
