"""Nonuniform tensor parallelism: a scale-up domain goes on with the chips it has left."""

from dataclasses import replace

import numpy as np

from simulator.policies.recovery import warm_spares
from simulator.policies.recovery._decision import Damage, Decision, View


def decide(view: View, damage: Damage) -> Decision:
    """Go on with fewer chips where a rack keeps enough; its unit computes as much less of the batch.

    A unit is as fast as its worst domain, and the job as its units together.

    References
    ----------
    Nonuniform-Tensor-Parallelism, arXiv:2504.06095.
    """
    pace = float(np.where(view.lacking > 0, 1.0, view.share).mean())
    if damage.racks or not damage.within:
        return replace(warm_spares.decide(view, damage), pace=pace)
    return Decision(pace, waits=False, starts="communicators")
