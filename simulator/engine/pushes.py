"""A bad push of firmware or software: servers of a hall group that fail together, hall by hall."""

import math

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine.alarm import Alarm
from simulator.engine.outage import after, servers_out
from simulator.engine.outage_log import Repair
from simulator.engine.world import World
from simulator.kernels import failures as kernel


def push(world: World, cls: FailureClass, group: int, unit: int, lasts_s: float) -> str:
    """Reach one hall of the group after the other until the push is noticed; return its name.

    The first hall is reached at once, whatever the time to notice. A share of the servers fails, at
    random; a rollback or a repair brings all of a hall back after `lasts_s`.
    """
    site, name = world.site, world.site.topology.halls[group].name
    halls = [h for h, spec in enumerate(site.hall_spec) if spec == site.topology.halls[group]]
    stream = world.stream(f"push/{cls.name}/{name}")
    began, repair = int(world.env.now), world.inflicted
    seen_s = cls.detection * math.exp(cls.detection_spread * stream.normal(began))
    back_s = None
    if repair is not None and repair.unnoticed_s > 0.0:  # a shop's repair is one for all halls
        seen_s, back_s = repair.unnoticed_s, repair.back_s

    def reach(hall: int) -> None:
        racks = np.flatnonzero(site.rack_hall == hall)
        hit = kernel.servers_hit(
            site.rack_servers[racks], cls.push_share, stream.key0, stream.key1, hall, began
        )
        left_s = lasts_s if back_s is None else back_s - world.env.now
        _take(world, cls, racks[hit > 0.0], hit[hit > 0.0], left_s, repair)

    for wave, hall in enumerate(halls):
        if wave and wave * cls.push_wave >= seen_s:
            break
        after(world, wave * cls.push_wave, lambda hall=hall: reach(hall))  # type: ignore[misc]
    return name


def _take(
    world: World, cls: FailureClass, racks: np.ndarray, servers: np.ndarray, lasts_s: float,
    repair: Repair | None,
) -> None:
    """Take servers out and tell each load on them once."""
    if not racks.size:
        return
    held = world.state.racks.load[racks].copy()
    world.log("push", world.rack_name(int(racks[0])), cls.name, lasts_s,
              f"{servers.sum():.0f} servers of {racks.size} racks")  # fmt: skip
    servers_out(world, racks, servers, cls.name, lasts_s, repair)
    for load in np.unique(held):
        cured = lasts_s <= cls.reset if repair is None else repair.transient
        alarm = Alarm(cls.name, racks[held == load], transient=cured)
        world.alarm(int(load), alarm)
