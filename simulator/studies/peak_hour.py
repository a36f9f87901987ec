"""The hour in which a campus draws most: estimated for every hour of a period, then simulated for the
day that the estimate names."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import numpy as np

from simulator.components.cooling import LOAD_FRAC
from simulator.engine.cooling import power_frac
from simulator.kernels import columns as c
from simulator.kernels.site_step import HOUR_STEPS
from simulator.policies import setpoint
from simulator.scenario import Scenario
from simulator.simulation import Run, weather_of, world_at_rest
from simulator.site import Site, compile_site
from simulator.weather import for_period
from simulator.workloads import BatchWork, ServedDiffusion, ServedModel, Traffic, Workload
from simulator.workloads.demand import YEAR_H, Demand

AROUND_H = 12
"""Hours before and after the estimated peak in which the one of the simulation is looked for."""
PLANT_LOAD = 0.8
"""Load of the plants at which hours are compared."""


def estimate_w(scenario: Scenario) -> np.ndarray:
    """Return what hours differ by: (hours,) W of served models over batch work on their chips, and of
    the cooling plants at equal load. What never changes is left out."""
    spec = scenario.spec
    site = compile_site(spec.topology)
    world, _ = world_at_rest(scenario, site, 0)
    hours = -int(-spec.period.duration // 3600.0)
    outdoors = for_period(weather_of(scenario), spec.period.start.astimezone(UTC), hours)
    plants_frac = power_frac(site, outdoors, setpoint.chosen(site.topology))
    column = int(np.argmin(np.abs(LOAD_FRAC - PLANT_LOAD)))
    total_w = np.zeros(hours + 1)
    for plant, kind in enumerate(("warm", "chilled")):
        built_w = sum(loop.unit_w * loop.duty_units for loop in site.loops if loop.kind == kind)
        total_w += plants_frac[plant, :, column] * built_w
    served = [w for w in spec.workloads if isinstance(w, ServedModel | ServedDiffusion)]
    pools = world.state.pools
    for p, work in enumerate(served):
        asked = pools.rate_per_s[p] * pools.work_frac[p] / pools.capacity_per_s[p]
        busy = np.minimum(
            asked / work.target_load * pools.replica_accelerators[p], work.most_accelerators
        )
        grid = pools.dynamic_frac.shape[1] - 1
        more = pools.dynamic_frac[p, round(work.target_load * grid)]
        chip = int(world.state.chips[pools.load[p]])
        total_w += busy * (float(more) - _beside(scenario, site, chip)) * _dynamic_w(site, chip)
    return total_w[:hours]


def _beside(scenario: Scenario, site: Site, chip: int) -> float:
    """Return the dynamic power of the batch work that has a chip when no pool has it."""
    name = site.chips[chip].name
    batch = [w for w in scenario.spec.workloads if isinstance(w, BatchWork)]
    return max((w.power for w in batch if not w.accelerators or name in w.accelerators), default=0.0)


def _dynamic_w(site: Site, chip: int) -> float:
    """Return the dynamic power of an accelerator, its share of the host included."""
    rows = site.rows
    row = int(site.rack_row[np.flatnonzero(site.rack_chip == chip)[0]])
    return float(rows.chip_dynamic_w[row] + rows.host_dynamic_w[row] / rows.accelerators[row])


def of_run(run: Run, first_h: int, last_h: int) -> int:
    """Return the hour of a run, from `first_h` up to `last_h`, with the largest mean demand."""
    site = run.records.site
    demand_w = site[:, [c.IT_W, c.COOLING_W, c.HOUSE_W, c.LOSSES_W]].sum(axis=1)
    hourly_w = [demand_w[h * HOUR_STEPS : (h + 1) * HOUR_STEPS].mean() for h in range(first_h, last_h + 1)]
    return first_h + int(np.argmax(hourly_w))


def beginning_at(scenario: Scenario, shift_h: int, duration_s: float) -> Scenario:
    """Return a scenario, without its incidents, whose period begins so many hours later and lasts
    `duration_s`.

    Demand has grown by then; its noise is drawn anew. Work that starts some time after the beginning of
    the period starts when it would, or at once if that is over; what it would have finished by then
    is not known.
    """
    spec = scenario.spec
    period = spec.period.model_copy(update={
        "start": spec.period.start + timedelta(hours=shift_h), "duration": duration_s,
    })  # fmt: skip
    workloads = tuple(_later(work, shift_h) for work in spec.workloads)
    changed = {"period": period, "workloads": workloads, "incidents": ()}
    return replace(scenario, spec=spec.model_copy(update=changed))


def _later(work: Workload, shift_h: int) -> Workload:
    """Return work as it is some hours on."""
    update: dict[str, Any] = {}
    if hasattr(work, "start"):
        update["start"] = max(work.start - shift_h * 3600.0, 0.0)
    demand = getattr(work, "demand", None)
    if demand is not None:
        update["demand"] = _grown(demand, shift_h)
    if isinstance(work, Traffic):
        update["classes"] = tuple(
            cls.model_copy(update={"demand": _grown(cls.demand, shift_h)}) for cls in work.classes
        )
    return work.model_copy(update=update)


def _grown(demand: Demand, shift_h: int) -> Demand:
    if demand.rate is None:
        return demand
    return demand.model_copy(
        update={"rate": demand.rate * (1.0 + demand.growth) ** (shift_h / YEAR_H)}
    )
