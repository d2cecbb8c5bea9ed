"""What went wrong inside a library, in one line for a person.

No torch here: importing it is one of the things that go wrong.
"""

from __future__ import annotations

MOST_CHARACTERS = 300
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def first_line(error: Exception) -> str:
    """The first line of what an error says, cut where nobody reads on; its kind where it says nothing.

    A line that ends in a colon says nothing yet, nor does a key alone.
    """
    if isinstance(error, KeyError):
        return f"{error} is not known to it"[:MOST_CHARACTERS]
    first, *more = (str(error).strip() or type(error).__name__).splitlines()
    words = f"{first} {more[0].strip()}" if first.endswith(":") and more else first
    return words[:MOST_CHARACTERS]


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out. Libraries raise that as errors of many kinds, so it is told by their words."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)
