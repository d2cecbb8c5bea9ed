"""The commands as argparse holds them, walked from the top: what completion scripts and the man page are made of."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple


class Command(NamedTuple):
    """One command: its words (`advisor rules diff`), its parser, and one line of help."""

    words: str
    parser: argparse.ArgumentParser
    help: str


def commands(top: argparse.ArgumentParser) -> Iterator[Command]:
    """Every command under `top`, each before its own commands."""
    for group in top._actions:
        if isinstance(group, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
            for name, parser in group.choices.items():
                yield Command(f"{top.prog} {name}", parser, helps.get(name, ""))
                yield from commands(parser)


def arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What a command takes, positionals first; its own commands are not among it."""
    own = [one for one in parser._actions if not isinstance(one, argparse._SubParsersAction)]
    return sorted(own, key=lambda one: bool(one.option_strings))
