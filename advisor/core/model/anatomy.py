"""The sizes every closed form is computed from, whatever a family calls them in its config.

A transformer is tables, one or two stacks of equal layers, and a head. `families` translates a config into this shape;
`parameters` and `cost` only ever read this shape, so a family described here is counted everywhere at once. No formula
for time or memory lives here. (Named tuples, because `recommend` pays for every class it defines.)
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Head = Literal["none", "pooler", "classifier", "tied", "own"]
"""What stands on top: nothing, a pooler over the first token, a classifier over such a pooler, an LM head that shares
the word table, or one with its own."""


class Disentangled(NamedTuple):
    """Attention to relative positions apart from words, as DeBERTa does it; all zero where there is none.

    One table of `rows`, normalised with `norm_values` per channel, serves all layers. A layer projects it `projections`
    times, with `parameters` of its own (0 where it shares those of the words), and compares it with the words `terms`
    times. `as_long_as_the_text` says that a shorter text uses only as many rows either way as it has tokens.
    """

    rows: int = 0
    terms: int = 0
    projections: int = 0
    parameters: int = 0
    norm_values: int = 0
    as_long_as_the_text: bool = False

    def rows_used(self, tokens: int) -> int:
        """Rows that a text of so many tokens is compared with."""
        return min(self.rows, 2 * tokens) if self.as_long_as_the_text else self.rows


class Stack(NamedTuple):
    """One tower of `num_layers` equal layers.

    `mlp_matrices` is 2, or 3 where the MLP is gated. `norm_values` counts the values of one normalisation per channel:
    2 for LayerNorm (scale, shift), 1 for RMSNorm. `relative_buckets` is the height of T5's table of position biases,
    held once per stack; 0 where there is none. `unfused_activation` says that the activation function is a chain of
    tensor operations, each with a result of its own, and not one kernel. `attention_biases` names the projections with
    a bias: of q, k, v and o, the one back. `norms` counts the normalisations of a layer besides that of
    cross-attention, `query_key_norm` the parameters of those over its queries and keys. `window` is how far
    self-attention looks back, the new token included; None is to the first token. Where there is a window, every
    `full_every`th layer looks back to the first token all the same; 0 is none of them. `local_layers` says that some
    layers of an encoder look at a token's neighbours only, through a mask over the whole text. `fused_attention` is
    false where transformers has no attention that leaves out the scores. `shared_layers` says that all layers are one,
    which is run so many times.
    """

    num_layers: int
    hidden_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    mlp_matrices: int
    norm_values: int
    attention_biases: str
    mlp_bias: bool
    final_norm: bool
    cross_attention: bool = False
    relative_buckets: int = 0
    unfused_activation: bool = False
    norms: int = 2
    query_key_norm: int = 0
    window: int | None = None
    full_every: int = 0
    local_layers: bool = False
    disentangled: Disentangled = Disentangled()
    fused_attention: bool = True
    shared_layers: bool = False

    @property
    def distinct_layers(self) -> int:
        """Layers with parameters of their own."""
        return 1 if self.shared_layers else self.num_layers

    @property
    def query_size(self) -> int:
        """Width of all queries of one token."""
        return self.num_attention_heads * self.head_dim

    @property
    def key_value_size(self) -> int:
        """Width of all keys (or all values) of one token: narrower than the queries where heads share them."""
        return self.num_key_value_heads * self.head_dim

    @property
    def full_layers(self) -> int:
        """How many layers look back to the first token although there is a window."""
        return self.num_layers // self.full_every if self.full_every else 0

    @property
    def windows(self) -> tuple[int | None, ...]:
        """How far each layer looks back, from the first layer to the last."""
        every = self.full_every or self.num_layers + 1
        return tuple(self.window if number % every else None for number in range(1, self.num_layers + 1))


class Anatomy(NamedTuple):
    """A whole model: an encoder stack, a decoder stack, or both, over the tables its tokens are looked up in.

    `position_rows` and `type_rows` are the heights of learned position and segment tables; 0 where there are none.
    Tables of positions and norms over what was looked up belong to a stack: where there are two stacks, each has its
    own. `labels` is how many scores a classifier gives; its pooler may go without a bias (`head_bias`) and have a norm.
    `word_size` is the width of a word's row where the states are wider: one projection leads in, and another back to
    the LM head, neither with a bias. `lm_head_bias` says that an LM head has one. `embedding_size` is the width of all
    tables where a projection with a bias makes states of what was looked up in them; None where there is none.
    `word_tables` is how many tables of words there are: one, where what reads and what writes share it.
    """

    vocab_size: int
    hidden_size: int
    encoder: Stack | None
    decoder: Stack | None
    head: Head
    position_rows: int = 0
    type_rows: int = 0
    embedding_norm_values: int = 0
    labels: int = 0
    head_bias: bool = True
    head_norm_values: int = 0
    word_size: int | None = None
    lm_head_bias: bool = False
    embedding_size: int | None = None
    word_tables: int = 1

    @property
    def table_width(self) -> int:
        """Width of a row of positions, of segments, and of the norm over what was looked up."""
        return self.embedding_size or self.hidden_size

    @property
    def word_width(self) -> int:
        """Width of a word's row, and of what the LM head compares it with."""
        return self.word_size or self.table_width

    @property
    def word_projections(self) -> int:
        """Parameters that lead from words to states and back; none where both are of one width."""
        return 0 if self.word_size in (None, self.hidden_size) else 2 * self.word_width * self.hidden_size

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Both stacks, or the one there is."""
        return tuple(stack for stack in (self.encoder, self.decoder) if stack is not None)
