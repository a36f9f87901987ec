"""How many replicas a served model holds."""

from simulator.policies.scaling.target_load import replicas

__all__ = ["replicas"]
