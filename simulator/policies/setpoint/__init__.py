"""How warm a plant's water is to be: one file per policy, named as it is."""

import importlib
import pkgutil

from simulator.components.topology import Topology
from simulator.engine.setpoint import Decide, Deciders

SETPOINTS: dict[str, Decide] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").set_c
    for module in pkgutil.iter_modules(__path__)
}
"""Policy name to `set_c(view)`; a new file is a new policy."""


def chosen(topology: Topology) -> Deciders:
    """Return the policies that a topology names for its warm and its chilled plant."""
    cooling = topology.cooling
    return Deciders(SETPOINTS[cooling.setpoint.policy], SETPOINTS[cooling.chilled_setpoint.policy])
