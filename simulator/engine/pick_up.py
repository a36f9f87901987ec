"""Racks that come back while power may rise only so fast: `topology.ride_through.ramp`.

From when the first of them have power again, the campus may draw each minute what it drew in the one before
and what the ramp adds. What is not racks comes back by itself and takes its part of that first. The rest
goes by priority: to work that would do more, as caps on loads, and to racks that wait to boot. A job that
stands still is let in with next to nothing, so that what it draws shows before it is let go on.
"""

import numpy as np

from simulator.engine import capping, draw, outage, overload, plant_power, starting
from simulator.engine.outage_log import SHARED, of_one_stage
from simulator.engine.world import World
from simulator.kernels import strikes
from simulator.kernels.site_step import STEP_S

LEAST = 0.01
"""Cap of a job that stands still: of its dynamic power what it may draw before it is seen (1-5 %, assumed;
a hundredth of a campus's is less than its load moves in a minute anyway)."""
NOTHING = 1e-9
"""Cap that stands for no work at racks that are powered."""


class PickUp:
    """The line of racks that wait, and the caps on loads, of one run."""

    def __init__(self, world: World, ramp_w_s: float) -> None:
        self.world, self.step_w = world, ramp_w_s * STEP_S
        self._waiting: list[tuple[starting.Group, np.ndarray]] = []
        self._held_s = np.zeros(world.site.rack_row.size)
        self._level_w: float | None = None
        self._pumps = _pumps_per_heat(world)

    def __call__(self, group: starting.Group, which: np.ndarray) -> None:
        """Have some of a group's racks, by their places in it, wait for their turn."""
        racks = group.racks[which]
        self._held_s[racks] = group.fed_s + group.lasts_s[which]
        self._waiting.append((group, which))
        if self._level_w is None:
            self._level_w = np.inf
            self._next()

    def _next(self) -> None:
        outage.after(self.world, STEP_S - self.world.env.now % STEP_S, self._minute)

    def _minute(self) -> None:
        """Share out what the next minute may draw."""
        world = self.world
        if world.back_w is not None:  # the return to the grid comes first
            self._hold()
            self._next()
            return
        (rest_w, gain), promised_w = self._rest(), plant_power.promised_w(world)
        assert self._level_w is not None
        self._level_w = min(self._level_w, float(world.state.tree.charge.asked_w[0]) + promised_w) + self.step_w
        caps = self._share_out(self._level_w - rest_w - promised_w, gain)
        self._hold()
        some_start = (world.starts.works_s > world.env.now).any()
        jobs_come = any(load in world.alarms for load in world.struck)
        busy = self._waiting or jobs_come or some_start or (caps < 1.0).any()
        world.ramp_caps = caps if busy else None
        self._cap(caps)
        if busy:
            self._next()
        else:
            self._level_w = None

    def _rest(self) -> tuple[float, float]:
        """Return what the campus would draw now without work, in W, and W at the interconnection per W of
        work."""
        now, (on, part) = draw.draw_of(self.world), draw.caps_of(self.world)
        its_w = [now.it_w(caps, part) for caps in (np.where(on > 0.0, NOTHING, 0.0), on)]
        rest_w, drawn_w = (draw.poi_w(self.world, draw.carried_w(self.world, it_w)) for it_w in its_w)
        work_w = float(its_w[1].sum() - its_w[0].sum())
        return rest_w, (drawn_w - rest_w) / work_w if work_w > 1.0 else 1.0

    def _share_out(self, left_w: float, gain: float) -> np.ndarray:
        """Let racks boot, and return the cap on each load, (loads,), of `left_w` for both."""
        loads, priority = self.world.state.loads, self.world.state.priority
        gains = np.where(loads.on > 0.0, gain, 0.0)
        does_w, could_w = gains * self._work_w(), gains * self._work_w(soon=True)
        stands = (loads.synchronous == 1) & (loads.running == 0.0)
        caps = np.where(could_w > 0.0, does_w * loads.cap / np.maximum(could_w, 1.0), 1.0)
        caps = np.where(stands & (loads.on > 0.0), LEAST, np.clip(caps, LEAST, 1.0))
        left_w = (left_w - float((caps * could_w).sum())) / (1.0 + gain * self._pumps)
        waiting = self._line()
        for rank in sorted({*priority[could_w > 0.0].tolist(), *(rank for rank, *_ in waiting)}, reverse=True):
            for load in np.flatnonzero((priority == rank) & (could_w > 0.0) & ~stands):
                more = min(max(left_w / could_w[load], 0.0), 1.0 - caps[load])
                caps[load] += more
                left_w -= more * could_w[load]
            left_w = self._boot([which for told, *which in waiting if told == rank], left_w)
        return caps

    def _work_w(self, soon: bool = False) -> np.ndarray:
        """Return what loads draw for their work without caps, (loads,), with `soon` also at the racks that
        will have started in a minute, and of jobs that stand still what they drew at full work."""
        world = self.world
        racks, loads, starts = world.state.racks, world.state.loads, world.starts
        up, frac = racks.up_frac, loads.dynamic_frac
        if soon:
            comes = (racks.starting_w > 0.0) & (starts.works_s <= world.env.now + STEP_S)
            up = np.where(comes, 1.0, up)
            stands = (loads.synchronous == 1) & (loads.running == 0.0)
            works = np.array([kind not in ("idle", "down") for kind in world.state.kinds])
            frac = np.where(works & (stands | (loads.count <= 0.0)), 1.0, frac)
        dynamic_w: np.ndarray = draw.draw_of(world, up, frac).dynamic_w.sum(axis=0)
        return dynamic_w

    def _line(self) -> list[tuple[int, int, int, int]]:
        """Return who waits: priority, block, rack, and the place of its group; without those that lost
        power meanwhile."""
        found = []
        for k, (group, which) in enumerate(self._waiting):
            for place in which[group.left(self.world)[which]]:
                rack = int(group.racks[place])
                found.append((int(group.priority[place]), int(self.world.site.rack_block[rack]), int(place), k))
        return sorted(found, key=lambda one: (-one[0], *one[1:]))

    def _boot(self, waiting: list[list[int]], left_w: float) -> float:
        """Boot the first of those that wait as far as power goes; return what is left of it."""
        world, told = self.world, self.world.site.topology.ride_through
        chosen: dict[int, list[int]] = {}
        for _, place, k in waiting:
            rack = int(self._waiting[k][0].racks[place])
            needs_w = told.boot_draw * float(world.starts.rest_w[rack])
            if needs_w > left_w:
                break
            left_w -= needs_w
            chosen.setdefault(k, []).append(place)
        for k, places in chosen.items():
            group, which = self._waiting[k]
            some = np.array(places)
            self._waiting[k] = group, np.setdiff1d(which, some)
            self._keep_out(group, some, group.lasts_s[some])
            starting.boot(world, group, some)
        return left_w

    def _hold(self) -> None:
        """Keep those out that go on waiting, and drop groups of which nobody does."""
        world, told = self.world, self.world.site.topology.ride_through
        self._waiting = [(g, kept) for g, w in self._waiting if (kept := w[g.left(world)[w]]).size]
        for group, which in self._waiting:
            due = which[self._held_s[group.racks[which]] <= world.env.now + STEP_S]
            if due.size:
                self._keep_out(group, due, np.full(due.size, max(told.boot, 2.0 * STEP_S)))

    def _keep_out(self, group: starting.Group, which: np.ndarray, each_s: np.ndarray) -> None:
        """Keep racks of a group out for some time from now on; what they do is told as their boot."""
        world, now_s = self.world, self.world.env.now
        for lasts_s in np.unique(each_s):
            racks = group.racks[which[each_s == lasts_s]]
            self._held_s[racks] = now_s + lasts_s
            boots = of_one_stage("boot", now_s + float(lasts_s))
            whole = np.full(racks.size, strikes.RACK)
            outage.servers_out(world, racks, whole, group.cause, float(lasts_s), boots, SHARED)
            for block in set(world.site.rack_block[racks].tolist()) & world.dark.keys():
                dark = world.dark[block]
                world.dark[block] = dark._replace(lit_s=max(dark.lit_s, now_s + float(lasts_s)))

    def _cap(self, caps: np.ndarray) -> None:
        """Have caps come into force with those that elements ask for; loads that no rack works for have none
        but these."""
        world, loads = self.world, self.world.state.loads
        assert world.decide is not None
        inside = bool(world.watch.over or any(node >= 0 for node in world.watch.held_w))
        demand_w = draw.poi_w(world, draw.carried_w(world, draw.draw_of(world).it_w(*draw.caps_of(world))))
        for load in overload.respond(world, world.decide, demand_w, world.env.now, inside):
            capping.switch(world, load)
        for load in np.flatnonzero((loads.on > 0.0) & (loads.count <= 0.0) & (loads.cap != caps)).tolist():
            world.set_load(load, cap=float(caps[load]))


def _pumps_per_heat(world: World) -> float:
    """Return the most W by which pumps of a loop grow with a W of its heat: where their drives are at full flow,
    dP/dq = P/q (3 - 2 h) of the law in `kernels.cooling.pump_frac`, with the share h of the head that is held."""
    loops = world.state.loops
    steepest = loops.pump_w / np.maximum(loops.design_w, 1.0) * (3.0 - 2.0 * loops.held_head)
    return float(np.where(loops.least_flow < 1.0, steepest, 0.0).max(initial=0.0))
