"""How much work a load has done, and how fast it goes now."""

from simulator.engine.world import World
from simulator.kernels import load_account

pace_of = getattr(load_account.pace_of, "py_func", load_account.pace_of)
"""As Python has it: for one number, quicker than the way into the compiled one."""
DONE_S = 1e-6
"""Work left that counts as none."""
NEAR_S = 1.0
"""Slowed work that could be done within this time is waited for at its present pace."""
LEAST_RATE = 1e-3
"""Of full speed; what is slower stands still."""


def done_s(world: World, load: int) -> float:
    """Return the seconds of full-speed work that a load has done up to now."""
    loads = world.state.loads
    open_s = max(world.env.now - float(loads.since_s[load]), 0.0)
    paced_s, running = float(loads.paced_s[load]), float(loads.running[load])
    if running != 0.0 and open_s != 0.0:
        paced_s += running * open_s * pace(world, load)
    return float(loads.work_s[load]) + paced_s


def pace(world: World, load: int) -> float:
    """Return the work rate of a load under its present clock, of that at full clock."""
    loads = world.state.loads
    clock, cap = float(loads.clock[load]), float(loads.cap[load])
    if cap != 1.0:
        clock *= cap ** (1.0 / float(loads.power_exponent[load]))
    return float(pace_of(clock, float(loads.clock_bound_frac[load])))


def wait_s(left_s: float, best_rate: float, present_rate: float) -> float:
    """Return how long to wait before looking again at work of which `left_s` is left.

    That is as long as it takes at best: what is slow now may recover, and is then not seen late;
    what stays slow is looked at a few times more, each time closer to its end.
    """
    present_s = left_s / max(present_rate, LEAST_RATE)
    return max(left_s / best_rate, min(present_s, NEAR_S))
