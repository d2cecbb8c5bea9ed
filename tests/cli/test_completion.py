"""`advisor completion SHELL`: the script is the shell's own language, and completes what the commands take."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest

from advisor.advise import load_knowledge
from advisor.cli.arguments import parser
from advisor.cli.completion import script
from advisor.cli.tree import commands
from tests.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
SHELLS = ("bash", "zsh", "fish")
ASK_BASH = """\
COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}
read -ra COMP_WORDS <<<"${COMP_LINE//=/ = }"  # bash ends a word at =
[[ "$COMP_LINE" == *[[:space:]=] ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_advisor_with_settings advisor "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
TYPED = [
    ("advisor recom", "recommend", "recommend"),
    ("advisor rules d", "diff", "diff"),
    ("advisor explain CLS-00", "CLS-001", "CLS-001"),
    ("advisor explain high", "high_volume", "high_volume"),
    ("advisor models show gpt", "gpt2", "gpt2"),
    ("advisor profile minilm-l", "minilm-l6", "minilm-l6"),
    ("advisor schema explanat", "explanation", "explanation"),
    ("advisor profile gpt2 --devi", "--device", "--device"),
    ("advisor profile gpt2 --device cu", "cuda", "cuda"),
    ("advisor recommend --set priority=acc", "accuracy", "priority=accuracy"),
    ("advisor recommend --set task=chat --set prio", "priority=cost", "priority=cost"),
    ("advisor recommend examples/ticket", "examples/ticket-routing.yaml", "examples/ticket-routing.yaml"),
    ("advisor completion zs", "zsh", "zsh"),
]
"""What stands on the line, and one of the words that bash and fish then offer."""


def offered(shell: str, folder: Path, typed: str) -> list[str]:
    path = folder / f"advisor.{shell}"
    path.write_text(script(shell, load_knowledge()), encoding="utf-8")
    if shell == "bash":
        words = ["bash", "-c", f'source "{path}"\n{ASK_BASH}', "bash", typed]
    else:
        words = ["fish", "--no-config", "-c", f"source '{path}'; complete -C '{typed}'"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_the_shells_own_language_and_names_every_command(shell: str, run: Run, tmp_path: Path) -> None:
    done = run("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert all(command.words.split()[-1] in done.out for command in commands(parser()))
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: its grammar cannot be asked")
    path = tmp_path / "script"
    path.write_text(done.out, encoding="utf-8")
    checked = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("typed", "word", "_"), TYPED)
def test_bash_completes_commands_options_and_words(tmp_path: Path, typed: str, word: str, _: str) -> None:
    assert word in offered("bash", tmp_path, typed)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("typed", "_", "word"), TYPED)
def test_fish_completes_commands_options_and_words(tmp_path: Path, typed: str, _: str, word: str) -> None:
    assert word in offered("fish", tmp_path, typed)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_commands_options_and_words(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(script("zsh", load_knowledge()), encoding="utf-8")
    environment = {"TERM": "dumb", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    shell = pexpect.spawn("zsh", ["-f"], cwd=ROOT, env=environment, encoding="utf-8", dimensions=(50, 200), timeout=60)
    shell.sendline(f"PS1='> '; autoload -U compinit; compinit -u -D; eval \"$(<{path})\"; echo LOAD''ED")
    shell.expect("LOADED")
    for typed, whole in (
        ("advisor recom", "recommend"),
        ("advisor rules d", "diff"),
        ("advisor explain high_v", "olume"),
    ):
        shell.send(f"{typed}\t")
        shell.expect_exact(f"{whole} ")
        shell.send("\x15")  # the line is thrown away
    shell.send("advisor recommend --set task=ch\t")
    shell.expect_exact("task=chat ")
    shell.close(force=True)


def test_bash_offers_an_answer_without_its_value_where_any_number_will_do(tmp_path: Path) -> None:
    assert "requests_per_second=" in offered("bash", tmp_path, "advisor recommend --set requests_per_s")


def test_names_that_a_shell_would_run_stay_out_of_the_script(run: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    thresholds = rules / "thresholds.yaml"
    hostile = thresholds.read_text(encoding="utf-8").replace("high_volume:", "\"$(id)';id;'\":")
    thresholds.write_text(hostile, encoding="utf-8")
    for path in rules.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(" high_volume", " \"$(id)';id;'\""), encoding="utf-8")
    for shell in SHELLS:
        done = run("completion", shell, "--rules", str(rules))
        assert done.code == 0, done.err
        assert "$(id)" not in done.out
        assert "high_volume" not in done.out


def test_an_unknown_shell_is_refused_with_those_there_are(run: Run) -> None:
    done = run("completion", "ksh")
    assert (done.code, done.out) == (2, "")
    assert "bash" in done.err
