"""Heat: loops, junctions, throttling, and the water it takes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics import balance
from simulator.metrics.kpi import KILOGRAMS_PER_M3, SECONDS_PER_HOUR, Kpi, ratio
from simulator.metrics.series import aggregate, local, period, step_s
from simulator.results import NO_FLOW, Results

LITRES_PER_M3 = 1000.0
JOULES_PER_KWH = 3.6e6
SECONDS_PER_MINUTE = 60.0
PERIODS_S = {"day": 86_400.0, "hour": 3600.0}


def cooling(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return cooling power against weather for the site, or per loop with `by="element"`."""
    if by is not None:
        return aggregate(results, "loop", by, every)
    table = aggregate(results, "site", None, every)
    keep = (
        "time",
        "cooling_w",
        "it_w",
        "dry_bulb_c",
        "wet_bulb_c",
        "junction_max_c",
        "throttled_accelerators",
    )
    return table[[c for c in table if c in keep]]


def water(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return water consumed (evaporation and drift) and blown down in m3; `by="element"`: loops."""
    level = "site" if by is None else "loop"
    frame = results.timeseries[level]
    per_row = step_s(level) / KILOGRAMS_PER_M3
    flows = {"evaporation_kg_s": "consumed_m3", "blowdown_kg_s": "blowdown_m3"}
    volumes = (frame[[c for c in flows if c in frame]] * per_row).rename(columns=flows)
    keys = [] if by is None else [frame[by].astype(str)]
    if every is not None:
        keys.append(period(results, frame["time"], every))
    if not keys:
        return volumes.sum().to_frame().T
    return volumes.groupby(keys).sum().reset_index()


def margins(results: Results, by: str | None = "element", every: str | None = "h") -> pd.DataFrame:
    """Return by hall and hour how far its hottest chip stays below where it begins to slow, in K, without
    hours in which a block had lost its coolant: its chips have switched off. Empty for a run folder of an
    older version."""
    racks, halls = results.tables["racks"], results.timeseries["hall"]
    if "throttle_c" not in racks:
        return pd.DataFrame(columns=["time", "element", "margin_k"])
    codes, names = pd.factorize(halls["element"])
    limit_c = np.full(len(names), np.inf)
    place = {str(name): i for i, name in enumerate(names)}
    for hall, throttle_c in zip(racks["hall"].astype(str), racks["throttle_c"].astype(float), strict=True):
        if hall in place and throttle_c < limit_c[place[hall]]:
            limit_c[place[hall]] = throttle_c
    margin_k = limit_c[codes] - halls["junction_max_c"].to_numpy(float)
    table = pd.DataFrame({"time": halls["time"].array, "element": names.astype(str)[codes], "margin_k": margin_k})
    off = np.isinf(margin_k) | _without_flow(results, halls["time"], codes, place)
    return table[~off].reset_index(drop=True) if off.any() else table


def _without_flow(
    results: Results, time: pd.Series, codes: np.ndarray, place: dict[str, int]
) -> np.ndarray:
    """Return which hours of which halls have a block that switched itself off for want of
    coolant; `codes` are the halls' by `place`."""
    off = np.zeros(len(codes), bool)
    trips = heat_trips(results)
    for trip in trips[trips["detail"] == NO_FLOW].itertuples():
        (rows,) = (codes == place.get(str(trip.element).rpartition("/")[0], -1)).nonzero()
        ends = trip.time + pd.Timedelta(seconds=max(trip.duration_s, 0.0))
        at = time.iloc[rows]
        off[rows] |= ((at > trip.time - pd.Timedelta(hours=1)) & (at <= ends)).to_numpy()
    return off


def heat_trips(results: Results) -> pd.DataFrame:
    """Return the events in which a block's chips switched themselves off for heat."""
    events = results.events
    return events[(events["kind"] == "trip") & (events["cause"] != "overload")]


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of water, then of temperature."""
    return [*_water(results), *_temperature(results)]


def _water(results: Results) -> list[Kpi]:
    volumes = water(results).iloc[0]
    consumed_m3 = float(volumes["consumed_m3"])
    it_kwh = balance.energy(results)["it"] / JOULES_PER_KWH
    return [
        Kpi(
            "cooling.water_consumed",
            consumed_m3,
            "m3",
            "Water evaporated and drifted by heat rejection and humidifiers on site over the run, at 1,000 kg/m3; "
            "water used in generating the electricity is outside the boundary.",
        ),
        Kpi(
            "cooling.water_withdrawn",
            consumed_m3 + float(volumes["blowdown_m3"]),
            "m3",
            "Water evaporated, drifted and blown down by heat rejection and humidifiers on site over the run.",
        ),
        Kpi(
            "cooling.wue",
            ratio(consumed_m3 * LITRES_PER_M3, it_kwh),
            "L/kWh",
            "Water consumed on site (evaporation and drift) divided by the energy into racks, over "
            "the whole run; water used in generating the electricity is outside the boundary.",
        ),
        _largest(results, "day", "calendar day of the campus's clock"),
        _largest(results, "hour", "hour of the campus's clock"),
    ]


def _largest(results: Results, name: str, words: str) -> Kpi:
    """Return the most water withdrawn in one period."""
    site = results.timeseries["site"]
    rate_kg_s = site["evaporation_kg_s"].to_numpy(float) + site["blowdown_kg_s"].to_numpy(float)
    begins_s = local(results, site["time"].iloc[:1]).iloc[0].tz_localize(None).timestamp()
    periods = (begins_s + step_s("site") * np.arange(len(site))) // PERIODS_S[name]
    first = np.flatnonzero(np.diff(periods, prepend=-1.0))
    most_kg = np.add.reduceat(rate_kg_s, first).max() * step_s("site")
    return Kpi(
        f"cooling.water_peak_{name}",
        float(most_kg / KILOGRAMS_PER_M3),
        "m3",
        f"Most water withdrawn (evaporated, drifted and blown down) by heat rejection on site in one {words}.",
    )


def _temperature(results: Results) -> list[Kpi]:
    site, loop = results.timeseries["site"], results.timeseries["loop"]
    throttled = site["throttled_accelerators"]
    throttled_h = float(throttled.sum()) * step_s("site") / SECONDS_PER_HOUR
    warmest = loop.loc[loop["supply_max_c"].idxmax()] if len(loop) else None
    rows = [
        Kpi(
            "thermal.throttled_accelerator_hours",
            throttled_h,
            "h",
            "Accelerators' worth of speed taken away because chips were hot, added up over the run: "
            "1,000 accelerators slowed to 90 % for one hour count 100.",
        ),
        Kpi(
            "thermal.throttled_minutes",
            float((throttled > 0.0).sum()) * step_s("site") / SECONDS_PER_MINUTE,
            "min",
            "Minutes of the run in which heat slowed any accelerator.",
        ),
    ]
    if warmest is not None:
        rows.append(
            Kpi(
                "thermal.coolant_supply_max",
                float(warmest["supply_max_c"]),
                "degC",
                "Warmest 1-minute supply temperature at cold plates or fan walls in the run, here of "
                f"{warmest['element']}.",
            )
        )
    rows.append(
        Kpi(
            "thermal.junction_max",
            float(site["junction_max_c"].max()),
            "degC",
            "Hottest junction of any accelerator on site in any minute of the run.",
        )
    )
    margin_k = margins(results)["margin_k"]
    if len(margin_k):
        rows.append(
            Kpi(
                "thermal.throttle_margin_min",
                float(margin_k.min()),
                "K",
                "Smallest room in the run between the hottest chip of a hall and the temperature at which "
                "its chips begin to slow, without hours in which a block's coolant stood still; below zero "
                "where chips were slowed.",
            )
        )
    if "hbm_max_c" in site and site["hbm_max_c"].notna().any():  # not in folders of older versions
        rows.append(
            Kpi(
                "thermal.hbm_max",
                float(site["hbm_max_c"].max()),
                "degC",
                "Hottest memory stack of any accelerator on site in any minute of the run.",
            )
        )
    return rows
