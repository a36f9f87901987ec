"""Columns of the racks without accelerators: what they draw, and whether they have power."""

from dataclasses import dataclass

import numpy as np

from simulator.components.power.node import SUBSTATIONS
from simulator.site import Site


@dataclass
class SupportState:
    """Shape (blocks,); of blocks of accelerator racks nothing is told. Written by `support.py` and
    `support_feed.py`."""

    blocks: np.ndarray
    """The blocks of support racks; frozen."""
    full_w: np.ndarray
    """What they draw with power, at any intake."""
    fed: np.ndarray
    """1 with power, of batteries too; else 0."""
    cut_s: np.ndarray
    """Since when they hang on the batteries of their UPS, or have none left; nan: they are fed."""
    entry: np.ndarray
    """Their substations, of the nodes of the tree; frozen."""
    needs_w: np.ndarray
    """What their path drew when it was last fed."""


def support_of(site: Site) -> SupportState:
    """Return the columns of a site whose support racks all have power."""
    n = len(site.block_names)
    blocks = np.flatnonzero(site.block_support_w > 0.0)
    entry = np.zeros(n, np.int64)
    for block in blocks:
        entry[block] = next(i for i in site.path(int(site.block_node[block])) if site.nodes[i].stage == SUBSTATIONS)
    full_w = site.block_support_w.copy()
    return SupportState(blocks, full_w, np.ones(n), np.full(n, np.nan), entry, full_w.copy())
