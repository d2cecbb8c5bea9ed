"""Made-up answers, rules, models and command lines: each ends in an exit code of the contract, in words or in JSON.

`make fuzz` tries a hundred thousand of them; the ordinary run some hundreds.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import strategies as st

import advisor.run.child
from advisor.cli import arguments
from advisor.core.documents import DOCUMENTS
from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.workload import ANSWER_ORDER
from tests.fuzz.documents import ODD, POISON, RIGHT, answers_documents, anything, right_reviews, spoiled, trees
from tests.fuzz.running import explore, run, tried

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [path.read_text() for path in sorted((ROOT / "examples").glob("*.yaml"))]

pytestmark = [
    pytest.mark.timeout(8 * 3600),
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

flags = st.sampled_from(([], ["--json"], ["--json"]))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps caches and results out of the user's folders, and every measurement out of this test."""
    for name in ("CACHE", "DATA", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))

    async def refuse(*_: object, **__: object) -> NoReturn:
        raise AdvisorError("measuring is refused here", exit_code=EXIT_UNDECIDED)

    monkeypatch.setattr(advisor.run.child.Child, "start", refuse)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def replaced(path: Path, data: bytes) -> Iterator[None]:
    """A file holding other bytes for a while."""
    before = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_answers_in_a_file(own_folders: Path) -> None:
    path = own_folders / "answers.yaml"

    def attempt(drawn: tuple[bytes, list[str]]) -> None:
        path.write_bytes(drawn[0])
        tried("answers file", ["recommend", str(path), *drawn[1]])

    explore(st.tuples(answers_documents(SHIPPED), flags), attempt, share=0.3)


def test_answers_on_stdin() -> None:
    def attempt(drawn: tuple[bytes, list[str]]) -> None:
        tried("answers stdin", ["recommend", "-", *drawn[1]], drawn[0])

    explore(st.tuples(answers_documents(SHIPPED), flags), attempt, share=0.15)


def test_answers_as_settings() -> None:
    right = [value.map(lambda said, key=key: f"{key}={json.dumps(said)}") for key, value in RIGHT.items()]
    odd = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
    wrong = st.tuples(st.sampled_from(ANSWER_ORDER), odd).map(lambda drawn: f"{drawn[0]}={drawn[1]}")
    strange = st.one_of(st.text(max_size=30), wrong, wrong)
    rarely = st.integers(0, 2).flatmap(lambda dice: st.lists(strange, min_size=1, max_size=2) if dice else st.just([]))
    settings = st.tuples(st.lists(st.one_of(right), max_size=3), rarely).map(lambda drawn: drawn[0] + drawn[1])

    def attempt(drawn: tuple[list[str], list[str]]) -> None:
        words = [word for setting in ["task=chat", *drawn[0]] for word in ("--set", setting)]
        tried("answers --set", ["recommend", *words, *drawn[1]])

    explore(st.tuples(settings, flags), attempt, share=0.15)


def damaged_files(folder: Path) -> st.SearchStrategy[tuple[Path, bytes]]:
    """A file of a folder and what stands in it in place of the shipped words."""
    choices = []
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text()
        choices.append(st.tuples(st.just(path), st.one_of(trees(text), trees(text), spoiled(text))))
    strange = st.tuples(st.sampled_from(sorted(folder.glob("*.yaml"))), anything())
    return st.one_of(*choices, *choices, *choices, strange)


@pytest.fixture
def folders(own_folders: Path) -> Path:
    """Copies of the shipped rules and models to damage."""
    for kind in ("rules", "models"):
        shutil.copytree(ROOT / kind, own_folders / kind)
    return own_folders


def test_model_files(folders: Path) -> None:
    def attempt(drawn: tuple[tuple[Path, bytes], list[str]]) -> None:
        with replaced(*drawn[0]):
            tried("models", ["models", "list", "--models", str(folders / "models"), *drawn[1]])

    explore(st.tuples(damaged_files(folders / "models"), flags), attempt, share=0.15)


def test_rule_files(folders: Path) -> None:
    def attempt(drawn: tuple[tuple[Path, bytes], list[str]]) -> None:
        with replaced(*drawn[0]):
            tried("rules check", ["rules", "check", "--rules", str(folders / "rules"), *drawn[1]])

    explore(st.tuples(damaged_files(folders / "rules"), flags), attempt, share=0.1)


def test_rule_folders_against_each_other(folders: Path) -> None:
    def attempt(drawn: tuple[tuple[Path, bytes], list[str]]) -> None:
        with replaced(*drawn[0]):
            tried("rules diff", ["rules", "diff", str(ROOT / "rules"), str(folders / "rules"), *drawn[1]])

    explore(st.tuples(damaged_files(folders / "rules"), flags), attempt, share=0.05)


FIXTURES = ROOT / "tests" / "fixtures" / "repositories"
REVIEWS = [
    path.read_text()
    for path in (*sorted(FIXTURES.rglob("architecture.yaml")), ROOT / "examples/review/architecture.yaml")
]


def test_architecture_files(own_folders: Path) -> None:
    path = own_folders / "architecture.yaml"
    texts = [st.one_of(trees(text), trees(text), spoiled(text)) for text in REVIEWS]

    def attempt(drawn: tuple[bytes, list[str]]) -> None:
        path.write_bytes(drawn[0])
        ran = tried(
            "architecture file", ["check", str(path), "--today", "2026-11-22", *drawn[1]], codes=(0, 1, 2, 3, 4)
        )
        if ran.code == 1 and drawn[1]:  # bad input is no finding: whoever ends in 1 names one
            failed = [one for one in json.loads(ran.out)["results"] if one["outcome"] == "fail"]
            assert any(one["level"] == "error" for one in failed), ran

    wrong = st.one_of(*texts, anything())
    explore(st.tuples(st.one_of(right_reviews(), right_reviews(), wrong), flags), attempt, share=0.15)


PROFILE = ROOT / "examples" / "profile.json"


def test_plans_from_a_profile(own_folders: Path) -> None:
    path = own_folders / "profile.json"
    rates = st.sampled_from(EXTREMES).flatmap(lambda key: SIZES.map(lambda size: ["--set", f"{key}={size!r}"]))
    damaged = st.one_of(st.just(PROFILE.read_bytes()), st.just(PROFILE.read_bytes()), trees(PROFILE.read_text()))

    def attempt(drawn: tuple[bytes, list[list[str]], list[str]]) -> None:
        path.write_bytes(drawn[0])
        words = [word for setting in drawn[1] for word in setting]
        argv = ["advise", "--set", "task=text-classification", *words, "--profile", str(path), *drawn[2]]
        tried("advise --profile", argv, codes=(0, 1, 2, EXIT_UNDECIDED))

    explore(st.tuples(damaged, st.lists(rates, max_size=3), flags), attempt, share=0.01)


EXTREMES = ("requests_per_second", "requests_per_day", "peak_factor", "latency_budget_ms", "latency_percentile")
EXTREMES += ("memory_limit_gib", "replica_cost_per_hour", "input_tokens", "input_tokens_max", "first_token_budget_ms")
SIZES = st.one_of(
    st.sampled_from([5e-324, 1e-308, 1e-9, 1, 50, 90, 95, 99, 512, 513, 1e7, 1e9, 1e308]),
    st.floats(0, 1e5),
    st.integers(1, 600),
)

RIGHT_LINES = (
    *("recommend -", "recommend --set task=chat", "recommend - --set priority=cost", "models", "models list"),
    *("models show gpt2", "rules list", "rules check", "schema report", "advise -", "profile bert-base --batch 1"),
)


MEASURING = ("advise", "profile", "compare", "inspect")
"""Commands that build a model, which is refused here."""


def sayable(text: str) -> bool:
    """Whether a system can hand this word to a program."""
    try:
        return "\0" not in os.fsencode(text).decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def argument_lists(folder: Path) -> st.SearchStrategy[list[str]]:
    """Commands, options and words in any order, most of them at their place."""
    commands = list(arguments._COMMANDS)
    options = ["--json", "--set", "--rules", "--models", "--output", "--plain", "--quiet", "--help", "--version", "--"]
    options += ["--batch", "--input-tokens", "--output-tokens", "--dtype", "--runtime", "--device", "--samples", "--no"]
    good = ["list", "show", "check", "diff", "bert-base", "gpt2", "report", "error", "task=chat", "hosting=api", "1,8"]
    good += [str(ROOT / "rules"), str(ROOT / "models"), str(ROOT / "examples" / "ticket-routing.yaml"), "-", "", "cpu"]
    good += [str(folder), str(folder / "out.md"), str(folder / "out.json"), str(folder / "no" / "out.md"), "/", "."]
    poison = [data.decode("utf-8", "surrogateescape") for data in POISON]
    strange = st.one_of(st.sampled_from(poison), st.text(max_size=20), st.sampled_from([str(odd) for odd in ODD]))
    known = [st.sampled_from(one) for one in (options, options, good, good, commands)]
    word = st.one_of(*known, strange.filter(sayable))
    joined = st.tuples(st.sampled_from(options), word).map("=".join)
    rest = st.lists(st.one_of(word, word, joined), max_size=6)
    free = st.tuples(st.one_of(st.sampled_from(commands), word), rest).map(lambda drawn: [drawn[0], *drawn[1]])
    more = st.sampled_from(([], ["--json"], ["--plain"], ["--output", f"{folder}/out.md"], ["--output", "o.json"]))
    lines = st.sampled_from([line.split() for line in RIGHT_LINES])
    right = st.tuples(lines, more, st.lists(word, max_size=1))
    return st.one_of(free, right.map(lambda drawn: [*drawn[0], *drawn[1], *drawn[2]]))


def test_command_lines(own_folders: Path) -> None:
    def attempt(argv: list[str]) -> None:
        more = (EXIT_UNDECIDED,) if argv[0] in MEASURING else (3, 4) if argv[0] == "check" else ()
        tried("command line", argv, b"task: chat\n", codes=(0, 1, 2, *more))

    explore(argument_lists(own_folders), attempt, share=0.1)


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_schemas(kind: str) -> None:
    tried("schema", ["schema", kind])


def test_the_answers_made_up_are_neither_all_right_nor_all_wrong() -> None:
    codes: list[int] = []
    explore(answers_documents(SHIPPED), lambda data: codes.append(run(["recommend", "-"], data).code), share=0.05)
    assert set(codes) == {0, 2}
