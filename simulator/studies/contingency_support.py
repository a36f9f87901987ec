"""Which support racks a run feeds after a failure: network, storage and CPU racks, block by block.

The engine lets them draw on. They have no power where their own path is out at or below their UPS; where it is
out above, once the UPS is empty; and while nothing is imported, as far as sources on site do not suffice.
"""

import numpy as np

from simulator.components.power.node import UPS
from simulator.engine import feeds, outage, sides
from simulator.engine.physics import STEP_S
from simulator.kernels import columns as c
from simulator.simulation import Run

DEMAND = (c.IT_W, c.COOLING_W, c.HOUSE_W, c.LOSSES_W)


class SupportFeed:
    """Looks at the end of each minute; made before the run goes on."""

    def __init__(self, run: Run) -> None:
        self.run, site = run, run.world.site
        self.blocks = np.flatnonzero(site.block_support_w > 0.0)
        self._above = {int(b): self._above_ups(int(b)) for b in self.blocks}
        self._cut_s: dict[int, float] = {}
        """Since when blocks hang on their UPS."""

    @property
    def changes(self) -> bool:
        """Whether more than what is in service decides: a battery, or sources on site."""
        return bool(self._cut_s) or self._islanded()

    def share(self) -> np.ndarray:
        """Return the share of each block's support racks that has power: (blocks,), 1 of other blocks."""
        told, there = np.ones(len(self.run.world.site.block_names)), self._on_site()
        for block in self.blocks.tolist():
            told[block] = self._of(block, there)
        return told

    def _of(self, block: int, there: float) -> float:
        world, site = self.run.world, self.run.world.site
        if not sides.feeding(world, block).any():
            up = np.bincount(site.rack_hall, world.state.racks.up_frac, len(site.hall_names))
            return 1.0 if up[site.block_hall[block]] > 0.0 else 0.0
        in_service = world.state.tree.in_service
        reached = not outage.absent(world, feeds.reach_of(int(site.block_hall[block])))
        if reached and all(in_service[node] > 0.0 for node in self._above[block]):
            self._cut_s.pop(block, None)
            return there
        now_s = self.run.physics.step * STEP_S  # decisions' clock stands still between events
        since_s = self._cut_s.setdefault(block, now_s - STEP_S)
        return float(now_s - since_s <= sides.carries_s(world, block))

    def _above_ups(self, block: int) -> tuple[int, ...]:
        """Return the nodes of a block's path above its UPS, up to the feeders."""
        site = self.run.world.site
        path = site.feed_paths[site.feed_first[block]]
        stages = [site.nodes[node].stage for node in path]
        return tuple(path[stages.index(UPS) + 1 :])

    def _islanded(self) -> bool:
        return bool(self.run.world.state.supply.limit_w[0] <= 0.0)

    def _on_site(self) -> float:
        """Return the share of the campus's demand that was met in the last minute; all while anything is
        imported."""
        if not self._islanded():
            return 1.0
        demand_w = float(self.run.records.site[self.run.physics.step - 1, DEMAND].sum())
        deficit_w = float(self.run.world.state.supply.deficit_w[0])
        return max(1.0 - deficit_w / demand_w, 0.0) if demand_w > 0.0 else 1.0
