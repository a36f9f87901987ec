"""What weather leaves of the firm import: power used per watt into racks, hour by hour."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics import modes
from simulator.metrics.kpi import WATTS_PER_MW, Kpi
from simulator.metrics.series import step_s
from simulator.results import Results

WORKING_FRAC = 0.5
"""Share of its mean that rack power must reach for an hour to count: what a campus needs besides is
not told by hours in which most of it is off."""
HOUR_S = 3600.0
LOW_SHARE = 0.05
"""Share of hours in which less than `cooling.usable_it_p5` can be carried."""
USES = ("it_w", "cooling_w", "house_w", "losses_w")
WEATHER = ("dry_bulb_c", "wet_bulb_c")


def derating(results: Results, by: str | None = None, every: str | None = "h") -> pd.DataFrame:
    """Return hours of the run, counted from its start: means of rack, cooling, house power and losses in
    W, outdoor dry and wet bulb, `pue`, and `usable_it_w`: rack power that the firm import carries when
    cooling and losses keep their ratio to it and house power stays, in the share of the halls that can work:
    `cooled`, less than 1 where plants have no water and reject nothing. Only hours with `working` count, and
    for `usable_it_w` those with less than all of the halls; `dry` are those with none.

    `pue` here is power used over power into racks: what charges a battery is not used yet.
    """
    site = results.timeseries["site"]
    first = np.arange(0, len(site), round(HOUR_S / step_s("site")))
    count = np.diff([*first, len(site)])
    means = {c: np.add.reduceat(site[c].to_numpy(float), first) / count for c in (*USES, *WEATHER)}
    it_w, house_w, cooling_w, losses_w = (means[f"{use}_w"] for use in ("it", "house", "cooling", "losses"))
    with np.errstate(divide="ignore", invalid="ignore"):
        pue = (it_w + cooling_w + house_w + losses_w) / it_w
        usable_w = np.maximum(results.info["firm_w"] - house_w, 0.0) / (1.0 + (cooling_w + losses_w) / it_w)
    cooled = _cooled(results, site["time"].iloc[first])
    return pd.DataFrame({
        "time": site["time"].array[first], **means, "working": it_w > WORKING_FRAC * it_w.mean(),
        "pue": pue, "usable_it_w": np.where(cooled > 0.0, usable_w * cooled, 0.0), "cooled": cooled,
        "dry": cooled == 0.0,
    })  # fmt: skip


def _cooled(results: Results, times: pd.Series) -> np.ndarray:
    """Return the share of the halls, by the most heat that their loops were given, (times,), of which no loop
    that was given any rejects nothing for want of water."""
    loops = modes.loops_with_heat(results)
    kinds = loops.drop_duplicates("element").set_index("element")["kind"]
    dry = {kind: modes.without_water(results, times, kind) for kind in kinds.unique()}
    if not any(hours.any() for hours in dry.values()):
        return np.ones(len(times))
    most_w = loops.groupby("element")["heat_w"].max()
    halls = kinds.index.str.rpartition("/").get_level_values(0)  # a loop is called as its hall, then its kind
    cooled_w = np.zeros(len(times))
    for _, own in kinds.groupby(halls):
        stands = np.logical_or.reduce([dry[kind] for kind in own.unique()])
        cooled_w += ~stands * float(most_w[own.index].sum())
    return np.asarray(cooled_w / float(most_w.sum()))


def carried(table: pd.DataFrame) -> pd.Series:
    """Return `usable_it_w` of the hours that tell it: those that work, and those without water in a hall."""
    return table.loc[table["working"] | (table["cooled"] < 1.0), "usable_it_w"]


def kpis(results: Results) -> list[Kpi]:
    """Return the worst hour of PUE and what the firm import then leaves for racks; nothing for a run in
    which no rack draws power."""
    table = derating(results)
    counts = table["working"].to_numpy()
    if not counts.any():
        return []
    usable_mw = carried(table).to_numpy() / WATTS_PER_MW
    basis = (
        "Rack power that the firm import carries in an hour, with cooling and electrical losses in the "
        "ratio to rack power that they had in that hour and house power as it was, whether or not so many "
        "racks are built, and of halls whose plants reject nothing for want of water none; other hours in which racks "
        "draw less than half their mean are left out; "
    )
    return [
        Kpi(
            "power.pue_peak",
            float(table["pue"].to_numpy()[counts].max()),
            "1",
            "Largest hourly mean of power used (racks, cooling, house, electrical losses) divided by the "
            "power into racks, of hours in which racks draw over half their mean.",
        ),
        Kpi(
            "cooling.usable_it_p5",
            float(np.quantile(usable_mw, LOW_SHARE)),
            "MW",
            basis + "95 % of the hours carry more.",
        ),
        Kpi("cooling.usable_it_min", float(usable_mw.min()), "MW", basis + "the hour that carries least."),
    ]
