"""Parameter counts by closed form: part by part, and in total.

Nothing is built and no library asked; the counts equal those of the module that transformers builds from the same
config, tied weights counted once. What parameters cost in bytes and arithmetic stands in `cost`.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.core.model.anatomy import Anatomy, Stack


class ParameterPart(NamedTuple):
    """One part of a model: `copies` times `each` parameters."""

    name: str
    copies: int
    each: int

    @property
    def parameters(self) -> int:
        """All parameters of this part."""
        return self.copies * self.each


def attention_parameters(stack: Stack) -> int:
    """One attention: projections to queries, keys and values, and the one back, with their biases and norms.

    Keys and values are narrower where query heads share them (grouped-query attention, arXiv:2305.13245).
    """
    weights = 2 * stack.hidden_size * (stack.query_size + stack.key_value_size)
    biases = sum(_width(stack, projection) for projection in stack.attention_biases)
    return weights + biases + stack.query_key_norm


def cross_key_value_parameters(stack: Stack) -> int:
    """What projects one source token to the keys and values of all cross-attentions of a stack."""
    width = stack.key_value_size
    biases = sum(width for projection in stack.attention_biases if projection in "kv")
    return stack.num_layers * (2 * stack.hidden_size * width + biases)


def _width(stack: Stack, projection: str) -> int:
    """How many values a projection gives for one token: q, k, v, or o, the one back."""
    widths = {"q": stack.query_size, "k": stack.key_value_size, "v": stack.key_value_size, "o": stack.hidden_size}
    return widths[projection]


def mlp_parameters(stack: Stack) -> int:
    """One MLP: up and down, and the gate where there is one (arXiv:2002.05202)."""
    weights = stack.mlp_matrices * stack.hidden_size * stack.intermediate_size
    biases = (stack.mlp_matrices - 1) * stack.intermediate_size + stack.hidden_size
    return weights + biases * stack.mlp_bias


def norm_parameters(stack: Stack) -> int:
    """All normalisations of one layer: most have one per attention and one for the MLP."""
    return (stack.norms + stack.cross_attention) * stack.norm_values * stack.hidden_size


def stack_parameters(stack: Stack) -> int:
    """A whole stack, with its final normalisation and its table of relative positions."""
    return sum(part.parameters for part in _stack_parts("stack", stack))


def embedding_projection_parameters(anatomy: Anatomy) -> int:
    """What makes states of narrower rows that were looked up, with its bias; none where there is no projection."""
    return 0 if anatomy.embedding_size is None else (anatomy.embedding_size + 1) * anatomy.hidden_size


def head_parameters(anatomy: Anatomy) -> int:
    """The head's own parameters: none where there is no head, or where it shares the word table."""
    width = anatomy.hidden_size
    if anatomy.head in ("pooler", "classifier"):
        pooler = width * (width + anatomy.head_bias + anatomy.head_norm_values)
        return pooler + (anatomy.labels * (width + 1) if anatomy.head == "classifier" else 0)
    table = anatomy.word_width if anatomy.head == "own" else 0
    return anatomy.vocab_size * (table + (anatomy.lm_head_bias and anatomy.head != "none"))


def parameter_parts(anatomy: Anatomy) -> tuple[ParameterPart, ...]:
    """The breakdown, in the order tokens pass through; parts a model does not have are left out."""
    width, stacks = anatomy.table_width, len(anatomy.stacks)
    parts = [
        ParameterPart("word embedding", anatomy.word_tables * anatomy.vocab_size, anatomy.word_width),
        ParameterPart("projections of words", 1, anatomy.word_projections),
        ParameterPart("position embedding", stacks * anatomy.position_rows, width),
        ParameterPart("token type embedding", anatomy.type_rows, width),
        ParameterPart("embedding norm", stacks * anatomy.embedding_norm_values, width),
        ParameterPart("embedding projection", 1, embedding_projection_parameters(anatomy)),
    ]
    for name, stack in (("encoder", anatomy.encoder), ("decoder", anatomy.decoder)):
        parts += _stack_parts(name, stack) if stack is not None else []
    names = {"pooler": "pooler", "classifier": "classification head"}
    parts.append(ParameterPart(names.get(anatomy.head, "LM head"), 1, head_parameters(anatomy)))
    return tuple(part for part in parts if part.parameters)


def _stack_parts(name: str, stack: Stack) -> list[ParameterPart]:
    layers, relative = stack.distinct_layers, stack.disentangled
    return [
        ParameterPart(f"{name} self-attention", layers, attention_parameters(stack)),
        ParameterPart(f"{name} cross-attention", layers * stack.cross_attention, attention_parameters(stack)),
        ParameterPart(f"{name} MLP", layers, mlp_parameters(stack)),
        ParameterPart(f"{name} norms", layers, norm_parameters(stack)),
        ParameterPart(f"{name} projections of positions", layers, relative.parameters),
        ParameterPart(f"{name} relative positions", relative.rows, stack.hidden_size),
        ParameterPart(f"{name} norm of positions", relative.norm_values, stack.hidden_size),
        ParameterPart(f"{name} relative positions", stack.relative_buckets, stack.num_attention_heads),
        ParameterPart(f"{name} final norm", int(stack.final_norm), stack.norm_values * stack.hidden_size),
    ]


def parameter_count(anatomy: Anatomy) -> int:
    """All parameters of a model, tied weights once."""
    return sum(part.parameters for part in parameter_parts(anatomy))
