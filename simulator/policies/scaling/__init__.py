"""How many replicas a served model wants: one file per policy, named as it is."""

import importlib
import pkgutil
from collections.abc import Callable

from simulator.policies.pool_view import PoolView

SCALERS: dict[str, Callable[[PoolView], int]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").replicas
    for module in pkgutil.iter_modules(__path__)
}
"""Policy name to `replicas(view)`; a new file is a new policy. The pool's bounds are kept for it."""
