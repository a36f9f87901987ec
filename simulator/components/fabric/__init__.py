"""Networks between scale-up domains, one file per kind."""

import sys

from simulator.components.fabric._base import Counts, Ends, FabricSpec
from simulator.components.kinds import kinds_of, union_of

FABRIC_KINDS = kinds_of(sys.modules[__name__], FabricSpec)

Fabric = union_of(FABRIC_KINDS)
"""Any kind of fabric, told apart by its `kind`."""

__all__ = ["FABRIC_KINDS", "Counts", "Ends", "Fabric", "FabricSpec"]
