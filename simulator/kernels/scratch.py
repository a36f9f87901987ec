"""Room for what a step works out and forgets: nothing in it is carried from one step to the next."""

from typing import NamedTuple

import numpy as np

Floats = np.ndarray


class Scratch(NamedTuple):
    """Made once per run by `scratch_of`; the kernels alone write and read it."""

    four: Floats  # (8,) sum and largest of racks that stand four apart
    on: Floats  # (loads,) mean of the step
    dynamic: Floats  # (loads,) likewise
    lost: Floats  # (loads,) accelerators times what their clocks lack
    lost_heat: Floats  # (loads,) of that, by heat
    drawn_w: Floats  # (loads,) dynamic power in a block
    full_w: Floats  # (loads,) what it would be without the block's caps
    moving: Floats  # (loops, MOVES) what `standing_heat.movements` finds
    liquid_w: Floats  # (loops,) heat that blocks give to water
    air_w: Floats  # (loops,) and to air
    coolant_c: Floats  # (loops,) hottest coolant behind a loop
    units_up: Floats  # (loops,) units before those without water are let stand
    pump_w: Floats  # (halls,) pumps of coolant units


MOVES = 5


def scratch_of(loads: int, loops: int, halls: int) -> Scratch:
    """Return room for a site of so many."""
    by_load = ("on", "dynamic", "lost", "lost_heat", "drawn_w", "full_w")
    by_loop = ("liquid_w", "air_w", "coolant_c", "units_up")
    columns = {name: np.zeros(loads) for name in by_load}
    columns |= {name: np.zeros(loops) for name in by_loop}
    return Scratch(
        four=np.zeros(8), moving=np.zeros((loops, MOVES)), pump_w=np.zeros(halls), **columns
    )
