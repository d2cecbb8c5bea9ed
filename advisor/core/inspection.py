"""What a model is, by evidence (contract: `inspection`): what its config claims, what its attention was seen to do.

Values and the judgement over them; `profile.inspection` gathers the evidence. The one idea: the claim and the probe are
two statements of their own, and a model agrees with its config only if every layer of it was named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from advisor.core.architecture import Architecture
from advisor.core.attention import AttentionLayer, Pattern, StackName, architecture_of
from advisor.core.guide.recommendation import Remark
from advisor.core.model.claimed import DECODER_HALF, HALVES, claimed
from advisor.core.model.source import Pooling, Weights
from advisor.core.values import Document, Value

WRITERS: tuple[Architecture, ...] = ("decoder-only", "encoder-decoder")

NARROW_CONE = 0.5
"""Mean cosine of unrelated sentences from which similarity tells little apart: half of what equal sentences have. Our
own line; it is put to the lower end of the interval."""


class InspectedModel(Value):
    """The model in the folder. `parameters` were counted in the built module, `tokens` is the length of what it read.

    `weights_sha256` is over the bytes of its weight files; None where it has none.
    """

    name: str
    parameters: int
    weights: Weights
    weights_sha256: str | None = None
    tokens: int


class Claim(Value):
    """What `config.json` says: the architecture it claims, by which of its words, and its other words on that."""

    architecture: Architecture
    by: str
    model_type: str
    architectures: tuple[str, ...] = ()
    is_decoder: bool | None = None
    is_encoder_decoder: bool | None = None


class Probe(Value):
    """What was seen, layer by layer; `architecture` is None where the layers make none of the three."""

    architecture: Architecture | None
    attention: tuple[AttentionLayer, ...]


class Cosine(Value):
    """The mean cosine between embeddings of `sentences` unrelated sentences, with its interval.

    `pooling` says how the vectors of the tokens became one; `width` is how many numbers that has.
    """

    mean_cosine: float
    ci95: tuple[float, float]
    ci_method: Literal["bootstrap"] = "bootstrap"
    sentences: int
    pooling: Pooling
    width: int


class Reference(Cosine):
    """The same of a model everybody can have, measured on the same sentences."""

    model: str
    origin: str


class Anisotropy(Cosine):
    """The same of this model beside the reference. `narrow` says that similarity tells little apart."""

    narrow: bool
    reference: Reference


class Inspection(Document):
    """A model by evidence. `agrees` is None where a layer could not be named; `remarks` are mistakes of the guide.

    `mask_found` is the pattern of the stack that writes, or of the only one, where all its layers share one.
    """

    kind: Literal["inspection"] = "inspection"
    model: InspectedModel
    claim: Claim
    probe: Probe
    agrees: bool | None
    mask_found: Pattern | None
    remarks: tuple[Remark, ...] = ()
    anisotropy: Anisotropy | None = None
    notes: tuple[str, ...] = ()


def claim_of(config: Mapping[str, Any], family: Architecture) -> Claim:
    """What a config claims to be: by the class it names, by its flags, or else by its model type, which is `family`."""
    stated = config.get("architectures")
    named = tuple(str(one)[:80] for one in stated[:4]) if isinstance(stated, list) else ()
    decodes, both = (config.get(key) for key in ("is_decoder", "is_encoder_decoder"))
    found = claimed(config, family)
    return Claim(
        architecture=found.architecture,
        by=found.by,
        model_type=str(config.get("model_type"))[:80],
        architectures=named,
        is_decoder=decodes if isinstance(decodes, bool) else None,
        is_encoder_decoder=both if isinstance(both, bool) else None,
    )


def half_of(claim: Claim, family: Architecture) -> tuple[str, StackName] | None:
    """The class and the stack, where a config names a class that is half of its family's models.

    Such a class is one stack without the other, and without the attention across.
    """
    named = claim.architectures[0] if claim.architectures else ""
    if family != "encoder-decoder" or not named.endswith(HALVES):
        return None
    return named, ("decoder" if named.endswith(DECODER_HALF) else "encoder")


def probe_of(layers: Sequence[AttentionLayer]) -> Probe:
    """The layers and what they make together."""
    return Probe(architecture=architecture_of(layers), attention=tuple(layers))


def agreement(claim: Claim, probe: Probe) -> bool | None:
    """Whether the model is what it claims; None where a layer was not named, so nobody can say."""
    if any(layer.pattern is None for layer in probe.attention):
        return None
    return probe.architecture == claim.architecture


def writing_layers(probe: Probe) -> tuple[AttentionLayer, ...]:
    """Self-attention of the stack that writes, or of the only stack there is."""
    selfs = [layer for layer in probe.attention if layer.kind == "self"]
    return tuple(layer for layer in selfs if layer.stack == "decoder") or tuple(selfs)


def mask_found(probe: Probe) -> Pattern | None:
    """The pattern that all layers of `writing_layers` share. One that sees ahead is enough to call all of them so."""
    patterns = {layer.pattern for layer in writing_layers(probe)}
    if "bidirectional" in patterns:
        return "bidirectional"
    return patterns.pop() if len(patterns) == 1 else None


def sees_ahead(claim: Claim, probe: Probe) -> bool:
    """Whether what claims to write sees tokens that come later (the guide's G41)."""
    return claim.architecture in WRITERS and mask_found(probe) == "bidirectional"


def is_narrow(found: Cosine) -> bool:
    """Whether the embeddings are for certain in a narrow cone."""
    return found.ci95[0] > NARROW_CONE
