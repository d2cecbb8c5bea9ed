"""CTranslate2: models that write, converted once from the module, their steps timed one by one.

What can be served stands in `core.sizing.runtimes`. The library takes words and not ids, so every id is a word of its
own here. It shows no cache: it reads a prompt and then writes to the end. The one idea: a generation is held between
two steps. It runs in a thread that waits in the call-back the library makes after each token, so that one run of the
task is exactly one step; after STEPS of them a new generation begins at the planned depth, while nothing is timed.
"""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from advisor.core.hardware import Dtype
from advisor.core.model.anatomy import Anatomy
from advisor.core.model.families import FAMILIES
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.build import NotBuilt
from advisor.profile.complaints import first_line
from advisor.profile.deviation import START_ID, Outputs, Probe
from advisor.profile.inputs import token_ids
from advisor.profile.runtimes.torch_eager import Loaded, Task, WrongState, nothing

MODEL = "model"
STEPS = 16
"""Steps of one generation: the depth of a timed step is at most this much beyond the planned one."""
END_ID = 2
ENCODE_NOTE = "The encoder and the first step together: this runtime does not run them apart."
BATCH_NOTE = (
    "This runtime takes no request into a batch that it has begun; a plan counts on groups, each written to its end."
)
Words = list[list[str]]
AfterToken = Callable[[Any], bool]


def library() -> Any:
    return importlib.import_module("ctranslate2")


class _Vocabulary:
    """Stands for a tokenizer: every id is a word of its own."""

    bos_token = pad_token = str(START_ID)
    unk_token = "1"
    eos_token = str(END_ID)
    special_tokens_map: Mapping[str, list[str]] = {}

    def __init__(self, size: int) -> None:
        self._size = size

    def get_vocab(self) -> dict[str, int]:
        return {str(number): number for number in range(self._size)}

    def convert_ids_to_tokens(self, number: int) -> str:
        return str(number)


def convert(loaded: Loaded, dtype: Dtype, folder: Path) -> None:
    """Write the library's files of a float32 module, which is used up. Raises NotBuilt where it cannot read it."""
    converters = importlib.import_module("ctranslate2.converters")
    model = loaded.model
    _write_back(model.config)
    _name_as_before(model)
    model.config.save_pretrained(folder)

    class OfTheModule(converters.TransformersConverter):  # type: ignore[misc, name-defined]
        """The library's converter, given the module and words that are here already."""

        def load_model(self, *_given: object, **_named: object) -> object:
            return model

        def load_tokenizer(self, *_given: object, **_named: object) -> object:
            return _Vocabulary(loaded.anatomy.vocab_size)

    try:
        OfTheModule(str(folder)).convert(str(folder / MODEL), quantization=dtype)
    except Exception as error:  # the loaders of the model types raise whatever they meet
        raise NotBuilt(f"CTranslate2 cannot convert it: {first_line(error)}") from error
    _begin_answers(folder / MODEL / "config.json")


def _begin_answers(settings: Path) -> None:
    """Name the token that answers begin with where the library leaves it to every request, as it does for mBART."""
    stated = json.loads(settings.read_text())
    if "decoder_start_token" in stated and stated["decoder_start_token"] is None:
        settings.write_text(json.dumps(stated | {"decoder_start_token": str(START_ID)}))


def _write_back(config: Any) -> None:
    """Keys the converter reads and the transformers of today keeps elsewhere, or no longer."""
    if not config.is_encoder_decoder:
        return
    config.decoder_start_token_id = START_ID
    for key, value in FAMILIES[config.model_type].settled.items():
        setattr(config, key, value)
    if config.model_type in ("t5", "mt5"):  # whether logits are scaled, which went by another name
        config.tie_word_embeddings = bool(getattr(config, "scale_decoder_outputs", False))


def _name_as_before(model: Any) -> None:
    """Parts that the converter knows by the name they had."""
    if model.config.model_type == "gpt_neox":
        model.config.rotary_pct = model.config.rope_parameters["partial_rotary_factor"]
        model.embed_out = model.lm_head


@dataclass(slots=True)
class Engine:
    """The loaded model. Only one generation may be held at a time: the library computes in a single queue."""

    engine: Any
    computes_in: str
    anatomy: Anatomy
    padding: int | None
    seed: int
    positions: int | None
    _held: _Steps | None = field(default=None)

    def task(self, plan: CellPlan) -> Task:
        self._let_go()
        if plan.stage == "decode":
            return self._decode(plan)
        if plan.stage not in ("prefill", "encode"):
            raise ValueError(f"CTranslate2 does not run the stage {plan.stage} here")
        texts = self._words(plan.batch_size, plan.input_tokens or 1)

        def run() -> torch.Tensor:
            written = self._write(texts, None, most=1)
            lengths = torch.tensor([len(one) for one in written], dtype=torch.float32)
            if not bool((lengths == 1).all()):
                raise WrongState("a sequence did not end after its first token")
            return lengths

        return Task(run=run, reset=nothing, check=nothing, note=ENCODE_NOTE if plan.stage == "encode" else None)

    def group(self, inputs: Sequence[int], steps: Sequence[int]) -> Callable[[], object]:
        """Read a text of each of these lengths and write their first tokens; what is given back writes the next ones.

        Each answer ends after its number of steps, and its place in the batch with it.
        """
        self._let_go()
        texts, most = [self._words(1, tokens)[0] for tokens in inputs], max(steps) + 1
        self._held = _Steps(lambda after: self._write(texts, None, most=most, after=after), steps)
        return self._held.step

    def outputs(self, probe: Probe) -> Outputs:
        self._let_go()
        if probe.target is None:
            return {"logits": np.array(self.engine.forward_batch(probe.ids.tolist()))}
        begun = [row[1:] for row in _as_words(probe.target)]
        told = self.engine.translate_batch(
            _as_words(probe.ids),
            target_prefix=begun,
            beam_size=1,
            max_decoding_length=len(begun[0]) + 1,
            return_logits_vocab=True,
        )
        return {"next": np.stack([np.array(one.logits[0][-1], dtype=np.float32) for one in told])}

    def _decode(self, plan: CellPlan) -> Task:
        depth = max(plan.context_tokens or 1, 1)
        steps = STEPS if self.positions is None else max(1, min(STEPS, self.positions - depth))
        if self.anatomy.encoder is None:
            texts, begun = self._words(plan.batch_size, depth), None
        else:
            texts = self._words(plan.batch_size, plan.input_tokens or 1)
            begun = [row[1:] for row in self._words(plan.batch_size, depth)]
        held = _Steps(lambda after: self._write(texts, begun, most=steps + 1, after=after), [steps] * plan.batch_size)
        self._held = held
        return Task(run=held.step, reset=held.again_where_spent, check=held.check, note=BATCH_NOTE)

    def _write(self, texts: Words, begun: Words | None, *, most: int, after: AfterToken | None = None) -> Words:
        """So many tokens after each text, greedily; nothing ends one sooner but `after`."""
        if self.anatomy.encoder is None:
            given = self.engine.generate_batch(
                texts, include_prompt_in_result=False, beam_size=1, max_length=most, min_length=most, callback=after
            )
            return [one.sequences[0] for one in given]
        length = most + (len(begun[0]) if begun else 0)
        given = self.engine.translate_batch(
            texts,
            target_prefix=begun,
            beam_size=1,
            max_input_length=0,
            max_decoding_length=length,
            min_decoding_length=length,
            callback=after,
        )
        return [one.hypotheses[0] for one in given]

    def _words(self, batch_size: int, tokens: int) -> Words:
        vocab_size = self.anatomy.vocab_size
        ids = token_ids(batch_size, tokens, vocab_size=vocab_size, padding=self.padding, seed=self.seed, device="cpu")
        return _as_words(ids)

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.end()
            self._held = None


def _as_words(ids: torch.Tensor) -> Words:
    return [[str(number) for number in row] for row in ids.tolist()]


class _Steps:
    """A generation held between two steps. `step` lets it do one; the first token, after the prompt, is not one.

    `ends` are the steps of each sequence.
    """

    def __init__(self, generate: Callable[[AfterToken], object], ends: Sequence[int]) -> None:
        self._generate, self._ends, self._most = generate, ends, max(ends)
        self._thread: threading.Thread | None = None
        self._begin()

    def step(self) -> torch.Tensor:
        """One token for every sequence. Raises what the library raised, and WrongState where a step is missing."""
        before = self._tokens
        self._go.release()
        self._wait()
        if self._tokens != before + 1:
            raise WrongState(f"a step wrote {self._tokens - before} tokens in place of one")
        self._steps += 1
        return torch.tensor([float(self._tokens)])

    def check(self) -> None:
        if self._tokens != self._steps + 1:
            raise WrongState(f"{self._tokens} tokens were written where there must be {self._steps + 1}")

    def again_where_spent(self) -> None:
        if self._steps >= self._most:
            self.end()
            self._begin()

    def end(self) -> None:
        """Let the generation go to its end, which is the next token."""
        if self._thread is not None:
            self._over = True
            self._go.release()
            self._thread.join()
            self._thread = None

    def _begin(self) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._tokens, self._steps, self._over = 0, 0, False
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()

    def _wait(self) -> None:
        self._done.acquire()
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        try:
            self._generate(self._after)
            if not self._over:
                self._failed = WrongState("the generation ended by itself")
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits for the step
            self._failed = error
        self._done.release()

    def _after(self, result: Any) -> bool:
        """After each token of each sequence; the last of a step holds them all. True ends the sequence."""
        if self._over:
            return True
        written = self._tokens
        if result.batch_id == self._last(written):
            self._tokens += 1
            self._done.release()
            self._go.acquire()
        return self._over or self._ends[result.batch_id] <= written

    def _last(self, written: int) -> int:
        """The last of the sequences that are still written after so many tokens each."""
        return max(row for row, steps in enumerate(self._ends) if steps >= written)


def load(
    folder: Path,
    dtype: Dtype,
    *,
    threads: int,
    anatomy: Anatomy,
    padding: int | None,
    seed: int,
    positions: int | None,
) -> Engine:
    """Load the files in a folder. `positions` is how many tokens the model reads at most, None where that is open."""
    ctranslate2 = library()
    kind = ctranslate2.Generator if anatomy.encoder is None else ctranslate2.Translator
    engine = kind(str(folder / MODEL), "cpu", compute_type=dtype, inter_threads=1, intra_threads=threads)
    return Engine(engine, engine.compute_type, anatomy, padding, seed, positions)
