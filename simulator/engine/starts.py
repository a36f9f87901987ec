"""Columns of racks that lost power, or were switched off, until they work again."""

from dataclasses import dataclass

import numpy as np

from simulator.site import Site


@dataclass
class Starts:
    """Shape (racks,); times in s of the run. Written by `starting.py`."""

    rest_w: np.ndarray
    """What each draws at rest; frozen."""
    fed_s: np.ndarray
    """When each has, or had last, power again."""
    out_s: np.ndarray
    """Since when each is out; nan: it is not."""
    since_s: np.ndarray
    """Since when each draws what it does as it starts (`RackState.starting_w`)."""
    works_s: np.ndarray
    """When each that draws something has started."""


def starts_of(site: Site) -> Starts:
    """Return the columns of a site whose racks are all in service."""
    n = site.rack_row.size
    return Starts(at_rest_w(site), np.full(n, -np.inf), np.full(n, np.nan), np.zeros(n), np.zeros(n))


def at_rest_w(site: Site) -> np.ndarray:
    """Return what racks draw that stand idle, at the temperature of their chips' data: (racks,)."""
    rows, of = site.rows, site.rack_row
    dc_w = (rows.accelerators * rows.chip_idle_w + rows.host_idle_w)[of]
    x = dc_w / rows.shelf_rating_w[of]
    curve = rows.shelf_no_load[of] + x * (rows.shelf_linear[of] + x * rows.shelf_load[of])
    drawn_w: np.ndarray = dc_w + rows.shelf_rating_w[of] * curve
    return drawn_w
