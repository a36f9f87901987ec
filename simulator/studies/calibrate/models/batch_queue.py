"""A scheduler's busy accelerators, or the work that waits, as batch work that keeps arriving."""

from typing import ClassVar, Literal

import numpy as np

from simulator.errors import StudyError, nearest
from simulator.scenario import Scenario
from simulator.site import compile_site
from simulator.studies.calibrate.models._base import Array, Inputs, Quantity, TelemetryModel
from simulator.workloads import BatchWork
from simulator.workloads.batch import loads_of


class BatchQueue(TelemetryModel):
    """Batch work on all accelerators it may use, as the fluid that `workloads/batch.py` is hour by
    hour: what waits grows by `arrival` and shrinks by what is busy, dL/dt = arrival - busy, with every
    accelerator busy while something waits and `arrival` of them after."""

    kind: Literal["batch_queue"]
    work: str
    """The batch work, by name."""
    observes: Literal["busy", "waiting"] = "busy"
    """`busy`: accelerators at work; `waiting`: accelerator-hours in the queue."""

    predicts: ClassVar[str] = "observed"
    reads: ClassVar[dict[str, Quantity]] = {"observed": Quantity("1")}

    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the mean of busy accelerators in each interval, or of waiting work in
        accelerator-hours."""
        fit = {w.name: w for w in scenario.spec.workloads if isinstance(w, BatchWork)}
        if self.work not in fit:
            raise StudyError(f"no batch work '{self.work}'{nearest(self.work, fit)}")
        work, site = fit[self.work], compile_site(scenario.spec.topology)
        chips = {load.chip for load in loads_of(work, site)}
        capacity = float(site.rack_accelerators[np.isin(site.rack_chip, list(chips))].sum())
        start_s = inputs.time_s - inputs.time_s[0]
        left = [_waiting_s(work, capacity, start_s + f * inputs.interval_s) for f in (0.0, 0.5, 1.0)]
        if self.observes == "waiting":
            return np.asarray((left[0] + 4.0 * left[1] + left[2]) / 6.0 / 3600.0)
        return np.asarray(work.arrival - (left[2] - left[0]) / inputs.interval_s)


def _waiting_s(work: BatchWork, capacity: float, at_s: Array) -> Array:
    """Return the accelerator-seconds that wait at a time."""
    return np.asarray(np.maximum(work.backlog + (work.arrival - capacity) * at_s, 0.0))
