"""Which positions of an attention layer move when another one does, and the name of the pattern that makes.

Values in, values out: `profile.attention` makes the evidence, nothing here runs a model. The one idea: output i may
depend on input j or may not, and a mask is the whole table of that; a name is given only where every entry looked at
fits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from advisor.core.architecture import Architecture
from advisor.core.values import Value

StackName = Literal["encoder", "decoder"]
Kind = Literal["self", "cross"]
Pattern = Literal["bidirectional", "causal", "prefix", "cross"]

MOVED, STAYED = "1", "0"
Signs = Annotated[str, Field(pattern=f"^[{MOVED}{STAYED}]+$")]


class Push(Value):
    """Input `position` was changed; `outputs` has a sign for each output, `1` where it moved."""

    position: int
    outputs: Signs


class Look(Value):
    """One attention layer as it was found: its place in the model, and every push tried on it, one at least."""

    stack: StackName
    layer: int
    kind: Kind
    pushes: tuple[Push, ...] = Field(min_length=1)


class Window(Value):
    """How many positions back and ahead of its own an output depends on; None where that is all of them."""

    back: int | None
    ahead: int | None


class AttentionLayer(Value):
    """One layer named. `pattern` is None where no name fits; `prefix_tokens` is how many all may look at.

    `matrix` has a row for each of `outputs` and in it a sign for each of `inputs`: `1` where that input moves that
    output. Of a long text both are the inputs that were changed; the name rests on every output.
    """

    stack: StackName
    layer: int
    kind: Kind
    pattern: Pattern | None
    window: Window | None = None
    prefix_tokens: int | None = None
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    matrix: tuple[Signs, ...]


def named(look: Look) -> AttentionLayer:
    """The layer with the name of its pattern, where all that was seen fits one."""
    pattern, window, prefix = _self(look) if look.kind == "self" else _cross(look)
    inputs = tuple(push.position for push in look.pushes)
    tokens = len(look.pushes[0].outputs)
    outputs = inputs if look.kind == "self" and len(inputs) < tokens else tuple(range(tokens))
    return AttentionLayer(
        stack=look.stack,
        layer=look.layer,
        kind=look.kind,
        pattern=pattern,
        window=window,
        prefix_tokens=prefix,
        outputs=outputs,
        inputs=inputs,
        matrix=tuple("".join(push.outputs[output] for push in look.pushes) for output in outputs),
    )


def architecture_of(layers: Sequence[AttentionLayer]) -> Architecture | None:
    """What a model with these layers is; None where they make none of the three."""
    encoder = {one.pattern for one in layers if one.stack == "encoder"}
    decoder = {one.pattern for one in layers if one.stack == "decoder" and one.kind == "self"}
    if any(one.kind == "cross" for one in layers):
        crossed = all(one.pattern == "cross" for one in layers if one.kind == "cross")
        whole = crossed and encoder == {"bidirectional"} and _looks_back(decoder)
        return "encoder-decoder" if whole else None
    only = encoder | decoder
    if only == {"bidirectional"}:
        return "encoder-only"
    return "decoder-only" if _looks_back(only) else None


def _looks_back(patterns: set[Pattern | None]) -> bool:
    return bool(patterns) and patterns <= {"causal", "prefix"}


_Name = tuple[Pattern | None, Window | None, int | None]
"""A pattern, its window, the length of its prefix."""


def _cross(look: Look) -> _Name:
    return ("cross" if all(moved for _, _, moved in _entries(look)) else None), None, None


def _self(look: Look) -> _Name:
    reach = [output - source for output, source, moved in _entries(look) if moved]
    back, ahead = max([0, *reach]), max([0, *(-one for one in reach)])
    if not (back or ahead):
        return None, None, None  # each token sees itself at most: nothing is attended to
    if _fits(look, lambda output, source: -ahead <= output - source <= back):
        return ("bidirectional" if ahead else "causal"), _window(look, back, ahead), None
    tokens = len(look.pushes[0].outputs)
    for prefix in range(2, tokens):
        if _fits(look, partial(_in_prefix, prefix)):
            return "prefix", None, prefix
    return None, None, None


def _in_prefix(prefix: int, output: int, source: int) -> bool:
    return source <= output or source < prefix


def _window(look: Look, back: int, ahead: int) -> Window | None:
    """The reach as a window; None where it is as far as could be seen."""
    positions, tokens = [push.position for push in look.pushes], len(look.pushes[0].outputs)
    whole_back, whole_ahead = back >= tokens - 1 - min(positions), ahead >= max(positions)
    if whole_back and (whole_ahead or not ahead):
        return None
    return Window(back=None if whole_back else back, ahead=None if whole_ahead and ahead else ahead)


def _fits(look: Look, expected: Callable[[int, int], bool]) -> bool:
    return all(expected(output, source) == moved for output, source, moved in _entries(look))


def _entries(look: Look) -> Iterator[tuple[int, int, bool]]:
    """Output, input, and whether the one moved with the other."""
    for push in look.pushes:
        for output, sign in enumerate(push.outputs):
            yield output, push.position, sign == MOVED
