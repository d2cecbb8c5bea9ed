"""How close a runtime's output must be to float32 on the same weights, and what is said where it is not.

The limits are data (`limits.yaml`); here they are held against what was found. The one idea: a configuration that is
fast because it computes something else is not a configuration. Relative error and cosine are of hidden states and
logits after the same forced inputs. On random weights logits are near-ties, so that two next tokens differ says little
there; whether they agree is told of real weights only.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from advisor.core.hardware import Dtype
from advisor.core.model.entry import Words
from advisor.core.sizing.measurement import Deviation
from advisor.core.values import Value


class Limit(Value):
    """One limit, what it means, and where it comes from."""

    value: float = Field(strict=True, gt=0, le=1)
    says: Words
    source: Words


class Limits(Value):
    """The least cosine for each dtype that a model may be served in."""

    least_cosine: Mapping[Dtype, Limit]

    def by_dtype(self) -> dict[Dtype, float]:
        """The figures alone, for whoever measures."""
        return {dtype: limit.value for dtype, limit in self.least_cosine.items()}


def too_far(dtype: Dtype, found: Deviation | None, least_cosine: float | None) -> str | None:
    """Why figures of this configuration do not count; None where they do, or nothing was compared or asked for."""
    if found is None or least_cosine is None or found.cosine >= least_cosine:
        return None
    return (
        f"Its output strays from float32 on the same weights: cosine {found.cosine:.4f}, relative error "
        f"{found.relative_error:.2g}; {dtype} must reach {least_cosine:g}."
    )
