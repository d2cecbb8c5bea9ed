"""What a replica does in a replay whose library writes a group of answers to the end before it takes more.

The texts of a group are read with its first tokens, and every step is one of that very generation: nothing stands for
anything else here but the words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from advisor.core.sizing.replaying import ReplayPlan
from advisor.profile.replay_tasks import Passes
from advisor.profile.standing import Standing


class Writer(Protocol):
    """A library that can be held between two steps of a group."""

    def group(self, inputs: Sequence[int], steps: Sequence[int]) -> Callable[[], object]: ...


class GroupWorks:
    """Groups of texts and the steps of their answers (`replay.Works`)."""

    def __init__(self, plan: ReplayPlan, standing: Standing, writer: Writer) -> None:
        self._plan, self._writer, self._passes = plan, writer, Passes(plan, standing)
        self._rows = dict(plan.padded_steps)
        self._step: Callable[[], object] | None = None

    def read(self, requests: range) -> None:
        plan, numbers = self._plan, list(requests)
        if plan.tokenizes:
            self._passes.run("tokenize", len(numbers), max(plan.input_tokens[number] for number in numbers))
        inputs, steps = [plan.input_tokens[number] for number in numbers], [plan.steps[number] for number in numbers]
        padding = self._rows.get(len(numbers), len(numbers)) - len(numbers)
        step = self._writer.group([*inputs, *[inputs[0]] * padding], [*steps, *[max(steps)] * padding])
        self._step = step if any(steps) else None

    def step(self, answers: int, context: float) -> None:
        if self._step is not None:
            self._step()
