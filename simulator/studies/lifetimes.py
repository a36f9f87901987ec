"""Lifetimes of units in service: a law fitted to censored histories, and failures drawn from it again."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from simulator import rng
from simulator.kernels import failures as kernel
from simulator.kernels.columns import HazardClasses, Hazards

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NORMAL_975 = 1.96
"""Standard deviations on either side of a 95 % interval."""
WINDOW_S = 7 * 86_400.0
"""Windows in which failures are drawn again; a hazard is spread evenly inside one."""
STARTS = (0.05, 0.3, 0.5, 0.7)
"""Delays, over the median life of what failed, that the search begins from."""


@dataclass(frozen=True)
class Law:
    """Hazard of a unit of age t: background, and from `delay_s` on a Weibull that counts from there.

    Without background and delay it is the Weibull distribution.
    """

    shape: float
    scale_s: float
    delay_s: float = 0.0
    background_per_s: float = 0.0

    def hazard(self, age_s: Floats) -> Floats:
        """Return failures per unit and second."""
        x = np.maximum(age_s - self.delay_s, 1e-9) / self.scale_s
        wear = np.where(age_s > self.delay_s, self.shape / self.scale_s * x ** (self.shape - 1.0), 0.0)
        return np.asarray(self.background_per_s + wear)

    def cumulative(self, age_s: Floats) -> Floats:
        """Return the hazard integrated from birth."""
        x = np.maximum(age_s - self.delay_s, 0.0) / self.scale_s
        return np.asarray(self.background_per_s * age_s + x**self.shape)

    def survival(self, age_s: Floats) -> Floats:
        """Return the share of units that reach an age."""
        return np.exp(-self.cumulative(age_s))


@dataclass(frozen=True)
class Fit:
    """A law with the 95 % intervals of its parameters."""

    law: Law
    intervals: dict[str, tuple[float, float]]
    """From the curvature of the likelihood in the logarithms; the delay is held at its best value."""
    log_likelihood: float


def fit(durations_s: Floats, observed: Flags, entry_s: Floats | None = None) -> Fit:
    """Return the Weibull law of greatest likelihood.

    For a given shape the scale has a closed form, scale^k = sum(t^k - entry^k) / failures, which
    leaves one parameter to search.

    Parameters
    ----------
    durations_s : (units,) age at failure, or when last seen alive
    observed : (units,) whether the unit failed then
    entry_s : (units,) age when observation began; blank: at birth
    """
    entry_s = np.zeros_like(durations_s) if entry_s is None else entry_s
    _need_failures(observed)

    def law(log_shape: float) -> Law:
        shape, unit_s = math.exp(log_shape), float(durations_s.max())
        lived = (durations_s / unit_s) ** shape - (entry_s / unit_s) ** shape
        return Law(shape, unit_s * (lived.sum() / observed.sum()) ** (1.0 / shape))

    data = durations_s, observed, entry_s
    found = minimize_scalar(
        lambda x: -_log_likelihood(law(x), *data), bounds=(-3.0, 3.0), method="bounded",
        options={"xatol": 1e-10},
    )
    return _with_intervals(law(float(found.x)), data, ("shape", "scale_s"))


def fit_delayed(durations_s: Floats, observed: Flags, entry_s: Floats | None = None) -> Fit:
    """Return the law with background and delay of greatest likelihood: units that fail at random
    until something begins to wear them out.

    Parameters as for `fit`. The likelihood has several tops; the best of several searches is kept.
    """
    entry_s = np.zeros_like(durations_s) if entry_s is None else entry_s
    _need_failures(observed)
    median_s = float(np.median(durations_s[observed]))
    data = durations_s, observed, entry_s

    def law(x: Floats) -> Law:
        shape, scale, background = np.exp(np.clip([x[0], x[1], x[3]], -30.0, 30.0))
        return Law(shape, scale * median_s, max(x[2], 0.0) * median_s, background / median_s)

    searches = [
        minimize(lambda x: -_log_likelihood(law(x), *data), [0.4, 1.0, delay, -4.0],
                 method="Nelder-Mead", options={"maxfev": 3000, "xatol": 1e-5, "fatol": 1e-5})
        for delay in STARTS
    ]  # fmt: skip
    best = min(searches, key=lambda search: float(search.fun))
    return _with_intervals(law(best.x), data, ("shape", "scale_s", "background_per_s"))


def kaplan_meier(durations_s: Floats, observed: Flags) -> tuple[Floats, Floats]:
    """Return ages at which units failed, ascending, and the share that lives on after each."""
    ages_s, failed = np.unique(durations_s[observed], return_counts=True)
    ordered = np.sort(durations_s)
    at_risk = durations_s.size - np.searchsorted(ordered, ages_s, side="left")
    left = np.cumprod(1.0 - failed / at_risk).astype(np.float64)
    return ages_s, left


def failures(law: Law, born_s: Floats, end_s: float, seed: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the times and units of all failures up to `end_s` when each is repaired as old as it
    was; a unit's first is the end of its life.

    Each unit is an entity of its own with its own birth, in two competing classes: the background
    and the wear, which is born when the delay is over.

    Parameters
    ----------
    born_s : (units,) when each was installed
    """
    start_s, n = float(born_s.min()), born_s.size
    rates_s = np.array([law.background_per_s, law.shape / law.scale_s])
    cls = np.repeat([0, 1], n)
    hazards = Hazards(
        cls=cls, rack=np.full(2 * n, -1), word=cls, unit=np.tile(np.arange(n), 2),
        rate_s=rates_s[cls], sensor=np.full(2 * n, -1), doubling_k=np.ones(2 * n),
        reference_c=np.zeros(2 * n), born_s=np.concatenate([born_s, born_s + law.delay_s]),
        fresh=np.zeros(2 * n), single=np.zeros(2 * n, np.int64), budget=np.zeros(2 * n),
        drawn=np.zeros(2 * n, np.int64),
    )  # type: ignore[call-arg]
    ones = np.ones(2)
    classes = HazardClasses(
        np.array([1.0, law.shape]), np.array([1.0, law.scale_s]), 0.0 * ones, ones, 0.0 * ones
    )
    key = rng.key(seed, 0, "lifetimes")
    kernel.first_budgets(hazards, *key)
    room = 4 * n
    found_s, found, found_k = np.zeros(room), np.zeros(room, np.int64), np.zeros(room, np.int64)
    times, units = [], []
    while start_s < end_s:
        window_s = min(WINDOW_S, end_s - start_s)
        count = kernel.draw(hazards, classes, ones, ones, *key, start_s, window_s, found_s, found, found_k)
        times.append(found_s[:count].copy())
        units.append(hazards.unit[found[:count]])
        start_s += window_s
    return np.concatenate(times), np.concatenate(units)


def lifetimes(
    law: Law, born_s: Floats, last_s: Floats, seed: int
) -> tuple[Floats, Flags]:
    """Return durations and whether they end in a failure, as `fit` takes them, of units drawn from
    a law and watched until `last_s` (units,) each."""
    times, units = failures(law, born_s, float(last_s.max()), seed)
    first_s = np.full(born_s.size, np.inf)
    np.minimum.at(first_s, units, times)
    return np.minimum(first_s, last_s) - born_s, first_s < last_s


def _need_failures(observed: Flags) -> None:
    if observed.sum() < 2:
        raise ValueError(f"{observed.sum()} failures tell nothing about a lifetime; give at least 2")


def _log_likelihood(law: Law, durations_s: Floats, observed: Flags, entry_s: Floats) -> float:
    """Return log likelihood: hazard at each failure, survival from entry to exit for every unit."""
    lived = law.cumulative(durations_s).sum() - law.cumulative(entry_s).sum()
    with np.errstate(divide="ignore"):
        return float(np.log(law.hazard(durations_s[observed])).sum() - lived)


def _with_intervals(law: Law, data: tuple[Floats, Flags, Floats], names: tuple[str, ...]) -> Fit:
    """Return the fit with intervals exp(log value +- 1.96 sd), sd from the observed information."""
    best = np.array([getattr(law, name) for name in names])
    names = tuple(name for name, value in zip(names, best, strict=True) if value > 0.0)
    best = best[best > 0.0]

    def at(shift: Floats) -> float:
        return _log_likelihood(_changed(law, names, best * np.exp(shift)), *data)

    step, size = 1e-3, len(names)
    steps = step * np.eye(size)
    information = np.array([
        [-(at(steps[i] + steps[j]) - at(steps[i] - steps[j]) - at(steps[j] - steps[i])
           + at(-steps[i] - steps[j])) / (4.0 * step**2) for j in range(size)] for i in range(size)
    ])  # fmt: skip
    sd = np.sqrt(np.maximum(np.diag(np.linalg.inv(information)), 0.0))
    intervals = {
        name: (float(value * math.exp(-NORMAL_975 * s)), float(value * math.exp(NORMAL_975 * s)))
        for name, value, s in zip(names, best, sd, strict=True)
    }
    return Fit(law, intervals, at(np.zeros(size)))


def _changed(law: Law, names: tuple[str, ...], values: Floats) -> Law:
    return Law(**(law.__dict__ | dict(zip(names, values.tolist(), strict=True))))
