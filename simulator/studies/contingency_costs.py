"""What a failure costs: how often it comes, how long it lasts, what useful work it takes."""

import math

from simulator.components.failure_class import FailureClass
from simulator.engine.physics import STEP_S
from simulator.engine.rates import YEAR_S
from simulator.studies.contingency_cases import Case
from simulator.studies.contingency_watch import Response

LAST = 5
"""Minutes at the end of the window whose mean loss is taken to last until the repair."""
BACK = 1.0
"""Accelerators of useful work a second below which nothing is lost."""


def mean_out_s(cls: FailureClass, repair_s: float) -> float:
    """Return how long an element is out in the mean: some failures a reset cures, the others last the
    median `repair_s` times the mean of their lognormal spread."""
    repair = repair_s * math.exp(0.5 * cls.repair_spread**2)
    return cls.transient * cls.reset + (1.0 - cls.transient) * repair


def hours_per_failure(case: Case, response: Response, intact: Response) -> float:
    """Return the accelerator-hours of useful work that a failure costs in the mean.

    What is still lost at the end of the window is lost as long as the element is out; what else was
    lost in the window (work since the last save, a restart, requests turned away) is lost once, however
    long the repair lasts. Jobs that still restart then are lost for one more restart at most; what waits for
    the repair loses boot, restart and the work since the last save beyond it.
    """
    lost_s = intact.useful_s - response.useful_s
    minutes = len(lost_s)
    last = min(LAST, minutes - 1)
    lasting = float(lost_s[-1] - lost_s[-1 - last]) / (last * STEP_S) if last else 0.0
    lasting = max(lasting - response.restarting, 0.0)
    lasting = lasting if lasting >= BACK else 0.0
    once_s = float(lost_s[-1]) - lasting * minutes * STEP_S
    once_s += response.restarting * response.restart_s + max(response.waking_s - intact.waking_s, 0.0)
    return max(once_s + lasting * _mean_out_s(case, response), 0.0) / 3600.0


def rate_per_year(case: Case, response: Response) -> float:
    """Return how often the case happens. Of a pair: how often one fails while the other is out, and by
    common cause where the pair is a whole group; of a larger group: by common cause alone."""
    if len(case.hits) == 1:
        return case.rate_year
    if len(case.hits) > 2:
        return case.common_year
    a, b = case.rates_year
    return a * b * sum(s / YEAR_S for s in _outs_s(case, response)) + case.common_year


def _mean_out_s(case: Case, response: Response) -> float:
    """Return the mean time that the case lasts: of a single failure, by the frequency of its classes;
    of several, until the first is back: two whose repairs go on independently are out together for the
    inverse of the sum of their rates of repair, those hit by one cause for the shortest of all."""
    outs_s = _outs_s(case, response)
    if len(case.hits) > 2:
        return min(outs_s)
    if len(case.hits) == 2:
        return 1.0 / sum(1.0 / s for s in outs_s)
    total = sum(case.rates_year)
    if total == 0.0:
        return outs_s[0]
    return sum(r * s for r, s in zip(case.rates_year, outs_s, strict=True)) / total


def _outs_s(case: Case, response: Response) -> list[float]:
    """Return the mean time out: of each that is hit where several are, else by class."""
    if len(case.hits) > 1:
        classes, repair_s = [hit.cls for hit in case.hits], response.repair_s
    else:
        classes, repair_s = list(case.classes), response.class_repair_s
    return [mean_out_s(cls, s) for cls, s in zip(classes, repair_s, strict=True)]
