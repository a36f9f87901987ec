"""The hourly prices and emissions of a scenario, on the hours of its run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.market import Hourly, hours_of, read_once
from simulator.results import empty
from simulator.scenario.spec import Scenario


def market_of(scenario: Scenario) -> dict[str, Hourly]:
    """Return the hourly figures of a scenario by their key in `economics`; a file is read once."""
    return {
        key: read_once(series, scenario.series_folder(key)) for key, series in scenario.series.items()
    }


def market_table(scenario: Scenario) -> pd.DataFrame:
    """Return price and carbon of every UTC hour that the run touches; no rows where both are constant."""
    economics, period = scenario.spec.economics, scenario.spec.period
    found = market_of(scenario)
    if not found:
        return empty("market")
    given = {key: hours_of(series, period.start, period.duration) for key, series in found.items()}
    hours = next(iter(given.values()))[0]
    constant = {"prices": economics.energy_price, "emissions": economics.carbon_intensity}
    value = {key: given[key][1] if key in given else np.full(len(hours), c) for key, c in constant.items()}
    return pd.DataFrame({
        "time": pd.DatetimeIndex(hours).tz_localize("UTC"),
        "price_usd_j": value["prices"], "carbon_kg_j": value["emissions"],
    })  # fmt: skip
