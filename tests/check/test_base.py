"""What a change introduced, asked of real git repositories."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import advisor.store.git
from advisor.core.errors import AdvisorError
from advisor.core.review.document import Base, CheckDocument
from tests.check.declaring import LABELS, RETRIEVAL, WAIVER, component, only, reviewed, written
from tests.check.versions import committed, git


def since(path: Path, ref: str = "HEAD") -> tuple[CheckDocument, Base]:
    made = reviewed(path, base=ref)
    assert made.base is not None
    return made, made.base


def test_a_change_of_nothing_introduces_nothing(repository: Path) -> None:
    file = written(repository, component("search", RETRIEVAL, "decoder-only"))
    committed(repository)
    made, base = since(file)
    assert (base.introduced, base.notes) == ((), ())
    assert only(made, "EMB-101").baseline == "known"
    assert made.exit_code == 1  # a known finding is still one


def test_new_findings_waivers_budgets_and_answers_are_told_apart(repository: Path) -> None:
    tickets = component("tickets", LABELS, "encoder-only", model="bert-base", budgets={"parameters": 200e6})
    written(repository, component("search", RETRIEVAL, "decoder-only"), tickets)
    committed(repository)
    looser = component("tickets", LABELS | {"requests_per_second": 300}, "encoder-only", model="bert-large")
    looser["budgets"] = {"parameters": 300e6}
    file = written(repository, tickets | {"name": "first"}, component("search", RETRIEVAL, "decoder-only"), looser,
                   waivers=[WAIVER])  # fmt: skip
    made, base = since(file)
    kinds = sorted((one.kind, one.component) for one in base.introduced)
    assert kinds == [
        ("changed-answer", "tickets"),
        ("changed-choice", "tickets"),
        ("loosened-budget", "tickets"),
        ("new-component", "first"),
        ("new-finding", "tickets"),
        ("new-waiver", "search"),
    ]
    assert only(made, "EMB-101").baseline == "known"  # it stands elsewhere now, and is the same
    assert only(made, "BUD-101", "tickets").baseline == "new"


def test_a_waiver_that_lasts_longer_and_allows_more_is_told_as_both(repository: Path) -> None:
    tickets = component("tickets", LABELS, "encoder-only", model="bert-base", budgets={"parameters": 100e6})
    waiver = WAIVER | {"check": "BUD-101", "component": "tickets", "ceiling": 110e6}
    written(repository, tickets, waivers=[waiver])
    committed(repository)
    _, base = since(written(repository, tickets, waivers=[waiver | {"ceiling": 400e6, "expires": "2027-03-01"}]))
    assert [one.says for one in base.introduced] == [
        "waiver extended: BUD-101 for tickets from 2027-02-01 to 2027-03-01",
        "waiver loosened: BUD-101 for tickets, ceiling 110,000,000 → 400,000,000",
    ]


def test_what_is_checked_no_more_is_told(repository: Path) -> None:
    (repository / "serve.py").write_text("import torch\nweights = torch.load(path)\n")
    written(
        repository,
        component("search", RETRIEVAL, "decoder-only"),
        component("tickets", LABELS, "encoder-only", code=["*.py"], testbed="a" * 12, measured="p.json"),
        waiver_horizon_days=100,
    )
    committed(repository)
    _, base = since(written(repository, component("tickets", LABELS, "encoder-only", testbed="b" * 12)))
    assert sorted((one.kind, one.says) for one in base.introduced) == [
        ("less-checked", "tickets: code *.py is no longer read"),
        ("less-checked", "tickets: measured p.json is no longer read"),
        ("less-checked", "tickets: testbed changed, aaaaaaaaaaaa → bbbbbbbbbbbb"),
        ("loosened-horizon", "waivers may last 365 days in place of 100"),
        ("removed-component", "search: the component is gone, and all that was checked of it"),
    ]


def test_a_finding_in_code_that_moved_is_known_and_a_second_one_is_new(repository: Path) -> None:
    file = written(repository, component("tickets", LABELS, "encoder-only", code=["*.py"]))
    code = repository / "serve.py"
    code.write_text("import torch\nweights = torch.load(path)\n")
    committed(repository)
    code.write_text("import torch\n\n\nweights = torch.load(path)\nmore = torch.load(other)\n")
    made, base = since(file)
    assert sorted(one.baseline or "" for one in made.results if one.outcome == "fail") == ["known", "new"]
    assert len(base.introduced) == 1


def test_a_finding_that_the_earlier_state_left_open_is_neither_new_nor_known(repository: Path) -> None:
    config = repository / "m" / "config.json"
    config.parent.mkdir()
    config.write_text("version https://git-lfs.github.com/spec/v1\n")
    file = written(repository, component("tickets", LABELS, "encoder-only", model="m"))
    committed(repository)
    config.write_text('{"model_type": "gpt2"}')
    made, base = since(file)
    assert (only(made, "ARC-002").outcome, only(made, "ARC-002").baseline) == ("fail", None)
    assert (base.introduced, "1 finding of" in base.notes[0]) == ((), True)


def test_models_are_judged_as_they_were(repository: Path) -> None:
    config = repository / "m" / "config.json"
    config.parent.mkdir()
    config.write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    file = written(repository, component("tickets", LABELS, "encoder-only", model="m"))
    committed(repository)
    config.write_text('{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}')
    made, _ = since(file)
    assert (only(made, "ARC-002").outcome, only(made, "ARC-002").baseline) == ("fail", "new")


def test_a_file_that_was_not_there_is_new_with_all_that_is_in_it(repository: Path) -> None:
    (repository / "README").write_text("nothing")
    committed(repository)
    folder = repository / "services" / ".advisor"
    folder.mkdir(parents=True)
    _, base = since(written(folder, component("search", RETRIEVAL, "decoder-only")))
    assert [one.kind for one in base.introduced] == ["new-finding"]
    assert "is new since HEAD" in base.notes[0]


def test_a_file_that_could_not_be_read_then_is_compared_with_nothing(repository: Path) -> None:
    (repository / "architecture.yaml").write_text("components: 3\n")
    committed(repository)
    made, base = since(written(repository, component("search", RETRIEVAL, "decoder-only")))
    assert base.introduced == ()
    assert "could not be compared" in base.notes[0]
    assert only(made, "EMB-101").baseline is None


@pytest.mark.parametrize("moved_to", ["search", "services/search", "service/.advisor"])
def test_a_file_that_was_moved_is_compared_with_itself(repository: Path, moved_to: str) -> None:
    service = repository / "service"
    service.mkdir()
    (service / "load.py").write_text("import torch\nweights = torch.load(path)\n")
    declared = component("search", RETRIEVAL, "decoder-only", code=["*.py"])
    written(service, declared)
    committed(repository)
    (repository / moved_to).parent.mkdir(exist_ok=True)
    if moved_to.endswith(".advisor"):
        (repository / moved_to).mkdir()
        git(repository, "mv", "service/architecture.yaml", f"{moved_to}/architecture.yaml")
    else:
        git(repository, "mv", "service", moved_to)
    made, base = since(repository / moved_to / "architecture.yaml")
    assert (base.introduced, base.notes) == ((), ())
    assert {one.baseline for one in made.results if one.outcome == "fail"} == {"known"}


def test_a_branch_is_compared_with_where_it_was_left(repository: Path) -> None:
    budgets = {"parameters": 200e6}
    file = written(repository, component("tickets", LABELS, "encoder-only", model="bert-base", budgets=budgets))
    committed(repository)
    git(repository, "branch", "work")
    written(repository, component("tickets", LABELS, "encoder-only", model="bert-base", budgets={"parameters": 150e6}))
    committed(repository)
    git(repository, "branch", "other")
    git(repository, "checkout", "--quiet", "work")
    assert since(file, "other")[1].introduced == ()
    git(repository, "checkout", "--quiet", "--orphan", "elsewhere")  # as in a shallow clone: no history in common
    assert [one.kind for one in since(file, "other")[1].introduced] == ["loosened-budget"]


def test_a_hook_of_git_leads_to_no_other_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = repository / "services" / "search"
    service.mkdir(parents=True)
    file = written(service, component("search", RETRIEVAL, "decoder-only"))
    committed(repository)
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert since(file)[1].notes == ()


def test_code_above_the_files_folder_is_compared_too(repository: Path) -> None:
    service, shared = repository / "services" / "search", repository / "libs" / "load.py"
    service.mkdir(parents=True)
    shared.parent.mkdir()
    shared.write_text("import torch\nweights = torch.load(path)\n")
    file = written(service, component("search", RETRIEVAL, "encoder-only", code=["../../libs/*.py"]))
    committed(repository)
    made, _ = since(file)
    found = only(made, "CODE-105")
    assert (found.location.file, found.baseline) == (str(shared), "known")


@pytest.mark.parametrize("ref", ["absent", "--output=x", "", "HEAD:architecture.yaml"])
def test_a_ref_that_names_no_commit_is_a_mistake(repository: Path, ref: str) -> None:
    file = written(repository, component("search", RETRIEVAL, "decoder-only"))
    committed(repository)
    with pytest.raises(AdvisorError, match="names no commit"):
        reviewed(file, base=ref)


def test_a_clone_without_contents_says_so(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    written(repository, component("search", RETRIEVAL, "decoder-only"))
    committed(repository)
    written(repository, component("search", RETRIEVAL, "encoder-only"))
    committed(repository)
    git(repository, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", "--filter=blob:none", f"file://{repository}", ".")
    with pytest.raises(AdvisorError, match="made with a filter"):
        reviewed(clone / "architecture.yaml", base="HEAD~1")


def test_a_listing_without_contents_as_newer_git_gives_it_says_so_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(repository, component("search", RETRIEVAL, "decoder-only"))
    committed(repository)
    plain = advisor.store.git._git

    def lacking(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
        told = plain(folder, *arguments, stdin=stdin)
        return re.sub(rb" +\d+\t", b"     BAD\t", told, count=1) if arguments[0] == "ls-tree" else told

    monkeypatch.setattr(advisor.store.git, "_git", lacking)
    with pytest.raises(AdvisorError, match="made with a filter"):
        reviewed(file, base="HEAD")


def test_where_there_is_no_repository_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(AdvisorError, match="in no git repository") as caught:
        reviewed(written(tmp_path, component("search", RETRIEVAL, "decoder-only")), base="HEAD")
    assert (caught.value.problems[0].fix or "").startswith("leave --base out")
