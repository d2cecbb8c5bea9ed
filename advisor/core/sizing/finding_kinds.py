"""The kinds of findings a plan can have: what each says, why it matters, what to do, and on what grounds.

The sentence with a plan's own figures is made in `findings`; here stands what holds for every plan. Ids are stable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class FindingKind(NamedTuple):
    """One kind: a title, what it says of a plan, why that matters, what to do, and the guide's number or `ours`."""

    id: str
    title: str
    says: str
    because: str
    remedy: str
    source: str = "ours"


_KINDS = (
    FindingKind(
        "PLAN-007",
        "A part without a figure",
        "A part of the design could not be planned, because nothing measures it yet or no model stands for it.",
        "What is shown is of the other parts. Where they alone miss the budget the plan misses it; otherwise the "
        "verdict stays open.",
        "Measure that part where it runs, and add its time and its memory to the plan.",
    ),
    FindingKind(
        "PLAN-008",
        "A figure that is only a floor",
        "Longer texts are planned than were measured, so that a time is at least what is shown.",
        "Nothing is computed beyond what was measured: the last measured length stands for every longer one.",
        "Measure the planned length: give it with --input-tokens, or --output-tokens for answers.",
    ),
    FindingKind(
        "PLAN-061",
        "Tokens come one after another",
        "Writing one answer alone takes longer than the budget for a whole answer.",
        "Each token waits for the one before it, and for each the weights are read once. Replicas serve more requests "
        "at a time; none makes one answer come sooner.",
        "Write fewer tokens, take a smaller model or a narrower dtype, or budget the first token instead.",
        "G61",
    ),
    FindingKind(
        "PLAN-009",
        "More memory than a replica may have",
        "At its peak a part holds more memory than one replica is allowed.",
        "It would be killed at its first large batch, or swap and answer in minutes.",
        "Raise memory_limit_gib if there is more, or take a smaller model, a narrower dtype or smaller batches.",
    ),
    FindingKind(
        "PLAN-006",
        "The budget lies inside the interval",
        "At one end of what was measured the budget is met, at the other it is missed.",
        "Which of the two is true cannot be told from these samples, whatever the median says.",
        "Measure again on an idle machine, or leave room in the budget.",
    ),
    FindingKind(
        "PLAN-001",
        "No room for a burst",
        "At the peak a part runs so close to the most its replicas can do that a burst finds no room.",
        "The closer to the most, the longer requests queue, and a small burst makes a long wait.",
        "Run as many replicas as the sentence names.",
    ),
    FindingKind(
        "PLAN-004",
        "The longest request",
        "How long the longest request that was stated takes, alone on a replica.",
        "Percentiles speak of typical requests. The longest one is the slowest, and its user waits that long.",
        "Cut long texts into pieces, cap the length, or take a smaller model.",
    ),
    FindingKind(
        "PLAN-003",
        "A budget that does not apply",
        "A budget for the first token was given to a design that writes no tokens.",
        "The whole answer appears at once, so its first token has no time of its own.",
        "Give latency_budget_ms instead.",
    ),
    FindingKind(
        "PLAN-002",
        "Too few samples for the percentile",
        "The single runs measured are fewer than the percentile of the budget asks for.",
        "What happens once in a hundred runs is seldom seen among twenty.",
        "Measure longer, or budget a lower percentile.",
    ),
    FindingKind(
        "PLAN-012",
        "Batches to fill up",
        "A decode step of so many answers takes longer here than one of more answers, measured.",
        "Libraries have kernels of their own for one row, for a few and for many, and the one for a few may be slow. "
        "The plan counts what the larger batch takes, and --verify serves it so.",
        "Let the server fill up such batches with rows whose output is thrown away; or expect what was measured.",
    ),
    FindingKind(
        "PLAN-005",
        "A disturbed measurement",
        "Cells behind the figures are flagged: the machine was busy, throttled or swapping, or times did not settle.",
        "Disturbance only adds time: what meets the budget would meet it in peace too, what misses it might.",
        "Measure again with nothing else running.",
    ),
    FindingKind(
        "PLAN-011",
        "The measurement broke off",
        "The measuring process was ended, or ended by itself, before all shapes had their figures.",
        "The plan is made from the shapes that are there. Another dtype or a larger batch among the missing ones may "
        "be what would have been chosen.",
        "Run the same command again: what is measured is kept, and only the rest is measured.",
    ),
    FindingKind(
        "PLAN-010",
        "Tokenising is counted",
        "The model came with its own tokenizer, so turning text into tokens was measured and is part of every figure.",
        "A service answers texts, not token ids. The tokenizer is taken to run in the replica, in one thread, before "
        "each pass; models of the catalogue have no files here, so their plans leave it out.",
        "Where it is a large part, tokenise elsewhere, or several texts at once.",
    ),
)
FINDING_KINDS: Mapping[str, FindingKind] = {kind.id: kind for kind in _KINDS}
"""By id, what decides most first."""
