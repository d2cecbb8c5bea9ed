"""From an argument list to an exit code: the one place where errors become words or JSON.

Every command is a function in a module of its own, imported only when it is called. What a caller did wrong ends in 2,
what we did wrong in 5 with the details in a file; no traceback reaches a person.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from typing import cast

from advisor.cli.arguments import parser, unknown_command
from advisor.cli.streams import at_a_terminal, flush, give_up_stdout
from advisor.core.errors import EXIT_CALLER, EXIT_INTERNAL, EXIT_INTERRUPTED, AdvisorError

_MODULES = {
    "recommend": "advisor.cli.recommend",
    "ask": "advisor.cli.ask",
    "explain": "advisor.cli.explain",
    "profile": "advisor.cli.measure",
    "advise": "advisor.cli.measure",
    "compare": "advisor.cli.compare",
    "check": "advisor.cli.check",
    "inspect": "advisor.cli.inspect",
    "doctor": "advisor.cli.doctor",
    "rules": "advisor.cli.rules",
    "models": "advisor.cli.models",
    "history": "advisor.cli.history",
    "schema": "advisor.cli.schema",
    "completion": "advisor.cli.completion",
    "tui": "advisor.cli.questionnaire",
}


def run(argv: list[str]) -> int:
    """Run the command in `argv` and return its exit code."""
    _never_fail_on_a_symbol()
    as_json = "--json" in argv
    try:
        code = _run(argv)
        flush()
        return code
    except AdvisorError as error:
        return _complain(error, as_json)
    except KeyboardInterrupt:
        return _complain(AdvisorError("interrupted", exit_code=EXIT_INTERRUPTED), as_json)
    except BrokenPipeError:
        # The reader went away (`| head`): what it wanted it has. Python would complain once more at exit.
        give_up_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence: a defect of ours must not look like a finding
        return _complain(_internal(error), as_json)


def _run(argv: list[str]) -> int:
    if not argv:
        if at_a_terminal():
            argv = ["tui"]
        else:
            parser().print_help(sys.stderr)
            return EXIT_CALLER
    if problem := unknown_command(argv):
        raise AdvisorError([problem])
    options, left = parser(argv[0] if argv[0] in _MODULES else None).parse_known_args(argv)
    if left:
        command_line = f"advisor {options.command}" if options.command else "advisor"
        words = f"unrecognized arguments: {' '.join(left)}"
        raise AdvisorError(words, fix=f"see: {command_line} --help")
    if options.command is None:
        raise AdvisorError("no command is given", fix="see: advisor --help")
    module = importlib.import_module(_MODULES[options.command])
    command = cast(Callable[[argparse.Namespace], int], getattr(module, options.command))
    return command(options)


def _complain(error: AdvisorError, as_json: bool) -> int:
    from advisor.cli.complaints import complain

    return complain(error, as_json=as_json)


def _internal(error: Exception) -> AdvisorError:
    from advisor.cli.complaints import keep_traceback

    kept = keep_traceback(error)
    words = f"internal error: {type(error).__name__}: {error}"
    where = f"the details are in {kept}" if kept else "the details could not be saved"
    fix = f"this is a defect of archadvisor, not of your input: report it to its maintainers with this line; {where}"
    return AdvisorError(words, exit_code=EXIT_INTERNAL, fix=fix)


def _never_fail_on_a_symbol() -> None:
    """A terminal that knows no `✓` shows `?` in its place; an encoding must not end a run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
