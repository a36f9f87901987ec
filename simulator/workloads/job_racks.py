"""The racks of a synchronous job: whole ones, within reach of each other, handed back when broken."""

import numpy as np

from simulator.engine import membership, rewiring
from simulator.engine.world import World
from simulator.policies.placement import choose
from simulator.workloads.synchronous import SynchronousJob


class JobRacks:
    """What one job holds, and how it gets more."""

    def __init__(self, job: SynchronousJob, world: World, load: int) -> None:
        self.world, self.load = world, load
        site = world.site
        self.chip = int(world.state.chips[load])
        per_rack = float(site.rack_accelerators[site.rack_chip == self.chip][0])
        self.wanted = int(np.ceil(job.accelerators / per_rack))
        named = [not job.halls or hall.name in job.halls for hall in site.hall_spec]
        self._usable = np.array(named)[site.rack_hall]
        self._joined = np.zeros(0, np.int64)

    def take(self) -> bool:
        """Hand back racks with failed parts and take whole ones from idle and batch work; return
        whether enough are held, within reach of each other."""
        world, racks = self.world, self.world.state.racks
        held = membership.members(world, self.load)
        membership.release(world, held[racks.up_frac[held] < 1.0])
        held = held[racks.up_frac[held] == 1.0]
        if held.size < self.wanted:
            free = membership.healthy(world, self.chip, ("idle", "batch"))
            free = world.network.within_reach(free[self._usable[free]], held)
            extra = choose(free, world.site.rack_hall, self.wanted - held.size, held)
            membership.assign(world, extra, self.load)
            held = np.union1d(held, extra)
        return held.size >= self.wanted and self._join(held)

    def leave(self) -> None:
        """Hand back all of them."""
        rewiring.leave(self.world, self.load)
        membership.release(self.world, membership.members(self.world, self.load))

    def _join(self, racks: np.ndarray) -> bool:
        """Tell the network of other racks than before; return whether they reach each other."""
        placed = self.world.network.jobs.get(self.load)
        if placed is None or not np.array_equal(racks, self._joined):
            self._joined = racks
            return rewiring.join(self.world, self.load)
        return not placed.cut
