"""Batch work: a backlog that fills what jobs and pools leave over, and gives way at once."""

from collections.abc import Generator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.engine import membership
from simulator.engine.state import Load
from simulator.engine.world import World
from simulator.site import Site
from simulator.units import Duration, Fraction, NonNegative


class BatchWork(Spec):
    """Preemptible work without a deadline (evaluation, data generation, embedding)."""

    kind: Literal["batch"]
    name: str
    accelerators: tuple[str, ...] = ()
    """Chips it may use; blank for all."""
    backlog: Annotated[Duration, NonNegative()]
    """Accelerator-time waiting at the start."""
    arrival: Annotated[float, Field(ge=0)] = 0.0
    """Accelerators' worth of new work arriving continuously."""
    power: Annotated[Fraction, Field(ge=0, le=1)] = 0.7
    """Dynamic power of a busy accelerator."""
    priority: int = 10


def loads_of(work: BatchWork, site: Site) -> list[Load]:
    """Return one load per chip the work may use."""
    wanted = {from_catalog.accelerator(name).name for name in work.accelerators}
    return [
        Load(f"{work.name}.{chip.name}", "batch", i, priority=work.priority)
        for i, chip in enumerate(site.chips)
        if not wanted or chip.name in wanted
    ]


def fill(
    work: BatchWork, world: World, reserves: list[tuple[int, int]]
) -> Generator[Any, Any, None]:
    """Every hour take the idle racks while there is a backlog, and keep spares idle.

    Parameters
    ----------
    reserves : [(load of a job, spare racks)]
        What running jobs want held idle; read at each decision, a finished job wants none.
    """
    state, site = world.state, world.site
    loads = [state.load(load.name) for load in loads_of(work, site)]
    share = np.zeros(state.loads.share.shape[1])
    share[0] = 1.0
    for load in loads:
        world.set_load(load, dynamic_frac=work.power, share=share, running=1.0)
    while True:
        done_s = float(sum(state.loads.hours[load, 0] for load in loads))
        left_s = work.backlog + work.arrival * world.env.now - done_s
        for load in loads:
            chip = int(state.chips[load])
            spares = sum(
                racks for job, racks in reserves if state.chips[job] == chip and job in world.alarms
            )
            _fill_chip(world, load, chip, spares, left_s > 0.0)
        yield world.env.timeout(3600.0)


def _fill_chip(world: World, load: int, chip: int, spares: int, wanted: bool) -> None:
    """Keep `spares` whole racks idle and give the rest of the idle racks to the work."""
    if not wanted:
        membership.release(world, membership.members(world, load))
        return
    free = membership.usable(world, chip, ("idle",))
    if not spares:
        membership.assign(world, free, load)
        return
    whole = world.state.racks.up_frac[free] == 1.0
    short = spares - np.count_nonzero(whole)
    if short > 0:
        lent = membership.members(world, load)
        lent = lent[world.state.racks.up_frac[lent] == 1.0]
        membership.release(world, lent[:short])
        return
    membership.assign(world, free[~whole | (np.cumsum(whole) > spares)], load)
