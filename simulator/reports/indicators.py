"""Which indicators a page of a sweep shows, and their names in few words."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from simulator.reports import wording

SHOWN = 6
WORDS = {
    "power.poi_peak": "Peak import", "power.poi_mean": "Mean import", "power.it_mean": "Mean rack power",
    "power.pue_mean": "PUE", "power.pue_peak": "PUE, worst hour",
    "power.headroom_min": "Headroom after N-1", "power.stranded": "Stranded power",
    "power.overload_probability": "Share of time over a limit", "power.overload_minutes": "Minutes over limits",
    "power.capped_minutes": "Capped minutes", "power.held_energy": "Energy held back by caps",
    "power.trips": "Breakers tripped", "power.shed_energy": "Energy shed",
    "power.usable": "Usable rack power", "power.dark_events": "Times that racks went dark",
    "power.shed_events": "Times that loads were shed",
    "equipment.generator": "Generators", "equipment.ups_module": "UPS modules", "equipment.busway": "Busways",
    "equipment.unit_substation": "Unit substations", "equipment.low_voltage_breaker": "Low voltage breakers",
    "equipment.main_transformer": "Main transformers", "equipment.feeder": "Feeders of halls",
    "energy.poi": "Imported energy", "energy.cooling": "Cooling energy", "energy.it": "Rack energy",
    "cooling.wue": "Water per rack energy", "cooling.water_consumed": "Water consumed",
    "cooling.water_withdrawn": "Water withdrawn", "cooling.water_peak_day": "Water, peak day",
    "cooling.usable_it_p5": "Racks the import carries, 95 % of hours",
    "cooling.usable_it_min": "Racks the import carries, least",
    "thermal.throttle_margin_min": "Margin below throttling", "thermal.junction_max": "Hottest junction",
    "thermal.throttled_accelerator_hours": "Accelerator-hours lost to heat",
    "thermal.throttled_minutes": "Minutes with throttled chips",
    "thermal.coolant_supply_max": "Warmest coolant",
    "fleet.utilization": "Useful share of hours", "fleet.hours.useful": "Useful accelerator-hours",
    "fleet.hours.lost_power_cap": "Accelerator-hours lost to caps",
    "fleet.hours.lost_throttle": "Accelerator-hours lost to heat",
    "fleet.hours.down": "Accelerator-hours out of service",
    "site.accelerators_installed": "Accelerators installed",
    "cost.energy": "Cost of energy", "cost.energy_per_useful_accelerator_hour": "Energy cost of a useful hour",
    "cost.energy_per_million_output_tokens": "Energy cost of a million tokens", "carbon.location": "Carbon",
}  # fmt: skip
HEADS = {
    "power.overload_probability": "Over a limit", "power.overload_minutes": "Over limits",
    "power.capped_minutes": "Capped", "power.held_energy": "Held back", "power.shed_energy": "Shed",
    "cooling.wue": "Water", "cooling.water_consumed": "Water", "cooling.usable_it_p5": "Carried",
    "cooling.usable_it_min": "Carried", "cooling.water_peak_day": "Peak day",
    "thermal.throttle_margin_min": "Margin", "thermal.throttled_accelerator_hours": "Lost to heat",
    "thermal.junction_max": "Junction", "fleet.utilization": "Useful", "fleet.hours.useful": "Useful",
    "fleet.hours.lost_power_cap": "Lost to caps", "fleet.hours.lost_throttle": "Lost to heat",
    "fleet.hours.down": "Down", "power.headroom_min": "Headroom", "power.stranded": "Stranded",
    "cost.energy_per_useful_accelerator_hour": "Useful hour", "power.trips": "Trips", "power.poi_peak": "Peak",
}  # fmt: skip
"""Heads of a table's columns, where there is no room for more."""
THEMES = {
    ("distribution", "scheme", "scenario"): (
        "power.usable", "power.dark_events", "power.shed_events", "fleet.hours.lost_power_cap",
        "equipment.busway", "equipment.generator", "equipment.ups_module", "equipment.unit_substation",
    ),
    ("oversubscription", "feeders", "capping", "rating", "firm"): (
        "power.overload_probability", "power.capped_minutes", "fleet.hours.lost_power_cap", "fleet.hours.useful",
        "power.poi_peak", "power.trips",
    ),
    ("cooling", "weather"): (
        "power.pue_mean", "cooling.wue", "thermal.throttle_margin_min", "cooling.usable_it_min",
        "cooling.water_peak_day", "thermal.throttled_accelerator_hours",
    ),
    ("economics",): ("cost.energy", "cost.energy_per_useful_accelerator_hour", "carbon.location"),
    ("workloads", "reliability", "operations"): (
        "fleet.utilization", "fleet.hours.useful", "fleet.hours.down", "power.poi_mean",
    ),
}  # fmt: skip
"""What is asked of an axis, by a word of its key; the first that fits goes first."""
GENERAL = (
    "power.poi_peak", "power.pue_mean", "fleet.utilization", "power.headroom_min",
    "thermal.throttle_margin_min", "cost.energy_per_useful_accelerator_hour", "carbon.location", "power.stranded",
)  # fmt: skip
LAST = {
    "ettr": "Effective training time", "mfu": "Model FLOPs utilization", "ttft_p99": "P99 time to first token",
    "slo_attainment": "Requests within SLO",
}  # fmt: skip
OF_ONE = ("ettr", "mfu", "step_time", "slo_attainment", "ttft_p99", "output_tokens")
"""Indicators of single jobs and pools that a planner asks for."""
LEAST_MOVE, NOTABLE_MOVE = 1e-3, 1e-2
"""Relative difference between designs below which an indicator does not move, or is no finding."""
SHARES = ("utilization", "ettr", "mfu", "slo_attainment", "overload_probability")
"""Last words of indicators that a reader wants in percent; so are those that end in `_frac`."""


def words(kpi: str) -> str:
    """Return a short name of an indicator."""
    if kpi in WORDS:
        return WORDS[kpi]
    *owner, last = kpi.split(".")
    last = LAST.get(last, last)
    return f"{wording.sentence(wording.plain(last))} of {owner[-1]}" if len(owner) > 1 else wording.plain(kpi)


def unit_words(kpi: str, unit: str) -> str:
    """Return a unit as a reader writes it."""
    return {"1": "", "m3": "m³", "degC": "°C", "h": "h", "USD": "$"}.get(unit, unit)


def head(kpi: str, unit: str) -> str:
    """Return the head of a column of a table, with its unit."""
    told = unit_words(kpi, unit)
    return HEADS.get(kpi, words(kpi)) + (f" ({told})" if told else "")


def chosen(runs: pd.DataFrame, known: Sequence[str], keys: Iterable[str]) -> list[str]:
    """Return the indicators that are asked of the axes and differ between designs, most asked first;
    then those of single jobs and pools, and general ones."""
    themes = [kpis for key in keys for parts, kpis in THEMES.items() if any(part in key for part in parts)]
    single = [kpi for kpi in known if kpi.rsplit(".", 1)[-1] in OF_ONE]
    wanted = dict.fromkeys([*(kpi for kpis in themes for kpi in kpis), *single, *GENERAL])
    return [kpi for kpi in wanted if kpi in known and moves(runs, kpi)]


def moves(runs: pd.DataFrame, kpi: str) -> bool:
    """Return whether the means of designs differ."""
    return reach(runs, "design", kpi) > LEAST_MOVE


def reach(runs: pd.DataFrame, key: str, kpi: str) -> float:
    """Return how far the means of an indicator go over the values of a column, of the largest of them."""
    means = runs.groupby(key, sort=False)[kpi].mean().to_numpy(float)
    largest = float(np.abs(means).max(initial=0.0))
    return float(np.ptp(means)) / largest if largest > 0.0 else 0.0


def in_percent(runs: pd.DataFrame, units: Mapping[str, str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return runs and units with shares in percent."""
    shares = [
        kpi for kpi, unit in units.items()
        if unit == "1" and kpi in runs and (kpi.endswith("_frac") or kpi.rsplit(".", 1)[-1] in SHARES)
    ]  # fmt: skip
    scaled = runs.assign(**{kpi: 100.0 * runs[kpi].astype(float) for kpi in shares})
    return scaled, dict(units) | dict.fromkeys(shares, "%")
