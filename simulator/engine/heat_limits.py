"""Junction temperatures at which a row of racks meets a limit, its own or that of its memory."""

import numpy as np

from simulator.engine.world import World

Floats = np.ndarray


def throttle_c(world: World) -> Floats:
    """Return the hottest junction of each row at which no clock has to fall yet: (rows,)."""
    rows = world.site.rows
    return _binding(world, rows.throttle_start_c, rows.hbm_throttle_c)


def shutdown_c(world: World) -> Floats:
    """Return the hottest junction of each row at which a chip switches itself off: (rows,)."""
    rows = world.site.rows
    return _binding(world, rows.shutdown_c, rows.hbm_shutdown_c)


def coolant_c(world: World) -> Floats:
    """Return what the chips of each row sit in or on: (rows,)."""
    rows, state = world.site.rows, world.state
    liquid_c, air_c = state.blocks.coolant_c[rows.block], state.hall_air_c[rows.hall]
    return np.where(rows.liquid_cooled == 1, liquid_c, air_c)


def _binding(world: World, junction_c: Floats, hbm_c: Floats) -> Floats:
    """Memory stands `hbm_rise` times as far above the coolant as the junction does."""
    around_c = coolant_c(world)
    by_memory_c = around_c + (hbm_c - around_c) / world.site.rows.hbm_rise
    return np.minimum(junction_c, by_memory_c)
