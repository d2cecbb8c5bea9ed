"""What each flag of a measured cell means, and what to do about it.

A flag is set by whoever measures; a plan weighs it in `latency` and `findings`. Here it is only put into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from advisor.core.sizing.measurement import Flag


class FlagWords(NamedTuple):
    """One flag: a title, what happened to the cell, and what to do."""

    title: str
    says: str
    remedy: str


_IDLE = "Measure again with nothing else running on the machine."
_LESS_MEMORY = (
    "Take smaller batches, shorter texts, a narrower dtype or a smaller model, or give the replica more memory."
)
_REPORT = "Read the note of the cell. Where the model is one of the catalogue, report it: it is a defect."

FLAG_WORDS: Mapping[Flag, FlagWords] = {
    "not-steady": FlagWords(
        "Times did not settle", "The warm-up had to end before times were level, and the samples still drift.", _IDLE
    ),
    "undecided": FlagWords(
        "Too few samples",
        "The samples do not narrow the interval down to what the effort asks for, or time ran out before the first. "
        "The note says how many more it would take.",
        "Measure fewer cells, so that each has more time, on an idle machine.",
    ),
    "too-slow": FlagWords(
        "Too slow for its time",
        "One run takes longer than the cell may have: seen when it ran, or foreseen from cells measured before.",
        "Measure fewer cells, named with --batch and --input-tokens; or extrapolate a large model from cuts: --layers.",
    ),
    "out-of-memory": FlagWords("Memory ran out", "The run asked for memory that there was not.", _LESS_MEMORY),
    "does-not-fit": FlagWords(
        "It would not fit",
        "By arithmetic the run holds more memory than may be used, so it was not tried. The note has the sum.",
        _LESS_MEMORY,
    ),
    "unsupported": FlagWords(
        "It cannot be run here",
        "The model, the length or the dtype cannot be run by this runtime on this device. The note says which.",
        "Choose another dtype, a length the model reads, or another device.",
    ),
    "killed": FlagWords(
        "Killed from outside",
        "Something ended the measuring process; most often it is the kernel, when memory runs out.",
        "Look at the note; then give it more memory or less to do.",
    ),
    "crashed": FlagWords("The process broke", "The measuring process ended with an error of its own.", _REPORT),
    "hung": FlagWords("The process fell silent", "It did nothing for so long that it was stopped.", _REPORT),
    "not-finite": FlagWords(
        "Results that are no numbers",
        "The output holds NaN or infinity, so what was timed is no model's work and its time is not used.",
        "Measure another dtype; with weights of your own, check them.",
    ),
    "cancelled": FlagWords("Cancelled", "Somebody ended the run before this cell was done.", "Run the command again."),
    "throttled": FlagWords(
        "Held back by a quota",
        "The kernel kept the process waiting because a quota of processor time was used up.",
        "Raise the quota of the container, or plan for replicas that have the same one.",
    ),
    "stolen": FlagWords(
        "Time went to other guests",
        "The hypervisor gave time of these cores to other virtual machines.",
        "Measure again at another hour, or on a machine that is not shared.",
    ),
    "other-load": FlagWords("The machine was busy", "Other processes used the cores while this cell was timed.", _IDLE),
    "swapping": FlagWords(
        "The machine swapped",
        "Memory was moved to disk or back while this cell was timed.",
        "Close what fills the memory, or measure a smaller model.",
    ),
    "clock-drop": FlagWords(
        "The card slowed down",
        "The card lowered its clock while this cell was timed, for heat or for power.",
        "Let it cool down, look at its power limit, and measure again.",
    ),
    "foreign-process": FlagWords(
        "The card was shared", "Another process had work on the card while this cell was timed.", _IDLE
    ),
    "fits-in-cache": FlagWords(
        "Small enough for the cache",
        "What one run touches fits into the processor's cache, so no share of the memory bandwidth can be stated.",
        "Nothing: the time is right. Larger batches leave the cache.",
    ),
    "above-peak": FlagWords(
        "Faster than the machine",
        "By its operations the cell is faster than the machine was measured to be, so something was not computed.",
        "Measure again; where it stays, report it: the time is not used.",
    ),
    "deviates": FlagWords(
        "Its output is another",
        "What this configuration computes is not close enough to float32 on the same weights, so its time is not used. "
        "The note has the figures.",
        "Take a wider dtype or another runtime.",
    ),
    "not-linear": FlagWords(
        "Times do not grow with the layers",
        "Of three models cut to fewer layers, the middle one lies off the line of the other two, so the time of the "
        "whole model was not read from it.",
        "Measure again on an idle machine, or cut to other numbers of layers with --layers.",
    ),
    "passed-over": FlagWords(
        "Not among the fastest",
        "A first look, in one process, found other ways to serve the model faster alone and together, so this one was "
        "not measured further and nothing is planned with it. The note says which was faster.",
        "Nothing; or name it with --runtime and --dtype, and it is measured to the end.",
    ),
}
