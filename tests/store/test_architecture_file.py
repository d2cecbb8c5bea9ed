"""Reading architecture files: all mistakes in one run, each at its place, and nothing outside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError, Problem
from advisor.store.architecture_file import find_files
from tests.check.declaring import LABELS, component, reviewed, written


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(AdvisorError) as caught:
        reviewed(path)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_every_mistake_is_told_in_one_run_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "architecture.yaml"
    path.write_text(
        "schema: 2\n"
        "components:\n"
        "  - name: one\n"
        "    workload: {task: translate, requests_per_second: -1}\n"
        "    choice: {architecture: encoder, modle: gpt2}\n"
        "    budgets: {p95: 20, parameters: many}\n"
        "  - name: two\n"
        "    workload: {task: chat, output_tokens: 0}\n"
        "    choice: {architecture: decoder-only}\n"
        "    testbed: here\n",
        encoding="utf-8",
    )
    found = [(one.line, one.message.split(" — ")[0]) for one in problems(path)]
    assert [line for line, _ in found] == [1, 4, 4, 5, 5, 6, 6, 8, 10]
    words = " ".join(message for _, message in found)
    for part in (
        'unknown task "translate"',
        'unknown key "modle"',
        'unknown key "p95"',
        "output_tokens is 0",
        "schema",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("- 1\n", "keys and values"),
        ("schema: 1\n", '"components" is missing'),
        ("schema: 1\ncomponents: &a []\nwaivers: *a\n", "anchor"),
        ("schema: 1\ncomponents: []\nschema: 1\n", "duplicate key"),
        ("schema: 1\ncomponents: !!python/object/apply:os.system [true]\n", "tag"),
        ("schema: 1\ncomponents: {}\n", "components must be a list"),
        ("schema: true\ncomponents: []\n", "schema: it is the number 1"),
        ('schema: "1"\ncomponents: []\n', 'schema must be a number, and "1" is text'),
        ("x" * (1 << 20) + "y", "1 MiB"),
    ],
)
def test_what_is_no_architecture_file_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "architecture.yaml"
    path.write_text(text, encoding="utf-8")
    assert any(words in one.message for one in problems(path))


def test_what_is_missing_is_named_with_the_words_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "architecture.yaml"
    path.write_text("components: [{name: a, workload: {task: chat}, choice: {}}]\n", encoding="utf-8")
    fixes = [one.fix for one in problems(path)]
    assert "add schema: 1" in fixes
    assert any(one and one.startswith("add architecture: encoder-only, decoder-only, ") for one in fixes)


@pytest.mark.parametrize("where", ["/etc", "../outside", "models/../../outside", "~/models"])
@pytest.mark.parametrize("key", ["model", "measured", "code"])
def test_no_path_leads_out_of_the_repository(tmp_path: Path, where: str, key: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (found,) = problems(written(inside, component("one", LABELS, "encoder-only", **{key: where})))
    assert "repository" in found.message or "relative" in found.message
    assert found.line is not None


def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "model").symlink_to(outside)
    file = written(inside, component("one", LABELS, "encoder-only", model="model"))
    assert "through a link" in problems(file)[0].message
    (inside / "model").unlink()
    (inside / "real").mkdir()
    (inside / "model").symlink_to("real")
    assert reviewed(file).summary.not_checked == 1  # no config.json in it


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    file = written(tmp_path, component("one", LABELS, "encoder-only", model="a"))
    assert "cannot be followed" in problems(file)[0].message
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert "cannot be followed" in problems(tmp_path / "loop.yaml")[0].message


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "architecture.yaml")
    assert "no plain file" in problems(tmp_path / "architecture.yaml")[0].message


def test_paths_may_climb_to_the_top_of_a_git_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "services").mkdir()
    file = written(tmp_path / "services", component("one", LABELS, "encoder-only", model="../models/one"))
    assert reviewed(file).summary.not_checked == 1
    assert (
        "leads out" in problems(written(tmp_path, component("one", LABELS, "encoder-only", model="../one")))[0].message
    )


def test_the_hidden_folder_is_found_and_its_paths_start_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / ".advisor"
    hidden.mkdir()
    written(hidden, component("one", LABELS, "encoder-only", model="models/one"))
    (tmp_path / "models" / "one").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (path,) = find_files(())
    assert "models/one holds no config.json" in str(reviewed(path).results)
    written(tmp_path)
    with pytest.raises(AdvisorError, match="two architecture files"):
        find_files(())


def test_a_folder_without_a_file_adds_none_and_a_path_that_is_nothing_is_a_mistake(tmp_path: Path) -> None:
    assert find_files([str(tmp_path)]) == []
    with pytest.raises(AdvisorError, match="no such file or folder"):
        find_files([str(tmp_path / "absent.yaml")])


def test_parts_belong_to_pipelines_and_models_to_what_is_none(tmp_path: Path) -> None:
    parts = component("one", LABELS, "encoder-only", parts={"retriever": "e5-base"})
    whole = component("two", {"task": "retrieval-augmented-generation"}, "retrieval-augmented-generation", model="gpt2")
    words = [one.message for one in problems(written(tmp_path, parts, whole, component("two", LABELS, "encoder-only")))]
    assert any("has no parts" in one for one in words)
    assert any("a pipeline has no model" in one for one in words)
    assert any('two components are named "two"' in one for one in words)


def test_an_unknown_model_is_told_with_the_nearest_and_the_line(tmp_path: Path) -> None:
    (found,) = problems(written(tmp_path, component("one", LABELS, "encoder-only", model="bert-bse")))
    assert 'did you mean "bert-base"?' in found.message
    assert "bert-bse" in (found.source_line or "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "x" * 121}, "name has 121 characters, and must have at most 120"),
        ({"name": ""}, "name is empty"),
        ({"name": " \u00a0"}, "name holds nothing but spaces"),
        ({"testbed": "here"}, 'testbed: "here" is no fingerprint'),
        ({"code": [3]}, "code must be text, got 3"),
        ({"budgets": {"p95_ms": "fast"}}, 'p95_ms must be a number, got "fast"'),
    ],
)
def test_a_wrong_value_is_told_in_our_words(tmp_path: Path, change: dict[str, object], words: str) -> None:
    (found,) = problems(written(tmp_path, component("one", LABELS, "encoder-only") | change))
    assert found.message.startswith(words)


def test_a_name_that_is_refused_is_not_called_missing_too(tmp_path: Path) -> None:
    path = tmp_path / "architecture.yaml"
    path.write_text(
        'schema: 1\ncomponents:\n  - name: "a\\u202eb"\n    workload: {task: chat}\n'
        "    choice: {architecture: decoder-only}\n"
    )
    (found,) = problems(path)
    assert (found.line, found.column, "U+202E" in found.message) == (3, 11, True)
