"""Figures as words: three significant digits, unit always, and `unknown` for what was not had.

Every face formats with these functions, so that one value looks the same on screen, in text and in Markdown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.core.guide.recommendation import Source

if TYPE_CHECKING:  # a decision formats no plan
    from advisor.core.hardware import Peaks
    from advisor.core.sizing.plan import ReplicaRange, Verdict

UNKNOWN = "unknown"
VERDICT_WORDS: dict[Verdict, str] = {"meets": "✓ meets", "misses": "✗ misses", "undecided": "? undecided"}


def digits(value: float) -> str:
    """Three significant digits without exponent: `0.9`, `13.3`, `1,230`, `12,300,000`; far out `1.2e+20`."""
    if value != 0 and not 1e-4 <= abs(value) < 1e15:
        return f"{value:.3g}"
    rounded = float(f"{value:.3g}")
    text = f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:,.6f}".rstrip("0").rstrip(".")
    return text or "0"


def count(value: int | None) -> str:
    """A count in full, with separators: `109,482,240`."""
    return UNKNOWN if value is None else f"{value:,}"


def counted(number: int, noun: str) -> str:
    """So many of something: `1 core`, `1,200 cores`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short_count(value: int | None) -> str:
    """A large count in three digits: `109M`, `6.74B`."""
    if value is None:
        return UNKNOWN
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{digits(value / size)}{unit}"
    return str(value)


def milliseconds(value: float | None) -> str:
    """A latency given in milliseconds, in the unit it reads best in."""
    return UNKNOWN if value is None else seconds(value / 1000)


def seconds(value: float | None) -> str:
    """A duration given in seconds: `0.5 µs`, `23.4 ms`, `12.3 s`, `4.5 min`, `3.2 h`."""
    if value is None:
        return UNKNOWN
    if value < 1e-3:
        return f"{digits(value * 1e6)} µs"
    if value < 10:
        return f"{digits(value * 1e3)} ms"
    if value < 120:
        return f"{digits(value)} s"
    return f"{digits(value / 60)} min" if value < 7200 else f"{digits(value / 3600)} h"


def rate(value: float | None, unit: str = "requests") -> str:
    """Something per second: `13.3 requests/s`, `1 request/s`."""
    if value is None:
        return UNKNOWN
    number = digits(value)
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}/s"


def peaks(found: Peaks) -> str:
    """What a device does at most: `float32 153 GFLOP/s, bfloat16 851 GFLOP/s, reads 19.2 GB/s`."""
    rates = {name: found.flops_per_s.of(name) for name in type(found.flops_per_s).model_fields}
    known = [f"{name} {giga(rate, 'FLOP/s')}" for name, rate in rates.items() if rate is not None]
    return ", ".join([*known, f"reads {giga(found.bytes_per_s, 'B/s')}"])


def giga(rate: float | None, unit: str) -> str:
    """A large rate in thousands of millions: `19.2 GB/s`; from a thousand of them on `1.2 TB/s`."""
    if rate is None:
        return UNKNOWN
    return f"{digits(rate / 1e12)} T{unit}" if rate >= 1e12 else f"{digits(rate / 1e9)} G{unit}"


def gib(value: int | float | None) -> str:
    """Bytes as MiB below one GiB, else GiB."""
    if value is None:
        return UNKNOWN
    return f"{digits(value / 2**20)} MiB" if value < 2**30 else f"{digits(value / 2**30)} GiB"


def percent(value: float | None) -> str:
    """A share as a percentage: 0.456 is `45.6 %`."""
    return UNKNOWN if value is None else f"{digits(value * 100)} %"


def replicas(value: ReplicaRange | None) -> str:
    """`3 (3–4)`: the likely number and the interval; one number where both ends agree."""
    if value is None:
        return "no number of replicas"
    if value.low == value.high:
        return f"{value.mid:,}"
    return f"{value.mid:,} ({value.low:,}–{value.high:,})"


def sources(found: tuple[Source, ...]) -> str:
    """`G20, G60 (ours)`: the guide's numbers, ours marked as such."""
    return ", ".join(_source(source) for source in found)


def _source(source: Source) -> str:
    return f"{source.id} (ours)" if source.section == "ours" and source.id != "ours" else source.id
