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


def hall_air_w(world: World, hall: int) -> float:
    """Return the heat that a hall's air gets: of racks, lights and the power chain, in W."""
    site, state = world.site, world.state
    racks_w = float(state.blocks.air_w[site.block_hall == hall].sum())
    house_w = float(state.heat.house_frac[0] * site.halls.house_w[hall] * state.heat.lit[hall])
    return racks_w + float(state.heat.indoor_w[hall]) + house_w


def _binding(world: World, junction_c: Floats, hbm_c: Floats) -> Floats:
    """Memory stands `hbm_rise` times as far above the coolant as the junction does."""
    around_c = coolant_c(world)
    by_memory_c = around_c + (hbm_c - around_c) / world.site.rows.hbm_rise
    return np.minimum(junction_c, by_memory_c)
