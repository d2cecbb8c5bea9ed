"""A folder's own tokenizer as a stage: texts that give exactly so many tokens, turned into token ids.

The one idea: a time per token means something only if the tokens are counted, so texts are made of words that the
tokenizer itself knows as one token each, and the number they give together is checked before anything is timed. It
runs in one thread, as everywhere in the child.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from advisor.core.model.source import ModelSource
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.complaints import first_line

TRIED_WORDS = 20_000
KEPT_WORDS = 500
FITTINGS = 12
"""How often a text is lengthened or shortened to meet its number of tokens."""


def tokenizer_of(source: ModelSource) -> PreTrainedTokenizerBase:
    """The tokenizer of the folder. Raises ValueError in one sentence where it cannot be loaded."""
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            source.folder, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # a tokenizer is built from files that anybody may have written
        raise ValueError(f"the tokenizer of {source.name} cannot be loaded: {first_line(error)}") from error
    return tokenizer


def tokenizing(tokenizer: PreTrainedTokenizerBase, plan: CellPlan, seed: int) -> Callable[[], torch.Tensor]:
    """One run: token ids [batch_size, input_tokens] of as many texts. Raises ValueError where no text gives them."""
    batch_size, tokens = plan.batch_size, plan.input_tokens or 1
    texts = texts_of(tokenizer, batch_size, tokens, seed)
    ids = _ids(tokenizer, texts)
    if tuple(ids.shape) != (batch_size, tokens):
        raise ValueError(f"its tokenizer gave {tuple(ids.shape)} ids where {(batch_size, tokens)} were made up")
    return lambda: _ids(tokenizer, texts)


def texts_of(tokenizer: PreTrainedTokenizerBase, batch_size: int, tokens: int, seed: int) -> list[str]:
    """Texts of exactly `tokens` tokens, special ones included, each of other words. ValueError where there are none."""
    draw = random.Random(seed)
    words = _words(tokenizer, draw)
    return [_text(tokenizer, words, tokens, draw) for _ in range(batch_size)]


def _ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> torch.Tensor:
    ids: torch.Tensor = tokenizer(texts, return_tensors="pt")["input_ids"]
    return ids


def _count(tokenizer: PreTrainedTokenizerBase, text: str) -> int:
    return len(tokenizer(text)["input_ids"])


def _words(tokenizer: PreTrainedTokenizerBase, draw: random.Random) -> list[str]:
    """Words that add one token to a text."""
    special = set(tokenizer.all_special_ids)
    ids = [one for one in range(len(tokenizer)) if one not in special]
    found: list[str] = []
    for one in draw.sample(ids, min(len(ids), TRIED_WORDS)):
        word = str(tokenizer.decode([one])).strip()
        if word.isalpha() and _count(tokenizer, f"{word} {word}") == _count(tokenizer, word) + 1:
            found.append(word)
            if len(found) == KEPT_WORDS:
                break
    if not found:
        raise ValueError("no word is one token to its tokenizer, so no text of a known length can be made")
    return found


def _text(tokenizer: PreTrainedTokenizerBase, words: list[str], tokens: int, draw: random.Random) -> str:
    """Words in a row, as many as give the number of tokens: how they join is the tokenizer's affair, so it is asked."""
    chosen = [draw.choice(words) for _ in range(tokens)]
    for _ in range(FITTINGS):
        excess = _count(tokenizer, " ".join(chosen)) - tokens
        if excess == 0 and chosen:
            return " ".join(chosen)
        if excess > 0:
            chosen = chosen[: max(len(chosen) - excess, 0)]
        else:
            chosen += [draw.choice(words) for _ in range(-excess)]
    raise ValueError(f"its tokenizer makes no text of exactly {tokens:,} tokens")
