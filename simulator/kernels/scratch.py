"""Room for what a step works out and forgets: nothing in it is carried from one step to the next."""

from typing import NamedTuple

import numpy as np

Floats = np.ndarray
CHUNK = 1024
"""Racks taken through all passes at a time, so that their columns stay in the nearest cache."""


class Scratch(NamedTuple):
    """Made once per run by `scratch_of`; the kernels alone write and read it."""

    rack: Floats  # (4, room) on, dynamic, coolant and junction before, of the racks at hand
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


def scratch_of(longest_row: int, loads: int, loops: int, halls: int) -> Scratch:
    """Return room for a site of so many; `longest_row` in racks."""
    by_load = ("on", "dynamic", "lost", "lost_heat", "drawn_w", "full_w")
    by_loop = ("liquid_w", "air_w", "coolant_c", "units_up")
    columns = {name: np.zeros(loads) for name in by_load}
    columns |= {name: np.zeros(loops) for name in by_loop}
    rack = np.zeros((4, max(CHUNK, longest_row)))
    return Scratch(
        rack=rack, moving=np.zeros((loops, MOVES)), pump_w=np.zeros(halls), **columns
    )
