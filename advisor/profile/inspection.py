"""One model inspected, in this process: loaded or built, its attention asked, its embeddings compared.

Whatever a stranger's files do to a library ends in one sentence. Nothing is timed, so nothing here is careful of time;
memory is asked for before any is taken.
"""

from __future__ import annotations

import re

import torch

from advisor.core.hardware import Dtype
from advisor.core.inspection import Cosine
from advisor.core.model.anatomy import Anatomy
from advisor.core.model.cost import anatomy, stages_of
from advisor.core.protocol import Inspect, Inspected, NotInspected
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.attention import SEQUENCE, NotProbed, looks, sequence_length, window_of
from advisor.profile.build import NotBuilt, count_parameters
from advisor.profile.complaints import first_line, is_out_of_memory
from advisor.profile.refusal import refusal
from advisor.profile.weights import LACK, WithWeights, built
from advisor.store.machine import cores_usable, memory_available_bytes

DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16")
"""The first that fits: layers are asked in float64 all the same, one at a time."""
LEAST_TOKENS = 3
CLOSED_FORM = "closed form"
"""What a note speaks of that compares the module's parameters with those of the whole model."""
_TOP = re.compile(r"(^|\.)(pooler|classifier|score|lm_head|cls|head|qa_outputs|classification_head)\.")
"""How the names begin of what reads the layers' result: a folder saved with another top lacks it."""


def answer(request: Inspect) -> Inspected | NotInspected:
    """The one event that answers a request."""
    try:
        return _inspected(request)
    except (NotBuilt, NotProbed, ValueError) as error:
        return _not(request, _sentence(error))
    except Exception as error:  # noqa: BLE001  # a library may raise anything; people get a sentence, not a trace
        if is_out_of_memory(error):
            return _not(request, "Memory ran out: the system refused to give this process more.")
        return _not(request, f"{type(error).__name__}: {_sentence(error)}")


def _inspected(request: Inspect) -> Inspected | NotInspected:
    dtype, too_big = _dtype_that_fits(request)
    if too_big is not None:
        return _not(request, too_big, "inspect it on a machine with more memory")
    torch.set_num_threads(cores_usable())
    model = built(request.model, request.source, dtype, seed=request.seed)
    if model.missing and not _has_any(model):
        words = f"None of the weights in its files is one of {request.model.transformers_class}'s"
        raise NotProbed(f"{words}: it is a part of such a model, or another one")
    found, shape = _without_the_top(model), _shape(request)
    tokens = sequence_length(found.model.config, request.model.positions)
    if tokens < LEAST_TOKENS:
        raise NotProbed(f"It has positions for {tokens} tokens, and a mask shows in {LEAST_TOKENS} or more.")
    cosine, notes = _cosine(request, found, dtype)
    return Inspected(
        id=request.id,
        parameters=count_parameters(found.model),
        weights="real" if found.real else "random",
        notes=(*(note for note in found.notes if request.half is None or CLOSED_FORM not in note), *notes),
        tokens=tokens,
        window=window_of(found.model.config),
        looks=tuple(looks(found.model, shape, tokens=tokens, seed=request.seed)),
        cosine=cosine,
    )


def _dtype_that_fits(request: Inspect) -> tuple[Dtype, str | None]:
    """The first dtype in which the model fits; where none does, the last with the sums that say so."""
    says: str | None = None
    for dtype in DTYPES:
        tokens = min(SEQUENCE, request.model.positions or SEQUENCE)
        plan = CellPlan(stage=stages_of(request.model)[0], dtype=dtype, batch_size=1, input_tokens=tokens)
        limits = {"limit_bytes": request.memory_limit_bytes, "available_bytes": memory_available_bytes()}
        refused = refusal(request.model, plan, **limits)
        if refused is None:
            return dtype, None
        says = refused[1]
    return DTYPES[-1], says


def _shape(request: Inspect) -> Anatomy:
    """What is built: the whole, or the one stack that its class is."""
    whole = anatomy(request.model)
    if request.half == "encoder":
        return whole._replace(decoder=None)
    if request.half == "decoder" and whole.decoder is not None:
        return whole._replace(encoder=None, decoder=whole.decoder._replace(cross_attention=False))
    return whole


def _has_any(found: WithWeights) -> bool:
    """Whether any weight of the module came from the files."""
    return not {name for name, _ in found.model.named_parameters()} <= set(found.missing)


def _without_the_top(found: WithWeights) -> WithWeights:
    """The same, real where no file lacks more than what stands on top of the layers: neither look asks that."""
    if not found.missing or not all(_TOP.search(name) for name in found.missing):
        return found
    says = "What stands on top of its layers is not in the files; it was not looked at."
    return found._replace(real=True, notes=(*(note for note in found.notes if not note.startswith(LACK)), says))


def _cosine(request: Inspect, found: WithWeights, dtype: Dtype) -> tuple[Cosine | None, tuple[str, ...]]:
    """How far apart it puts the texts, or nothing and why."""
    if not (found.real and request.texts) or request.half == "decoder":
        return None, ()
    if request.source.tokenizer_sha256 is None:
        return None, ("It has no tokenizer that can be used, so its embeddings were not compared.",)
    from advisor.profile.anisotropy import cosine_of  # scikit-learn takes a second, and most folders have no use for it

    try:
        return cosine_of(found.model, request.model, request.source, dtype, request.texts), ()
    except ValueError as error:
        return None, (f"Its embeddings were not compared: {_sentence(error)}",)


def _not(request: Inspect, says: str, fix: str | None = None) -> NotInspected:
    return NotInspected(id=request.id, says=says, fix=fix)


def _sentence(error: Exception) -> str:
    words = first_line(error)
    named = re.match(r"\w*[._]\w", words)  # a name of something keeps its own first letter
    return f"{words.rstrip('.') if named else words[0].upper() + words[1:].rstrip('.')}."
