"""How close a runtime's output must be to float32 on the same weights, and what is said where it is not.

The one idea: a configuration that is fast because it computes something else is not a configuration. Relative error
and cosine are of hidden states and logits after the same forced inputs. On random weights logits are near-ties, so
that two next tokens differ says little there; whether they agree is told of real weights only.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.hardware import Dtype
from advisor.core.sizing.measurement import Deviation

LEAST_COSINE: Mapping[Dtype, float] = {"float32": 0.9999, "bfloat16": 0.999, "float16": 0.999, "int8": 0.99}
"""The limits, per dtype: 16-bit and 8-bit as the measuring protocol has them, float32 as two libraries agree."""


def too_far(dtype: Dtype, found: Deviation | None) -> str | None:
    """Why figures of this configuration do not count, or None where they do or nothing was compared."""
    if found is None or found.cosine >= LEAST_COSINE[dtype]:
        return None
    return (
        f"Its output strays from float32 on the same weights: cosine {found.cosine:.4f}, relative error "
        f"{found.relative_error:.2g}; {dtype} must reach {LEAST_COSINE[dtype]:g}."
    )
