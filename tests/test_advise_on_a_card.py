"""The whole story on a machine with a graphics card: the card's memory decides, and it is what is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from advisor.advise import load_knowledge, measure_and_plan, profile_model, recommendation
from advisor.core.errors import AdvisorError
from advisor.core.hardware import GIB, DeviceDetail, Machine
from advisor.core.protocol import Event, Finished, Measure, Measured, Ready
from advisor.core.workload import Answers
from advisor.measuring import Measuring
from tests.fake_child import FAKE_MACHINE, fake_cell


def card(memory_bytes: int) -> DeviceDetail:
    return DeviceDetail(
        device="cuda:0",
        name="Fake H1",
        memory_bytes=memory_bytes,
        memory_limit_bytes=memory_bytes,
        dtypes=("float32", "bfloat16", "float16"),
    )


class CardChild:
    """A child on a machine with one card, that measures known functions at once."""

    def __init__(self, memory_bytes: int) -> None:
        found = {"devices": ("cpu", "cuda:0"), "device_details": (card(memory_bytes),)}
        self.machine: Machine = FAKE_MACHINE.model_copy(update=found)
        self.asked: list[Measure] = []

    async def ready(self) -> Ready:
        return Ready(machine=self.machine, pid=1, forks=True)

    async def measure(self, request: Measure, *_: object) -> AsyncIterator[Event]:
        self.asked.append(request)
        for index, plan in enumerate(request.cells):
            yield Measured(id=request.id, index=index, cell=fake_cell(plan, device=request.device))
        yield Finished(id=request.id, parameters=request.model.parameters, wall_s=0.0)


CHAT = Answers(task="chat", input_tokens=64, output_tokens=8)


async def test_left_to_itself_the_card_is_measured_with_its_own_limit() -> None:
    child, knowledge = CardChild(80 * GIB), load_knowledge()
    report = await measure_and_plan(recommendation(CHAT, knowledge), knowledge, child)
    assert {request.device for request in child.asked} == {"cuda:0"}
    assert {request.memory_limit_bytes for request in child.asked} == {80 * GIB}
    assert report.plan is not None
    assert report.plan.stages[0].serving is not None
    assert report.plan.stages[0].serving.device == "cuda:0"


async def test_a_model_is_chosen_for_the_cards_memory_and_not_for_the_machines() -> None:
    knowledge = load_knowledge()
    answers = CHAT.model_copy(update={"priority": "accuracy"})
    chosen = {}
    for memory_bytes in (2 * GIB, 80 * GIB):
        child = CardChild(memory_bytes)
        report = await measure_and_plan(recommendation(answers, knowledge), knowledge, child)
        chosen[memory_bytes] = report.recommendation.components[0].model
    assert chosen[2 * GIB] != chosen[80 * GIB]


async def test_a_team_may_allow_less_than_the_card_has() -> None:
    child, knowledge = CardChild(80 * GIB), load_knowledge()
    answers = CHAT.model_copy(update={"memory_limit_gib": 3.0})
    await measure_and_plan(recommendation(answers, knowledge), knowledge, child)
    assert {request.memory_limit_bytes for request in child.asked} == {3 * GIB}


async def test_the_processor_is_measured_where_it_is_asked_for() -> None:
    child, knowledge = CardChild(80 * GIB), load_knowledge()
    profile = await profile_model(knowledge.catalog.get("minilm-l6"), child, Measuring(device="cpu"))
    assert {cell.device for cell in profile.cells} == {"cpu"}
    assert child.asked[0].memory_limit_bytes != 80 * GIB


async def test_a_card_that_is_not_there_ends_the_run_before_anything_is_asked() -> None:
    child, knowledge = CardChild(GIB), load_knowledge()
    with pytest.raises(AdvisorError, match="no device cuda:3"):
        await profile_model(knowledge.catalog.get("minilm-l6"), child, Measuring(device="cuda:3"))
    assert child.asked == []
