"""Topology to a frozen site: populations as columns, membership as indices, the power tree.

Rows of racks, blocks, loops and nodes stand in the order of the document, halls expanded by their
counts. `compile_site` is pure: the same topology gives the same arrays.
"""

from functools import lru_cache

from simulator.components.topology import Topology
from simulator.site.arrays import Loop, Site, Support
from simulator.site.builder import Builder

__all__ = ["Loop", "Site", "Support", "compile_site"]


@lru_cache(maxsize=64)
def compile_site(topology: Topology) -> Site:
    """Expand a topology into the arrays a run works on."""
    return Builder(topology).site()
