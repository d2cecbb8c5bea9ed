"""`advisor ask`: one question after another, through a pipe and in a terminal, and in the end what `recommend` says."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from advisor.core.task import TASKS
from tests.cli.conftest import Ran, Run

ADVISOR = [sys.executable, "-m", "advisor"]
ROOT = Path(__file__).resolve().parents[2]
TICKETS = str(ROOT / "examples" / "ticket-routing.yaml")
LIVENESS_SECONDS = 60
CTRL_C, CTRL_D = "\x03", "\x04"
Pipe = Callable[..., Ran]
Terminal = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def pipe(run: Run, monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Runs `advisor ask` with these lines on stdin."""

    def go(lines: str | bytes, *arguments: str) -> Ran:
        raw = lines.encode() if isinstance(lines, str) else lines
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        return run("ask", *arguments)

    return go


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Starts `advisor ask` in a terminal of its own."""
    started: list[pexpect.spawn[str]] = []

    def start(*arguments: str, **environment: str) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "advisor", "ask", *arguments],
            env=os.environ | {"TERM": "xterm-256color", "XDG_CACHE_HOME": str(tmp_path)} | environment,
            dimensions=(24, 200),
            encoding="utf-8",
            timeout=LIVENESS_SECONDS,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def ended(child: pexpect.spawn[str]) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def asked(words: str) -> list[str]:
    """The questions that were put, in their order."""
    return re.findall(r"^([^\n(:.]+) \([^\n]*\): ", words, re.MULTILINE)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_and_nothing_else_ends_like_recommend(pipe: Pipe, run: Run, task: str) -> None:
    done = pipe(f"{task}\n")
    assert (done.code, done.out) == (0, run("recommend", "--set", f"task={task}").out)
    assert f"advisor advise --set task={task}" in done.err


def test_a_real_pipe_is_answered_like_a_terminal(tmp_path: Path) -> None:
    words = [*ADVISOR, "ask", "--json"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(words, input="chat\n7", capture_output=True, text=True, env=environment)
    assert done.returncode == 0
    assert json.loads(done.stdout)["workload"]["requests_per_second"] == 7


def test_the_answers_piped_in_are_the_workload(pipe: Pipe) -> None:
    done = pipe("text-classification\n200\n50\n99\n\n\n20000\naccuracy\n", "--json")
    workload = json.loads(done.out)["workload"]
    said = {"requests_per_second": 200, "latency_budget_ms": 50, "latency_percentile": 99, "labelled_examples": 20000}
    assert {key: workload[key] for key in said} == said
    assert json.loads(done.out)["kind"] == "recommendation"


def test_the_number_in_the_list_will_do_for_a_task(pipe: Pipe) -> None:
    assert json.loads(pipe("16\n", "--json").out)["workload"]["task"] == TASKS[15]


def test_only_questions_that_still_matter_are_asked(pipe: Pipe) -> None:
    lines = "\n" * 40
    of_chat, of_masks = asked(pipe(f"chat\n{lines}").err), asked(pipe(f"fill-mask\n{lines}").err)
    assert "Output tokens" in of_chat
    assert "Output tokens" not in of_masks
    assert "Documents to search" in of_chat
    assert "Documents to search" not in of_masks
    assert len(of_masks) < len(of_chat) < 22


def test_a_budget_brings_the_question_for_its_percentile(pipe: Pipe) -> None:
    assert "Percentile" in asked(pipe("fill-mask\n\n50\n\n").err)
    assert "Percentile" not in asked(pipe("fill-mask\n\n\n\n").err)


def test_an_empty_line_takes_the_default_that_was_shown(pipe: Pipe) -> None:
    done = pipe("summarization\n" + "\n" * 40, "--json")
    assert "Input tokens (default 1024): " in done.err
    assert "input_tokens" in json.loads(done.out)["defaulted"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("transltion\ntranslation\n", 'did you mean "translation"?'),
        ("20\nchat\n", "allowed: text-classification"),
        ("0016\nchat\n", "without leading zeros"),
        ("chat\nmany\n5\n", "requests_per_second must be a number"),
        ("chat\n-3\n5\n", "greater than 0"),
        ("text-classification\n5\n\n\n\n\nchap\ncost\n", "allowed: cost, balanced, accuracy"),
        ("text-classification\n5\n\n\n\n\n\nperhaps\nyes\n", "allowed: yes, no"),
    ],
)
def test_a_word_that_does_not_hold_is_refused_with_a_hint_and_asked_again(pipe: Pipe, lines: str, words: str) -> None:
    done = pipe(lines)
    assert done.code == 0
    assert "Not taken: " in done.err
    assert words in done.err
    put = asked(done.err)
    assert any(first == second for first, second in itertools.pairwise(put))


def test_a_question_mark_explains_and_asks_again(pipe: Pipe) -> None:
    done = pipe("text-classification\n?\n7\n", "--json")
    assert "Allowed: a number, above 0 and at most 1,000,000,000." in done.err
    assert "Rules that ask it: CLS-001" in done.err
    assert json.loads(done.out)["workload"]["requests_per_second"] == 7


def test_going_back_changes_an_answer_and_with_it_the_questions(pipe: Pipe) -> None:
    done = pipe("chat\n<\nfill-mask\n3\n", "--json")
    workload = json.loads(done.out)["workload"]
    assert (workload["task"], workload["requests_per_second"]) == ("fill-mask", 3)
    assert "Task (name or number; as given chat): fill-mask" in done.err
    assert "Output tokens" not in asked(done.err)


def test_there_is_nothing_before_the_first_question(pipe: Pipe) -> None:
    assert "This is the first question." in pipe("<\nchat\n").err


def test_default_takes_an_answer_back(pipe: Pipe) -> None:
    done = pipe("chat\n50\n<\ndefault\n", "--json")
    assert "Requests per second (as given 50): default" in done.err
    assert "requests_per_second" in json.loads(done.out)["defaulted"]


def test_an_answer_that_contradicts_an_earlier_one_has_that_one_asked_again(pipe: Pipe) -> None:
    done = pipe("fill-mask\n\n\n100\n120\n<\n<\n200\n300\n", "--json")
    assert "Asked again: input_tokens_max 120 is below input_tokens 200" in done.err
    workload = json.loads(done.out)["workload"]
    assert (workload["input_tokens"], workload["input_tokens_max"]) == (200, 300)


def test_answers_given_beforehand_are_offered_and_kept(pipe: Pipe, run: Run) -> None:
    given = [TICKETS, "--set", "requests_per_second=3", "--json"]
    done = pipe("\n" * 40, *given)
    assert done.out == run("recommend", *given).out
    assert "Requests per second (as given 3): " in done.err


def test_answers_given_beforehand_may_leave_the_task_to_be_asked(pipe: Pipe) -> None:
    done = pipe("chat\n", "--set", "latency_budget_ms=900", "--set", "output_tokens=0", "--json")
    assert "Asked again: output_tokens is 0, but chat writes text" in done.err
    workload = json.loads(done.out)["workload"]
    assert (workload["task"], workload["latency_budget_ms"], workload["output_tokens"]) == ("chat", 900, 256)
    wrong = pipe("chat\n", "--set", "latency_budget_ms=soon")
    assert (wrong.code, "--set latency_budget_ms" in wrong.err) == (2, True)


def test_an_input_that_ends_before_the_task_is_the_callers_mistake(pipe: Pipe) -> None:
    for lines in ("", "\n\n", "potato\n"):
        done = pipe(lines)
        assert (done.code, done.out) == (2, "")
        assert "ended before" in done.err
        assert "takes its default" not in done.err
        assert "Traceback" not in done.err


def test_the_answers_file_cannot_be_stdin_as_well(pipe: Pipe) -> None:
    done = pipe("task: chat\n", "-")
    assert (done.code, done.out) == (2, "")
    assert "stdin" in done.err


@pytest.mark.parametrize(
    "hostile",
    [b"\x1b[31mred", b"\xff\xfe", b"a\x00b", "a\u202eb".encode(), b"x" * 100_000, b"[1"],
    ids=["escape", "no text", "nul", "bidi", "long", "yaml"],
)
def test_hostile_lines_are_refused_and_reach_no_terminal_as_control(pipe: Pipe, hostile: bytes) -> None:
    done = pipe(hostile + b"\nchat\n" + hostile + b"\n5\n", "--json")
    assert done.code == 0
    assert json.loads(done.out)["workload"]["requests_per_second"] == 5
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", done.err)


def test_quiet_asks_and_says_nothing_else(pipe: Pipe) -> None:
    done = pipe("chat\n", "--quiet")
    assert done.err.startswith("Task (name or number; no default): chat\nRequests per second (default 1): ")


def test_the_result_is_written_to_a_file_too(pipe: Pipe, tmp_path: Path) -> None:
    path = tmp_path / "advice.md"
    assert pipe("chat\n", "--output", str(path)).code == 0
    assert path.read_text(encoding="utf-8").startswith("# decoder-only")


def test_without_stdin_the_task_cannot_be_given() -> None:
    words = " ".join([*ADVISOR, "ask"])
    done = subprocess.run(["bash", "-c", f"exec {words} <&-"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "ended before" in done.stderr


def test_a_conversation_in_a_terminal_ends_with_the_advice(terminal: Terminal) -> None:
    child = terminal()
    child.expect(r"Task \(name or number; no default\): ")
    child.sendline("chat")
    for _ in range(30):
        if child.expect([r" \([^\r\n]*default[^\r\n]*\): ", "To measure this on your machine: "]) == 1:
            break
        child.sendline("")
    child.expect("advisor advise --set task=chat")
    assert ended(child) == 0


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_no_colour_and_no_cursor_movement_reach_the_terminal(terminal: Terminal, term: str) -> None:
    child = terminal(TERM=term)
    child.expect("no default")
    child.sendline("fill-mask")
    child.expect("Requests per second")
    child.send(CTRL_D)
    child.expect("To measure")
    painted = child.before
    assert ended(child) == 0
    assert "\x1b" not in painted + child.before


def test_a_line_can_be_edited_and_completed_where_python_can(terminal: Terminal) -> None:
    pytest.importorskip("readline", reason="this Python was built without line editing")
    child = terminal()
    child.expect("no default")
    child.send("fill\tx\x7f\r")
    child.expect(r"Requests per second \(default 1\): ")
    child.send(CTRL_C)
    assert ended(child) == 130


def test_ctrl_c_ends_with_one_sentence_and_130(terminal: Terminal) -> None:
    child = terminal()
    child.expect("no default")
    child.send(CTRL_C)
    child.expect("advisor: interrupted, and no answer was kept")
    assert ended(child) == 130
    assert "Traceback" not in child.before


def test_ctrl_d_takes_the_defaults_for_the_rest_and_says_so(terminal: Terminal) -> None:
    child = terminal("--set", "task=chat")
    child.expect("as given chat")
    child.send(CTRL_D)
    child.expect("what was not answered takes its default")
    child.expect("decoder-only")
    assert ended(child) == 0


def test_in_a_terminal_without_stderr_lines_are_read_all_the_same() -> None:
    child = pexpect.spawn(
        "bash", ["-c", f"{sys.executable} -m advisor ask 2>&-"], encoding="utf-8", timeout=LIVENESS_SECONDS
    )
    child.sendline("chat")
    child.send(CTRL_D)
    child.expect("decoder-only")
    assert ended(child) == 0


def test_questions_stay_in_the_terminal_where_stdout_is_a_file(terminal: Terminal, tmp_path: Path) -> None:
    kept = tmp_path / "advice.txt"
    script = f"{sys.executable} -m advisor ask > {kept}"
    child = pexpect.spawn("bash", ["-c", script], encoding="utf-8", timeout=LIVENESS_SECONDS)
    child.expect("no default")
    child.sendline("chat")
    child.expect("Requests per second")
    child.send(CTRL_D)
    assert ended(child) == 0
    assert kept.read_text(encoding="utf-8").startswith("decoder-only (strong)\n")
    assert "Task" not in kept.read_text(encoding="utf-8")
