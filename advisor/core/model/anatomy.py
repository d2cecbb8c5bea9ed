"""The sizes every closed form is computed from, whatever a family calls them in its config.

A transformer is tables, one or two stacks of equal layers, and a head. `families` translates a config into this shape;
`parameters` and `cost` only ever read this shape, so a family described here is counted everywhere at once. No formula
for time or memory lives here. (Named tuples, because `recommend` pays for every class it defines.)
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Head = Literal["pooler", "tied", "own"]
"""What stands on top: a pooler over the first token, an LM head that shares the word table, or one with its own."""


class Stack(NamedTuple):
    """One tower of `num_layers` equal layers.

    `mlp_matrices` is 2, or 3 where the MLP is gated. `norm_values` counts the values of one normalisation per channel:
    2 for LayerNorm (scale, shift), 1 for RMSNorm. `relative_buckets` is the height of T5's table of position biases,
    held once per stack; 0 where there is none. `unfused_activation` says that the activation function is a chain of
    tensor operations, each with a result of its own, and not one kernel.
    """

    num_layers: int
    hidden_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    mlp_matrices: int
    norm_values: int
    attention_bias: bool
    mlp_bias: bool
    final_norm: bool
    cross_attention: bool = False
    relative_buckets: int = 0
    unfused_activation: bool = False

    @property
    def query_size(self) -> int:
        """Width of all queries of one token."""
        return self.num_attention_heads * self.head_dim

    @property
    def key_value_size(self) -> int:
        """Width of all keys (or all values) of one token: narrower than the queries where heads share them."""
        return self.num_key_value_heads * self.head_dim


class Anatomy(NamedTuple):
    """A whole model: an encoder stack, a decoder stack, or both, over the tables its tokens are looked up in.

    `position_rows` and `type_rows` are the heights of learned position and segment tables; 0 where there are none.
    """

    vocab_size: int
    hidden_size: int
    encoder: Stack | None
    decoder: Stack | None
    head: Head
    position_rows: int = 0
    type_rows: int = 0
    embedding_norm_values: int = 0

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Both stacks, or the one there is."""
        return tuple(stack for stack in (self.encoder, self.decoder) if stack is not None)
