"""What a cell is fed: token ids and caches of small random values, the same for the same seed.

Sequences are all full length, so no mask is passed: padding is a property of traffic, not of the model.
"""

from __future__ import annotations

import torch
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from advisor.core.model.anatomy import Stack
from advisor.core.model.cost import kept_tokens
from advisor.profile.filling import fill, tile


def token_ids(
    batch_size: int, tokens: int, *, vocab_size: int, padding: int | None, seed: int, device: str
) -> torch.Tensor:
    """Random ids [batch_size, tokens]. The padding token does not occur: some models number positions around it.

    Where the config names none it is id 0, which most vocabularies use for it.
    """
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(max(vocab_size - 1, 1), (batch_size, tokens), generator=generator)
    return (ids + (ids >= (padding or 0))).clamp(max=vocab_size - 1).to(device)


def hidden_states(
    batch_size: int, tokens: int, width: int, *, dtype: torch.dtype, seed: int, device: str
) -> torch.Tensor:
    """An encoder's output [batch_size, tokens, width], as far as its reader can tell."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch_size, tokens, width, generator=generator).to(device, dtype)


def filled_cache(
    config: PreTrainedConfig, stack: Stack, *, batch_size: int, tokens: int, dtype: torch.dtype, seed: int, device: str
) -> DynamicCache:
    """A cache that looks as if `tokens` tokens had been read: keys and values [batch, kv heads, kept, head size].

    A window keeps the last of them only, and knows how many there were. Raises ValueError for layers of another kind:
    filling those needs their own care.
    """
    cache = DynamicCache(config=config)
    kinds = [DynamicLayer if window is None else DynamicSlidingWindowLayer for window in stack.windows]
    if [type(layer) for layer in cache.layers] != kinds:
        raise ValueError("its cache has layers that neither grow nor slide; decoding at depth is not measured for it")
    values = tile(dtype, seed).to(device)
    for index, window in enumerate(stack.windows if tokens else ()):
        shape = (batch_size, stack.num_key_value_heads, kept_tokens(window, tokens), stack.head_dim)
        kept, answered = (torch.empty(shape, dtype=dtype, device=device) for _ in range(2))
        cache.update(fill(kept, values), fill(answered, values), index)
    for layer in cache.layers:
        if isinstance(layer, DynamicSlidingWindowLayer):
            layer.cumulative_length = tokens
    return cache
