"""How far off figures are that nobody measured: between cells, and of a whole model told from cuts of it.

Every cell left out in turn is predicted by the others, and a model that fits is told from three cuts beside its own
measurement. Both need a machine left alone: how many of the cells were flagged is said with the figure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.page import Row

ADVISOR = str(Path(sys.executable).parent / "advisor")
SURFACES = ("bert-base", "gpt2", "t5-base")
SURFACE_GOAL_PCT = 8.0
CUT = ("gpt2-xl", "--layers", "8,16,24", "--batch", "1", "--input-tokens", "64,128")
CUT += ("--dtype", "bfloat16", "--runtime", "torch")
CUT_GOAL_PCT = 10.0


def surfaces() -> Iterator[Row]:
    """The hold-out error of the fits to each model's own grid, in one dtype: the median of all its stages."""
    for model in SURFACES:
        profile = _profile(model, "--dtype", "float32", "--runtime", "torch", "--effort", "standard")
        fits = [one for one in profile["surfaces"] if one["holdout_error_pct"] is not None]
        error = median([one["holdout_error_pct"] for one in fits]) if fits else float("inf")
        stages = ", ".join(f"{one['stage']} {one['holdout_error_pct']:.1f} %" for one in fits)
        seen = f"{error:.1f} % ({stages}; {_flagged(profile)})"
        yield Row(f"{model}: a cell left out", seen, f"{SURFACE_GOAL_PCT:.0f} %", error <= SURFACE_GOAL_PCT)


def cuts() -> Iterator[Row]:
    """A model that fits, told from three cuts of it and measured whole in the same run."""
    profile = _profile(*CUT)
    for line in profile["extrapolations"]:
        error = line["error_pct"]
        what = f"{CUT[0]} {line['stage']} at {line['input_tokens'] or line['context_tokens']} tokens, told from cuts"
        seen = "not measured" if error is None else f"{error:.1f} % ({_flagged(profile)})"
        yield Row(what, seen, f"{CUT_GOAL_PCT:.0f} %", error is not None and error <= CUT_GOAL_PCT)


def _profile(*words: str) -> Any:
    command = [ADVISOR, "profile", *words, "--fresh", "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _flagged(profile: Any) -> str:
    cells = profile["cells"]
    flagged = sum(bool(set(cell["flags"]) - {"fits-in-cache"}) for cell in cells)
    return f"{flagged} of {len(cells)} cells flagged"
