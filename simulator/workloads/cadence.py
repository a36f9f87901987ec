"""How often a job saves, where to, and what that costs its pace."""

from dataclasses import dataclass
from itertools import pairwise
from math import inf

from simulator.components import from_catalog
from simulator.engine.storage import Store
from simulator.performance import checkpoint as cost
from simulator.performance.checkpoint import Way
from simulator.policies.checkpointing import INTERVALS
from simulator.site import Site
from simulator.workloads.checkpointing import Checkpointing, LocalTier, PeerTier, RemoteTier
from simulator.workloads.exposure import Exposure
from simulator.workloads.saves import TierSaves
from simulator.workloads.step import JobStep
from simulator.workloads.synchronous import SynchronousJob, fabric_for

EXPOSED = ("communication", "weight_sync")
"""Phases of a step that wait for the network."""
MOST_CONTENTION = 0.9
"""Of a network that a given bandwidth may take."""


@dataclass(frozen=True)
class Cadence:
    """The rhythm of saving."""

    interval_s: float
    """Useful time between snapshots."""
    stall_s: float
    """Pause for a snapshot."""
    contention_s: float
    """Computing time that transfers take, per snapshot."""
    tiers: tuple[TierSaves, ...]

    @property
    def cycle_s(self) -> float:
        """Time from snapshot to snapshot."""
        return self.interval_s + self.stall_s + self.contention_s

    @property
    def computing_frac(self) -> float:
        """Share of a cycle that is computing at full speed."""
        return self.interval_s / self.cycle_s


class Saving:
    """What one job saves: how much, over which ways, and the rhythm that follows."""

    def __init__(self, job: SynchronousJob, site: Site, store: Store, exposure: Exposure) -> None:
        self.job, self.store, self.exposure = job, store, exposure
        self.spec: Checkpointing = job.checkpoint
        chip = from_catalog.accelerator(job.accelerator)
        beyond = [tier.bytes_s for tier in fabric_for(job, site).tiers if tier.kind == "scaleout"]
        self.network_bytes_s = min([chip.scaleout_bandwidth, *beyond])

    def each_bytes(self, step: JobStep) -> float:
        """Return what one accelerator saves."""
        return self.spec.size or step.checkpoint_bytes / self.job.accelerators

    def cadence(self, step: JobStep, longest_s: float, load: int) -> Cadence:
        """Return the rhythm for a step; no interval is longer than `longest_s`, none of a tier shorter
        than a step."""
        if not self.spec.tiers:
            stall_s = float(self.spec.stall or 0.0)
            interval_s = min(self._wanted_s(None, stall_s, None), longest_s)
            return Cadence(interval_s, stall_s, 0.0, (TierSaves("save", 1, 0.0, self.spec.keep),))
        each = self.each_bytes(step)
        stall_s = self.spec.stall or each / self.spec.host_link
        names = list(self.spec.tiers)
        ways = {name: self._way(name, load) for name in names}
        lost = {name: cost.lost_s(each, ways[name], step.share(*EXPOSED)) for name in names}
        late = {name: cost.transfer_s(each, ways[name]) for name in names}
        first = names[0]
        base_s = self._wanted_s(first, stall_s + lost[first], None)
        least_s = max(late[first] - stall_s - lost[first], step.step_time_s)
        interval_s = min(max(base_s, least_s), longest_s)
        cycle_s = interval_s + stall_s + lost[first]
        every = {first: 1}
        for faster, name in pairwise(names):
            wanted_s = self._wanted_s(name, lost[name], faster)
            every[name] = cost.every(late[name], wanted_s, cycle_s)
        contention_s = sum(lost[name] / every[name] for name in names)
        tiers = tuple(self._saves(name, every[name], late[name]) for name in names)
        return Cadence(interval_s, stall_s, contention_s, tiers)

    def load_s(self, name: str | None, step: JobStep) -> float:
        """Return how long all accelerators take to load from a tier; nothing is loaded from none."""
        each = self.each_bytes(step)
        tier = self.spec.tiers.get(name or "")
        if tier is None:
            return 0.0
        to_chip_s = each / self.spec.host_link
        if isinstance(tier, RemoteTier):
            return max(self._remote_s(tier, each), to_chip_s)
        if isinstance(tier, PeerTier):
            return each / (tier.bandwidth or self.network_bytes_s) + to_chip_s
        slow = tier.bandwidth or (cost.FLASH if tier.medium == "flash" else inf)
        return max(each / slow, to_chip_s)

    def live_s(self, step: JobStep) -> float:
        """Return how long a newcomer takes to get the state of those that live."""
        return self.each_bytes(step) * (1.0 / self.network_bytes_s + 1.0 / self.spec.host_link)

    def most_write_bytes_s(self) -> float:
        """Return what all accelerators together send to storage at most."""
        tier = self.spec.remote
        each = self.store.spec.write_limit if tier is None else tier.bandwidth
        return self.job.accelerators * (each or self.store.spec.write_limit)

    def tell_use(self, cadence: Cadence, step: JobStep, load: int) -> None:
        """Tell the storage how much the job writes on average while it runs."""
        for tier in cadence.tiers:
            if tier.name == "remote":
                total = self.each_bytes(step) * self.job.accelerators
                mean = total / (tier.every * cadence.cycle_s) if tier.transfer_s < inf else 0.0
                self.store.writers[load].mean_bytes_s = mean

    def _remote_s(self, tier: RemoteTier, each: float) -> float:
        if tier.bandwidth is not None:
            return each / tier.bandwidth
        return self.store.read_s(each * self.job.accelerators, self.job.accelerators)

    def _way(self, name: str, load: int) -> Way:
        tier = self.spec.tiers[name]
        if isinstance(tier, LocalTier):
            flash = cost.FLASH if tier.medium == "flash" else inf
            return Way(tier.bandwidth or flash)
        if isinstance(tier, PeerTier):
            if tier.bandwidth is None:
                return Way(tier.share * self.network_bytes_s, tier.share)
            share = min(tier.bandwidth / self.network_bytes_s, MOST_CONTENTION)
            return Way(share * self.network_bytes_s, share)
        if tier.bandwidth is not None and not self.store.racks:
            return Way(tier.bandwidth)
        return Way(self.store.write_bytes_s(load) / self.job.accelerators)

    def _wanted_s(self, name: str | None, cost_s: float, faster: str | None) -> float:
        """Return the useful time between saves that a tier is to have."""
        given = self.spec.tiers[name].interval if name else None
        if given is not None:
            return given
        if self.spec.policy == "fixed":
            return float(self.spec.interval or 0.0)
        mttf_s = self.exposure.mttf_beyond_s(faster)
        return INTERVALS[self.spec.policy](cost_s, mttf_s) if mttf_s < inf else inf

    def _saves(self, name: str, every: int, transfer_s: float) -> TierSaves:
        tier = self.spec.tiers[name]
        memory = not (isinstance(tier, LocalTier) and tier.medium == "flash") and name != "remote"
        return TierSaves(name, every, transfer_s, tier.keep, memory)
