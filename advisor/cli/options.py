"""Options as values, checked before any work begins."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TypeVar, get_args

from advisor.cli.arguments import OUTPUT_ENDINGS
from advisor.core.errors import AdvisorError, Problem, allowed_words
from advisor.core.hardware import Dtype
from advisor.measuring import Measuring
from advisor.store.output import check_output

T = TypeVar("T", bound=str)

MAX_LIST = 32
MAX_TOKENS = 10_000_000
MAX_BATCH = 65_536
MAX_LAYERS = 10_000
_ONLY_FOR_MEASURING = (
    "model",
    "batch",
    "input-tokens",
    "output-tokens",
    "dtype",
    "layers",
    "runtime",
    "device",
    "effort",
    "fresh",
    "verify",
)


def chosen_folder(options: argparse.Namespace, name: str) -> Path | None:
    """The folder given with --rules or --models; None for the shipped one."""
    value = getattr(options, name, None)
    return None if value is None else folder_at(value, f"give --{name} a folder of YAML files")


def folder_at(name: str, fix: str) -> Path:
    """The folder of this name. Raises AdvisorError, with what to do, where there is none."""
    if not os.path.isdir(name):  # unlike its twin in pathlib it calls an impossible name no folder
        words = "this is not a folder" if os.path.exists(name) else "there is no such folder"
        raise AdvisorError([Problem(name, None, None, words, fix)])
    return Path(name)


def output_path(options: argparse.Namespace, endings: tuple[str, ...] = OUTPUT_ENDINGS) -> Path | None:
    """Where --output writes, if it may."""
    value = getattr(options, "output", None)
    if value is None:
        return None
    check_output(Path(value), endings)
    return Path(value)


def measuring(options: argparse.Namespace) -> Measuring:
    """What the measuring options fix. Raises AdvisorError with every mistake in them."""
    from advisor.core.sizing.measurement import Runtime  # what reads no cells need not know their shape

    problems: list[Problem] = []
    batch_sizes = _numbers(options.batch, "--batch", MAX_BATCH, problems)
    input_tokens = _numbers(options.input_tokens, "--input-tokens", MAX_TOKENS, problems)
    output_tokens = _numbers(options.output_tokens, "--output-tokens", MAX_TOKENS, problems)
    if output_tokens is not None and len(output_tokens) != 1:
        problems.append(Problem("--output-tokens", None, None, "takes one number", "give one, like 128"))
    layers = _numbers(getattr(options, "layers", None), "--layers", MAX_LAYERS, problems)
    if layers is not None and len(layers) != 3 and not problems:
        words = "takes three different numbers: two give a line, the third says whether it is one"
        problems.append(Problem("--layers", None, None, words, "give numbers below the model's own, like 8,16,24"))
    dtypes = _chosen(options.dtype, "dtype", get_args(Dtype), problems)
    runtimes = _chosen(options.runtime, "runtime", get_args(Runtime), problems)
    if problems:
        raise AdvisorError(problems)
    return Measuring(
        model=getattr(options, "model", None) if options.command == "advise" else None,
        batch_sizes=batch_sizes,
        input_tokens=input_tokens,
        output_tokens=output_tokens[0] if output_tokens else None,
        dtypes=dtypes,
        runtimes=runtimes,
        device=options.device,
        effort=options.effort,
        layers=layers,
    )


def given_profiles(options: argparse.Namespace) -> tuple[str, ...]:
    """The files to plan from in place of measuring. Raises AdvisorError for options that then have no effect."""
    if not options.profiles:
        return ()
    fixed = {name: getattr(options, name.replace("-", "_")) for name in _ONLY_FOR_MEASURING}
    idle = [f"--{name}" for name, value in fixed.items() if value not in (None, False, "auto", "quick")]
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


def _chosen(text: str | None, what: str, known: tuple[T, ...], problems: list[Problem]) -> tuple[T, ...] | None:
    """The words of a list that are known; `what` is the option's name, which is what one of them is called."""
    if text is None:
        return None
    chosen: list[T] = []
    for word in text.split(","):
        found = next((one for one in known if one == word.strip()), None)
        if found is None:
            words = f'unknown {what} "{word.strip()[:40]}" — {allowed_words(word.strip(), known)}'
            problems.append(Problem(f"--{what}", None, None, words))
        else:
            chosen.append(found)
    return tuple(dict.fromkeys(chosen))
