"""How a job goes on after it was hit: one file per policy, named as it is."""

import importlib
import pkgutil
from collections.abc import Callable

from simulator.policies.recovery._decision import Damage, Decision, View

RECOVERIES: dict[str, Callable[[View, Damage], Decision]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").decide
    for module in pkgutil.iter_modules(__path__)
    if not module.name.startswith("_")
}
"""Policy name to `decide(view, damage)`; a new file is a new policy."""

__all__ = ["RECOVERIES", "Damage", "Decision", "View"]
