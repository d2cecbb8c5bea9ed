"""The command line run in this process on anything at all, and the promises it keeps whatever it was given.

The streams are real text streams over bytes, so that encodings count as they do in a pipe.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from os import environ
from typing import TypeVar
from unittest.mock import patch

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

from advisor.cli.dispatch import run as dispatch
from advisor.core.documents import DOCUMENTS
from advisor.core.problems import ErrorDocument

T = TypeVar("T")

EXAMPLES = int(environ.get("FUZZ_EXAMPLES", "400"))
"""How many documents and command lines are made up in all. `make fuzz` asks for the full number."""
ROUND = 1000
"""Examples of one seed. Small rounds keep the memory of what was tried small."""
ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What would steer a terminal instead of being seen, other than tab and line break."""

counted: Counter[tuple[str, int]] = Counter()
"""How often each way in ended in each exit code."""


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


def run(argv: Sequence[str], stdin: bytes = b"") -> Ran:
    """Run `advisor` as a script would, and read what it wrote as UTF-8."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"),
        "stdout": io.TextIOWrapper(out, encoding="utf-8"),
        "stderr": io.TextIOWrapper(err, encoding="utf-8"),
    }
    with patch.multiple(sys, **streams):
        try:
            code = dispatch(list(argv))
        except SystemExit as end:  # --help and --version end the way argparse ends them
            code = int(end.code or 0)
        streams["stdout"].flush()
        streams["stderr"].flush()
    return Ran(code, out.getvalue().decode("utf-8"), err.getvalue().decode("utf-8"))


def tried(way: str, argv: Sequence[str], stdin: bytes = b"", codes: Sequence[int] = (0, 1, 2)) -> Ran:
    """Run a command, count how it ended, and hold it to what every command promises."""
    ran = run(argv, stdin)
    counted[way, ran.code] += 1
    assert ran.code in codes, ran
    assert not ACTING.search(ran.out), ran
    assert not ACTING.search(ran.err), ran
    assert "Traceback (most recent call last)" not in ran.err, ran
    # What is undecided is an answer too; where there is none at all, it is a complaint.
    if ran.code in (0, 1) or (argv[0] == "check" and ran.code in (3, 4)) or (argv[0] == "advise" and ran.out):
        _said_something(ran, argv)
    else:
        assert ran.out == "", ran
        # What `ask` says to the person goes to stderr too, before it: the document is the last line.
        _complained(ran.err.splitlines()[-1:] if argv[:1] == ["ask"] else [ran.err], ran, as_json="--json" in argv)
    return ran


def _said_something(ran: Ran, argv: Sequence[str]) -> None:
    assert ran.out.endswith("\n"), ran
    if "--json" not in argv or "--help" in argv or "-h" in argv or "--version" in argv:
        return
    document = json.loads(ran.out, parse_constant=_refuse_constant)
    if "$schema" not in document:
        assert document["schema_version"] == 1
        DOCUMENTS[document["kind"]].model_validate_json(ran.out)


def _complained(said: Sequence[str], ran: Ran, *, as_json: bool) -> None:
    assert ran.err.strip(), ran
    if as_json:
        document = ErrorDocument.model_validate_json(said[0])
        assert document.exit_code == ran.code
        assert document.problems


def _refuse_constant(word: str) -> None:
    raise AssertionError(f"{word} is no figure")


def explore(made_up: SearchStrategy[T], attempt: Callable[[T], object], *, share: float) -> None:
    """Try `attempt` on made-up examples: this share of all of them, from fixed seeds."""
    left = ceil(EXAMPLES * share)
    for number in range(ceil(left / ROUND)):
        _round(made_up, attempt, number, min(ROUND, left - number * ROUND))


def _round(made_up: SearchStrategy[T], attempt: Callable[[T], object], number: int, examples: int) -> None:
    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(made_up)
    def once(example: T) -> None:
        attempt(example)

    once()
