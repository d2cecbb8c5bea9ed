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
    """One attention: projections to queries, keys and values, and the one back, with their biases.

    Keys and values are narrower where query heads share them (grouped-query attention, arXiv:2305.13245).
    """
    weights = 2 * stack.hidden_size * (stack.query_size + stack.key_value_size)
    biases = stack.query_size + 2 * stack.key_value_size + stack.hidden_size
    return weights + biases * stack.attention_bias


def mlp_parameters(stack: Stack) -> int:
    """One MLP: up and down, and the gate where there is one (arXiv:2002.05202)."""
    weights = stack.mlp_matrices * stack.hidden_size * stack.intermediate_size
    biases = (stack.mlp_matrices - 1) * stack.intermediate_size + stack.hidden_size
    return weights + biases * stack.mlp_bias


def norm_parameters(stack: Stack) -> int:
    """All normalisations of one layer: one per attention and one for the MLP."""
    return (3 if stack.cross_attention else 2) * stack.norm_values * stack.hidden_size


def layer_parameters(stack: Stack) -> int:
    """One layer of a stack."""
    attentions = 2 if stack.cross_attention else 1
    return attentions * attention_parameters(stack) + mlp_parameters(stack) + norm_parameters(stack)


def stack_parameters(stack: Stack) -> int:
    """A whole stack, with its final normalisation and its table of relative positions."""
    final = stack.norm_values * stack.hidden_size if stack.final_norm else 0
    return stack.num_layers * layer_parameters(stack) + final + stack.relative_buckets * stack.num_attention_heads


def head_parameters(anatomy: Anatomy) -> int:
    """The head's own parameters: none where it shares the word table."""
    if anatomy.head == "pooler":
        return anatomy.hidden_size * anatomy.hidden_size + anatomy.hidden_size
    return anatomy.vocab_size * anatomy.hidden_size if anatomy.head == "own" else 0


def parameter_parts(anatomy: Anatomy) -> tuple[ParameterPart, ...]:
    """The breakdown, in the order tokens pass through; parts a model does not have are left out."""
    width = anatomy.hidden_size
    parts = [
        ParameterPart("word embedding", anatomy.vocab_size, width),
        ParameterPart("position embedding", anatomy.position_rows, width),
        ParameterPart("token type embedding", anatomy.type_rows, width),
        ParameterPart("embedding norm", anatomy.embedding_norm_values, width),
    ]
    for name, stack in (("encoder", anatomy.encoder), ("decoder", anatomy.decoder)):
        parts += _stack_parts(name, stack) if stack is not None else []
    parts.append(ParameterPart("pooler" if anatomy.head == "pooler" else "LM head", 1, head_parameters(anatomy)))
    return tuple(part for part in parts if part.parameters)


def _stack_parts(name: str, stack: Stack) -> list[ParameterPart]:
    layers = stack.num_layers
    return [
        ParameterPart(f"{name} self-attention", layers, attention_parameters(stack)),
        ParameterPart(f"{name} cross-attention", layers * stack.cross_attention, attention_parameters(stack)),
        ParameterPart(f"{name} MLP", layers, mlp_parameters(stack)),
        ParameterPart(f"{name} norms", layers, norm_parameters(stack)),
        ParameterPart(f"{name} relative positions", stack.relative_buckets, stack.num_attention_heads),
        ParameterPart(f"{name} final norm", int(stack.final_norm), stack.norm_values * stack.hidden_size),
    ]


def parameter_count(anatomy: Anatomy) -> int:
    """All parameters of a model, tied weights once."""
    return sum(part.parameters for part in parameter_parts(anatomy))
