"""The options of every command. Only what is built is here."""

from __future__ import annotations

import argparse
from functools import partial
from typing import NoReturn

from advisor import __version__
from advisor.core.errors import AdvisorError, Problem, did_you_mean
from advisor.core.workload import ANSWER_ORDER

OUTPUT_ENDINGS = (".json", ".md")

MODEL_HELP = "a catalogue id (see: advisor models), a folder with config.json, or owner/name on the hub"
_EFFORTS = ("quick", "standard", "thorough")
_EFFORT_HELP = "1, 3 or 5 processes, intervals within 10, 5 or 5 %%, 1, 4 or 12 times as long (default: quick)"
_RUN_HELP = "the number of a run, as advisor history lists it"
ANSWERS_HELP = "answers as YAML or JSON, - for stdin; may be left out when --set gives the task"


class _Devices(tuple[str, ...]):
    """The kinds of device; a card may also be named by its number, as in `cuda:1`."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        kind, colon, number = str(name).partition(":")
        numbered = kind == "cuda" and bool(colon) and number.isascii() and number.isdigit() and len(number) <= 3
        return super().__contains__(name) or numbered


class _Parser(argparse.ArgumentParser):
    """argparse whose mistakes are AdvisorErrors, so that they too can be JSON, and whose help has examples."""

    short = ""

    def format_help(self) -> str:
        """What the command is for, its options, examples and exit codes."""
        from advisor.cli.manual import description, epilog  # a command that runs needs no manual

        self.description, self.epilog = description(self.prog, self.short), epilog(self.prog)
        self.formatter_class = partial(argparse.RawDescriptionHelpFormatter, max_help_position=30)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        fix = f"see: {self.prog} --help"
        raise AdvisorError([Problem(None, None, None, message, fix)])


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of the command `advisor`; with `only`, it knows that one command (building all takes its time)."""
    top = _Parser(prog="advisor", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"archadvisor {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, add in _COMMANDS.items():
        if only in (None, name):
            add(commands)
    return top


def unknown_command(argv: list[str]) -> Problem | None:
    """A problem with a suggestion where the first word is no command."""
    first = next((word for word in argv if not word.startswith("-")), None)
    if first is None or first in _COMMANDS:
        return None
    near = did_you_mean(first, _COMMANDS)
    hint = f'did you mean "{near}"?' if near else f"commands: {', '.join(_COMMANDS)}"
    return Problem(None, None, None, f'unknown command "{first}"', hint)


def _command(commands: argparse._SubParsersAction[_Parser], name: str, help_: str) -> _Parser:
    one = commands.add_parser(name, help=help_, allow_abbrev=False)
    one.short = help_
    return one


def _recommend(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "recommend", "which architecture and why, by rules only (fast, no torch)")
    _answers(one)
    _common(one)


def _ask(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "ask", "the questionnaire line by line, in plain text; ends like recommend")
    _answers(one)
    _common(one)
    one.set_defaults(plain=True)  # made for screen readers and terminals that know no colours


def _explain(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "explain", "what a rule, finding, task, architecture, answer or fact is, and why")
    one.add_argument(
        "id", metavar="ID", nargs="?", help="CLS-001, PLAN-061, G40, Q1, chat, throttled, …; without it, the list"
    )
    _common(one)


def _profile(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "profile", "measure a model on this machine")
    one.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    _measuring(one)
    _common(one, rules=False)


def _advise(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "advise", "recommend, measure the representative model here, plan capacity")
    _answers(one)
    one.add_argument("--model", metavar="MODEL", help=f"measure this one in place of the representative: {MODEL_HELP}")
    one.add_argument(
        "--profile",
        metavar="FILE",
        action="append",
        default=[],
        dest="profiles",
        help="measure nothing here: plan from this profile or report made elsewhere; one for each part, repeatable",
    )
    one.add_argument(
        "--verify",
        action="store_true",
        help="then serve the planned rate to one replica here for a minute: predicted beside observed",
    )
    _measuring(one)
    _common(one)


def _compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "compare", "the same task on every architecture that can do it, measured side by side")
    _answers(one)
    _measuring(one, one_model=False)
    _common(one)


def _check(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "check", "review the architectures a team declared, for CI (no torch, nothing is run)")
    one.add_argument("paths", metavar="PATH", nargs="*", help="architecture files, or folders that hold one")
    levels = ("error", "warning", "note")
    one.add_argument("--fail-level", choices=levels, default="error", help="exit 1 from this level on (default: error)")
    one.add_argument("--strict", action="store_true", help="exit 4 where something was not checked")
    one.add_argument("--exit-zero", action="store_true", help="report findings, and end with 0 all the same")
    one.add_argument("--base", metavar="REF", help="also say what is new since this left REF, a branch or a commit")
    one.add_argument("--today", metavar="DATE", help="judge waivers as of this day, like 2026-11-30 (default: today)")
    one.add_argument(
        "--report",
        metavar="FORMAT[=FILE]",
        action="append",
        default=[],
        dest="reports",
        help="also write it as json, sarif, junit, gitlab or md to FILE, or github's annotations to stdout; repeatable",
    )
    one.add_argument("--show-waived", action="store_true", help="put what is waived into SARIF too, as suppressed")
    one.add_argument("--init", action="store_true", help="write a first architecture file from answers, and review it")
    one.add_argument("--answers", metavar="ANSWERS", help="with --init: the answers as YAML or JSON, - for stdin")
    one.add_argument("--name", metavar="NAME", help="with --init: the component's name (default: its task)")
    _settings(one)
    _common(one)


def _inspect(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "inspect", "what a model in a folder is: its config's claim, and a probe of its attention")
    one.add_argument("folder", metavar="MODEL_DIR", help="a folder with config.json, its weights as safetensors")
    _common(one, rules=False, models=False)


def _doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "doctor", "this machine: what may be used of it and why, and what would be slow or wrong")
    _common(one, rules=False, models=False)


def _rules(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "rules", "list the rules, prove them, or compare two rule folders")
    kinds = one.add_subparsers(dest="rules_command", metavar="list|check|diff", required=True)
    _common(_command(kinds, "list", "every rule with its title and sources"), models=False)
    _common(_command(kinds, "check", "prove the rules complete and free of conflict, and the choice of models too"))
    diff = _command(kinds, "diff", "the workloads whose advice differs (exit 1 if any)")
    diff.add_argument("old", metavar="OLD", help="a rules folder")
    diff.add_argument("new", metavar="NEW", help="a rules folder")
    _common(diff, rules=False, models=False)


def _models(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "models", "the catalogue of models")
    _common(one, rules=False)
    kinds = one.add_subparsers(dest="models_command", metavar="list|show ID")
    _common(_command(kinds, "list", "every model in a line"), rules=False)
    show = _command(kinds, "show", "one model: sizes, memory, sources")
    show.add_argument("id", metavar="ID", help="as advisor models lists it")
    _common(show, rules=False)


def _history(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "history", "past runs: list, show, delete, export")
    _common(one, rules=False, models=False)
    kinds = one.add_subparsers(dest="history_command", metavar="list|show|delete|export")
    _common(_command(kinds, "list", "every run in a line, newest first"), rules=False, models=False)
    show = _command(kinds, "show", "a run as its command printed it")
    show.add_argument("id", metavar="ID", help=_RUN_HELP)
    show.add_argument("--samples", action="store_true", help="keep every sample in the JSON")
    _common(show, rules=False, models=False)
    delete = _command(kinds, "delete", "forget runs, and what only they measured")
    delete.add_argument("ids", metavar="ID", nargs="*", help=_RUN_HELP)
    delete.add_argument("--all", action="store_true", help="every run but one that is being measured")
    _common(delete, rules=False, models=False)
    export = _command(kinds, "export", "write a run's profile or report as JSON, every sample in it")
    export.add_argument("id", metavar="ID", help=_RUN_HELP)
    export.add_argument("file", metavar="FILE", help="ending in .json, or - for stdout")
    export.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="also print the document")


def _schema(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "schema", "the JSON Schema of a kind of document")
    one.add_argument("kind", metavar="KIND", help="workload, recommendation, profile, report, error, …")
    one.add_argument("--json", action="store_true", help="print mistakes as JSON too (a schema is JSON anyway)")
    _output(one, OUTPUT_ENDINGS[:1])


def _completion(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "completion", "a script that lets your shell complete commands, options and ids")
    one.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell it is for")
    _folders(one)


def _tui(commands: argparse._SubParsersAction[_Parser]) -> None:
    one = _command(commands, "tui", "the questionnaire in the terminal, optionally pre-filled")
    _answers(one)
    _fresh(one)
    _folders(one)


def _answers(one: _Parser) -> None:
    one.add_argument("answers", metavar="ANSWERS", nargs="?", help=ANSWERS_HELP)
    _settings(one)


def _settings(one: _Parser) -> None:
    one.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="settings",
        help=f"one answer, wins over the file; repeatable; keys: {', '.join(ANSWER_ORDER)}",
    )


def _measuring(one: _Parser, *, one_model: bool = True) -> None:
    around = "default: around the workload, or {}"
    one.add_argument("--batch", metavar="1,8,32", help=f"batch sizes to measure ({around.format('1,4,8')})")
    one.add_argument(
        "--input-tokens", metavar="128,512", help=f"input lengths to measure ({around.format('32,64,128')})"
    )
    one.add_argument("--output-tokens", metavar="32", help="tokens written: sets the depth decode is measured at")
    one.add_argument(
        "--dtype",
        metavar="float32,bfloat16",
        help="dtypes to measure, float16 and int8 too (default: what fits)",
    )
    installed = "default: all that are installed; at quick, those beside torch in int8"
    runtimes = f"what runs the model: torch, torch.compile, openvino, ctranslate2 ({installed})"
    one.add_argument("--runtime", metavar="torch,openvino", help=runtimes)
    device_help = "where it runs (default: the first of cuda, mps, cpu that is there; cuda:1 is a second card)"
    one.add_argument("--device", choices=_Devices(("auto", "cpu", "cuda", "mps")), default="auto", help=device_help)
    one.add_argument("--effort", choices=_EFFORTS, default="quick", help=_EFFORT_HELP)
    one.add_argument("--samples", action="store_true", help="keep every sample in the JSON")
    if one_model:  # several are compared in one new run, and what fits the layers of one fits no other's
        cuts = "cut the model to these numbers of layers and extrapolate the whole (default: where it is too large)"
        one.add_argument("--layers", metavar="8,16,24", help=cuts)
        _fresh(one)


def _common(one: _Parser, *, rules: bool = True, models: bool = True) -> None:
    one.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="one JSON document on stdout, mistakes as JSON on stderr",
    )
    _output(one)
    _folders(one, rules=rules, models=models)
    one.add_argument("--plain", action="store_true", default=argparse.SUPPRESS, help="no colour")
    one.add_argument("--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress on stderr")


def _fresh(one: _Parser) -> None:
    one.add_argument("--fresh", action="store_true", help="measure everything, also what an earlier run has measured")


def _folders(one: _Parser, *, rules: bool = True, models: bool = True) -> None:
    for name in [name for name, wanted in (("rules", rules), ("models", models)) if wanted]:
        words = f"{name} folder in place of the shipped one"
        one.add_argument(f"--{name}", metavar="DIR", default=argparse.SUPPRESS, help=words)


def _output(one: _Parser, endings: tuple[str, ...] = OUTPUT_ENDINGS) -> None:
    words = f"also write it to a file ({', '.join(endings)})"
    one.add_argument("--output", metavar="FILE", default=argparse.SUPPRESS, help=words)


_COMMANDS = {
    "recommend": _recommend,
    "ask": _ask,
    "explain": _explain,
    "profile": _profile,
    "advise": _advise,
    "compare": _compare,
    "check": _check,
    "inspect": _inspect,
    "rules": _rules,
    "models": _models,
    "history": _history,
    "doctor": _doctor,
    "schema": _schema,
    "completion": _completion,
    "tui": _tui,
}
