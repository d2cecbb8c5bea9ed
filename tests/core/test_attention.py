"""The name of a mask rests on every entry that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.attention import AttentionLayer, Look, Push, Window, architecture_of, named

TOKENS = 12


def look(
    moves: Callable[[int, int], bool],
    *,
    tokens: int = TOKENS,
    pushed: Iterable[int] | None = None,
    sources: int | None = None,
    **more: Any,
) -> Look:
    """A layer whose output `i` moves with input `j` where `moves(i, j)`."""
    place: dict[str, Any] = {"stack": "decoder", "layer": 0, "kind": "self"}
    pushes = tuple(
        Push(position=j, outputs="".join("1" if moves(i, j) else "0" for i in range(tokens)))
        for j in (range(sources or tokens) if pushed is None else pushed)
    )
    return Look(**(place | more), pushes=pushes)


def everything(i: int, j: int) -> bool:
    return True


def backwards(i: int, j: int) -> bool:
    return j <= i


def layer(pattern: Callable[[int, int], bool], **more: Any) -> AttentionLayer:
    return named(look(pattern, **more))


def test_what_all_see_is_bidirectional_and_what_only_looks_back_is_causal() -> None:
    assert (layer(everything).pattern, layer(everything).window) == ("bidirectional", None)
    assert (layer(backwards).pattern, layer(backwards).window) == ("causal", None)


def test_a_row_of_the_matrix_is_an_output_and_a_column_an_input() -> None:
    assert layer(backwards, tokens=3).matrix == ("100", "110", "111")


@given(st.integers(1, TOKENS - 2))
def test_a_sliding_window_is_shown_as_wide_as_it_is(width: int) -> None:
    found = layer(lambda i, j: 0 <= i - j <= width)
    assert (found.pattern, found.window) == ("causal", Window(back=width, ahead=0))


@given(st.integers(0, TOKENS - 1), st.integers(1, TOKENS - 1))
def test_whoever_sees_even_one_token_ahead_is_bidirectional(back: int, ahead: int) -> None:
    found = layer(lambda i, j: -ahead <= i - j <= back)
    whole_back, whole_ahead = back == TOKENS - 1, ahead == TOKENS - 1
    wanted = Window(back=None if whole_back else back, ahead=None if whole_ahead else ahead)
    assert found.pattern == "bidirectional"
    assert found.window == (None if whole_back and whole_ahead else wanted)


@given(st.integers(2, TOKENS - 1))
def test_a_prefix_that_all_see_is_told_with_its_length(prefix: int) -> None:
    found = layer(lambda i, j: j <= i or j < prefix)
    assert (found.pattern, found.prefix_tokens) == ("prefix", prefix)


def test_of_a_long_text_some_inputs_are_changed_and_every_output_counts() -> None:
    pushed = (0, 20, 40, 60, 79)
    found = layer(lambda i, j: abs(i - j) <= 9, tokens=80, pushed=pushed, stack="encoder")
    assert (found.pattern, found.window) == ("bidirectional", Window(back=9, ahead=9))
    assert (found.outputs, found.inputs, len(found.matrix)) == (pushed, pushed, 5)
    leak = layer(lambda i, j: j <= i or (i, j) == (33, 40), tokens=80, pushed=pushed)
    assert leak.pattern is None


@pytest.mark.parametrize(
    "pattern",
    [
        lambda i, j: (i - j) % 3 == 0,
        lambda i, j: i == j,
        lambda i, j: False,
        lambda i, j: j <= i and (i, j) != (7, 2),
        lambda i, j: j >= i and j != TOKENS - 1,
    ],
    ids=["dilated", "itself-alone", "nothing", "one-entry-missing", "holes"],
)
def test_what_fits_no_name_gets_none(pattern: Callable[[int, int], bool]) -> None:
    assert layer(pattern).pattern is None


def test_cross_attention_sees_the_whole_source_or_has_no_name() -> None:
    whole = layer(everything, tokens=5, sources=8, kind="cross")
    assert (whole.pattern, len(whole.matrix), len(whole.matrix[0])) == ("cross", 5, 8)
    assert layer(backwards, tokens=5, sources=8, kind="cross").pattern is None


def layers(*kinds: tuple[str, str, Callable[[int, int], bool]]) -> list[AttentionLayer]:
    return [layer(moves, stack=stack, kind=kind) for stack, kind, moves in kinds]


ENCODER, DECODER, CROSS = (
    ("encoder", "self", everything),
    ("decoder", "self", backwards),
    ("decoder", "cross", everything),
)


@pytest.mark.parametrize(
    ("found", "architecture"),
    [
        ([ENCODER, ENCODER], "encoder-only"),
        ([DECODER, DECODER], "decoder-only"),
        ([("decoder", "self", lambda i, j: j <= i or j < 4)], "decoder-only"),
        ([("decoder", "self", everything)], "encoder-only"),
        ([ENCODER, DECODER, CROSS], "encoder-decoder"),
        ([("encoder", "self", everything), ("encoder", "self", backwards)], None),
        ([ENCODER, ("decoder", "self", everything), CROSS], None),
        ([("encoder", "self", backwards), DECODER, CROSS], None),
        ([ENCODER, DECODER, ("decoder", "cross", backwards)], None),
        ([DECODER, CROSS], None),
        ([ENCODER, ("encoder", "self", lambda i, j: i == j)], None),
    ],
)
def test_layers_make_an_architecture_or_none(found: list[Any], architecture: str | None) -> None:
    assert architecture_of(layers(*found)) == architecture
