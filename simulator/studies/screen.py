"""The screen level of a run: hour by hour in closed form, with the replicate's own demand and weather.

No failure, no queue and no control is in it. It is meant to move as the plan engine does, not to be
right: `multifidelity` takes from it what moves alike.
"""

from datetime import UTC

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.components.sizing import chip_of
from simulator.engine.world import Stream
from simulator.metrics.kpi import JOULES_PER_MWH, WATTS_PER_MW
from simulator.rng import key
from simulator.scenario import Scenario
from simulator.scenario.hourly import market_table
from simulator.simulation import weather_of
from simulator.site import Site, compile_site
from simulator.studies.calibrate.models import Inputs, _block_coolant
from simulator.studies.calibrate.models.facility_power import FacilityPower
from simulator.studies.calibrate.models.rack_power import coolant_c_of, input_w
from simulator.weather import for_period
from simulator.workloads import (
    BatchWork,
    ServedDiffusion,
    ServedModel,
    SynchronousJob,
    jobs,
    pools,
    synchronous,
)

Array = NDArray[np.float64]
HOUR_S = 3600.0
KG_PER_T = 1000.0


def screen(scenario: Scenario, replicate: int) -> dict[str, float]:
    """Return indicators of one replicate under their names in `summary.json`; takes milliseconds."""
    spec, site = scenario.spec, compile_site(scenario.spec.topology)
    hours = max(int(-spec.period.duration // -HOUR_S), 1)
    start = spec.period.start.astimezone(UTC)
    outdoors = for_period(weather_of(scenario), start, hours)
    busy, requests = _busy(scenario, site, replicate, hours)
    it_w = _it_w(scenario, site, busy)
    weather = {"dry_bulb": outdoors.dry_bulb_c, "wet_bulb": outdoors.wet_bulb_c, "pressure": outdoors.pressure_pa}
    columns = {name: np.asarray(values[: hours + 1], float) for name, values in weather.items()}
    at_s = np.arange(hours + 1, dtype=float) * HOUR_S
    told = Inputs(at_s, HOUR_S, np.zeros(hours + 1, bool), {"it": it_w, **columns})
    poi_w = FacilityPower(kind="facility_power").predict(scenario, told)
    market = market_table(scenario)
    means = {"power.poi_mean": _mean(poi_w), "power.it_mean": _mean(it_w)}
    poi_j, it_j = (mean_w * spec.period.duration for mean_w in means.values())
    return {
        **{name: mean_w / WATTS_PER_MW for name, mean_w in means.items()},
        "power.poi_peak": float(poi_w.max()) / WATTS_PER_MW,
        "power.pue_mean": poi_j / it_j,
        "energy.poi": poi_j / JOULES_PER_MWH, "energy.it": it_j / JOULES_PER_MWH,
        "cost.energy": _times(poi_w, market, "price_usd_j", poi_j, spec.economics.energy_price),
        "carbon.location": (
            _times(poi_w, market, "carbon_kg_j", poi_j, spec.economics.carbon_intensity) / KG_PER_T
        ),
        **{f"inference.{name}.requests": _mean(rate) * spec.period.duration for name, rate in requests.items()},
    }  # fmt: skip


def _times(poi_w: Array, market: pd.DataFrame, quantity: str, poi_j: float, constant: float) -> float:
    """Return the imported energy times price or carbon: of each hour where a series tells."""
    if market.empty:
        return poi_j * constant
    value = market[quantity].to_numpy(dtype=float)[: len(poi_w) - 1]
    hour_w = 0.5 * (poi_w[:-1] + poi_w[1:])[: len(value)]
    return poi_j * float((hour_w * value).sum() / hour_w.sum())


def _mean(values: Array) -> float:
    """Return the mean over time of values on hour boundaries, straight between."""
    return float(np.trapezoid(values)) / (len(values) - 1)


def _busy(
    scenario: Scenario, site: Site, replicate: int, hours: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return dynamic power by chip, as accelerators at TDP on each hour boundary, and the requests/s
    of each pool: pools take what they need, jobs what they hold, batch work the rest."""
    spec = scenario.spec
    installed = {
        chip.name: float(site.rack_accelerators[site.rack_chip == i].sum()) for i, chip in enumerate(site.chips)
    }
    held = {name: np.zeros(hours + 1) for name in installed}
    busy = {name: np.zeros(hours + 1) for name in installed}
    requests: dict[str, Array] = {}
    for work in spec.workloads:
        if isinstance(work, SynchronousJob):
            chip = site.chips[synchronous.load_of(work, site).chip].name
            held[chip] += work.accelerators
            busy[chip] += work.accelerators * jobs.step_of(work, site).dynamic_power_frac
        elif isinstance(work, ServedModel | ServedDiffusion) and work.demand is not None:
            chip = site.chips[pools.load_of(work, site).chip].name
            requests[work.name], members, power = _pool(scenario, work, replicate, hours)
            held[chip] += members
            busy[chip] += members * power
    for work in spec.workloads:
        if isinstance(work, BatchWork):
            for name in work.accelerators or installed:
                if work.backlog > 0.0 and name in busy:
                    busy[name] += np.maximum(installed[name] - held[name], 0.0) * work.power
    return busy, requests


def _pool(
    scenario: Scenario, work: ServedModel | ServedDiffusion, replicate: int, hours: int
) -> tuple[Array, Array, Array]:
    """Return requests/s, accelerators and their dynamic power on each hour boundary."""
    spec = scenario.spec
    stream = Stream(*key(spec.seed, replicate, f"demand/{work.name}"))
    known = pools.columns_of(work, spec.period.start, hours, stream, (), scenario.trace_folder(work.name))
    rate = known.rate_per_s * known.work_frac
    wanted = np.ceil(rate / (known.capacity_per_s * work.target_load)) * known.replica_accelerators
    members = np.clip(wanted, work.least_accelerators, work.most_accelerators)
    load = np.clip(rate / (known.capacity_per_s * members / known.replica_accelerators), 0.0, 1.0)
    grid = np.linspace(0.0, 1.0, len(known.dynamic_frac))
    return known.rate_per_s, members, np.interp(load, grid, known.dynamic_frac)


def _it_w(scenario: Scenario, site: Site, busy: dict[str, Array]) -> Array:
    """Return the power into all racks on each hour boundary."""
    total_w = site.block_support_w.sum() + np.zeros(len(next(iter(busy.values()))))
    per_block = np.bincount(site.rack_block, minlength=len(site.block_names)).astype(float)
    for i, rack in enumerate(site.rack_types):
        count = int(np.sum(site.rack_type == i))
        if not count:
            continue
        chip = chip_of(rack)
        installed = float(site.rack_accelerators[site.rack_chip == site.chips.index(chip)].sum())
        share = np.minimum(busy[chip.name] / installed, 1.0)
        coolant_c = np.full(len(share), coolant_c_of(scenario, rack))
        heat_w = rack.liquid_fraction * per_block[:, None] * input_w(rack, chip, share, coolant_c)
        own = np.unique(site.rack_block[site.rack_type == i])
        resistance = _block_coolant.at_heat(site, heat_w).resistance_frac[own].mean(axis=0)
        total_w += count * input_w(rack, chip, share, coolant_c, resistance)
    return np.asarray(total_w)
