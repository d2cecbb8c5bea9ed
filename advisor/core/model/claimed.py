"""Which architecture a config claims: by the class it names, by its flags, or else by its model type.

Pure, and the only place that decides it: a review and an inspection must not tell two stories of one file. A config
that says two things which cannot both be is named as such; whoever asks decides what that is worth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from advisor.core.architecture import Architecture
from advisor.core.model.families import FAMILIES

CLASS_PREFIX: Mapping[str, str] = {
    "bert": "Bert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "camembert": "Camembert",
    "distilbert": "DistilBert",
    "mpnet": "MPNet",
    "electra": "Electra",
    "albert": "Albert",
    "modernbert": "ModernBert",
    "deberta": "Deberta",
    "deberta-v2": "DebertaV2",
    "gpt2": "GPT2",
    "gptj": "GPTJ",
    "llama": "Llama",
    "mistral": "Mistral",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "phi3": "Phi3",
    "olmo2": "Olmo2",
    "olmo3": "Olmo3",
    "granite": "Granite",
    "smollm3": "SmolLM3",
    "gemma": "Gemma",
    "gemma2": "Gemma2",
    "gemma3_text": "Gemma3",
    "cohere": "Cohere",
    "cohere2": "Cohere2",
    "gpt_neox": "GPTNeoX",
    "phi": "Phi",
    "stablelm": "StableLm",
    "starcoder2": "Starcoder2",
    "opt": "OPT",
    "t5": "T5",
    "mt5": "MT5",
    "bart": "Bart",
    "mbart": "MBart",
    "marian": "Marian",
    "pegasus": "Pegasus",
    "m2m_100": "M2M100",
}
"""How transformers begins the names of a model type's classes."""
_THEN = "(For|Model|MTModel|LMHead|Encoder|Decoder|With|PreTrained|DoubleHeads)"
"""How they go on."""
UNCOUNTED: Mapping[str, Architecture] = {
    **dict.fromkeys(("big_bird", "convbert", "data2vec-text", "ernie", "esm", "eurobert", "ibert"), "encoder-only"),
    **dict.fromkeys(("layoutlm", "longformer", "megatron-bert", "mobilebert", "nomic_bert", "rembert"), "encoder-only"),
    **dict.fromkeys(("roformer",), "encoder-only"),
    **dict.fromkeys(("roberta-prelayernorm", "squeezebert", "xlm-roberta-xl", "xmod"), "encoder-only"),
    **dict.fromkeys(("biogpt", "bloom", "codegen", "deepseek_v2", "deepseek_v3"), "decoder-only"),
    **dict.fromkeys(("falcon", "glm", "glm4", "gpt_bigcode", "gpt_neo", "gpt_oss"), "decoder-only"),
    **dict.fromkeys(("granitemoe", "ministral", "mixtral", "mpt", "nemotron", "olmo", "olmoe"), "decoder-only"),
    **dict.fromkeys(
        ("openai-gpt", "persimmon", "phimoe", "qwen2_moe", "qwen3_moe", "seed_oss", "xglm"), "decoder-only"
    ),
    **dict.fromkeys(("bigbird_pegasus", "blenderbot", "blenderbot-small", "led", "longt5"), "encoder-decoder"),
    **dict.fromkeys(("nllb-moe", "pegasus_x", "plbart", "umt5"), "encoder-decoder"),
}
"""Model types whose architecture is known, and whose sizes have no closed form here."""

ENCODER_HALF, LABELLING_HALF, DECODER_HALF = "EncoderModel", "T5ForTokenClassification", "ForCausalLM"
HALVES = (ENCODER_HALF, LABELLING_HALF, DECODER_HALF)
"""How the classes end that are one stack of an encoder-decoder. To label tokens, T5's models have no need to write."""
_WRITERS = (DECODER_HALF, "LMHeadModel")
_TRANSLATORS = ("ForConditionalGeneration", "ForSeq2SeqLM", "MTModel")
_READERS = ("ForMaskedLM", ENCODER_HALF, LABELLING_HALF)
_OWN_ENDS: Mapping[Architecture, tuple[str, ...]] = {
    "encoder-only": (*_READERS, *_WRITERS),
    "decoder-only": _WRITERS,
    "encoder-decoder": (*_TRANSLATORS, ENCODER_HALF, LABELLING_HALF, *_WRITERS),
}
"""The telling ends that classes of a family have. An encoder has those of a writer too: its config can make it one."""


TAKEN_IN = ("phi", "phi3")
"""Model types whose code was published beside the weights, and which transformers has taken in under the same names."""
_OF_THE_MODEL = ("AutoConfig", "AutoModel")

SEES_AHEAD: Mapping[str, Any] = {"is_causal": False, "use_bidirectional_attention": True}
"""Keys and the values by which a decoder gives its causal mask up."""


class Claimed(NamedTuple):
    """What a config claims and by which of its words; `contradiction` names two of them that cannot both be.

    `sees_ahead`: it names a class that writes, and leaves its attention that of an encoder.
    """

    architecture: Architecture
    by: str
    contradiction: str | None = None
    sees_ahead: bool = False


def family_of(model_type: object) -> Architecture | None:
    """What a whole model of a type is; None where that is not known here."""
    if not isinstance(model_type, str):
        return None
    return UNCOUNTED[model_type] if model_type in UNCOUNTED else _counted(model_type)


def _counted(model_type: str) -> Architecture | None:
    return FAMILIES[model_type].architecture if model_type in FAMILIES else None


def own_code(config: Mapping[str, Any]) -> bool:
    """Whether a config names code of its own without which its model is not what the weights belong to."""
    named, model_type = config.get("auto_map"), str(config.get("model_type"))
    if not named:
        return False
    if model_type not in TAKEN_IN or not isinstance(named, dict):
        return True
    code = [one for use, one in named.items() if use.startswith(_OF_THE_MODEL)]
    return not all(
        isinstance(one, str) and re.search(rf"\.{CLASS_PREFIX[model_type]}(Config|For|Model)", one) for one in code
    )


def class_named(config: Mapping[str, Any]) -> str | None:
    """The class that the weights were saved from, if the file names one."""
    named = config.get("architectures")
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None


def claimed(config: Mapping[str, Any], family: Architecture) -> Claimed:
    """The claim of a config whose model type is one of `family`."""
    named, decodes = class_named(config), config.get("is_decoder") is True
    by_class = _by_class(named, family) if named else None
    architecture, by = family, "model_type"
    if by_class is not None:
        architecture, by = by_class, "architectures"
    elif config.get("is_encoder_decoder") is True:
        architecture, by = "encoder-decoder", "is_encoder_decoder"
    elif decodes and family == "encoder-only":
        architecture, by = "decoder-only", "is_decoder"
    elif family == "decoder-only" and named is not None and (key := mask_given_up(config)) is not None:
        architecture, by = "encoder-only", key  # a class that does not write, made to read both sides
    unmasked = family == "encoder-only" and architecture == "decoder-only" and not decodes
    return Claimed(architecture, by, _contradiction(config, family, named), unmasked)


def mask_given_up(config: Mapping[str, Any]) -> str | None:
    """The key by which a config of a decoder's type gives the causal mask up."""
    return next((key for key, value in SEES_AHEAD.items() if config.get(key) is value), None)


def _by_class(named: str, family: Architecture) -> Architecture | None:
    """What the end of a class name says, where it says anything."""
    if named.endswith(_READERS):
        return "encoder-only"
    if named.endswith(_TRANSLATORS):
        return "encoder-decoder"
    if named.endswith(DECODER_HALF) or (named.endswith(_WRITERS) and family != "encoder-decoder"):
        return "decoder-only"
    return None


def _contradiction(config: Mapping[str, Any], family: Architecture, named: str | None) -> str | None:
    kind = str(config.get("model_type"))[:80]
    said = config.get("is_encoder_decoder")
    half = named is not None and named.endswith(HALVES)
    if said is True and family != "encoder-decoder":
        return f"is_encoder_decoder is true, and {kind} is {family}"
    if said is False and family == "encoder-decoder" and not half:
        return f"is_encoder_decoder is false, and {kind} is {family}"
    if named is None:
        return None
    if other := _other_type(named, kind):
        return f"model_type is {kind}, and {named[:80]} is a class of {other}"
    if named.endswith((*_READERS, *_TRANSLATORS, *_WRITERS)) and not named.endswith(_OWN_ENDS[family]):
        return f"model_type is {kind}, which is {family}, and no such model is a {named[:80]}"
    if family == "encoder-only" and config.get("is_decoder") is True and named.endswith(_READERS):
        return f"is_decoder is true, and {named[:80]} reads both sides of a word"
    return None


def _other_type(named: str, model_type: str) -> str | None:
    """The model type whose class this is, where it is another one: Qwen3MoeModel is none of Qwen3's."""
    fitting = [one for one, prefix in CLASS_PREFIX.items() if re.match(prefix + _THEN, named)]
    nearest = max(fitting, key=lambda one: len(CLASS_PREFIX[one]), default=None)
    return nearest if nearest is not None and CLASS_PREFIX[nearest] != CLASS_PREFIX.get(model_type) else None
