"""Coolant of every block in the steady state: what `kernels.rack_side` settles at, for many intervals."""

from dataclasses import dataclass

import numpy as np

from simulator.kernels.rack_side import APPROACH, PUMP, RESISTANCE
from simulator.site import Site
from simulator.studies.calibrate.models._base import Array
from simulator.studies.calibrate.models._outdoors import LOAD_STEP


@dataclass(frozen=True)
class BlockCoolant:
    """Coolant with all units of a block in service, (blocks, intervals)."""

    approach_k_w: Array
    """Coolant over facility supply, K per W of the block's heat."""
    pump_w: Array
    resistance_frac: Array
    """The chips' thermal resistance over that of their rack type."""


def at_heat(site: Site, liquid_w: Array) -> BlockCoolant:
    """Return the coolant under the heat of each block's racks, (blocks, intervals): by the flow that
    pumps choose at that, where they follow it."""
    design = site.block_approach_k_w, site.block_pump_w, site.block_resistance_frac
    found = [np.broadcast_to(column[:, None], liquid_w.shape) for column in design]
    grid = np.arange(site.block_by_load.shape[2])
    if grid.size:
        found = [column.copy() for column in found]
        for b in np.flatnonzero(site.block_liquid_w > 0.0):
            at = liquid_w[b] / site.block_liquid_w[b] / LOAD_STEP
            for quantity in (APPROACH, PUMP, RESISTANCE):
                found[quantity][b] = np.interp(at, grid, site.block_by_load[b, quantity])
    return BlockCoolant(*found)


def settled_c(site: Site, facility_c: Array, liquid_w: Array) -> Array:
    """Return what the chips of each block sit in, (blocks, intervals).

    Behind cold plates it stands over the facility's water by approach times heat. A tank's pumps warm
    it as well, and a fluid that boils is never below its boiling point (`kernels.rack_side.exchange`).
    """
    found = at_heat(site, liquid_w)
    mass_j_k, _, boiling_c = site.block_bath.T[:, :, None]
    heat_w = liquid_w + np.where(mass_j_k > 0.0, found.pump_w, 0.0)
    coolant_c = facility_c + found.approach_k_w * heat_w
    return np.where(mass_j_k > 0.0, np.maximum(coolant_c, boiling_c), coolant_c)


def liquid_w(site: Site, blocks_w: Array) -> Array:
    """Return the heat that coolant takes of each block's racks at an IT power, (blocks, intervals);
    support racks are in the hall's air."""
    share = np.zeros(len(site.block_names))
    share[site.rows.block] = site.rows.liquid_frac
    return np.asarray((blocks_w - site.block_support_w[:, None]) * share[:, None])
