"""Saves and recovery: tiers that can be, and keys that say something."""

from collections.abc import Iterable, Iterator

from simulator.documents import TreePath
from simulator.errors import squash
from simulator.scenario.checks.plant import Plant, chip_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import SynchronousJob
from simulator.workloads.checkpointing import Checkpointing
from simulator.workloads.recovery import Recovery
from simulator.workloads.synchronous import RESTART

OF_POLICY = {
    "active_per_rack": "hot_spares", "least_share": "degraded_tensor",
    "redundancy": "redundant_pipeline",
}
"""Keys of `recovery` that one policy reads."""
PARTS_OF_RESTART = ("diagnosis", "hot", "processes", "communicators")


def intervals(parts: Parts) -> Iterator[Trouble]:
    """A fixed interval that is not given, or one given that the policy does not use."""
    for i, job in _jobs(parts):
        spec, path = job.checkpoint, ("workloads", i, "checkpoint", "interval")
        fixed = [tier.interval for tier in spec.tiers.values()] or [None]
        if spec.policy == "fixed" and spec.interval is None and None in fixed:
            yield path, "policy 'fixed' needs an interval, e.g. '30 min'"
        elif spec.policy != "fixed" and spec.interval is not None:
            cure = "leave it out, or write 'policy: fixed'"
            yield path, f"policy '{spec.policy}' finds the interval itself; {cure}"


def costs(parts: Parts) -> Iterator[Trouble]:
    """Saves whose cost nobody states, and statements that nothing reads."""
    for i, job in _jobs(parts):
        for path, told in _costs(job.checkpoint, job.recovery):
            yield ("workloads", i, *path), told


def policies(parts: Parts) -> Iterator[Trouble]:
    """Recovery that the plan of the job leaves no room for."""
    for i, job in _jobs(parts):
        path, policy = ("workloads", i, "recovery", "policy"), job.practice.policy
        if policy == "elastic" and job.units < 2:
            yield path, "elastic drops data-parallel replicas, and this plan has one that is whole alone"
        if policy == "redundant_pipeline" and job.plan.pp < 2:
            yield path, "redundant_pipeline needs a neighbour: this plan has one pipeline stage"
        if policy == "hot_spares" and job.practice.active_per_rack is None:
            yield path, "hot_spares needs 'active_per_rack': how many of a rack's chips the job uses"
        for key, reader in OF_POLICY.items():
            if policy != reader and getattr(job.practice, key) != getattr(RESTART, key):
                yield ("workloads", i, "recovery", key), f"only 'policy: {reader}' reads this"


def tiers(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Copies with nowhere to go; more chips of a rack than it has."""
    stored = _storage_racks(plant)
    for i, job in _jobs(parts):
        chip, spec = chip_named(job.accelerator), job.checkpoint
        groups = plant.with_chip(chip, job.halls) if chip else []
        if not groups:
            continue
        path: TreePath = ("workloads", i, "checkpoint")
        each = groups[0].rack.accelerators
        active = job.practice.active_per_rack or each
        if active > each:
            told = f"{active} are more than the {each} of a rack"
            yield ("workloads", i, "recovery", "active_per_rack"), told
        if spec.peer is not None and job.accelerators <= active:
            yield (*path, "peer"), "a job on one rack has no other rack to copy to"
        if spec.remote is not None and spec.remote.bandwidth is None and not stored:
            cure = "list storage racks, or give the tier a 'bandwidth'"
            yield (*path, "remote"), f"no hall has storage racks; {cure}"


def storage(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Storage of racks that no hall has."""
    spec = plant.topology.storage
    if spec is not None and not _storage_racks(plant):
        yield ("topology", "storage", "rack"), f"no hall has support racks of type '{spec.rack}'"


def _costs(spec: Checkpointing, recovery: Recovery | None) -> Iterator[tuple[TreePath, str]]:
    for key in () if spec.tiers else ("stall", "restart"):
        if getattr(spec, key) is None:
            yield ("checkpoint",), f"without a tier (local, peer, remote) this needs '{key}'"
    if spec.tiers and spec.restart is None and recovery is None:
        yield ("checkpoint",), "needs 'restart', or the job a 'recovery' that says what it is made of"
    if not spec.tiers and spec.size is not None:
        yield ("checkpoint", "size"), "only tiers (local, peer, remote) read this"
    for key in PARTS_OF_RESTART if spec.restart is not None and recovery is not None else ():
        if getattr(recovery, key) != getattr(RESTART, key):
            yield ("recovery", key), "'checkpoint.restart' is all of the time; leave one out"


def _storage_racks(plant: Plant) -> int:
    spec = plant.topology.storage
    name = squash(spec.rack if spec is not None else "STORAGE")
    return sum(
        group.hall.count * count
        for group in plant.groups
        for rack, count in group.support
        if name in {squash(known) for known in (rack.name, *rack.aliases)}
    )


def _jobs(parts: Parts) -> Iterable[tuple[int, SynchronousJob]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, SynchronousJob)]
