"""Text from files and processes, made safe to paint.

Rules, models, answers and messages of the child are data. A control or bidirectional character in them could move the
cursor, rewrite the clipboard or turn words around; each is shown as what it is instead.
"""

from __future__ import annotations

import re

from advisor.core.characters import shown

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


def printable(text: object) -> str:
    """The text on one line, every character that would act instead of being seen written as `<U+XXXX>`."""
    return _UNPRINTABLE.sub(_shown, str(text))


def _shown(found: re.Match[str]) -> str:
    return " " if found[0] in "\t\n\r" else shown(found)
