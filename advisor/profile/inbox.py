"""The child's stdin as requests, never blocking on half a line. Its end is an exception: then the child ends too."""

from __future__ import annotations

import os
from collections import deque

from pydantic import ValidationError

from advisor.core.protocol import REQUESTS, Cancel, Measure

CHUNK_BYTES = 64 * 1024


class EndOfInput(Exception):
    """The parent has closed the pipe, or is gone."""


class Inbox:
    """Requests as they arrive on a descriptor. Usable with `select`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._half = b""
        self._kept: deque[Measure] = deque()

    def fileno(self) -> int:
        return self._descriptor

    def next_measure(self) -> Measure:
        """Wait for the next request to measure. Raises EndOfInput."""
        while not self._kept:
            self._kept.extend(request for request in self.arrived() if isinstance(request, Measure))
        return self._kept.popleft()

    def keep(self, request: Measure) -> None:
        """Put a request aside for `next_measure`: it came while another was being measured."""
        self._kept.append(request)

    def arrived(self) -> list[Measure | Cancel]:
        """The requests in what can be read now (waits while there is nothing). Raises EndOfInput at the end."""
        chunk = os.read(self._descriptor, CHUNK_BYTES)
        if not chunk:
            raise EndOfInput
        *lines, self._half = (self._half + chunk).split(b"\n")
        return [request for line in lines if (request := _understood(line)) is not None]


def _understood(line: bytes) -> Measure | Cancel | None:
    """The request in a line; None for what is none, which only a parent of another version would send."""
    try:
        return REQUESTS.validate_json(line)
    except ValidationError:
        return None
