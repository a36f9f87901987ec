"""What every model is: names of the columns it reads and predicts, and the prediction."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.components.kinds import Spec
from simulator.scenario import Scenario

Array = NDArray[np.float64]


class Quantity(NamedTuple):
    """What a column must be: its SI unit (`text` for names), and whether it may be left out."""

    unit: str
    needed: bool = True


@dataclass(frozen=True)
class Inputs:
    """Measured intervals in order of time; arrays of one length."""

    time_s: Array
    """Starts of the intervals in seconds since 1970-01-01 UTC."""
    interval_s: float
    first: NDArray[np.bool_]
    """Whether an interval begins anew: after a hole, or in another file."""
    values: dict[str, Array]
    """Means over the intervals by the model's names, SI. A text column becomes one array per word,
    `name.word`: the share of the interval."""

    def has(self, name: str) -> bool:
        """Return whether a column was given."""
        return name in self.values


class TelemetryModel(Spec):
    """One part of the plant under measured inputs."""

    predicts: ClassVar[str]
    """Name of the column that is predicted."""
    reads: ClassVar[dict[str, Quantity]]
    """Every column by name, the predicted one included."""

    @abstractmethod
    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the mean of the predicted quantity over each interval, in SI.

        StudyError where the scenario lacks what the model names.
        """

    def scale(self, inputs: Inputs) -> float:
        """Return what errors are held against: the mean of what was measured."""
        return float(inputs.values[self.predicts].mean())


def relaxed(end: Array, tau_s: float, measured: Array, inputs: Inputs) -> Array:
    """Return the interval means of a first-order lag towards `end`, C dT/dt = (T_end - T) / R.

    `end` is constant within an interval, so every interval is solved exactly. Each stretch begins
    where the mean of its first measured interval says, and then runs free.
    """
    kept = math.exp(-inputs.interval_s / tau_s)
    share = tau_s / inputs.interval_s * (1.0 - kept)  # of the distance at the start, in the mean
    mean, now = np.empty(len(end)), 0.0
    for k in range(len(end)):
        if inputs.first[k]:
            now = end[k] + (measured[k] - end[k]) / share
        mean[k] = end[k] + (now - end[k]) * share
        now = end[k] + (now - end[k]) * kept
    return mean
