"""Days on which water is short: what the kernel counts by, and the events of the hours that went dry."""

import numpy as np

from simulator.engine.world import World
from simulator.kernels.cooling_columns import WaterState
from simulator.site import Site

KG_PER_M3 = 1000.0
HOUR_S = 3600.0


def columns(site: Site, start_hour: int, hours: int) -> WaterState:
    """Return the water of a run of so many hours that starts at an hour of the site's clock."""
    spec = site.topology.cooling.water
    limits = spec.limits_m3(start_hour, hours) * KG_PER_M3 if spec.scarce else np.zeros(0)
    return WaterState(
        limit_kg=limits, start_hour=np.array([start_hour]), used_kg=np.zeros(2), last_kg=np.zeros(1),
        dry=np.zeros(1, np.int64), dry_hours=np.zeros(hours, np.int64),
    )


def tell(world: World, water: WaterState) -> None:
    """Log every stretch of hours that went without water, in hindsight."""
    edges = np.diff(np.concatenate([[0], water.dry_hours, [0]]))
    for first, after in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        lasts_s = float(after - first) * HOUR_S
        world.log(
            "drought", "site", "water", lasts_s, "plants run without water", at_s=float(first) * HOUR_S
        )
