"""Invented tables of sweeps and of climates, for pages that read them."""

import itertools

import numpy as np
import pandas as pd

UNITS = {
    "power.poi_peak": "MW", "power.pue_mean": "1", "energy.poi": "MWh", "energy.cooling": "MWh",
    "energy.it": "MWh", "cooling.wue": "L/kWh", "cooling.usable_it_min": "MW",
    "thermal.throttle_margin_min": "K", "thermal.throttled_accelerator_hours": "h", "fleet.utilization": "1",
    "training.job.finish_time": "ISO date",
}  # fmt: skip
SUPPLY, PLANT = "topology.cooling.supply", "topology.cooling.warm.kind"
TEMPERATURES = (20, 25, 30, 35, 40, 45)


def supply_runs(replicates: int = 3, slope_k: float = 1.0) -> pd.DataFrame:
    """Return runs over plant kind and supply temperature: import is least at 40 degC behind `towers`,
    the margin is `40 - slope_k * temperature` K less what a replicate's luck takes."""
    rows = []
    for i, (plant, supply) in enumerate(itertools.product(("towers", "chillers"), TEMPERATURES)):
        for replicate in range(replicates):
            margin = 40.0 - slope_k * supply - 0.5 * replicate
            import_mwh = 1000.0 + 0.2 * (supply - 40) ** 2 + (30.0 if plant == "chillers" else 0.0) + replicate
            rows.append({
                "design": i, PLANT: plant, SUPPLY: f"{supply} degC", "replicate": replicate, "status": "done",
                "error": "", "power.poi_peak": import_mwh / 24, "power.pue_mean": import_mwh / 900,
                "energy.poi": import_mwh, "energy.cooling": 200.0 - supply, "energy.it": 780.0 + 0.1 * supply,
                "cooling.wue": 1.2 if plant == "towers" else 0.0, "cooling.usable_it_min": 50.0 - replicate,
                "thermal.throttle_margin_min": margin,
                "thermal.throttled_accelerator_hours": max(-margin, 0.0) * 10, "fleet.utilization": 0.9,
                "training.job.finish_time": None,
            })  # fmt: skip
    return pd.DataFrame(rows)


def climates() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two tables of `studies.climates.compare`: a hot place carries less and takes more water."""
    rows, hours = [], []
    for design, climate in itertools.product(("dry", "towers"), ("helsinki", "phoenix")):
        hot = climate == "phoenix"
        usable_w = np.linspace(80e6, 95e6, 200) if hot else np.full(200, 95e6)
        wet = design == "towers"
        rows.append({
            "design": design, "climate": climate, "weather": f"{climate}.epw: typical", "installed_mw": 95.0,
            "usable_mw_min": usable_w.min() / 1e6, "usable_mw_p05": float(np.quantile(usable_w, 0.05)) / 1e6,
            "usable_mw_mean": usable_w.mean() / 1e6, "firm_mw": 110.0, "poi_peak_mw": 108.0,
            "pue": 1.15 if hot else 1.08, "wue_l_kwh": 1.4 if wet else 0.0,
            "full_work_throttles_h": 12.0 if hot else 0.0, "worst_chip_throttles_h": 90.0 if hot else 0.0,
            "capped_h": 0.0, "water_consumed_m3": 900.0 if wet else 0.0, "water_withdrawn_m3": 1200.0 if wet else 0.0,
            "water_peak_day_m3": (150.0 if hot else 90.0) if wet else 0.0, "coolant_max_c": 42.0,
            "margin_min_k": -1.0 if hot else 6.0, "worst_margin_min_k": -4.0 if hot else 3.0,
        })  # fmt: skip
        hours.append(pd.DataFrame({"design": design, "climate": climate, "usable_w": usable_w}))
    return pd.DataFrame(rows), pd.concat(hours, ignore_index=True)
