"""How loops give their heat away: without compressors, with some of the heat through them, or all; and
when they do not, for want of water."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics.kpi import SECONDS_PER_HOUR, Kpi
from simulator.metrics.series import period, step_s
from simulator.results import NO_REJECTION, Results

EDGE_FRAC = 0.01
"""An hour is free below this share of heat through compressors, mechanical above all but this."""
MODES = {
    "free": "in which compressors moved less than 1 % of the heat",
    "partial": "in which compressors moved part of the heat",
    "mechanical": "in which compressors moved over 99 % of the heat",
    "dry": "in which plants had no water and rejected nothing, which no other mode counts",
}
DRY = list(MODES).index("dry")


COLUMNS = [f"{mode}_h" for mode in MODES]
HOURS = step_s("loop") / SECONDS_PER_HOUR
"""What one row of a loop stands for."""


def modes(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return hours by mode, `free_h`, `partial_h`, `mechanical_h`, `dry_h`, mean over the loops of each kind, or
    with `by="element"` of each loop. Loops without heat have no mode; empty for a run folder of an older
    version."""
    loops = loops_with_heat(results)
    if _unrecorded(loops):
        return pd.DataFrame(columns=["kind", *COLUMNS])
    which = _which(results, loops, loops["kind"].to_numpy(str))
    hours = pd.DataFrame({c: (which == i) * HOURS for i, c in enumerate(COLUMNS)}, index=loops.index)
    keys = [loops[by or "kind"].astype(str)]
    if every is not None:
        keys.append(period(results, loops["time"], every))
    sums = hours.groupby(keys, sort=False).sum()
    if by is None:
        counts = loops.groupby("kind")["element"].nunique()
        sums = sums.div(counts.reindex(sums.index.get_level_values("kind")).to_numpy(), axis=0)
    return sums.reset_index()


def _unrecorded(loops: pd.DataFrame) -> bool:
    return "mechanical_frac" not in loops or bool(np.isnan(loops["mechanical_frac"].to_numpy(float)).all())


def _which(results: Results, loops: pd.DataFrame, kind: np.ndarray) -> np.ndarray:
    """Return the place of each hour's mode in `MODES`, of loops of these kinds, (rows,)."""
    share = loops["mechanical_frac"].to_numpy(float)
    works = (share >= EDGE_FRAC).astype(int) + (share > 1.0 - EDGE_FRAC)
    dry = np.zeros(len(loops), bool)
    for one in set(kind) if len(_droughts(results)) else ():
        dry |= (kind == one) & without_water(results, loops["time"], one)
    return np.asarray(np.where(dry, DRY, works))


def without_water(results: Results, times: pd.Series, kind: str) -> np.ndarray:
    """Return in which hours, told by their begin, plants of a kind of loop had no water and rejected
    nothing: boolean, (times,)."""
    dry = np.zeros(len(times), bool)
    for row in _droughts(results).itertuples():
        if kind in str(row.detail).partition(NO_REJECTION)[2].replace(",", " ").split():
            ends = row.time + pd.Timedelta(seconds=row.duration_s)
            dry |= ((times >= row.time) & (times < ends)).to_numpy()
    return dry


def _droughts(results: Results) -> pd.DataFrame:
    return results.events[results.events["kind"].astype(str) == "drought"]


def loops_with_heat(results: Results) -> pd.DataFrame:
    """Return the hours of the loops that were given any heat, with the `kind` of each."""
    loops, kind_of = results.timeseries["loop"], kinds(results)
    codes, names = pd.factorize(loops["element"])
    heat_w = np.bincount(codes, loops["heat_w"].fillna(0.0), minlength=len(names))
    chosen = (heat_w > 0.0)[codes]
    words = pd.array([str(name) for name in names], dtype="str")
    of = pd.array([kind_of.get(str(name)) for name in names], dtype="str")
    codes = codes[chosen]
    return loops[chosen].assign(element=words.take(codes), kind=of.take(codes))


def kinds(results: Results) -> dict[str, str]:
    """Return the kind of each loop, warm or chilled."""
    plant = results.tables["plant"]
    loops = plant[plant["level"].astype(str) == "loop"]
    return dict(zip(loops["element"].astype(str), loops["kind"].astype(str), strict=True))


def kpis(results: Results) -> list[Kpi]:
    """Return the hours of each mode for each kind of loop; those without water where there was a drought."""
    loops = results.timeseries["loop"]
    if not len(loops) or _unrecorded(loops):
        return []
    codes, names = pd.factorize(loops["element"])
    kind_of = kinds(results)
    kind = np.array([kind_of.get(str(name), "") for name in names])
    which = codes * len(MODES) + _which(results, loops, kind[codes])
    hours = HOURS * np.bincount(which, minlength=len(names) * len(MODES)).reshape(len(names), len(MODES))
    heat_w = np.bincount(codes, loops["heat_w"].to_numpy(float))
    of_kind: dict[str, list[int]] = {}
    for i in np.flatnonzero(heat_w > 0.0):
        of_kind.setdefault(kind_of[str(names[i])], []).append(int(i))
    return [
        Kpi(f"cooling.{kind}.{mode}_hours", float(hours[own, k].mean()), "h",
            f"Hours of the run {text}, mean of the loops of this kind.")
        for kind, own in of_kind.items()
        for k, (mode, text) in enumerate(MODES.items())
        if k != DRY or len(_droughts(results))
    ]  # fmt: skip
