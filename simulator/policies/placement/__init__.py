"""Which racks a load gets."""

from simulator.policies.placement.packed import choose

__all__ = ["choose"]
