"""Short queues, for tests of what holds for queues of any length."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from advisor.core.sizing import candidates
from advisor.core.sizing.decoding import Decoder
from advisor.core.sizing.serving import Batcher


@pytest.fixture(scope="module")
def short_queues() -> Iterator[None]:
    """Fewer requests per simulation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "Batcher", partial(Batcher, requests=2000))
        patch.setattr(candidates, "Decoder", partial(Decoder, requests=400))
        yield
