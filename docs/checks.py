"""The page of `advisor check`: how to begin, how to put it into CI, every check, and three repositories under review.

Checks come from the data, the files for CI from examples/ci/, the reviews from the command itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from advisor.core.explain.grounds import Grounds, example_words
from advisor.core.guide.rule import Rule, Table
from advisor.core.guide.words import rule_words
from advisor.core.review.code_kinds import CODE_KINDS, NOT_READ
from advisor.core.review.design_kinds import DESIGN_KINDS
from advisor.core.review.kind import CheckKind
from advisor.report import markdown
from advisor.report.blocks import Block, Heading, Paragraph, bullets

ROOT = Path(__file__).resolve().parent.parent
REPOSITORIES = ROOT / "tests" / "fixtures" / "repositories"
ADVISOR = Path(sys.executable).parent / "advisor"
TODAY = "2026-11-22"
MADE = "This page is made from the data by make docs; change the data, not the page."
OUTCOMES = (
    "pass: it was looked at, and it is as it should be.",
    "fail: it is not; an error, a warning or a note. From --fail-level on (error, unless you say otherwise) exit 1.",
    "waived: it is not, and somebody answers for it until a day that is named.",
    "inconclusive: it was looked at and did not settle; exit 4.",
    "not-checked: it could not be looked at here, and the reason is given. Counted on the last line; exit 4 only "
    "under --strict. Where nothing at all was checked, exit 3.",
)
TRIALS = {
    "rag-service": "A service that answers from documents. Wrong: vectors from GPT-2, and a generator that never sees "
    "the documents. Right: a retriever, a re-ranker and a generator, declared as parts.",
    "classifier-service": "A service that routes tickets. Wrong: a 7-billion decoder for 200 labels a second, texts "
    "longer than their model reads, a pickle; one finding is waived. Right: a fine-tuned encoder.",
    "translation-batch": "A job that translates manuals overnight. Wrong: an encoder declared and asked to write, a "
    "model folder that says otherwise, a decoder without a mask, a config that Git LFS left behind. Right: an "
    "encoder-decoder.",
}


def checks_page(grounds: Grounds) -> str:
    """The whole page."""
    return "\n".join([*_begin(), *_in_ci(), *_every_check(grounds), *_trials()])


def _text(*blocks: Block) -> str:
    return markdown.render(blocks)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


def _begin() -> Iterator[str]:
    yield _text(
        Heading("Reviewing what was declared", 1),
        Paragraph(MADE),
        Paragraph(
            "A team writes down what each component is for and which architecture it chose. advisor check reviews "
            "that: whether the choice follows from the workload, whether the model is what the file says, whether the "
            "code does what it should, whether the budgets hold. It needs no torch, runs nothing of what it reads, "
            "and says what it did not check."
        ),
        Heading("Begin", 2),
        Paragraph(
            "This writes architecture.yaml with the advised architecture and a model that stands for it until you name "
            "yours, and .advisor/architecture.schema.json, by which editors check the file. --answers takes the "
            "answers from a file instead. Nothing is ever overwritten."
        ),
    )
    yield _fenced("sh", "advisor check --init --set task=text-classification --set requests_per_second=200")
    yield _text(Paragraph("A file with everything in it that may be there:"))
    yield _fenced("yaml", _whole_file())
    yield _text(
        Paragraph(
            "A waiver needs a reason, an owner, the day it was written and its last day, and for a budget a ceiling. "
            "In its last fourteen days the review says that it ends soon; when it has ended the finding returns and "
            "names it."
        ),
        Heading("Outcomes", 2),
        bullets(OUTCOMES),
    )


def _whole_file() -> str:
    return (ROOT / "examples" / "review" / "architecture.yaml").read_text(encoding="utf-8")


def _in_ci() -> Iterator[str]:
    yield _text(
        Heading("In CI", 2),
        Paragraph(
            "Several reports can be made in one run, all from the same review: --report json=FILE, sarif=FILE, "
            "junit=FILE, gitlab=FILE, md=FILE, and --report github, which writes annotations to stdout. The exit code "
            "does not depend on them. SARIF and GitLab's report hold what failed or did not settle; what is waived is "
            "left out of them, unless --show-waived puts it into SARIF as suppressed."
        ),
        Paragraph(
            "With --base REF the review says what a change introduced since it left REF, which must have been fetched: "
            "new findings and waivers, loosened budgets, changed answers and choices. A finding that was there before "
            "counts as it always did. Nothing is measured for the earlier state and no model of it is built: what a "
            "look at a model shows now it would have shown then, where all files of its folder that a look reads are "
            "the same (a pointer of Git LFS counts as the file it names); where they are not, the finding is new."
        ),
    )
    for name, title, language in (
        ("github.yml", "GitHub: annotations, code scanning, and a comment that is kept up to date", "yaml"),
        ("gitlab-ci.yml", "GitLab: code quality in the merge request, and a test report", "yaml"),
        ("pre-commit-config.yaml", "Before a commit", "yaml"),
    ):
        yield _text(Heading(title, 3))
        yield _fenced(language, (ROOT / "examples" / "ci" / name).read_text(encoding="utf-8"))


def _every_check(grounds: Grounds) -> Iterator[str]:
    yield _text(
        Heading("Checks", 2),
        Paragraph(
            "advisor explain ID says the same in a terminal. A waiver names a check by its id; ids never change."
        ),
    )
    for title, kinds in (("The declaration", DESIGN_KINDS), ("Code", CODE_KINDS)):
        yield _text(Heading(title, 3))
        for kind in kinds.values():
            yield from _kind(kind, grounds)
    yield _text(
        Heading("Designs", 3),
        Paragraph(
            "These are rules of the rules folder, which advisor recommend prints as warnings too. What to do instead "
            "is what the rules advise for the workload; the finding names it."
        ),
    )
    for table in grounds.book.remarks:
        for rule in table.rules:
            yield _rule(table, rule, grounds)


def _kind(kind: CheckKind, grounds: Grounds) -> Iterator[str]:
    said = [
        ("What", kind.says),
        ("Why", f"{kind.because} {_cited(kind.source, grounds)}"),
        ("Instead", kind.remedy),
        ("Exceptions", kind.unless),
        ("Level", kind.level),
        ("Since", kind.since),
    ]
    lines = [f"{word}: {text}" for word, text in said if text]
    yield _text(Heading(f"{kind.id}: {kind.title}", 4), bullets(lines))
    if kind.example:
        yield _text(Paragraph("For example:"))
        yield _fenced("python" if kind.id in CODE_KINDS and kind.id != NOT_READ else "yaml", kind.example)


def _rule(table: Table, rule: Rule, grounds: Grounds) -> str:
    said = [
        ("What", rule_words({axis.name: axis.spec for axis in table.space.axes}, rule.when)),
        ("Why", f"{rule.because} {_cited(rule.source, grounds)}"),
        ("Example", example_words(rule.fires[0]) if rule.fires else None),
        ("Exceptions", rule.unless),
        ("Level", str(rule.then)),
        ("Since", f"rules {grounds.book.version}"),
    ]
    lines = [f"{word}: {text}" for word, text in said if text]
    return _text(Heading(f"{rule.id}: {rule.title}", 4), bullets(lines))


def _cited(source: Sequence[str], grounds: Grounds) -> str:
    named = [one.id if one.section == one.id else f"{one.id}, {one.section}" for one in grounds.cited(source)]
    return f"({'; '.join(named)})"


def _trials() -> Iterator[str]:
    yield _text(
        Heading("Three repositories under review", 2),
        Paragraph(f"They lie in tests/fixtures/repositories, each wrong and right. Reviewed as of {TODAY}."),
    )
    for name, words in TRIALS.items():
        yield _text(Heading(name, 3), Paragraph(words))
        for side in ("wrong", "right"):
            yield _fenced("text", f"$ cd {name}/{side}; advisor check\n{_reviewed(REPOSITORIES / name / side)}")


def _reviewed(folder: Path) -> str:
    """What the command prints of a repository, the exit code last."""
    words = [str(ADVISOR), "check", "--plain", "--today", TODAY]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}exit code {done.returncode}\n"
