"""The peaks of this machine's devices, kept beside the results: measured once, used by every run and by the doctor.

One small file for each machine fingerprint. The one idea: a peak is worth seconds, so a file that is missing, damaged
or not writable costs those and nothing else; what was measured with another torch is measured anew.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from advisor.core.hardware import Peaks
from advisor.store.paths import data_dir
from advisor.store.remembered import keep, recall
from advisor.store.results import now

_KEPT: TypeAdapter[tuple[Peaks, ...]] = TypeAdapter(tuple[Peaks, ...])


def all_peaks(fingerprint: str) -> tuple[Peaks, ...]:
    """What was measured of the devices of the machine with this fingerprint, one entry for each."""
    try:
        return _KEPT.validate_python(recall(_place(fingerprint)) or ())
    except ValidationError:  # written by a version whose peaks had another shape
        return ()


def known_peaks(fingerprint: str, device: str, *, torch: str | None, threads: int) -> Peaks | None:
    """The peaks of one device, as this torch and so many threads reach them."""
    asked = (device, torch, threads)
    return next((one for one in all_peaks(fingerprint) if (one.device, one.torch, one.threads) == asked), None)


def keep_peaks(fingerprint: str, peaks: Peaks) -> None:
    """Keep what was measured of one device, in place of what was known of it."""
    others = tuple(one for one in all_peaks(fingerprint) if one.device != peaks.device)
    stamped = peaks.model_copy(update={"measured_at": now()})
    keep(_place(fingerprint), _KEPT.dump_python((*others, stamped), mode="json"))


def _place(fingerprint: str) -> Path:
    return data_dir() / "peaks" / f"{fingerprint}.json"
