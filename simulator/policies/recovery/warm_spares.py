"""Swap in spare racks that are powered, with their processes up."""

from simulator.policies.recovery._decision import Damage, Decision, View


def decide(view: View, damage: Damage) -> Decision:
    """Join warm racks to the processes that live; cold ones where the warm do not suffice.

    A failure that takes no rack restarts the processes where they are.
    """
    if damage.racks == 0:
        return Decision()
    if damage.racks <= view.warm:
        return Decision(replacement="warm", starts="communicators")
    return Decision(replacement="cold")
