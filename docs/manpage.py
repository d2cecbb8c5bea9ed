"""The man page of the command `advisor` as troff, from the parser and the manual that `--help` shows."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from advisor import __version__
from advisor.cli.arguments import parser
from advisor.cli.manual import PAGES, Page, codes
from advisor.cli.tree import Command, arguments, commands

SHARED = ("settings", "json", "output", "rules", "models", "plain", "quiet")
"""Options that mean the same wherever they are taken: told once."""
FILES = (
    (
        "~/.cache/archadvisor",
        "rules and models that were read and proved before, models converted for other runtimes, the details of an "
        "internal error; may be deleted at any time",
    ),
    ("~/.local/share/archadvisor", "what was measured on this machine, and its peaks"),
    ("/tmp/archadvisor.lock", "keeps two measurements on this machine apart"),
)
ENVIRONMENT = (
    ("NO_COLOR", "set and not empty: no colour"),
    ("XDG_CACHE_HOME, XDG_DATA_HOME", "where the folders named under FILES lie, on Linux"),
)


def man_page() -> str:
    """The whole page. It carries no date, so that it changes only where the commands do."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    top = parser()
    page = PAGES["advisor"]
    yield f'.TH ADVISOR 1 "" "archadvisor {_escaped(__version__)}" "User commands"'
    yield ".ad l"
    yield from (".SH NAME", "advisor \\- which transformer architecture a task needs, why, and proof on this machine")
    yield from (".SH SYNOPSIS", ".B advisor", "[\\fICOMMAND\\fR] [\\fIOPTIONS\\fR]")
    yield from (".SH DESCRIPTION", _escaped(page.about), *_examples(page))
    every = list(commands(top))
    yield ".SH COMMANDS"
    for command in every:
        yield from _command(command)
    shared = {one.dest: one for command in reversed(every) for one in arguments(command.parser)}
    yield from (".SH COMMON OPTIONS", "Each command names those it takes.")
    yield from _items((_name(shared[dest]), _help(shared[dest])) for dest in SHARED)
    yield from (".SH EXIT STATUS", "What holds for every command; each says above what is its own.")
    yield from _items((str(code), meaning) for code, meaning in codes(page).items())
    yield from (".SH ENVIRONMENT", *_items(ENVIRONMENT))
    yield from (".SH FILES", *_items(FILES))


def _command(command: Command) -> Iterator[str]:
    """One command: how it is called, what for, what it takes, examples, its own exit codes."""
    page = PAGES[command.words]
    yield f".SS {_escaped(command.words)}"
    yield f".B {_escaped(command.words)}"
    yield _usage(command.parser)
    yield ".PP"
    yield _escaped(f"{command.help[0].upper()}{command.help[1:]}. {page.about}".strip())
    taken = arguments(command.parser)
    yield from _items((_name(one), _help(one)) for one in taken if one.dest not in (*SHARED, "help"))
    if shared := [one.option_strings[-1] for one in taken if one.dest in SHARED]:
        yield from (".PP", _escaped(f"Common options: {', '.join(shared)}."))
    yield from _examples(page)
    yield from (".PP", _escaped(f"Exit status: {'; '.join(f'{code} {said}' for code, said in page.codes.items())}."))


def _usage(one: argparse.ArgumentParser) -> str:
    words = [_needed(_value(each), each.nargs not in ("?", "*")) for each in arguments(one) if not each.option_strings]
    kinds = next((each for each in one._actions if isinstance(each, argparse._SubParsersAction)), None)
    if kinds is not None:
        words.append(_needed("|".join(kinds.choices), kinds.required))
    return " ".join([*words, _needed("OPTIONS", False)])


def _needed(word: str, required: bool) -> str:
    shown = f"\\fI{_escaped(word)}\\fR"
    return shown if required else f"[{shown}]"


def _name(one: argparse.Action) -> str:
    """`--batch 1,8,32`, `ANSWERS`."""
    if not one.option_strings:
        return _value(one)
    taken = "" if one.nargs == 0 else f" {_value(one)}"
    return f"{', '.join(one.option_strings)}{taken}"


def _value(one: argparse.Action) -> str:
    if one.metavar is None and one.choices is not None:
        return "|".join(map(str, one.choices))
    return str(one.metavar or one.dest)


def _help(one: argparse.Action) -> str:
    return (one.help or "").replace("%%", "%")


def _examples(page: Page) -> Iterator[str]:
    for line, does in page.examples:
        yield from (
            ".PP",
            _escaped(f"{does[0].upper()}{does[1:]}{'' if does.endswith('?') else ':'}"),
            ".PP",
            ".RS 4",
            ".EX",
            _escaped(line),
            ".EE",
            ".RE",
        )


def _items(pairs: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, words in pairs:
        yield from (".TP", f"\\fB{_escaped(name)}\\fR", _escaped(words) if words else "\\&")


def _escaped(text: str) -> str:
    """Words that troff prints as they are: no escapes, no requests, hyphens that can be copied, names never broken."""
    found = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    found = found.replace("~", "\\(ti").replace("^", "\\(ha").replace("\n", " ")
    found = "".join(sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in found)
    found = " ".join(f"\\%{word}" if "_" in word or "\\-" in word else word for word in found.split(" "))
    return f"\\&{found}" if found.startswith((".", "\\(aq")) else found
