"""Which loads give way when supply is short: one file per policy, named as it is."""

import importlib
import pkgutil

from simulator.engine.capping import Capping

CAPPINGS: dict[str, Capping] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").decide
    for module in pkgutil.iter_modules(__path__)
    if not module.name.startswith("_")
}
"""Policy name to `decide(views, demand_w, limit_w)`; a new file is a new policy."""
