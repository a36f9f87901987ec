"""Coolant warmer than cold plates are made for, at racks that work: an event per hall and occurrence."""

import numpy as np

from simulator.engine.world import World

KIND = "warm_coolant"


class WarmCoolant:
    """Logs where it begins as the kernel reports it, and how long it lasted once it is over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: dict[int, int] = {}
        """Of the halls in which it lasts: its place in the log."""

    def look(self, at_s: float) -> None:
        """Tell what changed with the coolant of the step that begins at this time."""
        world, blocks = self.world, self.world.state.blocks
        if (blocks.coolant_hot == blocks.coolant_told).all():
            return
        blocks.coolant_told[:] = blocks.coolant_hot
        hot = {int(h) for h in world.site.block_hall[blocks.coolant_hot == 1]}
        for hall in sorted(hot - self.events.keys()):
            mine = np.flatnonzero((world.site.block_hall == hall) & (blocks.coolant_hot == 1))
            most = mine[np.argmax(blocks.coolant_c[mine] - blocks.coolant_most_c[mine])]
            self.events[hall] = len(world.events)
            world.log(
                KIND, world.site.hall_names[hall], "heat", at_s=at_s,
                detail=f"coolant {blocks.coolant_c[most]:.1f} degC, cold plates are made for "
                       f"{blocks.coolant_most_c[most]:g} degC at most",
            )  # fmt: skip
        for hall in sorted(self.events.keys() - hot):
            world.close(self.events.pop(hall), at_s)

    def finish(self) -> None:
        """Close the account at the end of the run."""
        for event in self.events.values():
            self.world.close(event, self.world.end_s)
