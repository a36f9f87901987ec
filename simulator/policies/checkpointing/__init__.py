"""How much useful time passes between checkpoints: one file per policy, named as it is."""

import importlib
import pkgutil
from collections.abc import Callable

INTERVALS: dict[str, Callable[[float, float], float]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").interval_s
    for module in pkgutil.iter_modules(__path__)
}
"""Policy name to `interval_s(stall_s, mttf_s)`; a new file is a new policy."""
