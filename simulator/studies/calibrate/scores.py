"""How far a model is from telemetry: bias, scatter, and whether it drifts."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.metrics import intervals
from simulator.studies.calibrate.fit import effective

Array = NDArray[np.float64]
MONTHLY = {"nmbe_pct": 5.0, "cv_rmse_pct": 15.0}
HOURLY = {"nmbe_pct": 10.0, "cv_rmse_pct": 30.0}
"""Limits of a calibrated model (ASHRAE Guideline 14-2014, 5.3.2.4): for monthly data, and for hourly.
The Guideline has none for shorter intervals; those for hourly data stand in."""
MONTH_S = 28.0 * 86_400.0
COLUMNS = (
    "part", "block", "start", "end", "n", "measured", "model", "nmbe_pct", "cv_rmse_pct",
    "constant_cv_rmse_pct", "within",
)  # fmt: skip


def nmbe_pct(measured: Array, model: Array, free: int, scale: float) -> float:
    """Return the normalised mean bias error in %: 100 sum(y - y_model) / ((n - p) scale).

    As the Guideline has it: positive where the model is low. `scale` is the mean of y; `free` is p.
    """
    return 100.0 * float(np.sum(measured - model)) / (max(len(measured) - free, 1) * scale)


def cv_rmse_pct(measured: Array, model: Array, free: int, scale: float) -> float:
    """Return the coefficient of variation of the root mean square error in %:
    100 sqrt(sum(y - y_model)^2 / (n - p)) / scale."""
    squares = float(np.sum((measured - model) ** 2)) / max(len(measured) - free, 1)
    return 100.0 * math.sqrt(squares) / scale


def limits(interval_s: float) -> dict[str, float]:
    """Return the limits that hold for intervals of this length."""
    return MONTHLY if interval_s >= MONTH_S else HOURLY


def score(table: pd.DataFrame, interval_s: float, free: int) -> pd.DataFrame:
    """Return one row per block, and one for each part: `COLUMNS`.

    Parameters
    ----------
    table : columns time (UTC), part (`fit`, `blind`), block, measured, model, scale
    free : parameters fitted; they count in the fitted part alone
    """
    constant = float(table.loc[table["part"] == "fit", "measured"].mean())
    rows = []
    for part, own in table.groupby("part", sort=False):
        used = free if part == "fit" else 0
        blocks = list(own.groupby("block", sort=False))
        groups = [("all", own)] if len(blocks) == 1 else [*blocks, ("all", own)]
        rows += [_row(str(part), str(name), some, interval_s, used, constant) for name, some in groups]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    part: str, block: str, some: pd.DataFrame, interval_s: float, free: int, constant: float
) -> dict[str, object]:
    measured, model = some["measured"].to_numpy(float), some["model"].to_numpy(float)
    scale = abs(float(some["scale"].mean()))
    bias = nmbe_pct(measured, model, free, scale)
    scatter = cv_rmse_pct(measured, model, free, scale)
    most = limits(interval_s)
    return {
        "part": part, "block": block, "start": some["time"].iloc[0],
        "end": some["time"].iloc[-1] + pd.Timedelta(interval_s, "s"), "n": len(some),
        "measured": float(measured.mean()), "model": float(model.mean()),
        "nmbe_pct": bias, "cv_rmse_pct": scatter,
        "constant_cv_rmse_pct": cv_rmse_pct(measured, np.full(len(some), constant), 0, scale),
        "within": abs(bias) <= most["nmbe_pct"] and scatter <= most["cv_rmse_pct"],
    }  # fmt: skip


def drift(table: pd.DataFrame) -> dict[str, float | None]:
    """Return how measured less model changes with time, in % of the scale, with 95 % intervals.

    `trend_pct` is the change along a straight line from the first to the last interval; `step_pct`
    the mean of the blind part less that of the fitted one. Residuals that resemble their neighbours
    count for less (`fit.effective`); an interval clear of zero is a drift.
    """
    scale = abs(float(table["scale"].mean()))
    left = 100.0 * (table["measured"] - table["model"]).to_numpy(float) / scale
    at = table["time"].astype("int64").to_numpy(float)
    place = (at - at[0]) / max(at[-1] - at[0], 1.0) - 0.5
    slope, level = np.polyfit(place, left, 1)
    rest = left - slope * place - level
    worth, count = effective(rest), len(rest)
    spread = place - place.mean()
    variance = float(rest @ rest) / max(count - 2, 1) / float(spread @ spread)
    error = math.sqrt(variance * count / worth)
    half = intervals.t_quantile(max(int(worth) - 1, 2)) * error
    return {"trend_pct": float(slope), "trend_low": float(slope - half), "trend_high": float(slope + half),
            **_step(table["part"].to_numpy() == "fit", left)}  # fmt: skip


def _step(fitted: NDArray[np.bool_], left: Array) -> dict[str, float | None]:
    """Return the mean of the blind residuals less that of the fitted ones, with its interval."""
    parts = (left[~fitted], left[fitted])
    worths = [effective(part) for part in parts]
    errors = [part.var(ddof=1) / worth for part, worth in zip(parts, worths, strict=True) if len(part) > 1]
    step = float(parts[0].mean() - parts[1].mean())
    half = intervals.t_quantile(max(int(min(worths)), 2)) * math.sqrt(float(sum(errors)))
    return {"step_pct": step, "step_low": step - half, "step_high": step + half}
