"""The surface of a replica measured on the request-level kernel at a few loads, for use all year.

Every load sees the same requests at the same moments of its own time, so that what differs between
loads is the load (common random numbers).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.performance import request_level
from simulator.performance.queueing import Demand
from simulator.performance.replica import Replica
from simulator.performance.request_level import Engine, Window
from simulator.performance.serving import (
    GRID,
    TTFT_LIMIT_QUANTILE,
    ServingSurface,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOADS = (0.005, 0.02, 0.05, 0.09, 0.15, 0.35, 0.55, 0.7, 0.8, 0.9, 1.0)
"""Of capacity, where the kernel is asked; linear between. Power rises steeply at first, since a replica
that has anything to do reads all its weights: with no load between the first and 0.15 a chip's power was
up to 33 % too low there."""
REQUESTS = 10_000
"""That are measured at each load: the 99th percentile then rests on a hundred."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
STAYS = 8.0
"""Times that a request stays on the mean which pass before any is measured. A batch that grows from
nothing then lacks only what stays longer: 0.4 % where lengths are lognormal with a coefficient of
variation of one, 6 % after three times."""
SEARCHES = 7
"""Halvings of the logarithm of the rate between one that is met and one that is not."""
LEAST_LOAD = 0.005
"""Of the closed form's capacity: at less a replica is taken as not able to meet its limits."""


@dataclass(frozen=True)
class MeasuredSurface(ServingSurface):
    """A surface from the kernel; arrays have one row per load."""

    tpot_quantiles_s: Floats
    """One column per quantile: of requests, each by its own mean time per token."""
    met_frac: Floats
    """Share of requests within both limits."""


@dataclass(frozen=True)
class Calibration:
    """A replica, its limits, and the requests it is measured with."""

    replica: Replica
    demand: Demand
    asked: Ints
    """Input tokens of up to `REQUESTS` that a replica can hold; as many outputs and gaps. They repeat
    where more are needed, so that each is measured once."""
    given: Ints
    gaps: Floats
    """Between arrivals, of mean one."""
    tpot_limit_s: float
    ttft_limit_s: float
    image_frac: float = 0.0
    """Of the input tokens, those that stand for images."""

    @cached_property
    def engine(self) -> Engine:
        """The replica in the kernel; nobody loses patience."""
        return request_level.engine_of(self.replica.setting, self.demand, np.inf)

    def at(self, rate_s: float, stay_s: float) -> Window:
        """Return what requests meet at a rate; `stay_s` is how long one stays, about."""
        warm = int(np.ceil(STAYS * stay_s * rate_s))
        rows = np.arange(warm + len(self.gaps)) % len(self.gaps)
        moments = np.cumsum(self.gaps[rows]) / rate_s
        warm_s = float(moments[warm]) if warm else 0.0
        start = np.array([0, len(rows)])
        asked, given, until_s = self.asked[rows], self.given[rows], float(moments[-1])
        seen = np.rint(self.image_frac * asked).astype(np.int64)
        return request_level.serve(self.engine, asked, given, moments, start, warm_s, until_s, seen)

    def broken(self, found: Window) -> str:
        """Return the limit that was not met, or nothing."""
        if found.tpot_mean_s > self.tpot_limit_s:
            return "tpot"
        late = np.mean(found.ttft_s > self.ttft_limit_s) > 1.0 - TTFT_LIMIT_QUANTILE
        return "ttft" if late else ""


def impossible(calibration: Calibration, guess: ServingSurface) -> str:
    """Return why a replica meets no load worth the name, or nothing."""
    rate_s = LEAST_LOAD * guess.capacity_requests_s
    found = calibration.at(rate_s, _stay_s(calibration, guess))
    broken = calibration.broken(found)
    return _told(calibration, broken, found) if broken else ""


def measured(calibration: Calibration, guess: ServingSurface) -> MeasuredSurface:
    """Return the surface that the kernel gives; ValueError if it meets no load at all.

    `guess` is the closed form's: the search for the capacity begins there.
    """
    capacity, bound_by = _capacity(calibration, guess)
    found = [calibration.at(x * capacity, _stay_s(calibration, guess)) for x in LOADS]
    load = np.linspace(0.0, 1.0, GRID)

    def over(values: list[float]) -> Floats:
        return np.interp(load, LOADS, values)

    def quantiles(latencies: list[Floats]) -> Floats:
        table = np.array([np.quantile(each, QUANTILES, method="lower") for each in latencies])
        return np.stack([np.interp(load, LOADS, column) for column in table.T], axis=1)

    limits = calibration.ttft_limit_s, calibration.tpot_limit_s
    parts = {name: getattr(guess, name) for name in ServingSurface.__dataclass_fields__}
    return MeasuredSurface(**parts | {
        "capacity_requests_s": capacity,
        "bound_by": bound_by,
        "load": load,
        "quantiles": np.array(QUANTILES),
        "batch": over([w.batch for w in found]),
        "tpot_s": over([w.tpot_mean_s for w in found]),
        "ttft_mean_s": over([float(w.ttft_s.mean()) for w in found]),
        "ttft_quantiles_s": quantiles([w.ttft_s for w in found]),
        "tpot_quantiles_s": quantiles([w.tpot_s for w in found]),
        "dynamic_power_frac": over([w.power_frac for w in found]) * np.minimum(load / LOADS[0], 1.0),
        "busy_frac": over([w.busy_frac for w in found]),
        "met_frac": over([w.met_frac(*limits) for w in found]),
    })  # fmt: skip


def _stay_s(calibration: Calibration, guess: ServingSurface) -> float:
    """Return how long a request stays in a full replica: no longer than its limit says."""
    return calibration.demand.output_tokens * min(calibration.tpot_limit_s, 2.0 * guess.tpot_s[-1])


def _capacity(calibration: Calibration, guess: ServingSurface) -> tuple[float, str]:
    """Return the largest rate that meets both limits, in requests/s, and what binds there."""
    stay_s = _stay_s(calibration, guess)
    low = high = guess.capacity_requests_s
    bound_by = calibration.broken(calibration.at(high, stay_s))
    if not bound_by:
        high = 2.0 * low
    while bound_by and calibration.broken(calibration.at(low, stay_s)):
        if low < LEAST_LOAD * guess.capacity_requests_s:
            raise ValueError(impossible(calibration, guess))
        low, high = 0.5 * low, low
    for _ in range(SEARCHES):
        middle = (low * high) ** 0.5
        broken = calibration.broken(calibration.at(middle, stay_s))
        low, high = (low, middle) if broken else (middle, high)
        bound_by = broken or bound_by
    return low, bound_by or guess.bound_by


def _told(calibration: Calibration, broken: str, found: Window) -> str:
    replica = calibration.replica
    who = f"{replica.model.name} on {replica.chips} x {replica.chip.name}"
    if broken == "tpot":
        needs, limit_s = f"{found.tpot_mean_s:.4f} s per token", calibration.tpot_limit_s
    else:
        late_s = float(np.quantile(found.ttft_s, TTFT_LIMIT_QUANTILE, method="lower"))
        needs = f"{late_s:.3f} s to the first token at the {TTFT_LIMIT_QUANTILE:.0%} quantile"
        limit_s = calibration.ttft_limit_s
    return f"{who} needs {needs} with hardly any load; the limit is {limit_s} s"
