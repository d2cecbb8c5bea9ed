"""`advisor compare` with a child whose times are known."""

from __future__ import annotations

import asyncio
from pathlib import Path

import jsonschema
import pytest

from advisor import comparing
from advisor.advise import load_knowledge
from advisor.comparing import compare
from advisor.core.architecture import Role
from advisor.core.errors import AdvisorError
from advisor.core.protocol import Event, Measured
from advisor.core.workload import Answers
from advisor.run import Child
from tests.cli.conftest import Run
from tests.fake_child import fake_command, true_seconds
from tests.measuring import environment, plans

LABELS = ("compare", "--set", "task=text-classification", "--batch", "1")


def test_a_label_is_read_off_by_an_encoder_and_written_by_the_others_after_a_prompt_that_is_shown(run: Run) -> None:
    done = run(*LABELS, "--json")
    assert done.code == 0
    jsonschema.validate(done.document, run("schema", "comparison").document)
    sides = {one["architecture"]: one for one in done.document["entries"]}
    assert {name: (one["reads_tokens"], one["writes_tokens"], one["prompt_tokens"]) for name, one in sides.items()} == {
        "encoder-only": (128, 0, 0),
        "decoder-only": (640, 4, 512),
        "encoder-decoder": (640, 4, 512),
    }
    assert done.document["advised"] == "encoder-only"
    assert [one["report"]["recommendation"]["advised"] for one in sides.values()] == [True, False, False]
    assert all(one["report"]["plan"]["verdict"] == "meets" for one in sides.values())
    assert "quality" in done.document["not_measured"][0]


def test_the_ratio_is_that_of_the_known_times_and_the_interval_holds_it(run: Run) -> None:
    document = run(*LABELS, "--dtype", "float32", "--json").document
    read = true_seconds(plans("forward", batches=(1,), input_tokens=128)[0])
    prompt = true_seconds(plans("prefill", batches=(1,), input_tokens=640)[0])
    steps = [true_seconds(plans("decode", batches=(1,), context_tokens=depth)[0]) for depth in (640, 641, 642)]
    truth = (prompt + sum(steps)) / read
    found = next(one for one in document["ratios"] if (one["quantity"], one["dearer"]) == ("latency", "decoder-only"))
    assert found["cheaper"] == "encoder-only"
    assert found["ratio"] == pytest.approx(truth, rel=0.02)
    assert found["ci95"][0] <= truth <= found["ci95"][1]
    assert len(found["rounds"]) == comparing.ROUNDS


def test_words_and_markdown_say_what_the_document_says(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "comparison.md"
    words = run(*LABELS, "--set", "replica_cost_per_hour=2", "--output", str(path), "--plain").out
    for text in (words, path.read_text(encoding="utf-8")):
        said = " ".join(text.split())
        for part in ("512 of them examples", "confirmed here", "BULK", "undecided here", "Not measured", "per million"):
            assert part in said, part
    assert "advisor compare --set task=text-classification" in words


@pytest.mark.parametrize(
    ("task", "sides"),
    [
        ("translation", ["decoder-only", "encoder-decoder"]),
        ("feature-extraction", ["encoder-only", "decoder-only"]),
    ],
)
def test_each_task_is_compared_on_what_can_do_it(run: Run, task: str, sides: list[str]) -> None:
    document = run("compare", "--set", f"task={task}", "--batch", "1", "--json").document
    assert [one["architecture"] for one in document["entries"]] == sides


def test_a_side_that_does_not_fit_is_told_with_its_sums_and_the_claims_stay_open(run: Run) -> None:
    done = run("compare", "--set", "task=sentence-similarity", "--set", "memory_limit_gib=2", "--batch", "1", "--json")
    assert done.code == 4
    assert {claim["outcome"] for claim in done.document["claims"]} == {"undecided"}
    words = run("compare", "--set", "task=sentence-similarity", "--set", "memory_limit_gib=2", "--batch", "1").out
    assert "may be used" in words


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        (("task=chat",), 2, "only decoder-only can do chat"),
        (("task=fill-mask",), 2, "only encoder-only can do fill-mask"),
        (("task=translation", "hosting=api"), 4, "hosting is api"),
    ],
)
def test_where_there_is_nothing_to_compare_it_says_so_before_anything_starts(
    run: Run, settings: tuple[str, ...], code: int, words: str
) -> None:
    done = run("compare", *(word for one in settings for word in ("--set", one)), "--json")
    assert (done.code, done.out) == (code, "")
    assert words in done.error["problems"][0]["message"]


async def test_the_sides_take_turns_and_the_other_way_round_in_the_second_round(tmp_path: Path) -> None:
    turns: list[str] = []
    child = await Child.start(command=fake_command(), lock_path=tmp_path / "lock", env=environment())
    async with child:
        found = await compare(Answers(task="translation"), load_knowledge(), child, say=turns.append)
    order = ["decoder-only", "encoder-decoder", "encoder-decoder", "decoder-only"]
    assert [words.split(": ")[1].split(",")[0] for words in turns] == order
    assert found.rounds == 2


@pytest.mark.parametrize(("turn", "left"), [(1, None), (3, 1)])
async def test_an_interrupted_comparison_keeps_the_rounds_that_were_finished(
    tmp_path: Path, turn: int, left: int | None
) -> None:
    turns: list[str] = []
    child = await Child.start(command=fake_command(cell_seconds=0.02), lock_path=tmp_path / "lock", env=environment())
    async with child:
        cancelled: list[object] = []

        def heard(role: Role, event: Event) -> None:
            if len(turns) == turn and isinstance(event, Measured) and not cancelled:
                cancelled.append(asyncio.ensure_future(child.cancel()))

        task = compare(Answers(task="translation"), load_knowledge(), child, None, heard, turns.append)
        if left is None:
            with pytest.raises(AdvisorError) as caught:
                await task
            assert caught.value.exit_code == 130
        else:
            found = await task
            assert {len(one.rounds) for one in found.ratios} == {left}
