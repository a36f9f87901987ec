"""A voltage sag in a run: which machines drop out, which racks lose their work, and their return.

What each load bears is `components/power/sag.py`; the voltage is the same at all of them. Power drawn
inside the sag itself lasts far less than a step and is not followed here (`studies/ride_through.py`).
"""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power import sag
from simulator.engine import feeds, plant_power, power_loss
from simulator.engine.world import World


def strike(world: World, cls: FailureClass, target: int, unit: int, lasts_s: float) -> str:
    """Lower the voltage of the campus for some time; return the name of the connection."""
    row = sag.sags(cls.voltage, lasts_s)
    told = world.site.topology.ride_through
    if not sag.through_machines(row, told).served:
        for hall in range(len(world.site.hall_names)):
            plant_power.dip(world, hall, lasts_s, cls.name)
    for hall in range(len(world.site.hall_names)):
        _racks(world, hall, row, cls)
    return "point of interconnection"


def bears(world: World, hall: int, row: list[sag.Sag]) -> bool:
    """Return whether the racks of a hall work through some sags, on their supplies, batteries or UPS."""
    site, told = world.site, world.site.topology.ride_through
    plan = site.hall_spec[hall].distribution
    if plan is not None and plan.ups is not None:
        return sag.through_ups(row, plan.ups, held_up_s=told.supplies.holds_s(0.0)).served
    mine = np.flatnonzero(site.rack_hall == hall)
    backup = site.rack_types[site.rack_type[mine[0]]].battery_backup
    drawn_w = float(world.state.racks.power_w[mine].mean())
    return sag.through_supplies(row, told, 0.0, backup, drawn_w).served


def _racks(world: World, hall: int, row: list[sag.Sag], cls: FailureClass) -> None:
    """Let the racks of a hall go dark that do not bear the sag."""
    if not bears(world, hall, row):
        power_loss.darken(world, feeds.blocks_of(world.site, hall).tolist(), cls.name, row[-1].end_s)
