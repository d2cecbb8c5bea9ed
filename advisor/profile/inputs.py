"""What a cell is fed: token ids and caches of small random values, the same for the same seed.

Sequences are all full length, so no mask is passed: padding is a property of traffic, not of the model.
"""

from __future__ import annotations

import torch
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

from advisor.core.model.anatomy import Stack
from advisor.profile.filling import fill, tile


def token_ids(batch_size: int, tokens: int, *, vocab_size: int, seed: int, device: str) -> torch.Tensor:
    """Random ids [batch_size, tokens]. Id 0, which most vocabularies use for padding, does not occur."""
    generator = torch.Generator().manual_seed(seed)
    lowest = min(1, vocab_size - 1)
    return torch.randint(lowest, vocab_size, (batch_size, tokens), generator=generator).to(device)


def hidden_states(
    batch_size: int, tokens: int, width: int, *, dtype: torch.dtype, seed: int, device: str
) -> torch.Tensor:
    """An encoder's output [batch_size, tokens, width], as far as its reader can tell."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch_size, tokens, width, generator=generator).to(device, dtype)


def filled_cache(
    config: PreTrainedConfig, stack: Stack, *, batch_size: int, tokens: int, dtype: torch.dtype, seed: int, device: str
) -> DynamicCache:
    """A cache that looks as if `tokens` tokens had been read: keys and values [batch, kv heads, tokens, head size].

    Raises ValueError for layers that do not simply grow (sliding windows): filling those needs their own care.
    """
    cache = DynamicCache(config=config)
    if len(cache.layers) != stack.num_layers or any(type(layer) is not DynamicLayer for layer in cache.layers):
        raise ValueError("its cache has layers other than plain growing ones; decoding at depth is not measured for it")
    values = tile(dtype, seed).to(device)
    shape = (batch_size, stack.num_key_value_heads, tokens, stack.head_dim)
    for index in range(stack.num_layers if tokens else 0):
        kept, answered = (torch.empty(shape, dtype=dtype, device=device) for _ in range(2))
        cache.update(fill(kept, values), fill(answered, values), index)
    return cache
