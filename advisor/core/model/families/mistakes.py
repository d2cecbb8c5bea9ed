"""Everything that can be wrong with a config, each with its key, in words.

Nothing is built to find out: what passes here, transformers can build, and a test holds that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.core.errors import allowed_words
from advisor.core.model.families.family import MAX_SIZE, Config, Family, Key, Mistake, complete, usable_positions


def mistakes_in(family: Family, config: Config) -> list[Mistake]:
    """Keys that are unknown or missing, values out of their range, sizes that do not fit one another."""
    known = {key.name: key for key in family.keys}
    found = [_unknown_key(family.model_type, name, known) for name in config if name not in known]
    for key in family.keys:
        if key.name in config:
            found += _value_mistakes(key, config[key.name])
        elif key.required:
            words = f"config key {key.name} is missing"
            found.append((("config",), words, f"{family.model_type} needs it to be built"))
    return found or [
        *_division_mistakes(family, config),
        *_head_size_mistakes(family, config),
        *_token_mistakes(family, config),
        *_position_mistakes(family, config),
    ]


def _unknown_key(model_type: str, name: str, known: Mapping[str, Key]) -> Mistake:
    words = f'unknown config key "{name}" for model_type {model_type} — {allowed_words(name, known)}'
    return ("config", name), words, None


def _value_mistakes(key: Key, value: Any) -> Iterator[Mistake]:
    if value is None and key.may_be_null:
        return
    expected = _expected(key, value)
    if expected is not None:
        yield ("config", key.name), f"{key.name} is {_shown(value)}, expected {expected}", None


def _expected(key: Key, value: Any) -> str | None:
    """What the value should have been, or None where it is fine."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if key.kind == "size":
        return None if whole and key.least <= value <= MAX_SIZE else f"a whole number from {key.least} to {MAX_SIZE}"
    if key.kind == "token":
        return None if whole and 0 <= value <= MAX_SIZE else f"a whole number from 0 to {MAX_SIZE}"
    if key.kind == "flag":
        return None if isinstance(value, bool) else "true or false"
    if key.kind == "word":
        return None if isinstance(value, str) and value in key.words else f"one of {', '.join(key.words)}"
    if key.kind == "words":
        return None if _are_words(value, key.words) else f"some of {', '.join(key.words)}, each once, as a list"
    if key.kind == "rope":
        return None if _is_plain_rope(value) else "{rope_type: default, rope_theta: a number above 0}"
    # transformers takes no whole number where a fraction belongs
    return None if isinstance(value, float) and 0 <= value <= 1 else "a number from 0.0 to 1.0, with a decimal point"


def _are_words(value: Any, words: tuple[str, ...]) -> bool:
    """Whether these are some of the words, each once: a list, or as transformers takes it, one word with bars."""
    stated = value.split("|") if isinstance(value, str) else value
    listed = isinstance(stated, list | tuple) and all(isinstance(word, str) and word in words for word in stated)
    return listed and 0 < len(set(stated)) == len(stated)


def _is_plain_rope(value: Any) -> bool:
    """Whether these are unscaled rotary positions: scaled ones would need the child to know their other keys."""
    if not isinstance(value, dict) or set(value) != {"rope_type", "rope_theta"} or value["rope_type"] != "default":
        return False
    theta = value["rope_theta"]
    return isinstance(theta, int | float) and not isinstance(theta, bool) and theta > 0


def _division_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    for part, whole in family.divides:
        divisor, size = config.get(part), config.get(whole)
        if divisor and size and size % divisor:
            words = f"{part} {divisor} does not divide {whole} {size}"
            yield ("config", part), words, "transformers cannot build such a model"


def _head_size_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    for stack in family.anatomy(complete(family, config)).stacks if family.rotary else ():
        if stack.head_dim % 2:
            words = f"heads are {stack.head_dim} wide, and rotary positions need an even width"
            yield ("config", "head_dim") if "head_dim" in config else ("config",), words, "check head_dim and the heads"


def _token_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    known = complete(family, config)
    for key in family.keys:
        if key.kind == "token" and (known[key.name] or 0) >= known["vocab_size"]:
            at = ("config", key.name) if key.name in config else ("config",)
            words = f"{key.name} {known[key.name]} is outside the vocabulary of {known['vocab_size']}"
            yield at, words, "token ids run from 0 to vocab_size - 1"


def _position_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    positions = usable_positions(family, config)
    if family.positions_key and positions is not None and positions < 1:
        words = f"{family.positions_key} {config[family.positions_key]} leaves no position after the padding token's"
        yield ("config", family.positions_key), words, "positions start at pad_token_id + 1"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 40 else text[:39] + "…"
