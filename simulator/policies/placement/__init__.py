"""Which racks a load gets: one file per policy, named as it is."""

import importlib
import pkgutil
from types import ModuleType

from simulator.policies.placement.packed import choose

PLACEMENTS: dict[str, ModuleType] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
}
"""Policy name to module with `choose(candidates, rack_domain, wanted, favoured, group)`, and the
`DOMAIN` (hall or block) it is told of; a new file is a new policy."""

__all__ = ["PLACEMENTS", "choose"]
