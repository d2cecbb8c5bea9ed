"""Characters that act instead of being seen, and how each is shown as what it is.

Rules, models, answers, file names and messages of the child are data. In a terminal, a control or bidirectional
character among them could move the cursor, rewrite the clipboard or turn words around; half a surrogate pair cannot be
written at all. Whatever prints text asks this module first.
"""

from __future__ import annotations

import re

ACTING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
"""What steers a terminal, reorders text, or is no character; tab and line break are not among them."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with every acting character written as `<U+XXXX>`."""
    return ACTING.sub(shown, text)


def writable(text: str) -> str:
    """The text with halves of surrogate pairs written as `<U+XXXX>`: a file name may hold them, no document can."""
    return _SURROGATE.sub(shown, text)


def escaped(json: str) -> str:
    """A JSON text that means the same and shows nothing that acts: inside its strings each is written as an escape."""
    return ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def shown(found: re.Match[str]) -> str:
    """How one such character is written."""
    return f"<U+{ord(found[0]):04X}>"
