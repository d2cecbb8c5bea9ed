"""What went wrong, as a document of the contract: printed on stderr in place of words where JSON was asked for."""

from __future__ import annotations

from typing import Literal

from advisor.core.characters import writable
from advisor.core.errors import AdvisorError
from advisor.core.values import Document, Value


class ProblemValue(Value):
    """One mistake: where (null where it stands in no file), what, and what to do."""

    file: str | None
    line: int | None
    column: int | None
    message: str
    fix: str | None


class ErrorDocument(Document):
    """Every problem of a run and the exit code it ended with."""

    kind: Literal["error"] = "error"
    exit_code: int
    problems: tuple[ProblemValue, ...]


def error_document(error: AdvisorError) -> ErrorDocument:
    """An error as a document."""
    problems = tuple(
        ProblemValue(
            file=_written(found.file),
            line=found.line,
            column=found.column,
            message=writable(found.message),
            fix=_written(found.fix),
        )
        for found in error.problems
    )
    return ErrorDocument(exit_code=error.exit_code, problems=problems)


def _written(text: str | None) -> str | None:
    return None if text is None else writable(text)
