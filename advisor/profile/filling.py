"""Filling memory with values that cost what real ones cost, at memory speed.

Zeros cost no memory and less time than numbers do, untouched pages would hide from the memory figure, garbage holds
denormals and NaN and runs too slow, and a random number for each weight takes longer than measuring. So a tile of
small random values is repeated over the whole tensor.
"""

from __future__ import annotations

import torch

TILE_VALUES = 65_521
"""A prime, so that the tile falls differently into each row and no two rows of a matrix are equal."""
APART = 4_099
"""How far from each other two tensors begin in the tile: a prime again, so that no two of them are equal."""
TILE_SPREAD = 0.02
"""The standard deviation most of these models were initialised with."""


def tile(dtype: torch.dtype, seed: int) -> torch.Tensor:
    """Small random values [TILE_VALUES], the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(TILE_VALUES, generator=generator) * TILE_SPREAD).to(dtype)


def fill(memory: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Repeat the tile `values` over the whole contiguous tensor, in place, and return it."""
    flat, size = memory.detach().view(-1), values.numel()
    whole = flat.numel() // size
    flat[: whole * size].view(whole, size).copy_(values.expand(whole, -1))
    flat[whole * size :].copy_(values[: flat.numel() - whole * size])
    return memory
