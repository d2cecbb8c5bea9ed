"""Whether figures that came out of a file can be those of a measurement.

Types are checked where a file is read; here it is what the figures say. The one idea: a plan divides by these figures
and counts up to them, so one that no machine can have had is a mistake with a place, not a strange plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.core.sizing.measurement import Cell, Profile, Surface
from advisor.core.sizing.surface import terms_of

MOST_BATCH = 65_536
MOST_TOKENS = 10_000_000
SHORTEST_S = 1e-9
LONGEST_S = 1e6
"""From the step of the clock to eleven days: outside of it nothing was ever timed here."""

Doubt = tuple[tuple[str | int, ...], str]
"""The place inside the profile, and what is wrong with it."""


def doubts(profile: Profile) -> Iterator[Doubt]:
    """Every figure that cannot be true."""
    machine = profile.machine
    if machine.cores_usable < 1:
        yield ("machine", "cores_usable"), "a machine has at least one core"
    if machine.memory_limit_bytes < 1:
        yield ("machine", "memory_limit_bytes"), "a machine has some memory"
    for number, detail in enumerate(machine.device_details):
        if detail.memory_limit_bytes is not None and detail.memory_limit_bytes < 1:
            yield ("machine", "device_details", number, "memory_limit_bytes"), "a device has some memory"
    for number, cell in enumerate(profile.cells):
        yield from ((("cells", number, key), words) for key, words in _doubts_of(cell))
    for number, surface in enumerate(profile.surfaces):
        yield from ((("surfaces", number, key), words) for key, words in _doubts_of_fit(surface))


def _doubts_of_fit(surface: Surface) -> Iterator[tuple[str, str]]:
    """A term that takes time away, or is none of its stage, would bend a plan to anything."""
    for name, value in surface.coefficients.items():
        if name not in terms_of(surface.stage):
            yield "coefficients", f"{surface.stage} has the coefficients {', '.join(terms_of(surface.stage))}"
        elif not 0 <= value <= LONGEST_S:
            yield "coefficients", "a coefficient is a number of seconds, and none takes time away"
    for key in ("holdout_error_pct", "holdout_worst_pct", "holdout_batch_pct"):
        error = getattr(surface, key)
        if error is not None and error < 0:
            yield key, "an error is a number of per cent from 0 on"


def _doubts_of(cell: Cell) -> Iterator[tuple[str, str]]:
    for key, least, most in (("batch_size", 1, MOST_BATCH), ("threads", 1, MOST_BATCH), ("samples", 0, MOST_TOKENS)):
        if not least <= getattr(cell, key) <= most:
            yield key, f"{key} must be from {least} to {most:,}"
    for key, least in (("input_tokens", 1), ("context_tokens", 0)):
        tokens = getattr(cell, key)
        if tokens is not None and not least <= tokens <= MOST_TOKENS:
            yield key, f"{key} must be from {least} to {MOST_TOKENS:,}"
    if cell.peak_memory_bytes is not None and cell.peak_memory_bytes < 0:
        yield "peak_memory_bytes", "memory cannot be negative"
    counts, samples = cell.process_samples, cell.samples_s
    if counts is not None and samples is not None and (min(counts, default=0) < 1 or sum(counts) != len(samples)):
        yield "process_samples", "the samples of the processes must be those of the cell"
    yield from _doubts_of_times(cell)


def _doubts_of_times(cell: Cell) -> Iterator[tuple[str, str]]:
    times = {"median_s": (cell.median_s,), "ci95_s": cell.ci95_s or (), "samples_s": cell.samples_s or ()}
    wrong = [key for key, values in times.items() if any(not _timed(value) for value in values if value is not None)]
    yield from ((key, "a run takes from a nanosecond to a million seconds") for key in wrong)
    if cell.median_s is None or wrong:
        return
    if cell.ci95_s is not None and not cell.ci95_s[0] <= cell.median_s <= cell.ci95_s[1]:
        yield "ci95_s", "the median must lie in its own interval"
    if cell.samples_s and not min(cell.samples_s) <= cell.median_s <= max(cell.samples_s):
        yield "median_s", "the median must lie among the samples"


def _timed(seconds: float) -> bool:
    return SHORTEST_S <= seconds <= LONGEST_S
