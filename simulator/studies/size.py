"""How big a scenario is, and what a run of it will take, without running it."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from simulator.kernels.site_step import HOUR_STEPS, STEP_S
from simulator.results import SERIES
from simulator.scenario import Scenario
from simulator.simulation import weather_of
from simulator.site import Site, compile_site

START_S, STEP_BASE_S, STEP_PART_S = 1.0, 2.0e-6, 2.5e-8
"""Seconds to start, per simulated minute, and per minute and row, block, hall or node of the power
tree: fitted to timings of the three committed scenarios on one core of a small machine."""
BASE_BYTES, COPIES = 3.0e8, 4.0
"""Memory of the program itself; copies of the time series alive while they become tables."""


@dataclass(frozen=True)
class Size:
    """What a scenario holds, and estimates of one replicate on one core."""

    name: str
    halls: int
    blocks: int
    racks: int
    accelerators: int
    firm_import_mw: float
    entities: int
    workloads: int
    simulated_days: float
    replicates: int
    weather: str
    estimated_s: float
    estimated_bytes: float


def size(scenario: Scenario) -> Size:
    """Return the size of a valid scenario; its plant is compiled for that."""
    spec = scenario.spec
    site, weather = compile_site(spec.topology), weather_of(scenario)
    hours = math.ceil(spec.period.duration / 3600.0)
    return Size(
        name=spec.name,
        halls=len(site.hall_names),
        blocks=len(site.block_names),
        racks=int(site.rack_hall.size) + sum(s.count for s in site.support),
        accelerators=site.accelerators,
        firm_import_mw=site.firm_w / 1e6,
        entities=_entities(site),
        workloads=len(spec.workloads),
        simulated_days=spec.period.duration / 86_400.0,
        replicates=spec.replicates,
        weather=f"{weather.name}: {weather.label}",
        estimated_s=_estimated_s(site, spec.period.duration),
        estimated_bytes=_estimated_bytes(site, hours, len(spec.workloads)),
    )


def as_dict(found: Size) -> dict[str, object]:
    """Return the size as plain values."""
    return asdict(found)


def _entities(site: Site) -> int:
    """Return everything the run keeps a state of."""
    populations = np.array([site.rack_accelerators.sum(), site.rack_servers.sum()])
    racks = site.rack_hall.size + sum(s.count for s in site.support)
    return int(populations.sum()) + racks + _parts(site)


def _parts(site: Site) -> int:
    """Return what each simulated minute visits."""
    groups = (site.row_type, site.block_names, site.loops, site.nodes, site.hall_names)
    return sum(len(group) for group in groups)


def _estimated_s(site: Site, duration_s: float) -> float:
    steps = duration_s / STEP_S
    return START_S + steps * (STEP_BASE_S + STEP_PART_S * _parts(site))


def _estimated_bytes(site: Site, hours: int, workloads: int) -> float:
    elements = {"hall": len(site.hall_names), "loop": len(site.loops), "pool": workloads,
                "job": workloads}  # fmt: skip
    values = hours * HOUR_STEPS * len(SERIES["site"])
    values += sum(hours * count * len(SERIES[level]) for level, count in elements.items())
    return BASE_BYTES + COPIES * 8.0 * values
