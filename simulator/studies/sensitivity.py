"""What each input of a sweep does to each indicator: tornado, Morris' screening, Sobol's indices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from simulator.studies import sampling
from simulator.studies.assumed import WEAKNESS
from simulator.studies.designs import Plan
from simulator.studies.sweep import DONE

COLUMNS = {
    "tornado": ("low", "high", "swing", "swing_frac"),
    "morris": ("mu_star", "mu_star_conf", "sigma"),
    "saltelli": ("s1", "s1_conf", "st", "st_conf"),
}
RANKED_BY = {"tornado": "swing", "morris": "mu_star", "saltelli": "st"}
"""Column that ranks the inputs of an indicator, by design."""
NO_CHANGE = 1e-9
"""Relative spread below which an indicator does not depend on anything."""


def indices(plan: Plan, runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per indicator and input, most influential first.

    Columns: kpi, key, what the design measures (`COLUMNS`), evidence and weight (influence times
    the weakness of the evidence, where the inputs are assumptions of the document).

    `tornado`: the indicator at the input's 10 % and 90 %, their distance, and that over its value
    in the middle. `morris`: mean and deviation of elementary effects over the input's 10-90 %.
    `saltelli`: first-order and total shares of the variance. Intervals are at 95 %, by resampling.
    Indicators with a run that failed or has no value are left out, and so are those that do not
    move.
    """
    kind, keys = plan.kind, list(plan.axes)
    by_design = runs.groupby("design", sort=True)
    whole = by_design["status"].apply(lambda s: bool((s == DONE).all()))
    rows: list[dict[str, Any]] = []
    for name in _numeric(runs, plan) if whole.all() else ():
        values = by_design[name].mean().to_numpy()
        if np.isfinite(values).all() and np.ptp(values) > NO_CHANGE * np.abs(values).max():
            rows += _of(kind, keys, values, plan, name)
    table = pd.DataFrame(rows, columns=["kpi", "key", *COLUMNS[kind]])
    table = table.assign(**_weights(table, plan))
    order = table["kpi"].drop_duplicates()
    table["kpi"] = pd.Categorical(table["kpi"], order)
    ranked = table.sort_values(["kpi", RANKED_BY[kind]], ascending=[True, False], kind="stable")
    return ranked.astype({"kpi": str}).reset_index(drop=True)


def _of(
    kind: str, keys: list[str], values: np.ndarray, plan: Plan, name: str
) -> list[dict[str, Any]]:
    """Return the rows of one indicator from its value in each design."""
    if kind == "tornado":
        low, high = values[1::2], values[2::2]
        swing = np.abs(high - low)
        found: Mapping[str, Any] = {
            "low": low, "high": high, "swing": swing, "swing_frac": swing / abs(values[0] or np.nan),
        }
    elif kind == "morris":
        found = _morris(values, len(keys), plan)
    else:
        found = _saltelli(values, len(keys), plan.unknown.seed)
    return [
        {"kpi": name, "key": key, **{column: float(found[column][i]) for column in found}}
        for i, key in enumerate(keys)
    ]


def _morris(values: np.ndarray, keys: int, plan: Plan) -> dict[str, Any]:
    from SALib.analyze import morris

    unknown = plan.unknown
    levels = sampling.by_design("morris", unknown.samples or 0, plan.axes, (), unknown.seed)
    unit = (levels - sampling.LOW) / (sampling.HIGH - sampling.LOW)
    found = morris.analyze(sampling.unit_problem(keys), unit, values, seed=unknown.seed)
    return {c: np.asarray(found[c], float) for c in COLUMNS["morris"]}


def _saltelli(values: np.ndarray, keys: int, seed: int) -> dict[str, Any]:
    from SALib.analyze import sobol

    problem = sampling.unit_problem(keys)
    found = sobol.analyze(problem, values, calc_second_order=False, seed=seed)
    names = {"s1": "S1", "s1_conf": "S1_conf", "st": "ST", "st_conf": "ST_conf"}
    return {column: np.asarray(found[name], float) for column, name in names.items()}


def _numeric(runs: pd.DataFrame, plan: Plan) -> list[str]:
    """Return the indicators that are numbers; axes and book-keeping are none."""
    first = runs.columns.get_loc("hash") + 1
    return [
        c for c in runs.columns[first:]
        if not c.startswith("checks.") and pd.api.types.is_numeric_dtype(runs[c])
    ]


def _weights(table: pd.DataFrame, plan: Plan) -> dict[str, Any]:
    """Return evidence and weight of each row: influence relative to the largest of its indicator."""
    if not plan.evidence:
        return {}
    evidence = table["key"].map(plan.evidence)
    influence = table[RANKED_BY[plan.kind]]
    most = influence.groupby(table["kpi"]).transform("max")
    return {"evidence": evidence, "weight": influence / most * evidence.map(WEAKNESS).astype(float)}
