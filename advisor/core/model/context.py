"""Whether a model can take a text of some length at all: the positions it has, and what they must hold.

A context is a hard limit where the model has no positions beyond it; elsewhere it is the length it was trained on, and
nothing is refused. The same sentence is given to whoever chooses a model and to whoever plans one that was named.
"""

from __future__ import annotations

from advisor.core.model.cost import anatomy
from advisor.core.model.entry import ModelEntry


def context_needed(entry: ModelEntry, input_tokens: int, output_tokens: int) -> int:
    """The tokens that the context must hold for a request of this length."""
    return input_tokens + (output_tokens if entry.context_covers == "input+output" else 0)


def length_refusal(entry: ModelEntry, input_tokens: int, output_tokens: int) -> str | None:
    """Why no request of this length can be served, in one or two sentences; None where it can."""
    needed = context_needed(entry, input_tokens, output_tokens)
    if not entry.context_is_hard:
        return None
    if needed <= entry.context_tokens:
        return _output_refusal(entry, output_tokens)
    if entry.context_covers == "input":
        words = f"{entry.id} reads at most {entry.context_tokens:,} tokens, and the input has up to {needed:,}."
    else:
        total = f"{input_tokens:,} + {output_tokens:,} = {needed:,} are needed"
        words = f"{entry.id} holds {entry.context_tokens:,} tokens of input and output together, and {total}."
    return f"{words} {entry.context_note}" if entry.context_note else words


def _output_refusal(entry: ModelEntry, output_tokens: int) -> str | None:
    """A target with a table of positions of its own ends where the table does."""
    if entry.context_covers == "input+output" or output_tokens <= entry.context_tokens:
        return None
    if not anatomy(entry).position_rows:
        return None
    return f"{entry.id} writes at most {entry.context_tokens:,} tokens, and the output has up to {output_tokens:,}."
