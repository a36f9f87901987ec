"""What the shop did, as tables: repairs by class, crews, spare parts."""

from __future__ import annotations

import pandas as pd

from simulator.components.failure_class import FailureClass
from simulator.components.operations import Operations
from simulator.engine.shop import open_frac
from simulator.kernels import repair as kernel
from simulator.kernels.repair import Shop
from simulator.results import TABLES

HOUR_S = 3600.0


def repairs(shop: Shop, classes: tuple[FailureClass, ...]) -> pd.DataFrame:
    """Return one row per class that failed: how many, and the mean time of each stage."""
    rows = []
    for cls, sums in zip(classes, shop.sums, strict=True):
        count, resets = sums[kernel.COUNT], sums[kernel.RESETS]
        if count + resets == 0.0:
            continue
        stages_h = sums[kernel.DIAGNOSIS_S :] / (max(count, 1.0) * HOUR_S)
        unnoticed_h = sums[kernel.UNNOTICED_S] / ((count + resets) * HOUR_S)
        rows.append((cls.name, cls.crew, int(count), int(resets), unnoticed_h, *stages_h))
    return pd.DataFrame(rows, columns=list(TABLES["repairs"]))


def crews(shop: Shop, operations: Operations, end_s: float) -> pd.DataFrame:
    """Return one row per group of crews: how many, what they did, how busy they were."""
    rows = []
    for g, group in enumerate(operations.crews):
        number = int(shop.crews[g])
        on_duty_h = number * on_duty_s(shop, g, end_s) / HOUR_S
        busy_h = float(shop.busy_s[g]) / HOUR_S
        frac = open_frac(group)
        rows.append((group.name, group.trade, number, frac, int(shop.jobs[g]), on_duty_h, busy_h))
    return pd.DataFrame(rows, columns=list(TABLES["crews"]))


def on_duty_s(shop: Shop, g: int, end_s: float) -> float:
    """Return the seconds that a group is on duty within the run."""
    return float(kernel.worked_s(shop, g, end_s) - kernel.worked_s(shop, g, 0.0))


def spares(shop: Shop, operations: Operations) -> pd.DataFrame:
    """Return one row per part: the base stock, and what became of it."""
    rows = [
        (stock.name, int(shop.stock[p]), stock.lead_time / HOUR_S, int(shop.demands[p]),
         int(shop.stockouts[p]), int(shop.returned[p]), int(shop.demands[p] - shop.returned[p]))
        for p, stock in enumerate(operations.spares)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["spares"]))
