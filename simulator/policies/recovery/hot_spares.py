"""Keep chips of each rack in reserve: a lost tray costs no rack."""

from simulator.policies.recovery import warm_spares
from simulator.policies.recovery._decision import Damage, Decision, View


def decide(view: View, damage: Damage) -> Decision:
    """Swap inside the racks that keep enough chips; warm or cold racks for those that do not."""
    if damage.within and damage.racks == 0:
        return Decision(replacement="hot", starts="communicators")
    return warm_spares.decide(view, damage)
