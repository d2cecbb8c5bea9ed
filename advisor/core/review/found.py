"""What a model really is, by its `config.json`: which architecture, and what of its attention the config gives away.

Pure: a dict in, a finding out. The one idea: a config that is not understood is not guessed at. A model type nobody
here knows, code of its own, or a file that contradicts itself gives no architecture, and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from advisor.core.architecture import Architecture
from advisor.core.hardware import Dtype
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import FAMILIES
from advisor.core.model.published_config import CHECK

CLASS_PREFIX: Mapping[str, str] = {
    "bert": "Bert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "modernbert": "ModernBert",
    "deberta": "Deberta",
    "deberta-v2": "DebertaV2",
    "gpt2": "GPT2",
    "llama": "Llama",
    "mistral": "Mistral",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "t5": "T5",
    "mt5": "MT5",
    "bart": "Bart",
}
"""How transformers begins the names of a model type's classes."""
UNCOUNTED: Mapping[str, Architecture] = {
    **dict.fromkeys(("albert", "camembert", "distilbert", "electra", "mpnet"), "encoder-only"),
    **dict.fromkeys(("bloom", "falcon", "gemma", "gemma2", "gpt_neo", "gpt_neox", "gptj"), "decoder-only"),
    **dict.fromkeys(("mixtral", "olmo", "opt", "phi", "phi3", "starcoder2"), "decoder-only"),
    **dict.fromkeys(("blenderbot", "led", "longt5", "m2m_100", "marian", "mbart", "pegasus"), "encoder-decoder"),
}
"""Model types whose architecture is known, and whose sizes have no closed form here."""
ENCODER_HALF = "EncoderModel"
DECODER_HALF = "ForCausalLM"
SEES_AHEAD: Mapping[str, Any] = {"is_causal": False, "use_bidirectional_attention": True}
"""Keys and the values by which a decoder gives its causal mask up."""


class Found(NamedTuple):
    """What is known of a model. `architecture` is None where it cannot be told; `why_not` then says why.

    `entry` serves the closed forms; where it is None, `uncounted` says why nothing can be counted. `evidence` says what
    the architecture was read from. `mask_found` is the pattern of the writing stack, None where nobody has looked.
    `contrastive`: the catalogue knows it as an embedding decoder.
    """

    architecture: Architecture | None
    evidence: str
    why_not: str | None = None
    fix: str | None = None
    entry: ModelEntry | None = None
    uncounted: str | None = None
    parameters: int | None = None
    mask_found: str | None = None
    dtype: Dtype | None = None
    contrastive: bool = False

    @property
    def known_parameters(self) -> int | None:
        """How many parameters it has, counted or published."""
        return self.parameters if self.entry is None else self.entry.parameters


def unknown(why_not: str, fix: str | None = None) -> Found:
    """A model of which nothing can be told."""
    return Found(None, "", why_not, fix, uncounted=why_not)


def found_in_config(config: Mapping[str, Any], name: str) -> Found:
    """What a config says the model is; `name` is the file as people know it."""
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        return unknown(f"{name} has no model_type", "name a model that transformers saved")
    if model_type not in FAMILIES and model_type not in UNCOUNTED:
        known = ", ".join((*FAMILIES, *UNCOUNTED))
        return unknown(f'{name} has the model_type "{model_type[:80]}", which is not known here', f"known: {known}")
    if config.get("auto_map"):
        return unknown(f"{name} names code of its own, which is never run", "name a model that transformers builds")
    named = _class_named(config)
    evidence = f"{name}: model_type {model_type}" + (f", architectures {named[:80]}" if named else "")
    if contradiction := _contradiction(config, model_type, named):
        return unknown(f"{name} contradicts itself: {contradiction}", CHECK)
    architecture, more = _architecture(config, model_type, named)
    return Found(
        architecture,
        f"{evidence}{more}",
        mask_found=_mask(config, architecture),
        dtype=_dtype(config),
    )


def contradiction_in(config: Mapping[str, Any]) -> str | None:
    """Where a config of a known model type says two things that cannot both be; None where it does not."""
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or (model_type not in FAMILIES and model_type not in UNCOUNTED):
        return None
    return _contradiction(config, model_type, _class_named(config))


def _whole(model_type: str) -> Architecture:
    """What a whole model of a known type is."""
    return UNCOUNTED[model_type] if model_type in UNCOUNTED else FAMILIES[model_type].architecture


def _class_named(config: Mapping[str, Any]) -> str | None:
    """The class that the weights were saved from, if the file names one."""
    named = config.get("architectures")
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None


def _contradiction(config: Mapping[str, Any], model_type: str, named: str | None) -> str | None:
    whole = _whole(model_type)
    said = config.get("is_encoder_decoder")
    half = named is not None and named.endswith((ENCODER_HALF, DECODER_HALF))
    if said is True and whole != "encoder-decoder":
        return f"is_encoder_decoder is true, and {model_type} is {whole}"
    if said is False and whole == "encoder-decoder" and not half:
        return f"is_encoder_decoder is false, and {model_type} is {whole}"
    other = _other_type(named, model_type) if named else None
    return f"model_type is {model_type}, and {named} is a class of {other}" if other else None


def _other_type(named: str, model_type: str) -> str | None:
    """The model type whose class this is, where it is another one. The longest beginning tells them apart."""
    fitting = [one for one, prefix in CLASS_PREFIX.items() if named.startswith(prefix)]
    nearest = max(fitting, key=lambda one: len(CLASS_PREFIX[one]), default=None)
    return nearest if nearest is not None and CLASS_PREFIX[nearest] != CLASS_PREFIX.get(model_type) else None


def _architecture(config: Mapping[str, Any], model_type: str, named: str | None) -> tuple[Architecture, str]:
    """The architecture, and what beside the model type it was read from."""
    whole = _whole(model_type)
    if whole == "encoder-only" and config.get("is_decoder") is True:
        return "decoder-only", ", is_decoder true"
    if whole == "encoder-decoder" and named is not None:
        if named.endswith(ENCODER_HALF):
            return "encoder-only", ", the encoder alone"
        if named.endswith(DECODER_HALF):
            return "decoder-only", ", the decoder alone"
    return whole, ""


def _mask(config: Mapping[str, Any], architecture: Architecture) -> str | None:
    if architecture == "encoder-only":
        return None
    return "bidirectional" if any(config.get(key) is value for key, value in SEES_AHEAD.items()) else None


def _dtype(config: Mapping[str, Any]) -> Dtype | None:
    """The dtype the weights were saved in, where it is one that can be counted with."""
    said = config.get("dtype", config.get("torch_dtype"))
    return next((one for one in get_args(Dtype) if one == said), None)
