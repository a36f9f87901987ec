"""How loops give their heat away: without compressors, with some of the heat through them, or all."""

import numpy as np
import pandas as pd

from simulator.metrics.kpi import SECONDS_PER_HOUR, Kpi
from simulator.metrics.series import period, step_s
from simulator.results import Results

EDGE_FRAC = 0.01
"""An hour is free below this share of heat through compressors, mechanical above all but this."""
MODES = {
    "free": "in which compressors moved less than 1 % of the heat",
    "partial": "in which compressors moved part of the heat",
    "mechanical": "in which compressors moved over 99 % of the heat",
}


def modes(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return hours by mode, `free_h`, `partial_h`, `mechanical_h`, mean over the loops of each kind, or
    with `by="element"` of each loop. Loops without heat have no mode; empty for a run folder of an older
    version."""
    loops = loops_with_heat(results)
    if "mechanical_frac" not in loops or loops["mechanical_frac"].isna().all():
        return pd.DataFrame(columns=["kind", *(f"{mode}_h" for mode in MODES)])
    share = loops["mechanical_frac"].to_numpy(float)
    which = np.where(share < EDGE_FRAC, "free", np.where(share > 1.0 - EDGE_FRAC, "mechanical", "partial"))
    hours = pd.DataFrame(
        {f"{mode}_h": (which == mode) * step_s("loop") / SECONDS_PER_HOUR for mode in MODES},
        index=loops.index,
    )
    keys = [loops[by or "kind"].astype(str)]
    if every is not None:
        keys.append(period(results, loops["time"], every))
    sums = hours.groupby(keys, sort=False).sum()
    if by is None:
        counts = loops.groupby("kind")["element"].nunique()
        sums = sums.div(counts.reindex(sums.index.get_level_values("kind")).to_numpy(), axis=0)
    return sums.reset_index()


def loops_with_heat(results: Results) -> pd.DataFrame:
    """Return the hours of the loops that were given any heat, with the `kind` of each."""
    loops = results.timeseries["loop"]
    names = loops["element"].astype(str)
    heat_w = loops["heat_w"].groupby(names).sum()
    chosen = loops[names.isin(heat_w.index[heat_w > 0.0])]
    return chosen.assign(element=names[chosen.index], kind=names[chosen.index].map(kinds(results)))


def kinds(results: Results) -> dict[str, str]:
    """Return the kind of each loop, warm or chilled."""
    plant = results.tables["plant"]
    loops = plant[plant["level"].astype(str) == "loop"]
    return dict(zip(loops["element"].astype(str), loops["kind"].astype(str), strict=True))


def kpis(results: Results) -> list[Kpi]:
    """Return the hours of each mode for each kind of loop."""
    return [
        Kpi(
            f"cooling.{row.kind}.{mode}_hours",
            float(getattr(row, f"{mode}_h")),
            "h",
            f"Hours of the run {text}, mean of the loops of this kind.",
        )
        for row in modes(results).itertuples()
        for mode, text in MODES.items()
    ]
