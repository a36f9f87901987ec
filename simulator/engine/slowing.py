"""Chips that slow inside a step: the controls of the kernel act once a step, and a minute is long for what no
longer gives its heat off as it did."""

from simulator.engine.world import World
from simulator.kernels import load_account, rack_control
from simulator.kernels.site_step import STEP_S


def at_once(world: World) -> None:
    """Let chips slow in the step at hand as far as what they get by its end makes them."""
    state, now_s = world.state, world.env.now
    arguments = (state.loads, float(now_s))
    world.entry(load_account.complete_loads, *arguments)(*arguments)
    before, passed = state.racks.power_cap.copy(), now_s % STEP_S / STEP_S
    given = (
        world.site.rows, state.racks, state.loads, state.blocks, state.hall_air_c, state.scratch
    )
    world.entry(rack_control.control, *given)(*given)
    state.racks.power_cap[:] = passed * before + (1.0 - passed) * state.racks.power_cap
    if state.blocks.partial[0] == 0:
        state.blocks.partial[0] = 2  # lifted with the step unless something still holds
