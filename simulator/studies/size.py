"""How big a scenario is, and what a run of it will take, without running it."""

import math
from dataclasses import asdict, dataclass

from simulator.kernels.site_step import HOUR_STEPS, STEP_S
from simulator.results import SERIES
from simulator.scenario import Scenario
from simulator.scenario.replicates import most_of
from simulator.simulation import weather_of
from simulator.site import Site, compile_site

START_S, MINUTE_S, RACK_MINUTE_S = 1.5, 6.5e-6, 9.0e-9
"""Seconds to start, per simulated minute, and per minute and accelerator rack: fitted to timings
of the committed scenarios, the campus also at a quarter and at four times its size."""
BASE_BYTES, COPIES = 3.0e8, 6.0
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
        replicates=most_of(spec.replicates),
        weather=f"{weather.name}: {weather.label}",
        estimated_s=_estimated_s(site, spec.period.duration),
        estimated_bytes=_estimated_bytes(site, hours, len(spec.workloads)),
    )


def as_dict(found: Size) -> dict[str, object]:
    """Return the size as plain values."""
    return asdict(found)


def _entities(site: Site) -> int:
    """Return how many things the site holds: chips, servers, racks and the plant around them."""
    groups = (site.hall_names, site.block_names, site.loops, site.nodes)
    plant = sum(len(group) for group in groups) + sum(s.count for s in site.support)
    return int(site.rack_accelerators.sum() + site.rack_servers.sum()) + site.rack_hall.size + plant


def _estimated_s(site: Site, duration_s: float) -> float:
    per_minute_s = MINUTE_S + RACK_MINUTE_S * site.rack_hall.size
    return START_S + duration_s / STEP_S * per_minute_s


def _estimated_bytes(site: Site, hours: int, workloads: int) -> float:
    elements = {"hall": len(site.hall_names), "loop": len(site.loops), "pool": workloads,
                "job": workloads}  # fmt: skip
    values = hours * HOUR_STEPS * len(SERIES["site"])
    values += sum(hours * count * len(SERIES[level]) for level, count in elements.items())
    return BASE_BYTES + COPIES * 8.0 * values
