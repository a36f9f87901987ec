"""How much useful time passes between checkpoints."""

from collections.abc import Callable

from simulator.policies.checkpointing import daly, young

INTERVALS: dict[str, Callable[[float, float], float]] = {
    "young": young.interval_s,
    "daly": daly.interval_s,
}
"""Policy name to `interval_s(stall_s, mttf_s)`."""
