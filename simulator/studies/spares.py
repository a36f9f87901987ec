"""How many spares, how many crews: the smallest that hold a target, in closed form, and tried.

Demand is that of the scenario's fleet at the rates of its classes, every unit in service and at
reference temperature. Repairs of different classes share their trade's crews and their part's shelf.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator import rng
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.components.operations import Crews, Operations
from simulator.engine import hazards, shop
from simulator.kernels import queueing
from simulator.kernels import repair as kernel
from simulator.scenario import Scenario
from simulator.site import compile_site

DAY_S, HOUR_S, YEAR_S = 86_400.0, 3600.0, 31_557_600.0
BATCHES = 20
"""Parts of a trial whose means tell its standard error."""


@dataclass(frozen=True)
class Demand:
    """What the repairs of a fleet ask of a practice."""

    operations: Operations
    classes: tuple[FailureClass, ...]
    rates_s: np.ndarray
    """(classes,) repairs per second."""


@dataclass(frozen=True)
class Trial:
    """A mean of a simulated trial, and its standard error."""

    mean: float
    error: float


def demand(scenario: Scenario) -> Demand:
    """Return what the fleet of a scenario asks of its operations; of the catalog's default practice
    where the scenario says nothing of them."""
    spec = scenario.spec
    operations = spec.operations or from_catalog.operations("hyperscale")
    classes = tuple(
        cls.model_copy(update={"rate": cls.rate * spec.reliability.rate_scale})
        for cls in from_catalog.failure_classes(spec.reliability.fleet)
    )
    fleet = hazards.build(compile_site(spec.topology), classes, spec.reliability.age)
    return Demand(operations, classes, shop.permanent_rates_s(classes, classes, fleet.hazards))


def stocks(asked: Demand, fill_rates: Iterable[float] = (0.9, 0.95, 0.99)) -> pd.DataFrame:
    """Return one row per part and fill rate: the smallest base stock that holds it, and how many
    repairs then wait for a part in the mean."""
    rows = []
    for spare in asked.operations.spares:
        per_s = shop.demand_s(spare.name, asked.classes, asked.rates_s)
        renewal_s = shop.renewal_s(asked.operations, spare)
        for wanted in fill_rates:
            stock = queueing.stock_for_fill_rate(per_s * renewal_s, wanted)
            rows.append((
                spare.name, per_s * YEAR_S, spare.lead_time / DAY_S, per_s * renewal_s, wanted,
                stock, queueing.fill_rate(stock, per_s * renewal_s),
                queueing.backorders(stock, per_s * renewal_s),
            ))  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "part", "taken_per_year", "lead_time_d", "on_order_mean", "wanted", "stock", "fill_rate",
        "waiting_mean"])  # fmt: skip


def crews(asked: Demand, waits_s: Iterable[float] = (900.0, 3600.0, 14_400.0)) -> pd.DataFrame:
    """Return one row per trade and mean wait: the fewest crews round the clock that hold it, how busy
    they are, and the share of repairs that wait at all."""
    rows = []
    for trade in shop.TRADES:
        repairs_s, work_s = work_of(asked, trade)
        for wait_s in waits_s:
            number = queueing.servers_for_wait(repairs_s, work_s, wait_s)
            offered = repairs_s * work_s
            rows.append((
                trade, repairs_s * YEAR_S, work_s / HOUR_S, wait_s / HOUR_S, number,
                offered / number, queueing.mean_wait_s(number, repairs_s, work_s) / HOUR_S,
                queueing.erlang_c(number, offered),
            ))  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "trade", "repairs_per_year", "work_h", "wanted_wait_h", "crews", "utilization", "wait_h",
        "waiting_frac"])  # fmt: skip


def work_of(asked: Demand, trade: str) -> tuple[float, float]:
    """Return repairs per second of a trade, and their mean work, s."""
    mine = [
        (rate_s, shop.mean_work_s(cls))
        for rate_s, cls in zip(asked.rates_s, asked.classes, strict=True) if cls.crew == trade
    ]  # fmt: skip
    repairs_s = sum(rate_s for rate_s, _ in mine)
    return repairs_s, sum(r * w for r, w in mine) / repairs_s if repairs_s else 0.0


def try_stock(asked: Demand, part: str, stock: int, repairs: int = 40_000, seed: int = 1) -> Trial:
    """Return the share of repairs that found a part, simulated by the shop of the engine."""
    given = next(spare for spare in asked.operations.spares if spare.name == part)
    counted = given.model_copy(update={"stock": stock, "fill_rate": None, "on_hand": None})
    mine = [counted if spare is given else spare for spare in asked.operations.spares]
    operations = asked.operations.model_copy(update={"spares": tuple(mine)})
    chosen = np.array([cls.part == part for cls in asked.classes])
    moments = _play(asked, operations, chosen, repairs, seed)
    found = moments[:, kernel.PART] <= moments[:, kernel.DIAGNOSED]
    return _of_batches(found.astype(float))


def try_crews(asked: Demand, trade: str, number: int, repairs: int = 40_000, seed: int = 1) -> Trial:
    """Return the mean wait for a crew in s, simulated by the shop with crews round the clock."""
    group = Crews.model_validate({"name": trade, "trade": trade, "number": number})
    others = tuple(group for group in asked.operations.crews if group.trade != trade)
    operations = asked.operations.model_copy(update={"crews": (*others, group)})
    chosen = np.array([cls.crew == trade for cls in asked.classes])
    moments = _play(asked, operations, chosen, repairs, seed)
    return _of_batches(moments[:, kernel.CREW] - moments[:, kernel.PART])


def _play(
    asked: Demand, operations: Operations, chosen: np.ndarray, repairs: int, seed: int
) -> np.ndarray:
    """Return the moments of Poisson failures of some classes, (repairs, TIMES)."""
    draws = np.random.default_rng(seed)
    rates_s = np.where(chosen, asked.rates_s, 0.0)
    if rates_s.sum() == 0.0:
        raise ValueError("nothing in this fleet asks for it")
    at_s = np.cumsum(draws.exponential(1.0 / rates_s.sum(), repairs))
    cls = draws.choice(rates_s.size, repairs, p=rates_s / rates_s.sum())
    monday = pd.Timestamp("2027-01-04", tz="UTC")
    columns = shop.columns_of(operations, asked.classes, asked.rates_s, monday, float(at_s[-1]))
    moments = np.zeros((repairs, kernel.TIMES))
    key = rng.key(seed, 0, "repair")
    kernel.book_all(columns, cls, at_s, draws.standard_normal(repairs), key, moments)
    return moments


def _of_batches(values: np.ndarray) -> Trial:
    """Return the mean of a correlated series, without its first batch, and its standard error."""
    means = np.array([batch.mean() for batch in np.array_split(values, BATCHES + 1)[1:]])
    return Trial(float(means.mean()), float(means.std(ddof=1) / BATCHES**0.5))
