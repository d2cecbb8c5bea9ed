"""A real sentence encoder from its folder: its weights mean something, and the whole way through a child."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import torch

from advisor.core.model.cost import anatomy
from advisor.core.sizing.measurement import CellPlan
from advisor.core.sizing.own_stages import with_own_stages
from advisor.profile.build import DTYPES
from advisor.profile.runtimes.torch_eager import Loaded, vectors
from advisor.profile.tokenizing import tokenizer_of
from advisor.profile.weights import load
from advisor.run import Child
from advisor.store.catalog import load_catalog
from advisor.store.model_folder import FolderModel, read_model_folder
from advisor.store.paths import shipped
from tests.folders import saved, sentence_encoder, with_tokenizer
from tests.measuring import Heard, hear, request

pytestmark = pytest.mark.real
module_loop = pytest.mark.asyncio(loop_scope="module")

ALIKE = ("A man is playing a guitar on the stage.", "Someone plays guitar in front of an audience.")
OTHERS = ("The stock market fell sharply on Monday.", "Add two eggs and a cup of flour to the bowl.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def child(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    async with await Child.start(lock_path=tmp_path_factory.mktemp("machine") / "lock") as started:
        yield started


def real() -> FolderModel:
    return read_model_folder(sentence_encoder())


def test_the_real_model_is_the_catalogues_to_the_last_parameter() -> None:
    model, known = real(), load_catalog(shipped("models")).get("minilm-l6")
    assert model.entry.parameters == model.source.stored_parameters == known.parameters
    assert anatomy(model.entry) == anatomy(known)
    assert model.source.pooling == "mean"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_sentences_that_mean_the_same_are_nearer_than_others(dtype: str) -> None:
    model = real()
    found = load(model.entry, model.source, dtype)
    assert found.real
    assert found.notes == ()
    loaded = Loaded(found.model, anatomy(model.entry), DTYPES[dtype], "cpu", 0, model.source.pooling)
    tokenizer = tokenizer_of(model.source)
    with torch.inference_mode():
        read = [tokenizer(text, return_tensors="pt")["input_ids"] for text in (*ALIKE, *OTHERS)]
        first, second, *others = (vectors(loaded, ids)[0].float() for ids in read)
    assert float(first @ first) == pytest.approx(1.0, abs=0.02)
    assert float(first @ second) > 0.5
    assert all(float(first @ other) < 0.2 for other in others)


def own_cells(model: FolderModel, stage: str, dtype: str = "float32") -> list[CellPlan]:
    cells = [CellPlan(stage=stage, dtype=dtype, batch_size=batch, input_tokens=16) for batch in (1, 2)]
    return list(with_own_stages(cells, model.source))


async def heard_of(child: Child, model: FolderModel, cells: list[CellPlan]) -> Heard:
    return await hear(child, request(*cells, model=model.entry, source=model.source))


@module_loop
async def test_a_real_model_is_loaded_read_and_tokenised_in_the_child(child: Child) -> None:
    model = real()
    heard = await heard_of(child, model, own_cells(model, "embed"))
    assert [heard.cells[index].stage for index in sorted(heard.cells)] == [
        "load",
        "embed",
        "embed",
        "tokenize",
        "tokenize",
    ]
    assert all(cell.median_s is not None for cell in heard.cells.values()), heard
    assert heard.finished is not None
    assert (heard.finished.weights, heard.finished.notes) == ("real", ())
    assert heard.finished.parameters == model.entry.parameters
    load_cell, tokenize_cell = heard.cells[0], heard.cells[3]
    assert (load_cell.samples, load_cell.ci95_s, load_cell.throughput_per_s) == (1, None, None)
    assert "disk" in (load_cell.note or "")
    assert (tokenize_cell.threads, tokenize_cell.device, tokenize_cell.peak_memory_bytes) == (1, "cpu", None)
    assert (tokenize_cell.flops, tokenize_cell.bytes_moved) == (None, None)


@module_loop
async def test_what_loading_took_at_its_peak_is_not_in_the_cells_of_the_model(child: Child) -> None:
    model = real()
    plans = [CellPlan(stage="embed", dtype="bfloat16", batch_size=1, input_tokens=16)]
    loaded = (await heard_of(child, model, plans)).cells[0].peak_memory_bytes
    filled = (await hear(child, request(*plans, model=model.entry))).cells[0].peak_memory_bytes
    assert loaded is not None
    assert filled is not None
    assert loaded == pytest.approx(filled, rel=0.1)


@module_loop
@pytest.mark.parametrize(
    ("model_type", "stage"), [("gpt2", "prefill"), ("llama", "prefill"), ("t5", "encode"), ("bart", "encode")]
)
async def test_a_folder_of_another_kind_is_measured_with_its_weights(
    child: Child, tmp_path: Path, model_type: str, stage: str
) -> None:
    saved(tmp_path, model_type)
    with_tokenizer(tmp_path)
    model = read_model_folder(tmp_path)
    decode = CellPlan(
        stage="decode",
        dtype="float32",
        batch_size=1,
        input_tokens=16 if stage == "encode" else None,
        context_tokens=8,
    )
    cells = [CellPlan(stage=stage, dtype="float32", batch_size=1, input_tokens=16), decode]  # type: ignore[arg-type]
    heard = await heard_of(child, model, list(with_own_stages(cells, model.source)))
    assert all(cell.median_s is not None for cell in heard.cells.values()), [one.note for one in heard.cells.values()]
    assert heard.finished is not None
    assert heard.finished.weights == "real"


@module_loop
async def test_weights_damaged_meanwhile_are_flagged_cells_with_one_sentence(child: Child, tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    model = read_model_folder(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    heard = await heard_of(child, model, own_cells(model, "forward"))
    assert {cell.flags for cell in heard.cells.values()} == {("unsupported",)}
    assert "cannot be loaded" in heard.note(0)
    assert "\n" not in heard.note(0)
