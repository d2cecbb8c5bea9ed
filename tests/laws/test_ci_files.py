"""What teams put into their CI works as it stands here: the action's steps, the hook, the examples."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WRONG = ROOT / "tests" / "fixtures" / "repositories" / "rag-service" / "wrong"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXAMPLES = sorted((ROOT / "examples" / "ci").iterdir())

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to run the steps with")


def step(name: str) -> dict[str, Any]:
    (found,) = [one for one in STEPS if one.get("name") == name]
    return found


def run_step(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does: bash that ends at the first mistake, and its own environment."""
    known = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "RUNNER_TEMP": str(folder), "HOME": str(folder)}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)["run"]]
    return subprocess.run(words, cwd=WRONG, env=known | environment, capture_output=True, text=True)


def test_every_action_of_others_is_pinned_by_a_full_commit() -> None:
    files = ("action.yml", "examples/ci/github.yml", ".github/workflows/ci.yml")
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in files if (ROOT / name).exists())
    uses = [line for line in re.findall(r"uses: (.+)", text) if not line.startswith("OWNER/archadvisor@COMMIT")]
    assert len(uses) >= 3
    for one in uses:
        assert re.fullmatch(r"(actions|github)/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)


def test_no_script_of_the_action_has_words_of_a_pull_request_in_it() -> None:
    for one in STEPS:
        assert "${{" not in one.get("run", "")


def test_every_script_of_the_action_is_bash() -> None:
    for one in STEPS:
        if "run" in one:
            done = subprocess.run(["bash", "-n"], input=one["run"], capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A runner's folder in which the install step has run."""
    (tmp_path / "archadvisor" / "bin").mkdir(parents=True)
    (tmp_path / "archadvisor" / "bin" / "advisor").symlink_to(Path(sys.executable).parent / "advisor")
    return tmp_path


def test_the_review_step_leaves_its_reports_and_its_exit_code(installed: Path) -> None:
    output, summary = installed / "output", installed / "summary"
    given = {"PATHS": "architecture.yaml\n", "FAIL_LEVEL": "error", "STRICT": "false", "BASE": ""}
    done = run_step("Review", installed, GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary), **given)
    assert (done.returncode, done.stderr) == (0, "")
    assert "::error file=architecture.yaml,line=5" in done.stdout
    said = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
    assert said["exit-code"] == "1"
    assert json.loads(Path(said["json"]).read_text(encoding="utf-8"))["kind"] == "check"
    assert json.loads(Path(said["sarif"]).read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert summary.read_text(encoding="utf-8").startswith("## ✗ Architecture review: 5 findings")
    assert run_step("Verdict", installed, CODE=said["exit-code"]).returncode == 1


def test_a_mistake_in_the_file_leaves_a_code_and_no_reports(installed: Path) -> None:
    output = installed / "output"
    given = {"PATHS": "no-such-file.yaml", "FAIL_LEVEL": "error", "STRICT": "true", "BASE": ""}
    done = run_step("Review", installed, GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(installed / "s"), **given)
    assert done.returncode == 0
    assert "no such file" in done.stderr
    assert "exit-code=2" in output.read_text(encoding="utf-8")
    assert "=/" not in output.read_text(encoding="utf-8")


@pytest.mark.parametrize(("known", "call"), [("", "--method POST"), ("77\n78", "--method PATCH")])
def test_the_comment_is_written_once_and_then_kept_up_to_date(tmp_path: Path, known: str, call: str) -> None:
    reports, tool = tmp_path / "archadvisor-reports", tmp_path / "bin" / "gh"
    reports.mkdir()
    tool.parent.mkdir()
    (reports / "review.md").write_text("## ✗ a review\n", encoding="utf-8")
    tool.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\ncase "$*" in *--jq*) echo "{known}";; esac\n')
    tool.chmod(0o755)
    done = run_step("Keep one comment up to date", tmp_path, NUMBER="5", GITHUB_REPOSITORY="a/b")
    assert (done.returncode, done.stderr) == (0, "")
    asked, written = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert "repos/a/b/issues/5/comments" in asked
    assert call in written
    assert ("repos/a/b/issues/comments/77 " in written) == bool(known)
    assert (reports / "comment.md").read_text(encoding="utf-8") == "<!-- archadvisor check -->\n## ✗ a review\n"


def test_the_hook_runs_a_command_there_is_on_what_a_review_reads() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"] == "advisor check"
    assert hook["types_or"] == ["yaml", "python", "json"]
    assert not hook["pass_filenames"]


def test_the_examples_give_the_action_and_the_hook_what_they_take() -> None:
    workflow, commits = (
        yaml.safe_load((ROOT / "examples" / "ci" / name).read_text(encoding="utf-8"))
        for name in ("github.yml", "pre-commit-config.yaml")
    )
    steps = [one for job in workflow["jobs"].values() for one in job["steps"]]
    (ours,) = [one for one in steps if one["uses"].startswith("OWNER/archadvisor@")]
    assert set(ours["with"]) <= set(ACTION["inputs"])
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [one["id"] for repo in commits["repos"] for one in repo["hooks"]] == [hook["id"]]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_for_ci_names_only_options_there_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)
    done = subprocess.run([Path(sys.executable).parent / "advisor", "check", "--help"], capture_output=True, text=True)
    for option in re.findall(
        r"(?<!\S)(--[a-z-]+)(?= )", text.split("advisor check", 1)[-1] if "advisor check" in text else ""
    ):
        assert option in done.stdout


@pytest.mark.parametrize("compared", [False, True])
def test_the_job_for_gitlab_reviews_alone_and_in_a_merge_request(tmp_path: Path, compared: bool) -> None:
    (job,) = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8")).values()
    install, review = job["script"]
    assert install.endswith('"$ARCHADVISOR"')
    shutil.copytree(WRONG, tmp_path / "work")
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "--quiet"), ("add", "--all"), (*who, "commit", "--quiet", "--message", "a state")):
        subprocess.run(["git", *words], cwd=tmp_path / "work", check=True)
    known = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    known |= {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD"} if compared else {}
    done = subprocess.run(["sh", "-ec", review], cwd=tmp_path / "work", env=known, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert ("Since HEAD this change introduced:" in done.stdout) == compared
    written = job["artifacts"]["reports"]
    assert all((tmp_path / "work" / name).stat().st_size for name in (written["codequality"], written["junit"]))
