"""Redundant pipeline: each stage computes its neighbour's work too, and takes it over when it is lost."""

import numpy as np

from simulator.policies.recovery import warm_spares
from simulator.policies.recovery._decision import Damage, Decision, View

TAKEN_OVER = 0.5
"""Pace of a pipeline in which one stage does the work of two."""


def decide(view: View, damage: Damage) -> Decision:
    """Go on at once and lose nothing, where no unit lacks more than one rack.

    References
    ----------
    Bamboo, NSDI 2023 (arXiv:2204.12013): redundant computation on the predecessor of each stage.
    """
    if damage.racks == 0 or view.lacking.max() > 1:
        return warm_spares.decide(view, damage)
    pace = float(np.where(view.lacking > 0, TAKEN_OVER, 1.0).mean())
    return Decision(pace, waits=False, replacement="hot", rolls_back=False, starts="nothing")
