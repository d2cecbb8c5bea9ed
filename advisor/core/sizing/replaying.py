"""What one replica is given to serve when a plan is checked, and what came of it.

The schedule is made before the run and latency counts from it: a server that falls behind cannot slow its own load
down. Values only; the child serves them, `verification` makes and judges them.
"""

from __future__ import annotations

from pydantic import Field

from advisor.core.architecture import Role
from advisor.core.hardware import Dtype
from advisor.core.sizing.measurement import Flag, Runtime, Stage
from advisor.core.sizing.plan import Percentiles, Serving
from advisor.core.values import Value


class ReplayPlan(Value):
    """Requests for one replica in one configuration.

    `arrivals_s` counts from the start and ends within `seconds`; what is not answered by `seconds_limit` is left. A
    request reads `texts` texts of its `input_tokens` and then takes its `steps` decode steps (0 where one pass is the
    answer), with at most `max_batch_size` requests at once (texts, where a request holds many) and `cache_tokens` in
    all their caches. `first_context` is what a request's cache holds before its first step. With `tokenizes` the
    model's own tokenizer runs before each pass. `padded_steps` as `Serving` has it. With `in_groups` requests are taken
    when no answer is in progress, and all of a group are answered when its longest answer ends.
    """

    stages: tuple[Stage, ...]
    runtime: Runtime
    dtype: Dtype
    threads: int
    max_batch_size: int = Field(ge=1)
    arrivals_s: tuple[float, ...]
    input_tokens: tuple[int, ...]
    first_context: tuple[int, ...]
    steps: tuple[int, ...]
    texts: int = 1
    cache_tokens: int | None = None
    source_tokens: int = 0
    tokenizes: bool = False
    padded_steps: tuple[tuple[int, int], ...] = ()
    in_groups: bool = False
    seconds: float
    seconds_limit: float


class ReplayResult(Value):
    """Seconds from the start at which each request was answered and had its first token; None where it never was.

    `flags` say what else the machine did meanwhile.
    """

    done_s: tuple[float | None, ...]
    first_token_s: tuple[float | None, ...] | None = None
    flags: tuple[Flag, ...] = ()


class Verification(Value):
    """One replica of a part, served for real. Without a replay `note` says why, and the figures are None.

    `requested_rps` is the rate of the schedule, `planned_rps` that of the plan; they differ where the plan's is above
    the utilisation a minute can tell about. `seconds` are those of the schedule, and what the last answer came later
    than was predicted; `delivered_rps` is by them. Latencies count from the scheduled arrival; a percentile without
    enough requests is None. `ratio` is observed p95 over predicted (p50 where that is all there is), `agrees` whether
    it is within 20 % and the rate was delivered; None where others used the machine meanwhile and it was slower.
    """

    role: Role
    model: str | None
    serving: Serving
    planned_rps: float | None
    requested_rps: float | None = None
    delivered_rps: float | None = None
    utilisation: float | None = None
    seconds: float | None = None
    requests: int = 0
    answered: int = 0
    predicted_ms: Percentiles | None = None
    observed_ms: Percentiles | None = None
    predicted_first_token_ms: Percentiles | None = None
    observed_first_token_ms: Percentiles | None = None
    ratio: float | None = None
    agrees: bool | None = None
    flags: tuple[Flag, ...] = ()
    note: str | None = None
