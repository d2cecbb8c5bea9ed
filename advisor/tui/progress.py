"""How far a measurement is, as a value: each event of the child makes the next one.

Nothing is drawn here, so that any number of events between two redraws costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Recommendation
from advisor.core.protocol import Failed, Finished, Measured, Peaked, Ready, Reused, Started, Waiting
from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.report.outline import reused_words
from advisor.report.serving import served_by

Event = Ready | Waiting | Reused | Peaked | Started | Measured | Finished | Failed


@dataclass(frozen=True, slots=True)
class Progress:
    """Cells so far, in the order they came, and in words what happens now."""

    models: tuple[tuple[Role, str], ...] = ()
    cells: tuple[tuple[Role, Cell], ...] = ()
    says: str = "The measuring process is starting."
    trouble: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def after(self, role: Role, event: Event) -> Progress:
        """The progress once this has happened."""
        match event:
            case Ready():
                return replace(self, says="The measuring process is ready.")
            case Waiting(holder_pid=holder):
                who = f" (process {holder})" if holder is not None else ""
                return replace(self, says=f"Another measurement holds this machine{who}; waiting for it to end.")
            case Reused(reused=reused, cells=cells, earliest=earliest, latest=latest):
                return self.noting(f"{self._model(role)}: {reused_words(reused, cells, earliest, latest)}.")
            case Peaked():
                return replace(self, says="What this machine can do at most is measured.")
            case Started(plan=plan, process=process, processes=processes):
                turn = f", process {process} of {processes}" if processes > 1 else ""
                return replace(self, says=f"Measuring {self._model(role)}: {plan_words(plan)}{turn}.")
            case Measured(cell=cell):
                return replace(self, cells=(*self.cells, (role, cell)))
            case Finished(cancelled=cancelled):
                words = "Cancelled; planning with what was measured." if cancelled else "Planning."
                return replace(self, says=words)
            case Failed(says=says, fix=fix):
                sentence = f"{says} {fix}" if fix else says
                return replace(self, says=sentence, trouble=(*self.trouble, sentence))

    def noting(self, words: str) -> Progress:
        """The progress with one thing more to know about it."""
        return replace(self, notes=(*self.notes, words))

    @property
    def measured(self) -> int:
        """How many cells have a figure: one that was cancelled or failed has none."""
        return sum(cell.median_s is not None for _, cell in self.cells)

    def _model(self, role: Role) -> str:
        return dict(self.models).get(role, role)


def begun(recommendation: Recommendation) -> Progress:
    """Nothing measured yet."""
    return Progress(models=tuple((part.role, part.model) for part in recommendation.components if part.model))


def plan_words(plan: CellPlan | Cell) -> str:
    """One cell in words: `forward in bfloat16, batch 8 × 128 tokens`."""
    shape = f"batch {plan.batch_size}"
    if plan.input_tokens is not None:
        shape += f" × {plan.input_tokens} tokens"
    if plan.context_tokens is not None:
        shape += f", {plan.context_tokens} tokens deep"
    return f"{plan.stage} in {served_by(plan)}, {shape}"
