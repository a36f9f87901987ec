"""Least squares over named values of a scenario, and what the data can tell about them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from simulator.errors import ScenarioError, StudyError
from simulator.metrics import intervals
from simulator.scenario import Scenario
from simulator.studies import inverse
from simulator.studies.calibrate.models import Inputs, TelemetryModel
from simulator.studies.calibrate.spec import Parameter
from simulator.studies.distributions import Distribution, parts_of

Array = NDArray[np.float64]
Loader = Callable[[list[tuple[str, Any]]], Scenario]
STEP = 1e-4
"""Of a parameter's range, for derivatives."""
AT_BOUND = 1e-3
"""Share of the range within which a value counts as at its bound."""
TOGETHER = 0.98
"""Correlation of two estimates from which the data tell only a combination of both."""
WIDE = 0.5
"""An interval wider than this share of the bounds: the data say little."""
BLIND = 1e-6
"""Of the largest singular value: a direction the data do not see at all."""


@dataclass(frozen=True)
class Estimate:
    """One value found, in the unit of its bounds; the interval is None where the data tell none."""

    key: str
    unit: str
    start: float
    value: float
    low: float | None
    high: float | None
    least: float
    most: float
    text: str
    """The value as the scenario would have it."""


@dataclass(frozen=True)
class Fit:
    """What least squares found."""

    estimates: tuple[Estimate, ...]
    correlation: Array
    """Of the estimates, (parameters, parameters); NaN in what the data do not see."""
    condition: float
    """Largest over smallest singular value of the Jacobian, parameters scaled to their bounds."""
    effective: float
    """Intervals that the residuals are worth, given how alike neighbours are."""
    evaluations: int
    warnings: tuple[str, ...]

    @property
    def values(self) -> list[tuple[str, str]]:
        """What to lay on the scenario."""
        return [(estimate.key, estimate.text) for estimate in self.estimates]


class Problem:
    """Predictions by parameters scaled to their bounds."""

    def __init__(
        self, model: TelemetryModel, load: Loader, parameters: Mapping[str, Parameter], inputs: Inputs
    ) -> None:
        self.model, self.load, self.inputs = model, load, inputs
        self.ranges = {key: _range(key, given) for key, given in parameters.items()}
        self.evaluations = 0

    def texts(self, x: Array) -> list[tuple[str, str]]:
        """Return (key, value as written) at a point of the unit cube."""
        return [(k, r.values(x[i : i + 1])[0]) for i, (k, r) in enumerate(self.ranges.items())]

    def predict(self, x: Array) -> Array:
        """Return what the model says at a point."""
        self.evaluations += 1
        try:
            return self.model.predict(self.load(self.texts(x)), self.inputs)
        except ScenarioError as error:
            told = ", ".join(f"{key} = {text}" for key, text in self.texts(x))
            raise StudyError(f"the scenario is not valid with {told}: {error.problems[0]}") from None

    def residuals(self, x: Array) -> Array:
        """Return model less measured, over the scale of what was measured."""
        measured = self.inputs.values[self.model.predicts]
        return np.asarray((self.predict(x) - measured) / abs(self.model.scale(self.inputs)))

    def starts(self, base: Scenario, parameters: Mapping[str, Parameter]) -> Array:
        """Return where the search begins, in the unit cube."""
        return np.array([_start(base, key, parameters[key], r) for key, r in self.ranges.items()])


def fit(problem: Problem, start: Array) -> Fit:
    """Return the least-squares estimate from a start in the unit cube.

    Intervals are Student's from the Jacobian at the optimum, s^2 (J'J)^-1, widened by as much as
    residuals that resemble their neighbours are worth less (`effective`).
    """
    from scipy.optimize import least_squares  # a fifth of a second that runs need not pay

    inner = np.clip(start, STEP, 1.0 - STEP)
    found = least_squares(problem.residuals, inner, bounds=(0.0, 1.0), diff_step=STEP, method="trf",
                          xtol=1e-10, ftol=1e-12, gtol=1e-12)  # fmt: skip
    jacobian = _jacobian(problem, found.x)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    seen = bool(singular[-1] > BLIND * singular[0])
    worth = effective(found.fun)
    half, correlation = _spread(found.fun, jacobian, worth) if seen else _unseen(len(start))
    estimates = tuple(
        _estimate(key, r, float(start[i]), float(found.x[i]), float(half[i]))
        for i, (key, r) in enumerate(problem.ranges.items())
    )
    condition = float(singular[0] / singular[-1]) if singular[-1] > 0.0 else math.inf
    told = tuple(_warnings(estimates, correlation, seen, jacobian))
    return Fit(estimates, correlation, condition, worth, problem.evaluations, told)


def effective(residuals: Array) -> float:
    """Return how many independent residuals a series is worth: n (1 - r) / (1 + r) with the
    correlation r of neighbours (Bayley and Hammersley, J. R. Stat. Soc. B 8, 1946), at least 2."""
    left = residuals - residuals.mean()
    total = float(left @ left)
    r = float(left[1:] @ left[:-1]) / total if total > 0.0 else 0.0
    r = min(max(r, 0.0), 1.0 - 1.0 / len(left))
    return max(len(left) * (1.0 - r) / (1.0 + r), 2.0)


def _jacobian(problem: Problem, x: Array) -> Array:
    """Return derivatives of the residuals by the scaled parameters, by central differences."""
    columns = []
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i], down[i] = min(x[i] + STEP, 1.0), max(x[i] - STEP, 0.0)
        columns.append((problem.residuals(up) - problem.residuals(down)) / (up[i] - down[i]))
    return np.stack(columns, axis=1)


def _spread(residuals: Array, jacobian: Array, worth: float) -> tuple[Array, Array]:
    """Return half-widths of the 95 % intervals in the unit cube, and the estimates' correlation."""
    count, free = jacobian.shape
    left = max(worth - free, 1.0)
    variance = float(residuals @ residuals) / max(count - free, 1)
    covariance = np.linalg.inv(jacobian.T @ jacobian) * variance * count / worth
    deviations = np.sqrt(np.diag(covariance))
    half = intervals.t_quantile(int(left) + 1) * deviations
    together = np.outer(deviations, deviations)
    return half, np.divide(covariance, together, out=np.eye(free), where=together > 0.0)


def _unseen(free: int) -> tuple[Array, Array]:
    return np.full(free, np.nan), np.full((free, free), np.nan)


def _warnings(
    estimates: tuple[Estimate, ...], correlation: Array, seen: bool, jacobian: Array
) -> list[str]:
    """Return in words what the data cannot tell."""
    found = []
    if not seen:
        norms = np.linalg.norm(jacobian, axis=0)
        dead = [e.key for e, norm in zip(estimates, norms, strict=True) if norm <= BLIND * norms.max()]
        what = f"{', '.join(dead)} move nothing that was measured" if dead else (
            f"{', '.join(e.key for e in estimates)} cannot be told apart by this telemetry"
        )  # fmt: skip
        return [f"{what}: fix some of them, or measure more"]
    for e in estimates:
        width = (e.value - e.least) / (e.most - e.least)
        if min(width, 1.0 - width) < AT_BOUND:
            found.append(f"{e.key} is at its bound of {e.text}: the truth may lie beyond, or the model lacks a part")
        elif e.high is not None and e.low is not None and e.high - e.low > WIDE * (e.most - e.least):
            found.append(f"{e.key} is hardly told: its interval spans more than half of its bounds")
    for i, j in zip(*np.triu_indices(len(estimates), 1), strict=True):
        if abs(correlation[i, j]) > TOGETHER:
            found.append(f"{estimates[i].key} and {estimates[j].key} are told together only "
                         f"(correlation {correlation[i, j]:+.3f}): fix one of them")  # fmt: skip
    return found


def _estimate(key: str, spread: Distribution, start: float, x: float, half: float) -> Estimate:
    assert spread.uniform is not None
    (least, unit), (most, _) = (parts_of(end) for end in spread.uniform)
    width = most - least
    value, start_at = least + width * x, least + width * start
    known = math.isfinite(half)
    return Estimate(
        key, unit, start_at, value, value - half * width if known else None,
        value + half * width if known else None, least, most, str(spread.values(np.array([x]))[0]),
    )  # fmt: skip


def _range(key: str, given: Parameter) -> Distribution:
    try:
        return Distribution(uniform=given.bounds)
    except ValidationError as error:
        why = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise StudyError(f"{key}: bounds {list(given.bounds)}: {why}") from None


def _start(base: Scenario, key: str, given: Parameter, spread: Distribution) -> float:
    """Return the start of one parameter as a share of its range."""
    assert spread.uniform is not None
    (least, unit), (most, _) = (parts_of(end) for end in spread.uniform)
    written = inverse.present(base, key) if given.start is None else given.start
    try:
        number, other = parts_of(written)
    except ValueError:
        raise StudyError(f"{key} is '{written}': only a number with a unit can be fitted") from None
    if other != unit:
        if given.start is not None:
            raise StudyError(f"{key}: start {written} is not in the unit of its bounds, '{unit}'")
        return 0.5  # the resolved document writes another unit: begin in the middle
    if not least <= number <= most:
        raise StudyError(f"{key} starts at {written}, outside its bounds {least:g} to {most:g} {unit}".rstrip())
    return (number - least) / (most - least)
