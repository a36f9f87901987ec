"""Which loads give way when supply is short."""

from simulator.policies.capping.priority import decide

__all__ = ["decide"]
