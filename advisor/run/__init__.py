"""The parent's side of a measurement: `Child`, warm between requests. No torch here."""

from advisor.run.child import Child

__all__ = ["Child"]
