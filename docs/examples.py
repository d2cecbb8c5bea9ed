"""Writes the JSON documents in examples/: one whole, valid document of every kind, made by the commands themselves.

    python docs/examples.py [KIND …]

`profile` and `report` measure this machine; the others only read the project.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
ADVISOR = str(Path(sys.executable).parent / "advisor")
COMMANDS = {
    "recommendation": ["recommend", "examples/ticket-routing.yaml"],
    "profile": ["profile", "minilm-l6", "--batch", "1,8", "--input-tokens", "32,128"],
    "report": ["advise", "examples/ticket-routing.yaml"],
    "models": ["models", "list"],
    "model": ["models", "show", "t5-base"],
    "explanation": ["explain", "CLS-001"],
    "explanations": ["explain"],
    "rules": ["rules", "list"],
    "rules-proof": ["rules", "check"],
}


def printed(arguments: list[str]) -> str:
    """What a command prints as JSON: on stdout, or on stderr where it fails."""
    done = subprocess.run([ADVISOR, *arguments, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def difference() -> str:
    """The rules against rules whose line for high volume was moved."""
    with tempfile.TemporaryDirectory() as folder:
        moved = Path(folder) / "rules"
        shutil.copytree(ROOT / "rules", moved)
        thresholds = moved / "thresholds.yaml"
        text = thresholds.read_text(encoding="utf-8")
        thresholds.write_text(text.replace("value: 10\n", "value: 20\n", 1), encoding="utf-8")
        return printed(["rules", "diff", "rules", str(moved)])


def main(kinds: list[str]) -> None:
    documents = {kind: lambda words=words: printed(words) for kind, words in COMMANDS.items()}
    documents["rules-diff"] = difference
    documents["error"] = lambda: printed(["recommend", "--set", "task=translate", "--set", "latency_budget_ms=-5"])
    for kind in kinds or documents:
        (EXAMPLES / f"{kind}.json").write_text(documents[kind](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
