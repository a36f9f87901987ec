"""What is in service of every fabric, and what that leaves to the jobs on it.

Nothing here runs per tick: shares are solved anew when a switch or link fails or returns, and when
a job takes or leaves racks. A job's traffic over a tier is one flow: all its accelerators send at
one rate, the slowest trunk under any of them decides, and jobs that meet on a trunk share it fairly
per accelerator (`kernels/fair_share.py`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

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
        graph = laid.graph
        self.laid = laid
        self.top = np.flatnonzero(graph.parent < 0)
        self.own = np.ones(graph.parent.size)
        """Share of each node's switches in service; 1 where it has none."""
        self.capacity_bytes_s = graph.bytes_s.copy()
        """What the trunk above each node can carry now."""
        self.damaged = np.zeros(0, np.int64)
        """Nodes that lack a switch, or whose trunk lacks capacity."""
        self._links_out = np.zeros(graph.parent.size)
        self._out: Counter[tuple[int, int]] = Counter()

    def lose_switch(self, tier: int, switch: int) -> int:
        """Take a switch out of service; return its node."""
        node = self.laid.graph.node_of(tier, switch)
        self._out[tier, switch] += 1
        if self._out[tier, switch] == 1:
            self._switches(node, -1)
        return node

    def return_switch(self, tier: int, switch: int) -> None:
        """Bring a switch back; one lost twice comes back after the second repair."""
        self._out[tier, switch] -= 1
        if self._out[tier, switch] == 0:
            self._switches(self.laid.graph.node_of(tier, switch), 1)

    def lose_link(self, node: int) -> None:
        """Take a link of the trunk above a node out of service."""
        self._links_out[node] += 1
        self._carry(np.array([node]))

    def return_link(self, node: int) -> None:
        """Bring a link back."""
        self._links_out[node] -= 1
        self._carry(np.array([node]))

    def _switches(self, node: int, change: int) -> None:
        """A switch carries an equal share of the trunks that begin or end at its node."""
        graph = self.laid.graph
        self.own[node] += change / graph.switches[node]
        self.own[node] = round(self.own[node] * graph.switches[node]) / graph.switches[node]
        self._carry(np.append(np.flatnonzero(graph.parent == node), node))

    def _carry(self, nodes: Ints) -> None:
        """Find anew what the trunks above some nodes can carry."""
        graph = self.laid.graph
        nodes = nodes[graph.parent[nodes] >= 0]
        links = 1.0 - np.minimum(self._links_out[nodes] / graph.links[nodes], 1.0)
        ends = self.own[nodes] * self.own[graph.parent[nodes]]
        self.capacity_bytes_s[nodes] = graph.bytes_s[nodes] * ends * links
        lacking = (self.own < 1.0) | (self.capacity_bytes_s < graph.bytes_s)
        self.damaged = np.flatnonzero(lacking)


@dataclass
class Placed:
    """A job on its racks."""

    racks: Ints
    accelerators: float
    under: dict[int, Floats]
    """By fabric: its accelerators at and below each node."""
    intact: tuple[Tier, ...]
    wan: Wan | None
    now: tuple[Tier, ...]
    told: tuple[Tier, ...] = ()
    """What the job was last told."""

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
        before = self.jobs.get(load)
        if before is not None and np.array_equal(before.racks, racks):
            return
        under: dict[int, Floats] = {}
        for index in np.flatnonzero(np.bincount(self.fabric_of[racks] + 1)[1:]).tolist():
            laid = self.live[index].laid
            under[index] = laid.graph.below(laid.ports_of(racks) / laid.ends.ports_each)
        if not under:
            return
        count = sum(float(part[self.live[i].top].sum()) for i, part in under.items())
        parts = [self.live[i].laid for i in under]
        wan = wan_of([part.name for part in parts], self.wans) if len(parts) > 1 else None
        intact = network(parts, self.wans, round(count))
        same = before is not None and _names(before.intact) == _names(intact)
        now = before.now if before is not None and same else intact
        told = before.told if before is not None else ()
        self.jobs[load] = Placed(racks, count, under, intact, wan, now, told)

    def remove(self, load: int) -> None:
        """Take a job off its racks."""
        self.jobs.pop(load, None)

    def solve(self) -> list[int]:
        """Find every job's share of every tier; return the loads for which that changed."""
        shares = {load: np.ones(len(job.intact)) for load, job in self.jobs.items()}
        for index in range(len(self.live)):
            self._share_fabric(index, shares)
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

    def _share_fabric(self, index: int, shares: dict[int, Floats]) -> None:
        """Lower the shares of jobs to what one fabric has for them, tier by tier.

        Whole trunks carry what the tiers promise, so only damaged ones can bind.
        """
        live = self.live[index]
        here = [load for load, job in self.jobs.items() if index in job.under]
        if not live.damaged.size or not here:
            return
        for name, level in live.laid.spec.levels.items():
            jobs = [load for load in here if name in _names(self.jobs[load].intact)]
            if not jobs:
                continue
            at = [_names(self.jobs[load].intact).index(name) for load in jobs]
            whole = [self.jobs[load].intact[i].bytes_s for load, i in zip(jobs, at, strict=True)]
            limit = np.minimum(whole, [self._wire(index, load) for load in jobs])
            uses = np.array([self._crossing(index, load, level) for load in jobs])
            rates = _fair(uses, live.capacity_bytes_s[live.damaged], limit)
            for load, i, rate, promised in zip(jobs, at, rates, whole, strict=True):
                shares[load][i] = min(shares[load][i], rate / promised)

    def _crossing(self, index: int, load: int, level: int) -> Floats:
        """Return the accelerators that send over each damaged trunk below a level."""
        live, job = self.live[index], self.jobs[load]
        graph, under = live.laid.graph, job.under[index][live.damaged]
        crossed = (graph.tier[live.damaged] < level) & (graph.parent[live.damaged] >= 0)
        return np.where(crossed & (under < job.accelerators * (1.0 - ROUNDING)), under, 0.0)

    def _wire(self, index: int, load: int) -> float:
        """Return what an accelerator's own ports carry: a lost rail is missing at every one."""
        live = self.live[index]
        graph, damaged = live.laid.graph, live.damaged
        rate = live.laid.ends.ports_each * graph.port_bytes_s
        if not graph.spread:
            return rate
        on = (graph.ports[damaged] > 0) & (self.jobs[load].under[index][damaged] > 0.0)
        return rate * float(live.own[damaged[on]].min(initial=1.0))

    def _share_wan(self, wan: Wan, jobs: list[int], shares: dict[int, Floats]) -> None:
        """Lower the shares of jobs over several fabrics to what their lines have for them."""
        groups = [i for i, live in enumerate(self.live) if live.laid.name in wan.joins]
        uses = np.array([[self._of_group(load, i) for i in groups] for load in jobs])
        taking = max(len(self.jobs[load].under) for load in jobs)
        limit = np.array([self.jobs[load].intact[-1].bytes_s for load in jobs])
        rates = _fair(uses, np.full(len(groups), wan.bytes_s(taking)), limit)
        for load, rate, whole in zip(jobs, rates, limit, strict=True):
            shares[load][-1] = rate / whole

    def _of_group(self, load: int, index: int) -> float:
        under = self.jobs[load].under.get(index)
        return 0.0 if under is None else float(under[self.live[index].top].sum())

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


def _fair(uses: Floats, capacity: Floats, limit: Floats) -> Floats:
    """Return max-min fair rates; `uses` (flows, trunks) is load per unit of rate."""
    flow, trunk = np.nonzero(uses)
    start = np.searchsorted(flow, np.arange(limit.size + 1))
    rate = np.zeros(limit.size)
    fair_share(start, trunk, uses[flow, trunk], limit, capacity, rate)
    return rate
