"""`advisor doctor`: this machine, and what would be slow or wrong on it."""

from __future__ import annotations

import argparse
import codecs
import sys

from advisor.cli.options import output_path
from advisor.cli.printing import deliver
from advisor.core.errors import EXIT_DONE
from advisor.report.machine import machine_blocks
from advisor.store.doctor import examine


def doctor(options: argparse.Namespace) -> int:
    """Look, and say what was seen. What is wrong with a machine is no failure of the command."""
    output = output_path(options)
    found = examine(terminal_is_utf8=_is_utf8(getattr(sys.stdout, "encoding", None)))
    deliver(found, machine_blocks(found), options, output)
    return EXIT_DONE


def _is_utf8(encoding: str | None) -> bool | None:
    try:
        return None if encoding is None else codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return None
