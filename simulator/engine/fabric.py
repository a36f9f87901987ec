"""What is in service of every fabric, and what that leaves to the jobs on it.

Nothing here runs per tick: shares are solved anew when a switch or link fails or returns, and when
a job takes or leaves racks. A job's traffic over a tier is one flow: all its accelerators send at
one rate, the slowest trunk under any of them decides, and jobs that meet on a trunk share it fairly
per accelerator (`kernels/fair_share.py`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.components.fabric.graph import Floats, Ints
from simulator.components.fabric.laid import Laid, network, wan_of
from simulator.components.fabric.tier import Tier
from simulator.components.fabric.wan import Wan
from simulator.kernels.fair_share import fair_share
from simulator.site import Site

ROUNDING = 1e-9
"""Relative change of a tier's rate that is none."""


class Live:
    """One fabric with its elements in and out of service."""

    def __init__(self, laid: Laid) -> None:
        self.laid = laid
        self.switches_out = np.zeros(laid.graph.parent.size)
        self.links_out = np.zeros(laid.graph.parent.size)
        self._out: Counter[tuple[int, int]] = Counter()

    def lose_switch(self, tier: int, switch: int) -> int:
        """Take a switch out of service; return its node."""
        node = self.laid.graph.node_of(tier, switch)
        self._out[tier, switch] += 1
        self.switches_out[node] += self._out[tier, switch] == 1
        return node

    def return_switch(self, tier: int, switch: int) -> None:
        """Bring a switch back; one lost twice comes back after the second repair."""
        self._out[tier, switch] -= 1
        node = self.laid.graph.node_of(tier, switch)
        self.switches_out[node] -= self._out[tier, switch] == 0

    def own(self) -> Floats:
        """Return the share of each node's switches in service; (nodes,)."""
        switches = self.laid.graph.switches
        return np.where(switches > 0, 1.0 - self.switches_out / np.maximum(switches, 1), 1.0)

    def capacity_bytes_s(self) -> Floats:
        """Return what the trunk above each node can carry; (nodes,).

        A switch carries an equal share of its node's trunks, a link one of those of its trunk.
        """
        graph, own = self.laid.graph, self.own()
        links = 1.0 - np.minimum(self.links_out / np.maximum(graph.links, 1), 1.0)
        above = np.where(graph.parent >= 0, own[graph.parent], 1.0)
        return graph.bytes_s * own * above * links


@dataclass
class Placed:
    """A job on its racks."""

    accelerators: float
    under: dict[int, Floats]
    """By fabric: its accelerators at and below each node."""
    intact: tuple[Tier, ...]
    wan: Wan | None
    now: tuple[Tier, ...] = field(default=())

    @property
    def cut(self) -> bool:
        """Whether some of it cannot be reached at all."""
        return any(tier.bytes_s <= 0.0 for tier in self.now)


class Network:
    """The fabrics of a site and the jobs on them."""

    def __init__(self, site: Site) -> None:
        self.live = [Live(laid) for laid in site.fabrics]
        self.wans = site.topology.wan
        self.jobs: dict[int, Placed] = {}
        self.fabric_of = np.full(site.rack_row.size, -1)
        for index, laid in enumerate(site.fabrics):
            self.fabric_of[laid.racks] = index

    def place(self, load: int, racks: Ints) -> None:
        """Put a job on racks. ValueError if they are of fabrics that nothing joins."""
        under: dict[int, Floats] = {}
        for index, live in enumerate(self.live):
            laid = live.laid
            held = laid.ports_of(racks)
            if held.any():
                under[index] = laid.graph.below(held / laid.ends.ports_each)
        if not under:
            return
        count = sum(float(part[self._top(i)].sum()) for i, part in under.items())
        parts = [self.live[i].laid for i in under]
        wan = wan_of([part.name for part in parts], self.wans) if len(parts) > 1 else None
        intact = network(parts, self.wans, round(count))
        before = self.jobs.get(load)
        same = before is not None and _names(before.intact) == _names(intact)
        now = before.now if before is not None and same else intact
        self.jobs[load] = Placed(count, under, intact, wan, now)

    def remove(self, load: int) -> None:
        """Take a job off its racks."""
        self.jobs.pop(load, None)

    def solve(self) -> list[int]:
        """Find every job's share of every tier; return the loads for which that changed."""
        shares = {load: np.ones(len(job.intact)) for load, job in self.jobs.items()}
        for index, live in enumerate(self.live):
            here = [load for load, job in self.jobs.items() if index in job.under]
            if here:
                self._share_fabric(index, live, here, shares)
        for wan in self.wans:
            across = [load for load, job in self.jobs.items() if job.wan is wan]
            if across:
                self._share_wan(wan, across, shares)
        return [load for load in self.jobs if self._settle(load, shares[load])]

    def within_reach(self, free: Ints, held: Ints) -> Ints:
        """Return those of the free racks that a job can span with those it holds.

        All of them where one WAN joins their fabrics; otherwise those of one fabric, that of the
        racks held or the one with most room.
        """
        fabrics = np.unique(self.fabric_of[np.concatenate([free, held])])
        names = [self.live[i].laid.name for i in fabrics if i >= 0]
        if fabrics.size <= 1 or wan_of(names, self.wans) is not None:
            return free
        of = self.fabric_of[held] if held.size else self.fabric_of[free]
        chosen = np.bincount(of + 1).argmax() - 1
        return free[self.fabric_of[free] == chosen]

    def uses(self, index: int) -> bool:
        """Return whether any job is on a fabric."""
        return any(index in job.under for job in self.jobs.values())

    def racks_behind(self, index: int, node: int, switch: int) -> Ints:
        """Return the racks that hang on one switch of a leaf node, on none but it if not on rails."""
        laid = self.live[index].laid
        graph = laid.graph
        leaf = int(np.flatnonzero(graph.leaves == node)[0])
        first, last = graph.edges[leaf], graph.edges[leaf + 1]
        if graph.spread:
            return laid.racks_on(first, last)
        each = (last - first) / graph.switches[node]
        start = first + (switch - graph.first[node]) * each
        return laid.racks_on(start, start + each)

    def _top(self, index: int) -> Ints:
        return np.flatnonzero(self.live[index].laid.graph.parent < 0)

    def _share_fabric(
        self, index: int, live: Live, here: list[int], shares: dict[int, Floats]
    ) -> None:
        """Lower the shares of jobs to what one fabric has for them, tier by tier."""
        laid, capacity, own = live.laid, live.capacity_bytes_s(), live.own()
        graph = laid.graph
        for name, level in laid.spec.levels.items():
            jobs = [load for load in here if self._tier(load, name) is not None]
            if not jobs:
                continue
            rows, limits = [], []
            for load in jobs:
                job = self.jobs[load]
                under, whole = job.under[index], job.accelerators
                crossed = (graph.tier < level) & (under > 0.0) & (under < whole * (1.0 - ROUNDING))
                rows.append(np.where(crossed & (graph.parent >= 0), under, 0.0))
                wire = laid.ends.ports_each * graph.port_bytes_s
                held = own[graph.leaves][under[graph.leaves] > 0.0].min() if graph.spread else 1.0
                tier = job.intact[self._tier(load, name)]
                limits.append(min(tier.bytes_s, wire * held))
            rates = _shares(np.array(rows), capacity, np.array(limits))
            for load, rate in zip(jobs, rates, strict=True):
                at = self._tier(load, name)
                shares[load][at] = min(shares[load][at], rate / self.jobs[load].intact[at].bytes_s)

    def _share_wan(self, wan: Wan, jobs: list[int], shares: dict[int, Floats]) -> None:
        """Lower the shares of jobs over several fabrics to what their lines have for them."""
        groups = [i for i, live in enumerate(self.live) if live.laid.name in wan.joins]
        rows = np.array([
            [self._of_group(load, i) for i in groups] for load in jobs
        ])  # fmt: skip
        taking = max(len(self.jobs[load].under) for load in jobs)
        capacity = np.full(len(groups), wan.bytes_s(taking))
        limits = np.array([self.jobs[load].intact[-1].bytes_s for load in jobs])
        for load, rate, limit in zip(jobs, _shares(rows, capacity, limits), limits, strict=True):
            shares[load][-1] = rate / limit

    def _of_group(self, load: int, index: int) -> float:
        under = self.jobs[load].under.get(index)
        return 0.0 if under is None else float(under[self._top(index)].sum())

    def _tier(self, load: int, name: str) -> int | None:
        """Return which of a job's tiers has a name."""
        names = _names(self.jobs[load].intact)
        return names.index(name) if name in names else None

    def _settle(self, load: int, shares: Iterable[float]) -> bool:
        """Give a job its tiers; return whether that changes anything."""
        job = self.jobs[load]
        now = tuple(
            replace(tier, bytes_s=tier.bytes_s * share)
            for tier, share in zip(job.intact, shares, strict=True)
        )
        changed = any(
            abs(new.bytes_s - old.bytes_s) > ROUNDING * old.bytes_s
            for new, old in zip(now, job.now, strict=True)
        )
        job.now = now if changed else job.now
        return changed


def _names(tiers: tuple[Tier, ...]) -> list[str]:
    return [tier.name for tier in tiers]


def _shares(uses: Floats, capacity: Floats, limit: Floats) -> Floats:
    """Return max-min fair rates; `uses` (flows, trunks) is load per unit of rate."""
    flow, trunk = np.nonzero(uses)
    start = np.searchsorted(flow, np.arange(limit.size + 1))
    rate = np.zeros(limit.size)
    fair_share(start, trunk, uses[flow, trunk], limit, capacity, rate)
    return rate
