"""A rules folder: what is refused, where, in which words; and what is remembered."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.decide import decide
from advisor.core.guide.vocabulary import workload_facts
from advisor.core.workload import Answers, fill_defaults
from advisor.store import remembered, rule_cache, rule_folder
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped("rules"), tmp_path / "rules"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(remembered, "cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def edit(folder: Path) -> Edit:
    def replace(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(AdvisorError) as caught:
        load_rulebook(folder, cached=False)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def test_the_shipped_rules_are_sound():
    book = load_rulebook(shipped("rules"), cached=False)
    assert book.version == "1.0.0"
    assert len(book.sha256) == 64
    assert book.rule("cls-001")[1].strength == "strong"


def test_an_unknown_rule_is_refused_with_the_nearest():
    with pytest.raises(AdvisorError, match='did you mean "CLS-001"'):
        load_rulebook(shipped("rules"), cached=False).rule("CLS-01")


FAMILY_MISTAKES = [
    ("task: [fill-mask]", "task: [fil-mask]", 'unknown task "fil-mask"', 'did you mean "fill-mask"?'),
    ("priority: [accuracy]", "prioritty: [accuracy]", 'unknown answer "prioritty"', 'did you mean "priority"?'),
    ("task: [fill-mask]", "task: fill-mask", "task needs a list of allowed values", ""),
    ("task: [fill-mask]", "task: []", "an empty list allows no task", ""),
    ("task: [fill-mask]", "task: [fill-mask, fill-mask]", "fill-mask is named twice", ""),
    ("task: [fill-mask]", "task: [[fill-mask]]", "unknown task …", ""),
    ("task: [fill-mask]", "task: {min: 1}", "task is no number", ""),
    ("task: [fill-mask]", "task: [fill-mask]\n      architecture: [encoder-only]", 'unknown answer "architecture"', ""),
    ("task: [fill-mask]", "task: [fill-mask]\n      hosting: [api]", "hosting is not declared in axes", ""),
    ("priority: [accuracy]", "priority: {not: [cost, balanced, accuracy]}", "this leaves nothing of priority", ""),
    ("priority: [accuracy]", "priority: {not: [cost], min: 1}", "not stands alone", ""),
    ("{min: high_volume}", "{min: high_volum}", 'unknown threshold "high_volum"', 'did you mean "high_volume"?'),
    ("{min: high_volume}", "{minimum: 3}", 'unknown key "minimum"', 'did you mean "min"?'),
    ("{min: high_volume}", "{min: 20, max: 10}", "no requests_per_second is >= 20 and < 10", ""),
    ("{min: high_volume}", "{min: 5, max: 5}", "no requests_per_second is >= 5 and < 5", ""),
    ("{min: high_volume}", "{min: 2e9}", "no requests_per_second is >= 2000000000", ""),
    ("{min: high_volume}", "{max: 0}", "no requests_per_second is < 0", ""),
    ("{min: high_volume}", "{}", "an interval needs min, max or both", ""),
    ("{min: high_volume}", "{min: true}", "a bound is a number or the name of a threshold", ""),
    ("{min: high_volume}", "[5]", "requests_per_second is a number", ""),
    ("{min: high_volume}", "[null]", "requests_per_second is never null", ""),
    ("{not: [0]}", "{min: 0.5}", "corpus_documents is a whole number, so 0.5 is no bound of it", ""),
    ("{not: [0]}", "[-1]", "corpus_documents is never -1", ""),
    ("one_model_many_tasks: [true]", "one_model_many_tasks: [yes]", 'unknown one_model_many_tasks "yes"', ""),
    ("one_model_many_tasks: [true]", "one_model_many_tasks: [1]", "unknown one_model_many_tasks 1", ""),
    ("then: encoder-decoder", "then: encoder-decoderr", 'unknown outcome "encoder-decoderr"', ""),
    ("strength: weak", "strength: medium", 'unknown strength "medium"', ""),
    ("    strength: weak\n", "", '"strength" is missing', ""),
    ("source: [G02, G04, G70]", "source: [G02, G99]", 'unknown source "G99"', ""),
    ("source: [G02, G04, G70]", "source: []", "source needs at least 1 entries", ""),
    ("    source: [G02, G04, G70]\n", "", '"source" is missing', ""),
    ("id: MSK-001", "id: QAS-001", "the id QAS-001 stands twice", ""),
    ("id: MSK-001", "id: msk 1", 'id "msk 1" does not have the form', ""),
    ("policy: unique", "policy: first", 'the policy of the table family is "unique", not "first"', ""),
    ("over: workload", "over: workloads", 'unknown over "workloads"', 'did you mean "workload"?'),
    ("axes: [task,", "axes: [task, languages,", "languages is declared, but no rule asks about it", ""),
    ("axes: [task,", "axes: [task, langages,", 'unknown axis "langages"', 'did you mean "languages"?'),
    ("axes: [task,", "axes: [task, task,", "task is declared twice", ""),
    ("- {task: fill-mask}", "- {task: chat}", "MSK-001 does not fire here; GEN-002 does", ""),
    ("- {task: text-generation}\n", "- {task: fill-mask}\n", "MSK-001 fires here, but should be silent", ""),
    ("- {task: fill-mask}", "- {task: fill-maskk}", 'unknown task "fill-maskk"', 'did you mean "fill-mask"?'),
    ("- {task: fill-mask}", "- {task: retrieval, corpus_documents: 0}", "corpus_documents is 0, but retrieval", ""),
    (
        "    examples:\n      fires:\n        - {task: fill-mask}",
        "    examples:\n      fires: []",
        "fires needs at least",
        "",
    ),
]


@pytest.mark.parametrize(("old", "new", "words", "hint"), FAMILY_MISTAKES, ids=[one[2] for one in FAMILY_MISTAKES])
def test_a_mistake_in_the_decision_is_named_at_its_place_and_nothing_else_is(folder, edit, old, new, words, hint):
    edit("family.yaml", old, new)
    found = problems(folder)
    assert [one.message for one in found if one.message.startswith(words)] == [found[0].message]
    assert len({(one.file, one.line, one.column) for one in found}) == len(found) == 1
    assert hint in found[0].message
    assert found[0].file == str(folder / "family.yaml")
    lines = (folder / "family.yaml").read_text(encoding="utf-8").split("\n")
    assert found[0].line
    assert found[0].column
    assert found[0].source_line == lines[found[0].line - 1]


def test_a_gap_is_printed_as_a_workload_in_words(folder, edit):
    text = (folder / "family.yaml").read_text(encoding="utf-8")
    start, end = text.index("  - id: S2S-004"), text.index("  - id: S2S-005")
    (folder / "family.yaml").write_text(text[:start] + text[end:], encoding="utf-8")
    gaps = [one.message for one in problems(folder) if "no rule decides this workload" in one.message]
    assert gaps[0] == (
        "no rule decides this workload: task summarization, requests_per_second 10 (any >= 10), priority balanced, "
        "structured_source_target false, one_model_many_tasks false"
    )
    assert len(gaps) == 3


def test_an_overlap_names_both_rules_and_a_workload(folder, edit):
    edit("family.yaml", "priority: [accuracy]", "priority: [balanced, accuracy]")
    words = [one.message for one in problems(folder)]
    assert (
        "CLS-002 and CLS-003 both decide this workload: task text-classification, requests_per_second 1 (any < 10), "
        "priority balanced, one_model_many_tasks true"
    ) in words


def test_an_outcome_nobody_reaches_is_refused(folder, edit):
    text = (folder / "components.yaml").read_text(encoding="utf-8")
    (folder / "components.yaml").write_text(text[: text.index("  - id: CMP-013")], encoding="utf-8")
    assert [one.message for one in problems(folder)] == ["no workload leads to generator"]


def test_a_rule_that_asks_for_the_impossible_is_refused(folder, edit):
    edit(
        "impossible.yaml",
        "task: [retrieval, retrieval-augmented-generation]\n      corpus_documents: [0]",
        "task: [fill-mask]",
    )
    words = [one.message for one in problems(folder)]
    assert "MSK-001 can never fire: what it asks for cannot be" in words
    assert "this example cannot be: there is nothing to search without documents" in words


OTHER_MISTAKES = [
    ("thresholds.yaml", "value: 10", 'value: "10"', "value must be a number"),
    ("thresholds.yaml", "source: [G60]", "source: [G6]", 'unknown source "G6"'),
    (
        "thresholds.yaml",
        "high_volume:",
        "spare:\n  value: 1\n  says: x\n  source: [G60]\nhigh_volume:",
        "no rule uses the threshold spare",
    ),
    ("impossible.yaml", "    reason: there is nothing to search without documents\n", "", '"reason" is missing'),
    ("impossible.yaml", "output_tokens: [0]", "output_tokns: [0]", 'unknown answer "output_tokns"'),
    ("impossible.yaml", "impossible:", "forbidden:", "this file has one key, impossible"),
    ("guide.yaml", "rules_version: 1.0.0", "rules_version: 1", "rules_version must be text"),
    ("guide.yaml", "id: Q2", "id: Q1", "Q1 stands here twice"),
    ("guide.yaml", "source: [G10]", "source: [G100]", 'unknown source "G100"'),
    ("notes.yaml", "id: ENC-101", "id: GEN-101", "the id GEN-101 stands twice, first in mistakes.yaml"),
    ("notes.yaml", "then: note", "then: info", 'unknown outcome "info"'),
    ("notes.yaml", "then: note", "then: note\n    strength: weak", "only a decision has a strength"),
    ("notes.yaml", "then: note", "then: note\n    architecture: encoder-only", "only a component has an architecture"),
    ("notes.yaml", "table: notes", "table: mistakes", "a table named mistakes stands in another file too"),
    (
        "components.yaml",
        "architecture: encoder-only\n    because",
        "architecture: encoder\n    because",
        'unknown architecture "encoder"',
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), OTHER_MISTAKES, ids=[one[3] for one in OTHER_MISTAKES])
def test_a_mistake_in_another_file_is_named_alone(folder, edit, file, old, new, words):
    edit(file, old, new)
    found = problems(folder)
    assert [one.message[: len(words)] for one in found] == [words]
    assert Path(found[0].file).name == file


def test_all_mistakes_of_all_files_come_in_one_run_sorted(folder, edit):
    edit("family.yaml", "task: [fill-mask]", "task: [fil-mask]")
    edit("family.yaml", "strength: weak", "strength: medium")
    edit("notes.yaml", "then: note", "then: info")
    edit("guide.yaml", "source: [G10]", "source: [G100]")
    found = problems(folder)
    assert len(found) == 4
    assert found == sorted(found, key=lambda one: (one.file, one.line, one.column))


@pytest.mark.parametrize("name", ["guide.yaml", "thresholds.yaml", "impossible.yaml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert [one.message for one in problems(folder)] == [f"{name} is missing"]


@pytest.mark.parametrize(("name", "table"), [("family.yaml", "family"), ("components.yaml", "components")])
def test_a_missing_table_is_named(folder, name, table):
    (folder / name).unlink()
    assert [one.message for one in problems(folder)] == [f'no file holds the table "{table}"']


@pytest.mark.parametrize("text", ["{{{", "", "- 1", "3", "table: 5", "a: &b 1\nc: *b", "rules: {}\ntable: x"])
def test_a_file_that_is_no_table_is_refused(folder, text):
    (folder / "extra.yaml").write_text(text, encoding="utf-8")
    assert {Path(one.file).name for one in problems(folder)} == {"extra.yaml"}


def test_a_file_with_the_wrong_ending_is_named_rather_than_overlooked(folder):
    (folder / "notes.yaml").rename(folder / "notes.yml")
    assert [one.fix for one in problems(folder)] == ["rename it to notes.yaml"]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert [one.message for one in problems(tmp_path / "nowhere")] == ["no such rules folder"]


def test_a_team_can_move_a_threshold_and_the_examples_follow(folder, edit):
    edit("thresholds.yaml", "value: 10\n", "value: 0.5\n")
    book = load_rulebook(folder, cached=False)
    workload, _ = fill_defaults(Answers(task="summarization", requests_per_second=0.7))
    assert decide(book.decision, workload_facts(workload)).rule.id == "S2S-004"


def test_a_table_of_remarks_over_workloads_can_be_added(folder):
    text = (
        "table: house\nover: workload\naxes: [task, languages]\npolicy: collect\nrules:\n"
        "  - {id: HOUSE-1, title: Ours, when: {task: [chat], languages: [many]}, then: warning,\n"
        "     because: So., source: [ours],\n"
        "     examples: {fires: [{task: chat, languages: many}], silent: [{task: chat}]}}\n"
    )
    (folder / "house.yaml").write_text(text, encoding="utf-8")
    assert load_rulebook(folder, cached=False).rule("HOUSE-1")[0].name == "house"


def test_the_hash_is_of_the_content_not_of_the_place(folder, edit):
    here = load_rulebook(shipped("rules"), cached=False).sha256
    assert load_rulebook(folder, cached=False).sha256 == here
    edit("thresholds.yaml", "value: 10\n", "value: 11\n")
    assert load_rulebook(folder, cached=False).sha256 != here


def cached_file(cache: Path) -> Path:
    (file,) = (cache / "rules").glob("*.json")
    return file


def test_a_folder_that_was_proved_is_neither_parsed_nor_proved_again(folder, monkeypatch):
    first = load_rulebook(folder)
    monkeypatch.setattr(rule_folder, "prove_folder", lambda *_: pytest.fail("proved again"))
    assert load_rulebook(folder) == first


def test_an_edited_folder_is_proved_anew(folder, edit):
    load_rulebook(folder)
    edit("family.yaml", "task: [fill-mask]", "task: [fil-mask]")
    with pytest.raises(AdvisorError):
        load_rulebook(folder)


@pytest.mark.parametrize("damage", ["", "garbage", "{}", "x\n{}"])
def test_a_damaged_cache_is_read_past(folder, cache, damage):
    first = load_rulebook(folder)
    cached_file(cache).write_text(damage, encoding="utf-8")
    assert load_rulebook(folder) == first


def test_a_cache_whose_content_was_changed_is_not_believed(folder, cache):
    first = load_rulebook(folder)
    file = cached_file(cache)
    checksum, _, body = file.read_text(encoding="utf-8").partition("\n")
    file.write_text(checksum + "\n" + body.replace('"strong"', '"weak"'), encoding="utf-8")
    assert load_rulebook(folder) == first


def test_a_cache_of_another_shape_is_read_past(folder, cache, monkeypatch):
    first = load_rulebook(folder)
    monkeypatch.setattr(rule_cache, "_pack", lambda content: {"version": content.version})
    rule_cache.remember(first.sha256, first)
    assert "facts" not in json.loads(cached_file(cache).read_text(encoding="utf-8").partition("\n")[2])
    assert load_rulebook(folder) == first


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(folder, cache):
    cache.write_text("a file where the folder should be", encoding="utf-8")
    assert load_rulebook(folder) == load_rulebook(folder, cached=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_rules_folder_that_may_not_be_read_is_refused(folder):
    (folder / "guide.yaml").chmod(0)
    assert problems(folder)
