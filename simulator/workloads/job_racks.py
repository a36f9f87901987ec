"""The racks of a synchronous job: enough of them whole, within reach of each other, handed back when
broken. Racks stand in slots, so that a failure touches what it broke and nothing else."""

import numpy as np

from simulator.engine import membership, rewiring
from simulator.engine.world import World
from simulator.policies.placement import PLACEMENTS
from simulator.workloads.synchronous import SynchronousJob

EMPTY = -1
ROUNDING = 1e-9
WHOLE = 1.0 - ROUNDING


class JobRacks:
    """What one job holds, and how it gets more."""

    def __init__(self, job: SynchronousJob, world: World, load: int) -> None:
        self.world, self.load, self.units = world, load, job.units
        site = world.site
        self.chip = int(world.state.chips[load])
        self.per_rack = float(site.rack_accelerators[site.rack_chip == self.chip][0])
        self.active = float(job.practice.active_per_rack or self.per_rack)
        """Accelerators of a rack that the job uses."""
        self.wanted = int(np.ceil(job.accelerators / self.active))
        self.slots = np.full(self.wanted, EMPTY)
        self.lacking = self.wanted
        """Slots without a rack."""
        self.least_up = job.least_share * self.active / self.per_rack
        """Share of a rack in service without which it is handed back."""
        self._policy = PLACEMENTS[job.placement]
        self._domain = site.rack_block if self._policy.DOMAIN == "block" else site.rack_hall
        named = [not job.halls or hall.name in job.halls for hall in site.hall_spec]
        self._usable = np.array(named)[site.rack_hall] & (site.rack_chip == self.chip)
        self._one_fabric = np.unique(world.network.fabric_of[self._usable]).size == 1
        self._changed = True
        self._last = np.zeros(self.wanted, np.int64)
        """The rack that a slot has, or had last."""

    @property
    def held(self) -> np.ndarray:
        """Return the racks it holds, in the order of their slots."""
        return self.slots[self.slots >= 0] if self.lacking else self.slots

    def take(self) -> bool:
        """Hand back racks that are broken and take whole ones; return whether all are held, within
        reach of each other."""
        self.drop()
        return self.fill() and self.join()

    def drop(self) -> None:
        """Hand back the racks that have too little in service."""
        (broken,) = (self._up() < self.least_up - ROUNDING).nonzero()
        if self.lacking:
            broken = broken[self.slots[broken] >= 0]
        if broken.size:
            membership.release(self.world, self.slots[broken])
            self.slots[broken] = EMPTY
            self.lacking += int(broken.size)
            self._changed = True

    def fill(self, some: bool = False) -> bool:
        """Take whole racks from idle and batch work for all empty slots or none, or with `some` for as
        many as there are; return whether no slot is empty."""
        if not self.lacking:
            return True
        (empty,), free = (self.slots < 0).nonzero(), self._free()
        empty = empty[: free.size] if some else empty
        favoured = self._neighbours(int(empty[0])) if empty.size == 1 else self.held
        group = max(self.wanted // self.units, 1)
        extra = self._policy.choose(free, self._domain, int(empty.size), favoured, group)
        if extra.size == 0:
            return False
        membership.assign(self.world, extra, self.load)
        self.slots[empty] = self._last[empty] = extra
        self.lacking -= int(empty.size)
        self._changed = True
        return self.lacking == 0

    def any_free(self) -> bool:
        """Return whether an empty slot could be filled now."""
        return self._free().size > 0

    def join(self) -> bool:
        """Tell the network of other racks than before; return whether they reach each other."""
        placed = self.world.network.jobs.get(self.load)
        if placed is None or self._changed:
            self._changed = False
            return rewiring.join(self.world, self.load)
        return not placed.cut

    def leave(self) -> None:
        """Hand back all of them."""
        rewiring.leave(self.world, self.load)
        membership.release(self.world, np.sort(self.held))
        self.slots[:] = EMPTY
        self.lacking = self.wanted

    def warm(self, spares: int) -> int:
        """Return how many of the job's spares stand by: idle racks, as many as it reserved at most."""
        if not spares:
            return 0
        idle = membership.healthy(self.world, self.chip, ("idle",))
        return min(int(np.count_nonzero(self._usable[idle])), spares)

    def slots_of(self, racks: np.ndarray) -> np.ndarray:
        """Return the slots in which some racks stand."""
        if racks.size == 1:
            return (self.slots == racks[0]).nonzero()[0]
        return np.flatnonzero(np.isin(self.slots, racks))

    def domains(self, apart: str) -> np.ndarray:
        """Return the rack, block or hall in which each slot stands, or stood last."""
        site = self.world.site
        if apart == "rack":
            return self._last
        return (site.rack_block if apart == "block" else site.rack_hall)[self._last]

    def unit_shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Return for each unit the share of its chips left in its worst rack, and the racks lacking.

        Unit u of U stands in the slots from u W / U up to (u + 1) W / U of W, shared slots included.
        """
        share, lacking = np.ones(self.units), np.zeros(self.units, np.int64)
        up = self._up() * (self.per_rack / self.active)
        for slot in np.flatnonzero(up < WHOLE):
            first = slot * self.units // self.wanted
            last = max(-(-(slot + 1) * self.units // self.wanted), first + 1)
            share[first:last] = np.minimum(share[first:last], up[slot])
            lacking[first:last] += self.slots[slot] < 0
        return share, lacking

    def _up(self) -> np.ndarray:
        """Return the share of each slot's rack that is in service; 0 where there is none."""
        up: np.ndarray = self.world.state.racks.up_frac[self.slots]
        if self.lacking:
            up[self.slots < 0] = 0.0
        return up

    def _free(self) -> np.ndarray:
        free = membership.healthy(self.world, self.chip, ("idle", "batch"))
        free = free[self._usable[free]]
        return free if self._one_fabric else self.world.network.within_reach(free, self.held)

    def _neighbours(self, slot: int) -> np.ndarray:
        """Return the racks of the unit that a slot belongs to; all of the job's where units are
        smaller than that."""
        each = self.wanted // self.units
        if each <= 1:
            return self.held
        first = slot // each * each
        mine = self.slots[first : first + each]
        return mine[mine >= 0]
