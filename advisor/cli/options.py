"""Options as values, checked before any work begins."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import get_args

from advisor.advise import Measuring
from advisor.cli.arguments import OUTPUT_ENDINGS
from advisor.core.errors import AdvisorError, Problem, allowed_words
from advisor.core.hardware import Dtype
from advisor.store.output import check_output

MAX_LIST = 32
MAX_TOKENS = 10_000_000
MAX_BATCH = 65_536
_ONLY_FOR_MEASURING = ("model", "batch", "input-tokens", "output-tokens", "dtype", "device", "fresh")


def chosen_folder(options: argparse.Namespace, name: str) -> Path | None:
    """The folder given with --rules or --models; None for the shipped one."""
    value = getattr(options, name, None)
    if value is None:
        return None
    folder = Path(value)
    if not os.path.isdir(folder):  # unlike its twin in pathlib it calls an impossible name no folder
        words = "is not a folder" if os.path.exists(folder) else "there is no such folder"
        raise AdvisorError([Problem(value, None, None, words, f"give --{name} a folder of YAML files")])
    return folder


def output_path(options: argparse.Namespace, endings: tuple[str, ...] = OUTPUT_ENDINGS) -> Path | None:
    """Where --output writes, if it may."""
    value = getattr(options, "output", None)
    if value is None:
        return None
    check_output(Path(value), endings)
    return Path(value)


def measuring(options: argparse.Namespace) -> Measuring:
    """What the measuring options fix. Raises AdvisorError with every mistake in them."""
    problems: list[Problem] = []
    batch_sizes = _numbers(options.batch, "--batch", MAX_BATCH, problems)
    input_tokens = _numbers(options.input_tokens, "--input-tokens", MAX_TOKENS, problems)
    output_tokens = _numbers(options.output_tokens, "--output-tokens", MAX_TOKENS, problems)
    if output_tokens is not None and len(output_tokens) != 1:
        problems.append(Problem("--output-tokens", None, None, "takes one number", "give one, like 128"))
    dtypes = _dtypes(options.dtype, problems)
    if problems:
        raise AdvisorError(problems)
    return Measuring(
        model=getattr(options, "model", None) if options.command == "advise" else None,
        batch_sizes=batch_sizes,
        input_tokens=input_tokens,
        output_tokens=output_tokens[0] if output_tokens else None,
        dtypes=dtypes,
        device=options.device,
    )


def given_profiles(options: argparse.Namespace) -> tuple[str, ...]:
    """The files to plan from in place of measuring. Raises AdvisorError for options that then have no effect."""
    if not options.profiles:
        return ()
    fixed = {name: getattr(options, name.replace("-", "_")) for name in _ONLY_FOR_MEASURING}
    idle = [f"--{name}" for name, value in fixed.items() if value not in (None, False, "auto")]
    if idle:
        words = "has no effect with --profile, which measures nothing here"
        raise AdvisorError([Problem(option, None, None, words, "leave one of the two out") for option in idle])
    return tuple(options.profiles)


def _numbers(text: str | None, option: str, most: int, problems: list[Problem]) -> tuple[int, ...] | None:
    if text is None:
        return None
    numbers: list[int] = []
    for word in text.split(","):
        word = word.strip()
        if not (word.isascii() and word.isdigit() and len(word) <= 12 and 1 <= int(word) <= most):
            words = f'"{word[:40]}" is not a whole number from 1 to {most:,}'
            problems.append(Problem(option, None, None, words, "give numbers with commas between, like 1,8"))
        else:
            numbers.append(int(word))
    if len(numbers) > MAX_LIST:
        problems.append(Problem(option, None, None, f"more than {MAX_LIST} numbers", "measure fewer at once"))
    return tuple(dict.fromkeys(numbers))


def _dtypes(text: str | None, problems: list[Problem]) -> tuple[Dtype, ...] | None:
    if text is None:
        return None
    dtypes: tuple[Dtype, ...] = get_args(Dtype)
    chosen: list[Dtype] = []
    for word in text.split(","):
        found = next((dtype for dtype in dtypes if dtype == word.strip()), None)
        if found is None:
            words = f'unknown dtype "{word.strip()[:40]}" — {allowed_words(word.strip(), dtypes)}'
            problems.append(Problem("--dtype", None, None, words))
        else:
            chosen.append(found)
    return tuple(dict.fromkeys(chosen))
