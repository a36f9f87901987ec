"""A hall of a plan run as the kernel of single accelerators takes it."""

import numpy as np
from numpy.typing import NDArray

from simulator import rng
from simulator.components.cooling.cold_plate import RATED_RANGE_K
from simulator.components.rack import Rack
from simulator.components.sizing import chip_of
from simulator.engine.hall_probe import Seen
from simulator.engine.world import World
from simulator.kernels import zoom as kernel
from simulator.site import Site

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AIR_RANGE_K = 15.0
"""Warming of the air in a server at full work (10-20 K, assumed)."""


def chip_of_hall(site: Site, rack: Rack) -> kernel.Chip:
    """Return the constants of a rack type and its chips."""
    chip = chip_of(rack)
    above_k = chip.hbm_throttle - chip.throttle_start
    limits_c = (chip.throttle_start, chip.throttle_full, chip.shutdown)
    shelf, rating_w = rack.power_shelf, rack.power_shelf_rating
    return kernel.Chip(
        static_w=chip.idle - rack.leakage_w_k(chip) * chip.leakage_reference,
        leakage_w_k=rack.leakage_w_k(chip), dynamic_w=chip.tdp - chip.idle,
        heat_capacity_j_k=chip.heat_capacity, exponent=chip.power_exponent,
        junction_limits_c=limits_c,
        hbm_limits_c=(limits_c[0] + above_k, limits_c[1] + above_k, limits_c[2] + above_k),
        hysteresis_k=chip.throttle_hysteresis, hbm_rise=chip.hbm_rise,
        preheat_k_w=preheat_k(site, rack) / chip.tdp,
        host_idle_w=rack.host_idle, host_dynamic_w=rack.host_max - rack.host_idle,
        shelf_fixed_w=rating_w * shelf.no_load, shelf_linear=1.0 + shelf.linear,
        shelf_load_per_w=shelf.load / rating_w,
    )  # fmt: skip


def preheat_k(site: Site, rack: Rack) -> float:
    """Return how much a chip at full power warms the coolant of the next in its path: an equal share
    of the path's warming. A tank's fluid is mixed: not at all."""
    unit = site.topology.cooling.coolant_unit
    if rack.liquid_cooled and unit.bath(unit.unit) is not None:
        return 0.0
    range_k = getattr(unit, "range", RATED_RANGE_K) if rack.liquid_cooled else AIR_RANGE_K
    return float(range_k) / rack.series


def resistances(world: World, rack: Rack, chip: kernel.Chip, racks: Ints) -> Floats:
    """Return each chip's own junction-to-coolant resistance, (racks, positions, branches).

    At equal powers P a chip at position p stands `R_own P + p preheat P` above the rack's coolant.
    With E = sigma z + p preheat / R, z normal within +-3 and a draw of each chip, R_own is chosen so
    that the chip with the largest E of its rack has exactly the junction that stands for the rack in
    the plan: R_own = R_rack + R (sigma z - max E). The rack's own draw is the plan's.
    """
    site, series = world.site, rack.series
    key = rng.key(world.seed, world.replicate, "chip resistance")
    word = rng.word(site.hall_names[site.rack_hall[racks[0]]])
    drawn = kernel.normals(*key, word, site.rack_number[racks], rack.accelerators)
    drawn = drawn.reshape(racks.size, -1, series).transpose(0, 2, 1)
    rated = rack.resistance_k_w(chip_of(rack))
    spread = rack.chip_spread * drawn
    excess = spread + np.arange(series)[None, :, None] * chip.preheat_k_w / rated
    hottest = world.state.racks.resistance_k_w[racks][:, None, None]
    own = hottest + rated * (spread - excess.max(axis=(1, 2), keepdims=True))
    return np.ascontiguousarray(np.maximum(own, 0.1 * rated))


def demand(seen: Seen, rack: Rack, chip: kernel.Chip) -> kernel.Hall:
    """Return what the racks were asked for, before heat slowed them.

    The plan's rack power is undone through shelf, host and chips at the plan's junction; where heat
    held the rack's clock, its cap on dynamic power is lifted again.
    """
    up = seen.up_frac
    drawn_w = np.maximum(seen.power_w - chip.shelf_fixed_w, 0.0)
    a, b = chip.shelf_load_per_w, chip.shelf_linear
    out_w = 2.0 * drawn_w / (b + np.sqrt(b * b + 4.0 * a * drawn_w))
    on = np.where(out_w > 0.0, 1.0, 0.0)
    each_w = np.divide(out_w, up, out=np.zeros_like(out_w), where=up > 0.0)
    idle_w = rack.accelerators * (chip.static_w + chip.leakage_w_k * seen.junction_c) + chip.host_idle_w
    full_w = rack.accelerators * chip.dynamic_w + chip.host_dynamic_w
    level = np.maximum(each_w - on * idle_w, 0.0) / full_w
    slowed = seen.heat_clock**chip.exponent
    bound = (seen.heat_clock < 1.0) & (seen.power_cap >= slowed * (1.0 - 1e-12)) & (slowed > 0.0)
    level = np.divide(level, slowed, out=level, where=bound)
    return kernel.Hall(on, np.minimum(level, 1.0), up, seen.coolant_c, seen.resistance_frac)
