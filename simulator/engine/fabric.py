"""What is in service of every fabric, and what that leaves to the jobs on it.

Nothing here runs per tick: shares are solved anew when a switch or link fails or returns, and when
a job takes or leaves racks. A job's traffic over a tier is one flow: all its accelerators send at
one rate, the slowest trunk under any of them decides, and jobs that meet on a trunk share it fairly
per accelerator (`kernels/fair_share.py`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.components.fabric.graph import Floats, Ints
from simulator.components.fabric.laid import Laid, network, wan_of
from simulator.components.fabric.tier import Tier
from simulator.components.fabric.wan import Wan
from simulator.kernels.entry import entry_of
from simulator.kernels.fair_share import share_trunks
from simulator.kernels.trunks import accelerators_under, crossing
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
        self._lacking = np.zeros(graph.parent.size, np.bool_)
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
        self._carry_above(node)

    def return_link(self, node: int) -> None:
        """Bring a link back."""
        self._links_out[node] -= 1
        self._carry_above(node)

    def _switches(self, node: int, change: int) -> None:
        """A switch carries an equal share of the trunks that begin or end at its node."""
        graph = self.laid.graph
        self.own[node] += change / graph.switches[node]
        self.own[node] = round(self.own[node] * graph.switches[node]) / graph.switches[node]
        self._carry(np.append(np.flatnonzero(graph.parent == node), node))

    def _carry_above(self, node: int) -> None:
        """Find anew what the trunk above one node can carry: `_carry`, for the commonest failure."""
        graph, own = self.laid.graph, float(self.own[node])
        whole, parent = float(graph.bytes_s[node]), int(graph.parent[node])
        if parent >= 0:
            links = 1.0 - min(float(self._links_out[node]) / float(graph.links[node]), 1.0)
            self.capacity_bytes_s[node] = whole * (own * float(self.own[parent])) * links
        lacks = bool(self.capacity_bytes_s[node] < whole) or own < 1.0
        if lacks != self._lacking[node]:
            self._lacking[node] = lacks
            (self.damaged,) = self._lacking.nonzero()

    def _carry(self, nodes: Ints) -> None:
        """Find anew what the trunks above some nodes can carry."""
        graph = self.laid.graph
        under = nodes[graph.parent[nodes] >= 0]
        links = 1.0 - np.minimum(self._links_out[under] / graph.links[under], 1.0)
        ends = self.own[under] * self.own[graph.parent[under]]
        self.capacity_bytes_s[under] = graph.bytes_s[under] * ends * links
        short = self.capacity_bytes_s[nodes] < graph.bytes_s[nodes]
        self._lacking[nodes] = short | (self.own[nodes] < 1.0)
        self.damaged = np.flatnonzero(self._lacking)


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
    shares: list[float] | None = None
    """Of `intact`, when `now` was last held against them."""

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
        self.moves = 0
        """How often a job took racks or left them."""
        self._entries: dict[Any, Callable[..., Any]] = {}
        self.fabric_of = np.full(site.rack_row.size, -1)
        for index, laid in enumerate(site.fabrics):
            self.fabric_of[laid.racks] = index

    def place(self, load: int, racks: Ints) -> None:
        """Put a job on racks. ValueError if they are of fabrics that nothing joins."""
        before = self.jobs.get(load)
        if before is not None and before.racks.size == racks.size and (before.racks == racks).all():
            return
        under: dict[int, Floats] = {}
        for index in self._count(racks)[1:].nonzero()[0].tolist():
            under[index] = self._call(accelerators_under, *self.live[index].laid.counting(racks))
        if not under:
            return
        count = sum(float(part[self.live[i].top].sum()) for i, part in under.items())
        parts = [self.live[i].laid for i in under]
        wan = wan_of([part.name for part in parts], self.wans) if len(parts) > 1 else None
        intact = network(parts, self.wans, round(count))
        placed = Placed(racks, count, under, intact, wan, intact)
        if before is not None:
            placed.told = before.told
            if _names(before.intact) == _names(intact):
                placed.now = before.now
            if before.intact is intact:
                placed.shares = before.shares
        self.jobs[load] = placed
        self.moves += 1

    def remove(self, load: int) -> None:
        """Take a job off its racks."""
        self.moves += self.jobs.pop(load, None) is not None

    def solve(self) -> list[int]:
        """Find every job's share of every tier; return the loads for which that changed."""
        shares = {load: [1.0] * len(job.intact) for load, job in self.jobs.items()}
        for index, live in enumerate(self.live):
            if live.damaged.size:
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
        of_free, of_held = self._count(free), self._count(held)
        fabrics = np.flatnonzero(of_free + of_held)
        names = [self.live[i - 1].laid.name for i in fabrics.tolist() if i > 0]
        if fabrics.size <= 1 or wan_of(names, self.wans) is not None:
            return free
        chosen = (of_held if held.size else of_free).argmax() - 1
        return free[self.fabric_of[free] == chosen]

    def _count(self, racks: Ints) -> Ints:
        """Return how many of some racks are on no fabric, on the first, on the second..."""
        return np.bincount(self.fabric_of[racks] + 1, minlength=len(self.live) + 1)

    def _call(self, kernel: Any, *arguments: Any) -> Any:
        """Call a kernel by its entry point, found once: the types are the same every time."""
        if kernel not in self._entries:
            self._entries[kernel] = entry_of(kernel, *arguments)
        return self._entries[kernel](*arguments)

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

    def _share_fabric(self, index: int, shares: dict[int, list[float]]) -> None:
        """Lower the shares of jobs to what one fabric has for them, tier by tier.

        Whole trunks carry what the tiers promise, so only damaged ones can bind.
        """
        live = self.live[index]
        here = {load: _names(job.intact) for load, job in self.jobs.items() if index in job.under}
        for name, level in live.laid.spec.levels.items():
            at = {load: names.index(name) for load, names in here.items() if name in names}
            if not at:
                continue
            whole = [self.jobs[load].intact[i].bytes_s for load, i in at.items()]
            limit = [min(b, self._wire(index, load)) for b, load in zip(whole, at, strict=True)]
            uses = np.array([self._crossing(index, load, level) for load in at])
            left = live.capacity_bytes_s[live.damaged]
            rates = self._call(share_trunks, uses, np.array(limit), left)
            for (load, i), rate, promised in zip(at.items(), rates.tolist(), whole, strict=True):
                shares[load][i] = min(shares[load][i], rate / promised)

    def _crossing(self, index: int, load: int, level: int) -> Floats:
        """Return the accelerators that send over each damaged trunk below a level."""
        live, job = self.live[index], self.jobs[load]
        graph, most = live.laid.graph, job.accelerators * (1.0 - ROUNDING)
        uses: Floats = self._call(
            crossing, job.under[index], most, live.damaged, graph.tier, graph.parent, level
        )
        return uses

    def _wire(self, index: int, load: int) -> float:
        """Return what an accelerator's own ports carry: a lost rail is missing at every one."""
        live = self.live[index]
        graph, damaged = live.laid.graph, live.damaged
        rate = live.laid.ends.ports_each * graph.port_bytes_s
        if not graph.spread:
            return rate
        on = (graph.ports[damaged] > 0) & (self.jobs[load].under[index][damaged] > 0.0)
        return rate * float(live.own[damaged[on]].min(initial=1.0))

    def _share_wan(self, wan: Wan, jobs: list[int], shares: dict[int, list[float]]) -> None:
        """Lower the shares of jobs over several fabrics to what their lines have for them."""
        groups = [i for i, live in enumerate(self.live) if live.laid.name in wan.joins]
        uses = np.array([[self._of_group(load, i) for i in groups] for load in jobs])
        taking = max(len(self.jobs[load].under) for load in jobs)
        limit = np.array([self.jobs[load].intact[-1].bytes_s for load in jobs])
        rates = share_trunks(uses, limit, np.full(len(groups), wan.bytes_s(taking)))
        for load, rate, whole in zip(jobs, rates.tolist(), limit.tolist(), strict=True):
            shares[load][-1] = rate / whole

    def _of_group(self, load: int, index: int) -> float:
        under = self.jobs[load].under.get(index)
        return 0.0 if under is None else float(under[self.live[index].top].sum())

    def _settle(self, load: int, shares: list[float]) -> bool:
        """Give a job its tiers; return whether that changes anything."""
        job = self.jobs[load]
        if shares == job.shares:
            return False
        job.shares = shares
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
