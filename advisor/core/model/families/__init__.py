"""The model types the closed forms know: which config values each needs, and what they mean.

One idea: a family is a row of data plus one small translation into `Anatomy`. To add a model type, write its keys and
its translation in the module of its kin and name it below; counting, costs, checks and documents follow. What a family
is stands in `family`, what can be wrong with a config in `mistakes`; the kin are imported when first asked for, because
a decision needs one or two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from advisor.core.model.anatomy import Anatomy
from advisor.core.model.families.family import (
    ACTIVATIONS,
    MAX_SIZE,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    Mistake,
    complete,
    usable_positions,
)

__all__ = [
    "ACTIVATIONS",
    "FAMILIES",
    "MAX_SIZE",
    "UNFUSED_ACTIVATION",
    "Config",
    "Family",
    "Key",
    "Mistake",
    "anatomy_of",
    "config_mistakes",
    "positions_of",
]

_KIN: Mapping[str, str] = {
    "bert": "bert",
    "roberta": "bert",
    "xlm-roberta": "bert",
    "camembert": "bert",
    "distilbert": "distilbert",
    "mpnet": "mpnet",
    "electra": "electra",
    "albert": "electra",
    "modernbert": "modernbert",
    "deberta": "deberta",
    "deberta-v2": "deberta",
    "gpt2": "gpt2",
    "gptj": "gpt2",
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "llama",
    "qwen3": "llama",
    "phi3": "llama",
    "olmo2": "llama",
    "olmo3": "llama",
    "granite": "llama",
    "smollm3": "llama",
    "gemma": "gemma",
    "gemma2": "gemma",
    "gemma3_text": "gemma",
    "cohere": "cohere",
    "cohere2": "cohere",
    "gpt_neox": "gpt_neox",
    "phi": "gpt_neox",
    "stablelm": "gpt_neox",
    "starcoder2": "gpt_neox",
    "opt": "opt",
    "t5": "t5",
    "mt5": "t5",
    "bart": "bart",
    "mbart": "bart",
    "marian": "bart",
    "pegasus": "bart",
    "m2m_100": "bart",
}
"""The module of this package that holds a model type."""


class _Families(Mapping[str, Family]):
    """Families by model type."""

    def __getitem__(self, model_type: str) -> Family:
        kin = import_module(f"{__name__}.{_KIN[model_type]}")
        family: Family = kin.FAMILIES[model_type]
        return family

    def __iter__(self) -> Iterator[str]:
        return iter(_KIN)

    def __len__(self) -> int:
        return len(_KIN)


FAMILIES: Mapping[str, Family] = _Families()


def anatomy_of(model_type: str, config: Config, transformers_class: str | None = None) -> Anatomy:
    """The shape of a model of a known type whose config has no mistakes.

    `transformers_class` is one of the family's classes, the first of them where left out: it says what stands on top.
    A class the family does not have cannot be built, and is counted as the first.
    """
    family = FAMILIES[model_type]
    shape = family.anatomy(complete(family, config))
    head = family.classes.get(transformers_class or family.transformers_class)
    return shape if head is None else shape._replace(head=head)


def positions_of(model_type: str, config: Config) -> int | None:
    """How many tokens find a position in a model of a known type; None where positions have no end."""
    return usable_positions(FAMILIES[model_type], config)


def config_mistakes(model_type: str, config: Config) -> list[Mistake]:
    """Everything wrong with a config of a known type: keys that are unknown or missing, values out of their range."""
    from advisor.core.model.families.mistakes import mistakes_in  # a remembered catalogue needs no checks

    return mistakes_in(FAMILIES[model_type], config)
