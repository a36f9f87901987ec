"""Elastic data parallelism: drop what is hit, go on with the rest, take replacements in later."""

from simulator.policies.recovery import warm_spares
from simulator.policies.recovery._decision import Damage, Decision, View

LEAST_PACE = 0.5
"""Below this the job waits for racks instead."""


def decide(view: View, damage: Damage) -> Decision:
    """Go on at the share of units that are whole, the global batch spread over them.

    With optimizer state shared out (ZeRO), a part of it is gone with a unit: the last save is loaded.
    """
    pace = float((view.share >= 1.0).mean())
    if pace < LEAST_PACE or damage.racks == 0:
        return warm_spares.decide(view, damage)
    return Decision(pace, waits=False, rolls_back=view.sharded, starts="communicators")
