"""One campus under several skies: what it can carry, what cooling takes, and its water, hour by hour.

Every hour is the steady state of the site with all accelerators as busy as that hour allows: no more
than the firm import feeds, and no chip warmer than where its clocks begin to fall. No workload, no
failure and no thermal mass is in it; the engine's own run has those.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from simulator.components.accelerator import Accelerator
from simulator.components.rack import Rack
from simulator.engine.cooling import thin_air
from simulator.scenario import Scenario
from simulator.simulation import weather_of
from simulator.site import Site, compile_site
from simulator.studies.calibrate.models import _block_coolant
from simulator.studies.calibrate.models._sums import add_rows
from simulator.studies.calibrate.models.facility_power import Plants, Settled, plants_of, settled
from simulator.studies.calibrate.models.rack_power import input_w
from simulator.weather import for_period

Array = NDArray[np.float64]
BUSY = np.linspace(0.0, 1.0, 6)
"""Dynamic power of the chips, over idle to TDP, at which hours are settled; straight between."""
CUT_SIGMA = 3.0
"""Where the engine cuts the manufacturing spread of a rack's hottest chip (`engine.state`)."""
ROUNDS = 3
"""Of coolant -> leakage -> heat -> coolant; each gains more than one digit."""
HOUR_S = 3600.0
CASE = ("design", "climate")
SHARE_BELOW = 0.05
"""Of the hours that `usable_mw_p05` may miss."""
HOURS = {
    "time": "Start of the hour, UTC", "dry_bulb_c": "Outdoor air", "wet_bulb_c": "Outdoor air",
    "installed_w": "IT power with every chip at TDP", "usable_w": "IT power that the hour allows",
    "limit": "What keeps it there: installed, connection or chips", "poi_w": "Import at that power",
    "evaporation_kg_s": "With drift", "withdrawal_kg_s": "With blowdown",
    "coolant_c": "Warmest coolant or air at the chips at full work",
    "margin_k": "Smallest distance of a mean chip to where its clocks begin to fall, at full work whether or "
    "not the hour carries that",
    "worst_margin_k": "The same of the chip that sits worst, as far as racks differ as made",
}  # fmt: skip
TABLE = {
    "design": "Name under the document's `scenarios:`, blank for the document as it is",
    "climate": "Name of the weather", "weather": "Its file, and whether typical or actual",
    "installed_mw": "IT power with every chip at TDP, mean of the hours",
    "usable_mw_min": "IT power that the worst hour allows",
    "usable_mw_p05": "IT power that 95 % of the hours allow", "usable_mw_mean": "Mean of the hours",
    "firm_mw": "Import that survives the loss of one element", "poi_peak_mw": "Largest hour's import",
    "pue": "Import over IT energy", "wue_l_kwh": "Water consumed per IT energy",
    "full_work_throttles_h": "Hours in which full work of all chips, whether or not the connection carries it, "
    "would throttle a mean chip",
    "worst_chip_throttles_h": "The same for the chip that sits worst: racks differ as made",
    "capped_h": "Hours in which the connection carries less than what is installed",
    "water_consumed_m3": "Evaporation and drift", "water_withdrawn_m3": "With blowdown",
    "water_peak_day_m3": "Withdrawn on the thirstiest day",
    "coolant_max_c": "Warmest coolant or air at the chips at full work",
    "margin_min_k": "Smallest margin of a mean chip at full work",
    "worst_margin_min_k": "The same of the chip that sits worst",
}  # fmt: skip
"""Columns of `climates.parquet`."""


@dataclass(frozen=True)
class _Full:
    """A site at one level of work: (hours,), but margins and `halls_w`, (halls, hours)."""

    it_w: Array
    halls_w: Array
    margin_k: Array
    worst_margin_k: Array
    coolant_c: Array
    state: Settled


def hours(scenario: Scenario) -> pd.DataFrame:
    """Return one row per hour of the scenario's period, columns `HOURS`."""
    spec, site = scenario.spec, compile_site(scenario.spec.topology)
    count = max(int(-spec.period.duration // -HOUR_S), 1)
    start = spec.period.start.astimezone(UTC)
    air = for_period(weather_of(scenario), start, count)
    plants = plants_of(site, air)
    thin = thin_air(site, air)
    levels = [_settled(site, plants, thin, busy) for busy in BUSY]
    it_w = np.stack([level.it_w for level in levels])
    limits = {"connection": _by_connection(site, levels), "chips": _by_chips(levels)}
    usable_w = np.minimum(it_w[-1], np.minimum(*limits.values()))
    table = {
        "time": pd.date_range(start, periods=count + 1, freq="h"),
        "dry_bulb_c": air.dry_bulb_c, "wet_bulb_c": air.wet_bulb_c,
        "installed_w": it_w[-1], "usable_w": usable_w, "limit": _binding(it_w[-1], limits),
        "coolant_c": levels[-1].coolant_c, "margin_k": levels[-1].margin_k.min(axis=0),
        "worst_margin_k": levels[-1].worst_margin_k.min(axis=0),
    }  # fmt: skip
    states = [level.state for level in levels]
    consumed = [state.evaporation_kg_s.sum(axis=0) for state in states]
    drained = [state.blowdown_kg_s.sum(axis=0) for state in states]
    table["poi_w"] = _between(it_w, [state.poi_w for state in states], usable_w)
    table["evaporation_kg_s"] = _between(it_w, consumed, usable_w)
    table["withdrawal_kg_s"] = table["evaporation_kg_s"] + _between(it_w, drained, usable_w)
    return pd.DataFrame(table)[list(HOURS)].iloc[:count]


@dataclass(frozen=True)
class Case:
    """A design under a climate."""

    design: str
    climate: str
    scenario: Scenario


def compare(
    cases: Iterable[Case], told: Callable[[int], None] = lambda done: None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per case, columns `TABLE`, and the hours of all, `HOURS` with design and climate.

    `told` is called with the number of cases that are done.
    """
    rows, every = [], []
    for case in cases:
        found = hours(case.scenario)
        named = {"design": case.design, "climate": case.climate}
        rows.append(named | _row(case.scenario, found))
        every.append(found.assign(**named))
        told(len(every))
    return pd.DataFrame(rows)[list(TABLE)], pd.concat(every, ignore_index=True)[[*CASE, *HOURS]]


def summary(found: pd.DataFrame, utc_offset_h: float) -> dict[str, float]:
    """Return the figures of a table of hours; days are those of local standard time."""
    it_j, poi_j = found["usable_w"].sum() * HOUR_S, found["poi_w"].sum() * HOUR_S
    consumed_m3, withdrawn_m3 = (
        found[name] * HOUR_S / 1000.0 for name in ("evaporation_kg_s", "withdrawal_kg_s")
    )
    day = (found["time"] + pd.Timedelta(hours=utc_offset_h)).dt.floor("D")
    usable_mw = found["usable_w"] / 1e6
    return {
        "installed_mw": found["installed_w"].mean() / 1e6,
        "usable_mw_min": usable_mw.min(), "usable_mw_p05": usable_mw.quantile(SHARE_BELOW),
        "usable_mw_mean": usable_mw.mean(), "poi_peak_mw": found["poi_w"].max() / 1e6,
        "pue": poi_j / it_j, "wue_l_kwh": consumed_m3.sum() * 1000.0 / (it_j / 3.6e6),
        "full_work_throttles_h": float((found["margin_k"] < 0.0).sum()),
        "worst_chip_throttles_h": float((found["worst_margin_k"] < 0.0).sum()),
        "capped_h": float((found["limit"] == "connection").sum()),
        "water_consumed_m3": consumed_m3.sum(), "water_withdrawn_m3": withdrawn_m3.sum(),
        "water_peak_day_m3": withdrawn_m3.groupby(day).sum().max(),
        "coolant_max_c": found["coolant_c"].max(), "margin_min_k": found["margin_k"].min(),
        "worst_margin_min_k": found["worst_margin_k"].min(),
    }  # fmt: skip


def _row(scenario: Scenario, found: pd.DataFrame) -> dict[str, object]:
    weather, firm_w = weather_of(scenario), compile_site(scenario.spec.topology).firm_w
    told = {"weather": f"{weather.name}: {weather.label}", "firm_mw": firm_w / 1e6}
    return told | summary(found, weather.utc_offset_h)


def _settled(site: Site, plants: Plants, thin: Array, busy: float) -> _Full:
    """Return the site with every chip at one dynamic power, over idle to TDP; `thin` is `thin_air`."""
    cooling, count = site.topology.cooling, plants.maps.supply_c.shape[1]
    halls = [int(np.flatnonzero(site.rack_hall == h)[0]) for h in range(len(site.hall_names))]  # first racks
    racks = [site.rack_types[int(site.rack_type[first])] for first in halls]
    chips = [site.chips[int(site.rack_chip[first])] for first in halls]
    liquid = np.array([rack.liquid_cooled for rack in racks])
    per_block = np.bincount(site.rack_block, minlength=len(site.block_names)).astype(float)
    air_c = cooling.fan_wall.supply_air_c(cooling.chilled_supply)
    own_c = cooling.coolant_unit.coolant_c(cooling.supply)
    coolant_c = np.where(liquid, own_c, air_c)[:, None] + np.zeros((len(halls), count))
    drawn, resistance = np.full(count, busy), np.tile(thin[halls, None], count)
    for _ in range(ROUNDS):
        each = zip(racks, chips, coolant_c, resistance, strict=True)
        each_w = np.stack([input_w(rack, chip, drawn, at_c, frac) for rack, chip, at_c, frac in each])
        racks_w = per_block[:, None] * each_w[site.block_hall]
        blocks_w = racks_w + site.block_support_w[:, None]
        state = settled(site, blocks_w, plants)
        fluid_c, resistance = _mean_blocks(site, state, blocks_w)
        resistance = resistance * thin[halls, None]
        coolant_c = np.where(liquid[:, None], fluid_c, state.intake_c)
    places = list(zip(racks, chips, coolant_c, resistance, strict=True))
    margin_k = np.stack([_margin_k(rack, chip, busy, at_c, frac) for rack, chip, at_c, frac in places])
    counts = np.bincount(site.rack_hall, minlength=len(halls))
    worst_k = np.stack([
        _margin_k(rack, chip, busy, at_c, frac * worst_resistance_frac(rack.resistance_spread, int(count)))
        for (rack, chip, at_c, frac), count in zip(places, counts, strict=True)
    ])  # fmt: skip
    halls_w = np.zeros((len(halls), count))
    add_rows(halls_w, site.block_hall, blocks_w)
    return _Full(blocks_w.sum(axis=0), halls_w, margin_k, worst_k, coolant_c.max(axis=0), state)


def worst_resistance_frac(spread: float, racks: int) -> float:
    """Return the largest resistance that so many racks are likely to hold, over the mean one.

    Blom (1958), *Statistical Estimates and Transformed Beta-Variables*: the expected largest of n normal
    draws is near the quantile (n - 0.375) / (n + 0.25); cut where the engine cuts its draws.
    """
    return 1.0 + spread * min(float(special.ndtri((racks - 0.375) / (racks + 0.25))), CUT_SIGMA)


def _margin_k(rack: Rack, chip: Accelerator, busy: float, coolant_c: Array, resistance_frac: Array) -> Array:
    """Return how far a settled chip, or its memory, is below where clocks begin to fall.

    Junction at coolant + R P with the leakage of `input_w`; memory by `hbm_rise` of that rise.
    """
    resistance_k_w, leak_w_k = resistance_frac * rack.resistance_k_w(chip), rack.leakage_w_k(chip)
    cold_w = chip.idle + leak_w_k * (coolant_c - chip.leakage_reference)
    cold_w = cold_w + busy * (chip.tdp - chip.idle)
    rise_k = resistance_k_w * cold_w / (1.0 - leak_w_k * resistance_k_w)
    junction_k = chip.throttle_start - coolant_c - rise_k
    memory_k = chip.hbm_throttle - coolant_c - chip.hbm_rise * rise_k
    return np.asarray(np.minimum(junction_k, memory_k))


def _mean_blocks(site: Site, state: Settled, blocks_w: Array) -> tuple[Array, Array]:
    """Return the coolant and the chips' resistance over rated, (halls, hours) each: those of the mean
    block with accelerators of each hall."""
    liquid_w = _block_coolant.liquid_w(site, blocks_w)
    coolant_c = _block_coolant.settled_c(site, state.warm_c[site.block_hall], liquid_w)
    resistance = _block_coolant.at_heat(site, liquid_w).resistance_frac
    blocks = np.unique(site.rack_block)
    hall, halls = site.block_hall[blocks], len(site.hall_names)
    total = np.zeros((2, halls, blocks_w.shape[1]))
    for summed, column in zip(total, (coolant_c, resistance), strict=True):
        add_rows(summed, hall, column[blocks])
    coolant_c, resistance = total / np.bincount(hall, minlength=halls)[:, None]
    return coolant_c, resistance


def _by_connection(site: Site, levels: list[_Full]) -> Array:
    """Return the IT power at which the import is the firm one, (hours,)."""
    it_w = np.stack([level.it_w for level in levels])
    poi_w = np.stack([level.state.poi_w for level in levels])
    return _between(poi_w, list(it_w), np.full(it_w.shape[1], site.firm_w))


def _by_chips(levels: list[_Full]) -> Array:
    """Return the IT power at which the mean chip of each hall is where its clocks begin to fall."""
    halls_w = np.stack([level.halls_w for level in levels])
    excess_k = np.stack([-level.margin_k for level in levels])
    count = halls_w.shape[2]
    return np.asarray(sum(
        _between(excess_k[:, h], list(halls_w[:, h]), np.zeros(count)) for h in range(halls_w.shape[1])
    ))  # fmt: skip


def _binding(installed_w: Array, limits: dict[str, Array]) -> Array:
    """Return the name of the lowest limit of each hour; `installed` where none is below that."""
    every = np.stack([installed_w, *limits.values()])
    return np.array(["installed", *limits])[every.argmin(axis=0)]


def _between(x: Array, y: list[Array], at: Array) -> Array:
    """Return y at `at`, hour by hour, on the straight lines between levels of rising x.

    `x` and the stacked `y` are (levels, hours). Outside the levels: the value of the nearest.
    """
    values = np.stack(y)
    i = np.clip((x <= at).sum(axis=0) - 1, 0, len(x) - 2)
    hour = np.arange(x.shape[1])
    share = (at - x[i, hour]) / (x[i + 1, hour] - x[i, hour])
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(values[i, hour] + share * (values[i + 1, hour] - values[i, hour]))
