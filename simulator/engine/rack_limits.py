"""How warm the coolant and the air of each block may be, by what stands in it."""

import numpy as np

from simulator.components.cooling import CoolantUnit
from simulator.site import Site


def intakes_c(site: Site) -> np.ndarray:
    """Return the intake at which the first support racks of each block slow and the last is off,
    (blocks, 2): of several types the lowest."""
    found = np.full((len(site.block_names), 2), [np.inf, 2e3])
    for entry in site.support:
        mine = (site.block_hall == entry.hall) & (site.block_support_w > 0.0)
        limits_c = entry.rack.intake_throttle, entry.rack.intake_shutdown
        found[mine] = np.minimum(found[mine], limits_c)
    found[np.isinf(found[:, 0])] = 1e3, 2e3  # no such racks
    return found


def coolant_most_c(site: Site) -> np.ndarray:
    """Return the warmest coolant for which the cold plates of each block are made, (blocks,): endless where that
    is not known, or where there are none."""
    found = np.full(len(site.block_names), np.inf)
    if isinstance(site.topology.cooling.coolant_unit, CoolantUnit):
        for row, block in enumerate(site.rows.block):
            rack = site.rack_types[site.row_type[row]]
            if rack.liquid_cooled and rack.coolant_supply_max is not None:
                found[block] = min(found[block], rack.coolant_supply_max)
    return found
