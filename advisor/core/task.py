"""The tasks the guide decides, and what kind of work each is.

Names are Hugging Face pipeline tags where one exists. What a task *is* stands here; which architecture it needs does
not: that is data in `rules/`.
"""

from __future__ import annotations

from typing import Literal, get_args

Task = Literal[
    "text-classification",
    "zero-shot-classification",
    "token-classification",
    "question-answering",
    "text-regression",
    "fill-mask",
    "feature-extraction",
    "sentence-similarity",
    "retrieval",
    "text-ranking",
    "translation",
    "summarization",
    "table-to-text",
    "abstractive-question-answering",
    "text-generation",
    "chat",
    "code-generation",
    "reasoning",
    "retrieval-augmented-generation",
]
TASKS: tuple[Task, ...] = get_args(Task)

UNDERSTANDING_TASKS: frozenset[Task] = frozenset(TASKS[:10])
"""Tasks whose answer is a label, a span, a score or a vector. All others write text."""

CORPUS_TASKS: frozenset[Task] = frozenset({"retrieval", "retrieval-augmented-generation"})
"""Tasks that are nothing without documents to search."""

OPTIONAL_CORPUS_TASKS: frozenset[Task] = frozenset({"abstractive-question-answering", "chat"})
"""Tasks that become retrieval-augmented once there is a corpus. Source: G69."""

TASK_WORDS: dict[Task, str] = {
    "text-classification": "sort texts into known labels",
    "zero-shot-classification": "sort texts into labels given with the request",
    "token-classification": "label each token (named entities)",
    "question-answering": "point at the answer inside a text",
    "text-regression": "give a text a score",
    "fill-mask": "fill in a hidden word",
    "feature-extraction": "turn texts into vectors (embeddings)",
    "sentence-similarity": "tell how alike two texts are",
    "retrieval": "find the documents that answer a query",
    "text-ranking": "re-rank candidates for a query",
    "translation": "translate",
    "summarization": "summarise",
    "table-to-text": "turn records into sentences",
    "abstractive-question-answering": "write an answer from a document",
    "text-generation": "continue a text",
    "chat": "hold a conversation",
    "code-generation": "write code",
    "reasoning": "reason step by step",
    "retrieval-augmented-generation": "answer from a corpus of documents",
}


VECTOR_TASKS: tuple[Task, ...] = ("feature-extraction", "sentence-similarity", "retrieval")
"""Tasks whose answer is a vector, or rests on comparing vectors."""


def generates(task: Task) -> bool:
    """Whether the task's answer is text written token by token."""
    return task not in UNDERSTANDING_TASKS
