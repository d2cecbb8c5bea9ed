"""Building without a download, against what transformers builds and initialises itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from advisor.core.model.cut import cut, depth, period
from advisor.core.model.entry import ModelEntry
from advisor.profile.build import DTYPES, NotBuilt, build, count_parameters, seen_in
from advisor.profile.filling import TILE_VALUES, fill, tile
from tests.core.model.tiny_models import ALL_VARIATIONS, entry

DTYPE_NAMES = ("float32", "bfloat16")


def ordinary(model_type: str, dtype: str, **change: Any) -> transformers.PreTrainedModel:
    """The module built and initialised the usual way, by transformers alone."""
    tiny = entry(model_type, **change)
    torch.set_default_dtype(DTYPES[dtype])
    try:
        config = transformers.AutoConfig.for_model(tiny.model_type, **tiny.config)
        model: transformers.PreTrainedModel = getattr(transformers, tiny.transformers_class)(config).eval()
        for parameter in model.parameters():  # as loading does where a class names a dtype of its own
            parameter.data = parameter.data.to(DTYPES[dtype])
        return model
    finally:
        torch.set_default_dtype(torch.float32)


def output(model: transformers.PreTrainedModel) -> torch.Tensor:
    ids = torch.arange(1, 25).view(2, 12)
    targets = {"decoder_input_ids": ids[:, :5]} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        return model(input_ids=ids, **targets)[0]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_built_both_ways_with_the_same_weights_the_output_is_the_same(
    model_type: str, change: dict[str, Any], dtype: str
) -> None:
    ours, usual = build(entry(model_type, **change), dtype), ordinary(model_type, dtype, **change)
    usual.load_state_dict(ours.state_dict())
    assert torch.equal(output(ours), output(usual))


def cut_of(model_type: str, change: dict[str, Any]) -> tuple[ModelEntry, ModelEntry]:
    """A model and its smallest cut."""
    whole = entry(model_type, **change)
    try:
        depth(whole)
    except ValueError:
        pytest.skip("its stacks differ in depth: it cannot be cut")
    return cut(whole, 3 * period(whole)), cut(whole, period(whole))


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_a_cut_is_the_first_layers_of_the_larger_model_and_holds_nothing_of_its_own(
    model_type: str, change: dict[str, Any]
) -> None:
    larger, fewer = cut_of(model_type, change)
    whole, alone = build(larger, "bfloat16"), build(fewer, "bfloat16", seed=1)
    seen, before = seen_in(whole, fewer), output(whole)
    held = {id(one) for one in (*whole.parameters(), *whole.buffers())}
    assert {id(one) for one in (*seen.parameters(), *seen.buffers())} <= held
    assert count_parameters(seen) == fewer.parameters
    alone.load_state_dict(seen.state_dict())
    assert torch.equal(output(seen), output(alone))
    assert torch.equal(output(whole), before)


def test_a_model_is_not_seen_in_one_that_lacks_its_weights() -> None:
    with pytest.raises(NotBuilt, match="of fewer layers is no part of it"):
        seen_in(build(entry("gpt2", n_layer=2), "float32"), entry("gpt2", n_layer=3))
    with pytest.raises(NotBuilt, match="of fewer layers is no part of it"):
        seen_in(build(entry("gpt2", n_embd=64), "float32"), entry("gpt2", n_embd=32, n_layer=1))


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_vectors_and_buffers_have_their_modules_own_values(model_type: str, change: dict[str, Any]) -> None:
    ours, usual = build(entry(model_type, **change), "float32"), ordinary(model_type, "float32", **change)
    expected = {name: value for name, value in usual.named_parameters() if value.dim() < 2} | dict(
        usual.named_buffers()
    )
    found = dict(ours.named_parameters()) | dict(ours.named_buffers())
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
        assert found[name].dtype == value.dtype, name


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_parameters_are_as_many_of_the_dtype_asked_for_and_finite(
    model_type: str, change: dict[str, Any], dtype: str
) -> None:
    ours = build(entry(model_type, **change), dtype)
    assert count_parameters(ours) == count_parameters(ordinary(model_type, dtype, **change))
    assert {parameter.dtype for parameter in ours.parameters()} == {DTYPES[dtype]}
    assert all(parameter.isfinite().all() for parameter in ours.parameters())
    assert output(ours).isfinite().all()


@pytest.mark.parametrize("model_type", ["bert", "gpt2", "llama", "t5"])
def test_matrices_are_small_random_and_nowhere_zero_or_repeated(model_type: str) -> None:
    for name, parameter in build(entry(model_type), "float32").named_parameters():
        if parameter.dim() >= 2 and parameter.numel() > 500:
            assert (parameter == 0).float().mean() < 0.01, name
            assert 0.01 < float(parameter.std()) < 0.03, name
            assert float(parameter.abs().max()) < 0.2, name
            assert len({tuple(row.tolist()) for row in parameter}) == parameter.shape[0], name


@pytest.mark.parametrize("model_type", ["gpt2", "t5"])
def test_tied_weights_stay_one_tensor(model_type: str) -> None:
    model = build(entry(model_type), "float32")
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    first, again, other = (build(entry("bert"), "float32", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(output(first), output(again))
    assert not torch.equal(output(first), output(other))


def test_a_built_model_neither_drops_out_nor_keeps_gradients() -> None:
    model = build(entry("bert"), "float32")
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("size", [0, 1, TILE_VALUES - 1, TILE_VALUES, TILE_VALUES + 1, 3 * TILE_VALUES + 7])
def test_filling_repeats_the_tile_to_the_last_value(size: int) -> None:
    values = tile(torch.float32, 0)
    filled = fill(torch.full((size,), float("nan")), values)
    assert torch.equal(filled, values.repeat(size // TILE_VALUES + 1)[:size])


def test_a_class_that_is_no_model_is_not_built() -> None:
    for name in ("BertTokenizer", "NoSuchModel", "pipeline", "AutoConfig"):
        with pytest.raises(NotBuilt, match=name):
            build(entry("bert").model_copy(update={"transformers_class": name}), "float32")


def test_a_config_that_cannot_be_is_not_built_and_leaves_the_default_dtype() -> None:
    with pytest.raises(NotBuilt):
        build(entry("bert", hidden_size=25), "bfloat16")
    assert torch.get_default_dtype() == torch.float32


def test_a_vector_that_nobody_initialises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers.BertModel, "_init_weights", lambda self, module: None)
    with pytest.raises(NotBuilt, match="without values"):
        build(entry("bert"), "float32")
