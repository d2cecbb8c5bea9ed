"""Draws docs/advisor.svg: the verdict of a real run, driven without a terminal but with the real measuring child.

    python docs/picture.py [ANSWERS.yaml]

What the picture shows was measured on the machine that drew it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TypeVar

from textual.pilot import Pilot

from advisor.advise import load_knowledge
from advisor.store.answers import read_answers
from advisor.tui.app import AdvisorApp
from advisor.tui.describe import DescribeScreen
from advisor.tui.measure import MeasureScreen
from advisor.tui.verdict import VerdictScreen

S = TypeVar("S")
ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "advisor.svg"
SIZE = (100, 30)


async def draw(answers_file: Path) -> VerdictScreen:
    """Answers from the file, a measurement on this machine, and the screen that ends it."""
    app = AdvisorApp(load_knowledge(), read_answers(str(answers_file)))
    async with app.run_test(size=SIZE) as pilot:
        describe = await shown(pilot, DescribeScreen)
        describe.action_measure()
        await shown(pilot, MeasureScreen)
        verdict = await shown(pilot, VerdictScreen)
        await pilot.pause()
        PICTURE.write_text(app.export_screenshot(title="advisor", simplify=True), encoding="utf-8")
        return verdict


async def shown(pilot: Pilot[int], screen: type[S]) -> S:
    """Wait until a screen is up, looking no more often than the app draws: looking costs the cores that are timed."""
    while not isinstance(found := pilot.app.screen, screen):
        await asyncio.sleep(0.5)
    return found


def main() -> int:
    """Draw the picture, or say why there is nothing to show."""
    answers = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "examples" / "ticket-routing.yaml"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # a picture shows a whole measurement, not one that was known
        report = asyncio.run(draw(answers)).report
    if report.plan is None:
        sys.stderr.write(f"nothing was measured, {PICTURE.name} is not worth showing: {report.undecided}\n")
        return 1
    sys.stderr.write(f"{PICTURE.relative_to(ROOT)} shows: {report.plan.verdict}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
