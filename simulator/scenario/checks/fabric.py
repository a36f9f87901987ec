"""Fabrics: large enough for their endpoints, joined where a job spans several."""

from collections.abc import Iterator

from simulator.components.fabric.laid import wan_of
from simulator.components.sizing import ends_of, fabric_of
from simulator.errors import nearest
from simulator.scenario.checks.plant import Group, Plant, chip_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import SynchronousJob


def too_small(plant: Plant) -> Iterator[Trouble]:
    """Fabrics whose switches cannot join what hangs on them."""
    for g in plant.groups:
        ends = ends_of(plant.topology, g.hall)
        try:
            if ends is not None:
                fabric_of(plant.topology, g.hall).counts(ends)
        except ValueError as error:
            own = ("topology", "halls", g.index, "fabric")
            yield own if g.hall.fabric else ("topology", "fabric"), f"{g.hall.name}: {error}"


def unknown_ends(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Long-haul links to halls that are not built, or from a hall to itself."""
    known = [g.hall.name for g in plant.groups]
    for i, wan in enumerate(plant.topology.wan):
        for k, name in enumerate(wan.joins):
            path = ("topology", "wan", i, "joins", k)
            if name not in known:
                cure = nearest(name, known) or f"; there are {', '.join(known)}"
                yield path, f"unknown hall '{name}'{cure}"
            elif name in wan.joins[:k]:
                yield path, f"'{name}' is joined to itself; name each hall once"


def apart(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Jobs larger than any one fabric they may use, on fabrics that nothing joins."""
    for i, job in parts.workloads.items():
        chip = chip_named(job.accelerator) if isinstance(job, SynchronousJob) else None
        if not isinstance(job, SynchronousJob) or chip is None:
            continue
        groups = plant.with_chip(chip, job.halls)
        most = max((g.racks * g.rack.accelerators for g in groups), default=job.accelerators)
        names = [g.hall.name for g in groups]
        joined = len(names) < 2 or wan_of(names, plant.topology.wan) is not None
        if job.accelerators > most and not joined:
            told = f"{job.accelerators} accelerators need the halls {' and '.join(names)}, whose "
            cure = f"fabrics nothing joins; add a link to 'topology.wan', or take at most {most}"
            yield ("workloads", i, "accelerators"), told + cure


def sites(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Jobs whose plan tells other sites than those they span, or none where they span several."""
    for i, job in parts.workloads.items():
        chip = chip_named(job.accelerator) if isinstance(job, SynchronousJob) else None
        if not isinstance(job, SynchronousJob) or chip is None:
            continue
        names = _spanned(plant.with_chip(chip, job.halls), job.accelerators)
        joined = len(names) == 1 or wan_of(names, plant.topology.wan) is not None
        told = _unlike(job, names) if names and joined else ""
        if told:
            path = ("workloads", i, "plan")
            yield (*path, "sites") if job.plan.sites else path, told


def _spanned(groups: list[Group], accelerators: int) -> list[str]:
    """Return the groups a job is on, the fewest that hold it; none if all of them do not."""
    names, left = list[str](), accelerators
    for g in sorted(groups, key=lambda g: -g.racks * g.rack.accelerators):
        if left > 0:
            names.append(g.hall.name)
            left -= g.racks * g.rack.accelerators
    return [] if left > 0 else names


def _unlike(job: SynchronousJob, names: list[str]) -> str:
    """Return how the sites of a plan differ from those that the job spans, nothing if they do not."""
    count, listed = len(names), " and ".join(names)
    if job.plan.sites is None:
        # Where some accelerators only write answers, those that train may be on one site.
        if count == 1 or job.trainers < job.accelerators:
            return ""
        cure = f"say how their data-parallel ranks keep together, 'sites: {{sites: {count}}}'"
        return f"the job spans {listed}, joined over a distance; {cure}"
    if job.plan.sites.sites == count:
        return ""
    if count == 1:
        return f"{listed} alone holds the job, on one site; leave 'sites' out"
    return f"the job spans {count} sites, {listed}, not {job.plan.sites.sites}; write {count}"
