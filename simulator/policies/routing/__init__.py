"""Which model answers a request: one file per policy, a kind of its own with its options."""

import sys

from simulator.components.kinds import kinds_of, union_of
from simulator.policies.route import RoutingPolicy

ROUTING_KINDS = kinds_of(sys.modules[__name__], RoutingPolicy)
"""Every policy; a new file is a new kind."""

Router = union_of(ROUTING_KINDS)
"""Any policy, told apart by its `kind`."""

__all__ = ["ROUTING_KINDS", "Router"]
