"""Restart from a checkpoint on whole racks; the scheduler finds replacements."""

from simulator.policies.recovery._decision import Damage, Decision, View


def decide(view: View, damage: Damage) -> Decision:
    """Start every process anew, after a cold replacement where racks are lost."""
    return Decision(replacement="cold" if damage.racks else "none")
