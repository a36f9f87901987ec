"""Fabrics: large enough for their endpoints, joined where a job spans several."""

from collections.abc import Iterator

from simulator.components.fabric.laid import wan_of
from simulator.components.sizing import ends_of, fabric_of
from simulator.errors import nearest
from simulator.scenario.checks.plant import Plant, chip_named
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
