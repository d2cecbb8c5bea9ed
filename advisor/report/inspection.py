"""What an inspection says, in order: the verdict, claim and evidence, mistakes, the masks themselves.

Pure: values in, blocks out. Layers that were found alike are said once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from advisor.core.attention import MOVED, AttentionLayer
from advisor.core.inspection import Anisotropy, Claim, Inspection
from advisor.report import figures
from advisor.report.advice import remark_words
from advisor.report.blocks import Block, Heading, Paragraph, Table, Tone, bullets

DEPENDS, DOES_NOT = "■", "·"
LEGEND = f"A row is an output, a column an input: {DEPENDS} where the one moves with the other, {DOES_NOT} where not."


def inspection_blocks(found: Inspection) -> list[Block]:
    """The whole of it."""
    groups = _groups(found.probe.attention)
    blocks: list[Block] = [Heading(_verdict(found), 1, _tone(found)), bullets(_facts(found))]
    if found.remarks:
        blocks += [Heading("Mistakes", 2), bullets([remark_words(one) for one in found.remarks])]
    blocks += [Heading("Attention, layer by layer", 2), _table(groups)]
    if found.anisotropy is not None:
        blocks += [Heading("Embeddings", 2), bullets(_embeddings(found.anisotropy))]
    if found.notes:
        blocks += [Heading("To know", 2), bullets(list(found.notes))]
    blocks += [Heading("Masks", 2), Paragraph(LEGEND)]
    for group in groups:
        blocks += [Heading(f"{_place(group)}: {_pattern(group[0])}", 3), _matrix(group[0])]
    return blocks


def _verdict(found: Inspection) -> str:
    claimed = found.claim.architecture
    if found.agrees:
        return f"✓ {found.model.name} is what it claims: {claimed}"
    if found.agrees is None:
        return (
            f"? {found.model.name} claims to be {claimed}; some of its attention has no name here, so that stays open"
        )
    seen = found.probe.architecture
    words = f"its attention is that of {seen}" if seen else "its attention is that of none of the three architectures"
    if seen == claimed:
        return f"✗ {found.model.name} does not say what it is: its config contradicts itself; {words}"
    return f"✗ {found.model.name} claims to be {claimed}, but {words}"


def _tone(found: Inspection) -> Tone:
    if found.agrees is None:
        return "tight"
    return "good" if found.agrees else "bad"


def _facts(found: Inspection) -> list[str | tuple[str, list[str]]]:
    weights = "its own weights" if found.model.weights == "real" else "random weights"
    return [
        f"Model: {figures.count(found.model.parameters)} parameters, looked at with {weights}",
        (f"Claim: {found.claim.architecture}, by its {found.claim.by}", [_claim(found.claim)]),
        f"Seen: each attention layer alone, in float64, on {found.model.tokens} tokens, {_changed(found)} in turn",
    ]


def _changed(found: Inspection) -> str:
    most = max((len(layer.inputs) for layer in found.probe.attention), default=0)
    return "each changed" if most >= found.model.tokens else f"{most} of them changed"


def _claim(claim: Claim) -> str:
    said: list[tuple[str, object]] = [("architectures", ", ".join(claim.architectures) or None)]
    said += [("is_decoder", claim.is_decoder), ("is_encoder_decoder", claim.is_encoder_decoder)]
    known = [
        f"{name} {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in said
        if value is not None
    ]
    return ", ".join([f"model_type {claim.model_type}", *known])


def _embeddings(found: Anisotropy) -> list[str]:
    reference = found.reference
    words = "they crowd into a narrow cone" if found.narrow else "they are spread out"
    return [
        f"Unrelated sentences have a mean cosine of {_cosine(found.mean_cosine, found.ci95)}: {words}",
        f"The reference, {reference.model}, has {_cosine(reference.mean_cosine, reference.ci95)} on the same "
        f"{reference.sentences} sentences",
        f"Vectors of {found.width} numbers, {_POOLING[found.pooling]}; 95 % interval by {found.ci_method}",
    ]


_POOLING = {"mean": "the mean of all tokens", "cls": "the first token's", "last": "the last token's"}


def _cosine(mean: float, interval: tuple[float, float]) -> str:
    return f"{mean:.2f} ({interval[0]:.2f}–{interval[1]:.2f})"


def _groups(layers: Iterable[AttentionLayer]) -> list[list[AttentionLayer]]:
    """Layers that were found alike, each group in the order of its first layer."""

    def alike(one: AttentionLayer) -> tuple[str, ...]:
        return (one.stack, one.kind, _pattern(one), *one.matrix)

    groups = [list(group) for _, group in groupby(sorted(layers, key=alike), key=alike)]
    order = {"encoder": 0, "decoder": 1, "self": 0, "cross": 1}
    return sorted(groups, key=lambda group: (order[group[0].stack], order[group[0].kind], group[0].layer))


def _table(groups: Sequence[Sequence[AttentionLayer]]) -> Table:
    rows = tuple((g[0].stack, _numbers([one.layer for one in g]), g[0].kind, _pattern(g[0])) for g in groups)
    return Table(("stack", "layers", "attention", "pattern"), rows)


def _place(group: Sequence[AttentionLayer]) -> str:
    plural = "s" if len(group) > 1 else ""
    return f"{group[0].stack}, {group[0].kind}-attention, layer{plural} {_numbers([one.layer for one in group])}"


def _pattern(layer: AttentionLayer) -> str:
    if layer.pattern is None:
        return "no known pattern"
    if layer.prefix_tokens is not None:
        return f"{layer.pattern}, all see the first {layer.prefix_tokens} tokens"
    window = layer.window
    if window is None:
        return layer.pattern
    back = "all" if window.back is None else f"{window.back}"
    ahead = "all" if window.ahead is None else f"{window.ahead}"
    return f"{layer.pattern}, window of {back} back" + ("" if window.ahead == 0 else f" and {ahead} ahead")


def _numbers(layers: Sequence[int]) -> str:
    """`0–3, 6`: layers in runs."""
    runs: list[list[int]] = []
    for layer in sorted(layers):
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _matrix(layer: AttentionLayer) -> Table:
    rows = tuple(
        (str(output), *(DEPENDS if sign == MOVED else DOES_NOT for sign in row))
        for output, row in zip(layer.outputs, layer.matrix, strict=True)
    )
    return Table(("", *(str(one) for one in layer.inputs)), rows, right=frozenset(range(len(layer.inputs) + 1)))
