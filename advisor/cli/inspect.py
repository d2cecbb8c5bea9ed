"""`advisor inspect`: what the model in a folder is, by evidence."""

from __future__ import annotations

import argparse
from pathlib import Path

from advisor.cli.options import output_path
from advisor.cli.printing import deliver
from advisor.cli.progress import Progress
from advisor.core.errors import EXIT_DONE, EXIT_FINDING, EXIT_UNDECIDED
from advisor.inspecting import inspect_folder
from advisor.report.inspection import inspection_blocks

CODES = {True: EXIT_DONE, False: EXIT_FINDING, None: EXIT_UNDECIDED}


def inspect(options: argparse.Namespace) -> int:
    """Look at it, and say whether it is what it claims."""
    output = output_path(options)
    found = inspect_folder(Path(options.folder), say=Progress(options).say)
    deliver(found, inspection_blocks(found), options, output)
    return CODES[found.agrees]
