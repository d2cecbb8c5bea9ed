"""The ways a measured part can be served, each as a server that a queue can run.

A part is one model in one role; a candidate is one configuration of it: runtime, dtype, and how many requests at once.
Every measured dtype and every measured batch size makes a candidate; which is best is decided in `pipeline`. Nothing is
planned that was not measured: no larger batch, no deeper cache; what lies beyond is named in `floors`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from advisor.core.architecture import Role
from advisor.core.lengths import Lengths
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.decoding import Decoder, Mix, StepTimes
from advisor.core.sizing.filling import lengthened, limits, step_times
from advisor.core.sizing.groups import as_taken
from advisor.core.sizing.latency import BOUNDS, Bound, Surface, after_pause_of, residuals_of, usable
from advisor.core.sizing.measurement import Cell, Origin, Profile, Stage
from advisor.core.sizing.measurement import Surface as Fitted
from advisor.core.sizing.memory import Room
from advisor.core.sizing.plan import Serving
from advisor.core.sizing.serving import Batcher, Passes, Server, resampled, uniform_draws
from advisor.core.sizing.spread import Spread, spread_of
from advisor.core.sizing.surface import fits_of
from advisor.core.sizing.workers import Workers


@dataclass(frozen=True, slots=True)
class StageFact:
    """One stage of a candidate, where its times come from, and how far off in per cent times between cells may be.

    `error_pct` is None where nothing lies between cells, or nobody knows.
    """

    stage: Stage
    origin: Origin
    error_pct: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One configuration of a part: a server for each bound of what was measured.

    `floors` says which figures are only a floor, and why. `samples` counts the single passes whose spread the servers
    draw from. `step_s` is one decode step of a single answer (median). `tokenizing_s` is what tokenising a single
    text takes, which is in the servers' times; None where it was not measured. `peak_memory_bytes` is None where
    neither a measurement nor a closed form gives it. `input_levels` are the lengths of input that occur.
    """

    serving: Serving
    stages: tuple[StageFact, ...]
    servers: Mapping[Bound, Server]
    peak_memory_bytes: int | None
    samples: int
    floors: tuple[str, ...] = ()
    step_s: float | None = None
    tokenizing_s: float | None = None
    input_levels: tuple[int, ...] = ()

    def shared_among(self, workers: int) -> Candidate:
        """So many of these on one machine, as they were when all of them ran; each holds a model of its own."""
        if workers == 1:
            return self
        peak = None if self.peak_memory_bytes is None else workers * self.peak_memory_bytes
        servers = {bound: Workers(server, workers) for bound, server in self.servers.items()}
        serving = self.serving.model_copy(update={"workers": workers})
        return replace(self, serving=serving, servers=servers, peak_memory_bytes=peak)


@dataclass(frozen=True, slots=True)
class Part:
    """One model in its role. Without candidates it has no figure, and `missing` says why.

    `too_long` is a request that the model has no positions for, so that measuring again would change nothing.
    """

    role: Role
    model: str | None
    stages: tuple[Stage, ...]
    lengths: Lengths
    candidates: tuple[Candidate, ...] = ()
    missing: str | None = None
    writes: bool = False
    too_long: bool = False


_REQUESTS_DRAWN = 299
"""As many as a cell has samples at most."""
_PASSES_STREAM = 6
"""Draws of their own: streams 1 to 5 are those of arrivals, of noise in queues and of parts in front."""
_STAGE_OF_ROLE: Mapping[Role, Stage] = {"retriever": "embed", "reranker": "rerank"}


def stages_of(profile: Profile, role: Role) -> tuple[Stage, ...]:
    """The stages a request passes in this model."""
    measured = {cell.stage for cell in profile.cells}
    if profile.model.architecture == "decoder-only" and "embed" not in measured:
        return ("prefill", "decode")
    if profile.model.architecture == "encoder-decoder":
        return ("encode", "decode")
    wanted = _STAGE_OF_ROLE.get(role, "forward")
    found = [stage for stage in (wanted, "forward", "embed") if stage in measured]
    return (found[0] if found else wanted,)


def part_of(
    role: Role,
    profile: Profile,
    entry: ModelEntry | None,
    lengths: Lengths,
    memory_limit_bytes: int | None = None,
) -> Part:
    """The part as measured, with all its candidates. Caches are kept within the memory limit where there is one."""
    stages = stages_of(profile, role)
    candidates: list[Candidate] = []
    tokenizing = Surface.of(cell for cell in profile.cells if cell.stage == "tokenize")
    for cells in _by_configuration(profile.cells):
        limit = None if memory_limit_bytes is None else memory_limit_bytes // cells[0].workers
        source = _Source(cells, entry, lengths, tokenizing, fits_of(profile.surfaces, cells[0]), limit)
        found = source.batchers(stages[0]) if len(stages) == 1 else source.decoders(stages[0])
        candidates += [one.shared_among(cells[0].workers) for one in found]
    missing = None if candidates else _why_missing(profile.cells, stages)
    return Part(role, profile.model.id, stages, lengths, tuple(candidates), missing, writes=len(stages) > 1)


def _by_configuration(cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """Cells of whole models, grouped by what serves them."""

    def configuration(cell: Cell) -> tuple[str, str, str, int, int]:
        return (cell.runtime, cell.dtype, cell.device, cell.workers, cell.threads)

    whole = sorted((cell for cell in cells if cell.layers is None), key=configuration)
    return [tuple(group) for _, group in groupby(whole, key=configuration)]


def _why_missing(cells: Sequence[Cell], stages: Sequence[Stage]) -> str:
    """Why no configuration has every stage: the note of a cell of the first stage that has no figure."""
    for stage in stages:
        of_stage = [cell for cell in cells if cell.stage == stage]
        if any(map(usable, of_stage)):
            continue
        notes = [cell.note or ", ".join(cell.flags) for cell in of_stage if cell.note or cell.flags]
        why = notes[0].rstrip(".") if notes else "no cell of it was measured"
        return f"{stage} has no figure: {why}"
    return f"no configuration was measured in all of {', '.join(stages)}"


@dataclass(frozen=True, slots=True)
class _Source:
    """The cells of one configuration of one model, and what is planned with it.

    `tokenizing` is of the model's own tokenizer, which every configuration runs before it reads.
    """

    cells: tuple[Cell, ...]
    entry: ModelEntry | None
    lengths: Lengths
    tokenizing: Surface
    fits: Mapping[Stage, Fitted]
    memory_limit_bytes: int | None

    def batchers(self, stage: Stage) -> list[Candidate]:
        """A greedy batcher for each measured limit on the batch.

        A request of many texts is served alone, in as many passes as the limit makes of it.
        """
        surface = Surface.of(self._of(stage), fit=self.fits.get(stage))
        if not surface.points:
            return []
        tokens = self.lengths.input_tokens
        times = {bound: self._read_s(surface, bound) for bound in BOUNDS}
        near = self._near(stage, surface)
        residuals = residuals_of(near)
        longest = self._inputs.tokens[-1]
        floors = () if surface.reaches(longest) else (_beyond(stage, "inputs", longest, surface),)

        def put_together(batch: int) -> bool:
            many = self.lengths.texts > 1 and (batch < self.lengths.texts or batch not in surface.batches)
            return many or self._inputs.varies

        return [
            Candidate(
                serving=self._serving(batch),
                stages=(self._fact(surface, stage, tokens, put_together=put_together(batch)),),
                servers={
                    bound: Batcher(
                        self._requests_s(times[bound], batch),
                        self._request_residuals(residuals, batch),
                        passes=self._passes(surface, bound, batch),
                        after_pause=after_pause_of(self._of(stage), self.lengths.texts),
                    )
                    for bound in BOUNDS
                },
                peak_memory_bytes=self._memory.peak(stage, batch, self.lengths.longest_input_tokens),
                samples=_samples(near),
                floors=floors,
                tokenizing_s=self._tokenizing_s(),
                input_levels=self._inputs.tokens,
            )
            for batch in self._batches(surface, len(times["mid"]))
        ]

    @property
    def _memory(self) -> Room:
        return Room(self.cells, self.entry, self.lengths, self.memory_limit_bytes)

    @property
    def _inputs(self) -> Spread:
        """The lengths that are read. The texts of a request that holds many are all alike."""
        return spread_of(self.lengths.input_tokens, self.lengths.longest_input_tokens)

    def _passes(self, surface: Surface, bound: Bound, most: int) -> Passes | None:
        """Passes over texts of every length that occurs; None where all are typical."""
        if not self._inputs.varies:
            return None
        typical = self._read_s(surface, bound)
        rows = [self._read_s(surface, bound, tokens) for tokens in self._inputs.tokens]
        return Passes(tuple(lengthened(row, typical)[:most] for row in rows), self._inputs.shares)

    def _batches(self, surface: Surface, known: int) -> list[int]:
        """The limits on the batch worth serving with: none beyond the texts of a request that is served alone."""
        measured = limits(surface, known)
        return measured if self.lengths.texts == 1 else sorted({min(limit, self.lengths.texts) for limit in measured})

    def _requests_s(self, pass_s: tuple[float, ...], batch: int) -> tuple[float, ...]:
        """Seconds for 1, 2, 3 … requests together: one pass for all, or all passes of a single one."""
        if self.lengths.texts == 1:
            return pass_s[:batch]
        full, rest = divmod(self.lengths.texts, batch)
        return (full * pass_s[batch - 1] + (pass_s[rest - 1] if rest else 0.0),)

    def _request_residuals(self, residuals: tuple[float, ...], batch: int) -> tuple[float, ...]:
        """How much one request differs from another: where it takes several passes, each is as noisy by itself."""
        passes = -(-self.lengths.texts // batch)
        if passes == 1:
            return residuals
        drawn = resampled(residuals, uniform_draws(_REQUESTS_DRAWN * passes, 0, _PASSES_STREAM))
        return tuple(drawn.reshape(_REQUESTS_DRAWN, passes).mean(axis=1).tolist())

    def decoders(self, reading: Stage) -> list[Candidate]:
        """Continuous batching for each measured number of slots; groups, where the runtime knows nothing else."""
        read = Surface.of(self._of(reading), fit=self.fits.get(reading))
        yields_token = reading == "prefill"
        steps = max(self.lengths.output_tokens, 1) - (1 if yields_token else 0)
        decode, floors = self._decode_cells(needs_source=not yields_token)
        step = Surface.of(decode, by_context=True, fit=self.fits.get("decode"))
        if not read.points or (steps > 0 and not step.points):
            return []
        tokens = self.lengths.input_tokens
        first = tokens if yields_token else 0
        last = first + max(steps - 1, 0)
        outputs = self._steps(yields_token=yields_token) if steps else Spread((0,), (1.0,))
        shortest, deepest = (self._inputs.tokens[0], self._inputs.tokens[-1]) if yields_token else (0, 0)
        deepest += max(outputs.tokens[-1] - 1, 0)
        facts = [self._fact(read, reading, tokens, put_together=self._inputs.varies)]
        floors = [] if steps == 0 else floors
        longest = self._inputs.tokens[-1]
        floors += [] if read.reaches(longest) else [_beyond(reading, "inputs", longest, read)]
        if steps:
            facts.append(self._fact(step, "decode", last, put_together=True))
            floors += [] if step.reaches(deepest) else [_beyond("decode", "caches", deepest, step)]
        near = self._near(reading, read)
        residuals = residuals_of(near), residuals_of(decode)

        def times(bound: Bound) -> StepTimes:
            no_steps = StepTimes((0,), ((0.0,),))
            return step_times(step, shortest, (first, last), deepest, bound) if steps else no_steps

        whole = {
            bound: Decoder(
                reading_s=self._read_s(read, bound),
                times=times(bound),
                slots=1,
                first_context=first,
                steps=steps,
                reading_yields_token=yields_token,
                reading_residuals=residuals[0],
                step_residuals=residuals[1],
                mix=self._mix(read, bound, outputs, yields_token=yields_token),
                source_tokens=0 if yields_token else self.lengths.longest_input_tokens,
                after_pause=after_pause_of(self._of(reading), self.lengths.texts),
            )
            for bound in BOUNDS
        }
        known = len(whole["mid"].times.step_s) if steps else len(whole["mid"].reading_s)
        padded = step.padded(last) if steps else {}
        candidates: list[Candidate] = []
        for slots in limits(step if steps else read, known):
            if padded.get(slots, 0) in range(slots + 1, known + 1):
                continue  # what is filled up to a larger batch may as well hold one
            peak = self._memory.peak_of_slots(reading, slots, min(slots, len(whole["mid"].reading_s)))
            cache_tokens, peak = self._memory.cache_limit(slots, peak, reading)
            candidates.append(
                Candidate(
                    serving=self._serving(slots).padding(padded),
                    stages=tuple(facts),
                    servers={
                        bound: as_taken(
                            replace(one.with_slots(slots), cache_tokens=cache_tokens), self.cells[0].runtime
                        )
                        for bound, one in whole.items()
                    },
                    peak_memory_bytes=peak,
                    samples=_samples(near),
                    floors=tuple(floors),
                    step_s=whole["mid"].times.at(1, first) if steps else None,
                    tokenizing_s=self._tokenizing_s(),
                    input_levels=self._inputs.tokens,
                )
            )
        return candidates

    def _read_s(self, surface: Surface, bound: Bound, tokens: int | None = None) -> tuple[float, ...]:
        """Seconds of a pass over 1, 2, 3 … texts of a length (the planned one), tokenised first, one after the other.

        Beyond the largest batch that was tokenised every further text takes what those took on average.
        """
        length = self.lengths.input_tokens if tokens is None else tokens
        passes = surface.service_s(length, bound)
        if not self.tokenizing.points:
            return passes
        texts = self.tokenizing.service_s(length, bound)
        longer = (texts[-1] / len(texts) * count for count in range(len(texts) + 1, len(passes) + 1))
        return tuple(seconds + before for seconds, before in zip(passes, (*texts, *longer), strict=False))

    def _tokenizing_s(self) -> float | None:
        """What tokenising a single text of the planned length takes (median)."""
        if not self.tokenizing.points:
            return None
        return self.tokenizing.service_s(self.lengths.input_tokens, "mid")[0]

    def _steps(self, *, yields_token: bool) -> Spread:
        """Decode steps of the answers that occur: where reading yields a token, one fewer than tokens are written."""
        written = spread_of(max(self.lengths.output_tokens, 1), self.lengths.longest_output_tokens)
        return replace(written, tokens=tuple(tokens - yields_token for tokens in written.tokens))

    def _mix(self, surface: Surface, bound: Bound, outputs: Spread, *, yields_token: bool) -> Mix | None:
        """Prompts and answers of every length that occurs; None where all are typical."""
        if not (self._inputs.varies or outputs.varies):
            return None
        typical = self._read_s(surface, bound)
        reading = self._passes(surface, bound, len(typical)) or Passes((typical,), (1.0,))
        contexts = self._inputs.tokens if yields_token else (0,) * len(self._inputs.tokens)
        return Mix(reading, contexts, outputs.tokens, outputs.shares)

    def _of(self, stage: Stage) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.stage == stage)

    def _near(self, stage: Stage, surface: Surface) -> tuple[Cell, ...]:
        """The cells of the lengths that the planned one lies between: their spread is that of the planned runs."""
        lengths = surface.around(self.lengths.input_tokens)
        return tuple(cell for cell in self._of(stage) if (cell.input_tokens or 0) in lengths)

    def _decode_cells(self, *, needs_source: bool) -> tuple[tuple[Cell, ...], list[str]]:
        """Decode cells; where a step also reads a source, those of the shortest source that is long enough."""
        cells = self._of("decode")
        if not needs_source:
            return cells, []
        tokens = self.lengths.input_tokens
        sources = sorted({cell.input_tokens or 0 for cell in cells if usable(cell)})
        if not sources:
            return (), []
        source = next((length for length in sources if length >= tokens), sources[-1])
        kept = tuple(cell for cell in cells if (cell.input_tokens or 0) == source)
        return kept, [] if source >= tokens else [_longest("decode", "sources", tokens, source)]

    def _serving(self, batch: int) -> Serving:
        cell = self.cells[0]
        return Serving(
            runtime=cell.runtime, dtype=cell.dtype, threads=cell.threads, max_batch_size=batch, device=cell.device
        )

    def _fact(self, surface: Surface, stage: Stage, tokens: int, *, put_together: bool = False) -> StageFact:
        origin = self._origin(surface, stage, tokens, put_together=put_together)
        fit = surface.fit if origin == "interpolated" else None
        return StageFact(stage, origin, None if fit is None else fit.holdout_error_pct)

    def _origin(self, surface: Surface, stage: Stage, tokens: int, *, put_together: bool = False) -> Origin:
        """Measured only if this very length was; what is put together from steps or passes never is."""
        not_measured = {cell.origin for cell in self._of(stage) if usable(cell)} - {"measured"}
        if not surface.reaches(tokens) or not_measured:
            return "extrapolated"
        return "measured" if surface.measured_at(tokens) and not put_together else "interpolated"


def _samples(cells: Sequence[Cell]) -> int:
    return sum(len(cell.samples_s or ()) for cell in cells if usable(cell))


def _beyond(stage: Stage, what: str, tokens: int, surface: Surface) -> str:
    return _longest(stage, what, tokens, surface.lengths[-1])


def _longest(stage: Stage, what: str, tokens: int, longest: int) -> str:
    return (
        f"{stage} was measured with {what} of up to {longest:,} tokens, {tokens:,} are planned: its times are a floor"
    )
