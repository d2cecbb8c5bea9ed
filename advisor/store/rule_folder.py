"""The files of a rules folder, read, compiled and proved, with all problems of all of them in one run.

Where a file is wrong, the others are still judged; only what a missing part alone would explain is kept back. Finding
the files, and doing all this only once per content, is `rulebook`'s work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from advisor.core.architecture import ARCHITECTURES, ROLES, Architecture
from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.axis import Value
from advisor.core.guide.rule import Facts, Impossible
from advisor.core.guide.rulebook import (
    COMPONENTS,
    DECISION,
    LEVELS,
    OURS,
    Content,
    Fact,
    Question,
    Rulebook,
    TableContent,
    Threshold,
    compile_rulebook,
)
from advisor.core.guide.vocabulary import DESIGN_AXES, WORKLOAD_AXES, design_facts, workload_facts
from advisor.core.workload import Answers, Count, Flag, cross_problems, fill_defaults
from advisor.store.claims import WrittenClaim, claim_of, claim_problems
from advisor.store.rule_condition import Names, read_when
from advisor.store.rule_table import ReadTable, TableKind, proof_problems, read_table, source_problems
from advisor.store.rulebook import GUIDE, IMPOSSIBLE, PLAIN_FILES, THRESHOLDS
from advisor.store.schema import validate
from advisor.store.yaml import Parsed, Steps, parse

_Words = Annotated[str, Field(strict=True, min_length=1)]
_Ids = Annotated[list[_Words], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Fact(_Strict):
    id: Annotated[str, Field(strict=True, pattern=r"^[A-Z][0-9A-Za-z.-]*$")]
    section: _Words
    says: _Words


class _Question(_Strict):
    id: Annotated[str, Field(strict=True, pattern=r"^[A-Z][0-9A-Za-z.-]*$")]
    asks: _Words
    answer: _Words
    source: _Ids


class _Guide(_Strict):
    rules_version: Annotated[str, Field(strict=True, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    facts: list[_Fact]
    questions: list[_Question]
    claims: list[WrittenClaim] = []


class _Threshold(_Strict):
    value: Annotated[float, Field(strict=True)]
    says: _Words
    source: _Ids


class _Impossible(_Strict):
    when: Annotated[dict[str, Any], Field(min_length=1)]
    reason: _Words


class _DesignExample(Answers):
    """An example of a table over designs: answers, and what was chosen."""

    architecture: Architecture
    parameters: Count | None = None
    contrastive: Flag | None = None
    mask_found: Annotated[str, Field(pattern="^(bidirectional|causal|prefix)$")] | None = None
    context_tokens: Count | None = None
    context_is_hard: Flag | None = None


_DESIGN_ONLY = tuple(name for name in _DesignExample.model_fields if name not in Answers.model_fields)


def prove_folder(folder: Path, files: Mapping[str, bytes], sha256: str) -> Rulebook:
    """The rulebook that `files` (name and content) make up. Raises AdvisorError with every problem of every file."""
    reading = _Reading(folder, files)
    book = reading.book(sha256)
    if reading.problems or book is None:
        order = sorted(reading.problems, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.message))
        raise AdvisorError(order)
    return book


class _Reading:
    """One folder being read: the parts so far, and every problem found on the way."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder = folder
        self.files = len(files)
        self.problems: list[Problem] = []
        self.parsed = {name: parsed for name, data in files.items() if (parsed := self._parse(name, data))}

    def _parse(self, name: str, data: bytes) -> Parsed | None:
        try:
            return parse(data, file=str(self.folder / name))
        except AdvisorError as error:
            self.problems += error.problems
            return None

    def book(self, sha256: str) -> Rulebook | None:
        """The rulebook, or None where some part is missing; the problems say which."""
        guide = self._guide()
        sources = {OURS, *(fact.id for fact in guide.facts)} if guide else None
        thresholds = self._thresholds(sources)
        known = None if thresholds is None else {one.name: one.value for one in thresholds}
        names = Names(known, sources)
        impossible = self._impossible(names)
        reads = self._tables(names)
        if guide is None or thresholds is None or impossible is None or reads is None:
            return None
        self._unused_thresholds(reads, names)
        content = Content(
            version=guide.rules_version,
            facts=tuple(Fact(one.id, _flat(one.says), one.section) for one in guide.facts),
            questions=tuple(
                Question(one.id, one.asks, _flat(one.answer), tuple(one.source)) for one in guide.questions
            ),
            thresholds=thresholds,
            impossible=impossible,
            claims=tuple(map(claim_of, guide.claims)),
            tables=tuple(
                TableContent(one.name, one.over, one.kind.policy, one.axes, one.rules, Path(one.parsed.file).name)
                for one in reads
            ),
        )
        book = compile_rulebook(content, sha256)
        by_name = {table.name: table for table in book.tables}
        for read in reads:
            self.problems += proof_problems(read, by_name[read.name], impossible)
        return book

    def _guide(self) -> _Guide | None:
        parsed = self.parsed.get(GUIDE)
        if parsed is None:
            return None
        guide, problems = validate(parsed, _Guide)
        self.problems += problems
        if guide is None:
            return None
        facts = {fact.id for fact in guide.facts}
        for kind, entries in (("facts", guide.facts), ("questions", guide.questions), ("claims", guide.claims)):
            ids = [entry.id for entry in entries]
            for number, one in enumerate(ids):
                if one in ids[:number]:
                    words = f"{one} stands here twice"
                    self.problems.append(parsed.problem((kind, number, "id"), words, "give each its own number"))
        for number, question in enumerate(guide.questions):
            self.problems += source_problems(parsed, ("questions", number, "source"), question.source, facts)
        for number, claim in enumerate(guide.claims):
            self.problems += source_problems(parsed, ("claims", number, "source"), claim.source, facts | {OURS})
            self.problems += claim_problems(parsed, number, claim)
        return guide

    def _thresholds(self, sources: set[str] | None) -> tuple[Threshold, ...] | None:
        parsed = self.parsed.get(THRESHOLDS)
        if parsed is None:
            return None
        if not isinstance(parsed.value, dict):
            self.problems.append(parsed.problem((), "thresholds are names and values", "write `name: {value: …}`"))
            return None
        found: list[Threshold] = []
        for name in parsed.value:
            one, problems = validate(parsed, _Threshold, at=(name,))
            self.problems += problems
            if one is None:
                continue
            self.problems += source_problems(parsed, (name, "source"), one.source, sources)
            value = int(one.value) if one.value.is_integer() else one.value
            found.append(Threshold(name, value, _flat(one.says), tuple(one.source)))
        return tuple(found) if len(found) == len(parsed.value) else None

    def _impossible(self, names: Names) -> tuple[Impossible, ...] | None:
        parsed = self.parsed.get(IMPOSSIBLE)
        if parsed is None:
            return None
        if not isinstance(parsed.value, dict) or list(parsed.value) != ["impossible"]:
            words = "this file has one key, impossible, and a list under it"
            self.problems.append(parsed.problem((), words, "write `impossible:` and the combinations below it"))
            return None
        entries = parsed.value["impossible"]
        if not isinstance(entries, list):
            self.problems.append(parsed.problem(("impossible",), "impossible must be a list", "write `- when: …`"))
            return None
        axes = {spec.name: spec for spec in WORKLOAD_AXES}
        found: list[Impossible] = []
        for number in range(len(entries)):
            at: Steps = ("impossible", number)
            entry, problems = validate(parsed, _Impossible, at=at)
            if entry is not None:
                when, more = read_when(parsed, (*at, "when"), axes, axes, names)
                problems += more
                found += [] if when is None else [Impossible(when, _flat(entry.reason))]
            self.problems += problems
        return tuple(found) if len(found) == len(entries) else None

    def _tables(self, names: Names) -> tuple[ReadTable, ...] | None:
        """Every table, the decision first; None where a needed one is missing or a name stands twice."""
        reads: list[ReadTable] = []
        sound = len(self.parsed) == self.files
        for file in sorted(set(self.parsed) - set(PLAIN_FILES)):
            parsed = self.parsed[file]
            read, problems = read_table(
                parsed, _kind_of(parsed.value), thresholds=names.thresholds, sources=names.sources
            )
            self.problems += problems
            if read is None:
                sound = False
            elif any(read.name == other.name for other in reads):
                words = f"a table named {read.name} stands in another file too"
                self.problems.append(parsed.problem(("table",), words, "give it a name of its own"))
                sound = False
            else:
                reads.append(read)
                names.used |= read.used
        self._duplicate_ids(reads)
        for name in (DECISION, COMPONENTS):
            if sound and not any(read.name == name for read in reads):
                words = f'no file holds the table "{name}"'
                self.problems.append(Problem(str(self.folder), None, None, words, f"add a file with `table: {name}`"))
                sound = False
        order = {DECISION: 0, COMPONENTS: 1}
        return tuple(sorted(reads, key=lambda read: order.get(read.name, 2))) if sound else None

    def _duplicate_ids(self, reads: Iterable[ReadTable]) -> None:
        seen: dict[str, str] = {}
        for read in reads:
            for rule in read.rules:
                at: Steps = ("rules", rule.position, "id")
                if rule.id in seen:
                    words = f"the id {rule.id} stands twice, first in {seen[rule.id]}"
                    self.problems.append(read.parsed.problem(at, words, "give each rule its own id"))
                else:
                    seen[rule.id] = f"{Path(read.parsed.file).name}:{read.parsed.place(at).line}"

    def _unused_thresholds(self, reads: Iterable[ReadTable], names: Names) -> None:
        """A threshold nobody names; not judged while some rule could not be read."""
        if not all(read.whole for read in reads):
            return
        parsed = self.parsed[THRESHOLDS]
        for name in names.thresholds or ():
            if name not in names.used:
                words = f"no rule uses the threshold {name}"
                self.problems.append(parsed.problem((name,), words, "remove it", key=True))


def _kind_of(value: object) -> TableKind:
    """What a file may say, judged by the name of its table; any other name is a group of remarks."""
    name = value.get("table") if isinstance(value, dict) else None
    if name == DECISION:
        return TableKind(
            axes={"workload": WORKLOAD_AXES},
            policy="unique",
            outcomes=ARCHITECTURES,
            check_example=_check_example,
            complete=complete,
            all_reached=True,
            with_strength=True,
        )
    if name == COMPONENTS:
        return TableKind(
            axes={"design": DESIGN_AXES},
            policy="collect",
            outcomes=ROLES,
            check_example=_check_example,
            complete=complete,
            all_reached=True,
            with_architecture=True,
        )
    return TableKind(
        axes={"workload": WORKLOAD_AXES, "design": DESIGN_AXES},
        policy="collect",
        outcomes=LEVELS,
        check_example=_check_example,
        complete=complete,
    )


def _check_example(parsed: Parsed, at: Steps, over: str) -> list[Problem]:
    """What is wrong with an example's answers, one by one and together."""
    answers, problems = validate(parsed, _DesignExample if over == "design" else Answers, at=at)
    if answers is None:
        return problems
    return [parsed.problem((*at, answer), words, fix) for answer, words, fix in cross_problems(answers)]


def complete(example: Facts) -> dict[str, Value]:
    """An example with every answer it leaves out filled in, and with its design where it has one."""
    design = {name: example[name] for name in _DESIGN_ONLY if name in example}
    said = {name: value for name, value in example.items() if name not in design}
    workload, _ = fill_defaults(Answers.model_validate(said))
    return design_facts(workload, **design) if design else workload_facts(workload)  # type: ignore[arg-type]


def _flat(text: str) -> str:
    return " ".join(text.split())
