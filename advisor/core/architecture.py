"""The words for what is chosen: architectures, component roles, strengths, attention."""

from __future__ import annotations

from typing import Literal, get_args

Architecture = Literal["encoder-only", "decoder-only", "encoder-decoder", "retrieval-augmented-generation"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

Role = Literal["model", "retriever", "index", "reranker", "generator"]
ROLES: tuple[Role, ...] = get_args(Role)

Strength = Literal["strong", "default", "weak"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)

ARCHITECTURE_WORDS: dict[Architecture, str] = {
    "encoder-only": "one bidirectional pass; vectors, labels or spans come out, never new text",
    "decoder-only": "causal attention; writes one token after another",
    "encoder-decoder": "reads the source in both directions once, then writes the target token by token",
    "retrieval-augmented-generation": "an encoder finds passages, a decoder writes the answer from them",
}
