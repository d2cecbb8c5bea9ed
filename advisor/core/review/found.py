"""What a model really is, by its `config.json`: which architecture, and what of its attention the config gives away.

Pure: a dict in, a finding out. The one idea: a config that is not understood is not guessed at. A model type nobody
here knows, code of its own, or a file that contradicts itself gives no architecture, and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from advisor.core.architecture import Architecture
from advisor.core.errors import did_you_mean
from advisor.core.hardware import Dtype
from advisor.core.model.claimed import (
    DECODER_HALF,
    HALVES,
    SEES_AHEAD,
    UNCOUNTED,
    Claimed,
    claimed,
    class_named,
    family_of,
    mask_given_up,
    own_code,
)
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import FAMILIES
from advisor.core.model.published_config import CHECK


class Unseen(NamedTuple):
    """Why the attention of a model in a folder is not known from a probe. `open_`: it was probed, and is still open."""

    why: str
    fix: str | None = None
    open_: bool = False


class Context(NamedTuple):
    """How much a model reads: `hard` where nothing is read beyond, `with_output` where what it writes counts too."""

    tokens: int
    hard: bool
    with_output: bool


class Found(NamedTuple):
    """What is known of a model. `architecture` is None where it cannot be told; `why_not` then says why.

    `entry` serves the closed forms; where it is None, `uncounted` says why nothing can be counted. `evidence` says what
    the architecture was read from. `mask_found` is the pattern of the writing stack, None where nobody has looked.
    `contrastive`: the catalogue knows it as an embedding decoder. `in_folder`: it was read from a folder, whose weights
    can be probed; `unseen` says why they were not. `belied`: what a probe saw, where that is no architecture at all.
    `published_context`: that of a model nobody can build. `sees_ahead`: its class writes, and its config gives no mask.
    `quantised`: its weights are stored in fewer bits than its dtype says. `about_parameters`: as its name rounds them.
    """

    architecture: Architecture | None
    evidence: str
    why_not: str | None = None
    fix: str | None = None
    entry: ModelEntry | None = None
    uncounted: str | None = None
    uncounted_fix: str | None = None
    parameters: int | None = None
    mask_found: str | None = None
    sees_ahead: bool = False
    dtype: Dtype | None = None
    contrastive: bool = False
    in_folder: bool = False
    unseen: Unseen | None = None
    belied: str | None = None
    published_context: Context | None = None
    quantised: bool = False
    about_parameters: int | None = None

    @property
    def known_parameters(self) -> int | None:
        """How many parameters it has, counted or published."""
        return self.parameters if self.entry is None else self.entry.parameters

    @property
    def context(self) -> Context | None:
        """How much it reads, where that is known."""
        if self.entry is None:
            return self.published_context
        return Context(
            self.entry.context_tokens, self.entry.context_is_hard, self.entry.context_covers == "input+output"
        )


def unknown(why_not: str, fix: str | None = None) -> Found:
    """A model of which nothing can be told."""
    return Found(None, "", why_not, fix, uncounted=why_not)


def found_in_config(config: Mapping[str, Any], name: str) -> Found:
    """What a config says the model is; `name` is the file as people know it."""
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        return unknown(f"{name} has no model_type", "name a model that transformers saved")
    family = family_of(model_type)
    if family is None:
        words = f'{name} has the model_type "{model_type[:80]}", which is not known here'
        near = did_you_mean(model_type, (*FAMILIES, *UNCOUNTED))
        return unknown(words, f'did you mean "{near}"?' if near else f"sizes are known of: {', '.join(FAMILIES)}")
    if own_code(config):
        return unknown(f"{name} names code of its own, which is never run", "name a model that transformers builds")
    claim = claimed(config, family)
    if claim.contradiction:
        return unknown(f"{name} contradicts itself: {claim.contradiction}", CHECK)
    return Found(
        claim.architecture,
        f"{name}: model_type {model_type}{_more(config, claim, family)}",
        uncounted=f"the sizes of a {model_type} are not known here" if model_type in UNCOUNTED else None,
        uncounted_fix=f"sizes are known of: {', '.join(FAMILIES)}" if model_type in UNCOUNTED else None,
        mask_found=_mask(config, claim),
        sees_ahead=claim.sees_ahead,
        dtype=_dtype(config),
        in_folder=True,
    )


def _more(config: Mapping[str, Any], claim: Claimed, family: Architecture) -> str:
    """What beside the model type the architecture was read from."""
    named = class_named(config)
    words = f", architectures {named[:80]}" if named else ""
    if claim.by == "is_decoder" or (family == "encoder-only" and config.get("is_decoder") is True):
        return f"{words}, is_decoder true"
    if claim.sees_ahead:
        return f"{words}, which writes, and is_decoder is not true"
    if claim.by in SEES_AHEAD:
        return f"{words}, which does not write, {claim.by} {str(SEES_AHEAD[claim.by]).lower()}"
    if family == "encoder-decoder" and named is not None and named.endswith(HALVES):
        words += ", the decoder alone" if named.endswith(DECODER_HALF) else ", the encoder alone"
    return words


def _mask(config: Mapping[str, Any], claim: Claimed) -> str | None:
    """`bidirectional` where the config of a model that writes gives its causal mask up."""
    if claim.architecture == "encoder-only":
        return None
    return "bidirectional" if claim.sees_ahead or mask_given_up(config) else None


def _dtype(config: Mapping[str, Any]) -> Dtype | None:
    """The dtype the weights were saved in, where it is one that can be counted with."""
    said = config.get("dtype", config.get("torch_dtype"))
    return next((one for one in get_args(Dtype) if one == said), None)
