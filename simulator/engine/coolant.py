"""Coolant units of a block and their pumps: what flows when some of them are out."""

import math
from collections.abc import Callable

import numpy as np

from simulator.components.cooling import in_service
from simulator.components.cooling.hot_chip import Chip, Memory
from simulator.components.failure_class import FailureClass
from simulator.components.rack import Rack
from simulator.engine import elements, heat_limits, outage, power_loss, slowing
from simulator.engine.world import World
from simulator.kernels.rack_side import APPROACH, RESISTANCE
from simulator.kernels.site_step import STEP_S
from simulator.results import NO_FLOW
from simulator.site import Site


def lose_unit(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take a coolant unit out; return its name."""
    outage.lose(world, ("coolant unit", block, unit), lasts_s)
    changed(world, block, cls.name)
    outage.after(world, lasts_s, lambda: changed(world, block, cls.name))
    return elements.coolant_unit_name(world.site.block_names[block], unit)


def lose_pump(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take one pump of a coolant unit out; return its name. `unit` counts the block's pumps."""
    pumps = world.site.topology.cooling.coolant_unit.pumps
    outage.lose(world, ("coolant pump", block, unit // pumps), lasts_s, unit % pumps)
    changed(world, block, cls.name)
    outage.after(world, lasts_s, lambda: changed(world, block, cls.name))
    return elements.coolant_pump_name(world.site.block_names[block], unit, pumps)


def of_hall(world: World, hall: int, cause: str) -> None:
    """Set the coolant of all blocks of a hall."""
    site = world.site
    for block in np.flatnonzero((site.block_hall == hall) & (site.block_coolant_units > 0)):
        changed(world, int(block), cause)


def ups_carries(world: World, hall: int, at_s: float | None = None) -> bool:
    """Return whether any module of the UPS of a hall's pumps works."""
    node = int(world.site.halls.pump_node[hall])
    return outage.absent(world, ("ups", node), at_s) < world.site.nodes[node].count


def _driven(world: World, block: int, at_s: float) -> bool:
    """Return whether the pumps of a block's coolant units have power, now or at a later time as far
    as is known."""
    site, plants = world.site, world.plants
    hall = int(site.block_hall[block])
    if at_s >= plants.back_s.get(hall, math.inf):
        return True
    if site.topology.cooling.pumps_on_ups:
        return bool(plants.pumps_fed[hall]) and ups_carries(world, hall, at_s)
    return bool(plants.moving[hall] > 0.0)


def changed(world: World, block: int, cause: str) -> None:
    """Set a block's coolant to what its units and pumps in service give (`in_service.coolant`).

    A unit whose pumps are short moves less and comes out warmer, and so do the chips, whose cold
    plates get less. Without any flow racks on cold plates trip; in a tank they warm its fluid.
    """
    blocks = world.state.blocks
    flows = _flows(world, block, world.env.now)
    if not flows.any() and blocks.mass_j_k[block] == 0.0:
        if blocks.flow[block] == 1.0:
            _stop(world, block, cause)
        return
    before = float(blocks.resistance_frac[block])
    blocks.flow[block] = 1.0
    for column, value in _gives(world, block, flows):
        column[block] = value
    if blocks.resistance_frac[block] > before:
        slowing.at_once(world)
        _warm_up(world, block)


def _warm_up(world: World, block: int) -> None:
    """Let the chips of a block that slow at once, for they give their heat off less well, be as warm as that
    makes them by the end of the step; to their limit they go at full clock."""
    racks, around_c = world.state.racks, heat_limits.coolant_c(world)
    frac, left_s = float(world.state.blocks.resistance_frac[block]), STEP_S - world.env.now % STEP_S
    for rack in np.flatnonzero((world.site.rack_block == block) & (racks.heat_clock < 1.0)):
        chip = chip_now(world, int(rack), frac * float(racks.resistance_k_w[rack]))
        coolant_c = float(around_c[world.site.rack_row[rack]])
        after_c, _ = chip.after(float(racks.junction_c[rack]), coolant_c, True, 1.0, left_s)
        racks.junction_c[rack] = max(racks.junction_c[rack], after_c)


def spares_pump(world: World, block: int, unit: int) -> bool:
    """Return whether a block's coolant stays exactly what it is without one more of its pumps."""
    number, pump = divmod(unit, world.site.topology.cooling.coolant_unit.pumps)
    out = ("coolant pump", block, number)
    before = dict(world.absent.get(out, {}))
    outage.lose(world, out, math.inf, pump)
    flows = _flows(world, block, world.env.now)
    world.absent[out] = before
    same = (np.array_equal(column[block], value) for column, value in _gives(world, block, flows))
    return bool(flows.any()) and world.state.blocks.flow[block] == 1.0 and all(same)


def _gives(
    world: World, block: int, flows: np.ndarray
) -> tuple[tuple[np.ndarray, float | np.ndarray], ...]:
    """Return columns of the blocks, and what units and pumps that move so much set in them."""
    blocks, site = world.state.blocks, world.site
    spec, rack, pump_w = site.topology.cooling.coolant_unit, rack_of(site, block), float(site.block_pump_w[block])
    found = in_service.coolant(spec, rack.plate, flows, pump_w)
    slower = in_service.by_facility_flow(spec, _facility_flow(world, block))
    by_load = in_service.by_load(spec, rack.plate, flows, pump_w)
    by_load[APPROACH] *= slower
    if not rack.liquid_cooled:
        by_load[RESISTANCE] = 1.0
    return (
        (blocks.approach_k_w, found.approach_k_w * slower), (blocks.pump_w, found.pump_w),
        (blocks.resistance_frac, found.resistance_frac if rack.liquid_cooled else 1.0),
        (blocks.by_load, by_load),
    )  # fmt: skip


def _facility_flow(world: World, block: int) -> float:
    """Return the flow over design of the loop that takes a block's heat."""
    return float(world.state.heat.flow[world.site.halls.liquid_loop[world.site.block_hall[block]]])


def rack_of(site: Site, block: int) -> Rack:
    """Return the accelerator rack type of a block."""
    row = int(np.flatnonzero(site.rows.block == block)[0])
    return site.rack_types[site.row_type[row]]


def _flows(world: World, block: int, at_s: float) -> np.ndarray:
    """Return the flow over design of the units on duty; spare units take the place of the weakest."""
    site = world.site
    spec, built = site.topology.cooling.coolant_unit, int(site.block_coolant_units[block])
    duty = built - spec.spare_units
    if not _driven(world, block, at_s):
        return np.zeros(duty)
    pumps = [
        0 if outage.absent(world, ("coolant unit", block, u), at_s)
        else max(spec.pumps - outage.absent(world, ("coolant pump", block, u), at_s), 0)
        for u in range(built)
    ]  # fmt: skip
    return np.array(sorted((spec.flow_frac(p) for p in pumps), reverse=True)[:duty])


def _until_flow_s(world: World, block: int) -> float:
    """Return the time until some coolant flows again, as far as repairs are known; where they are
    not, that of the inspection after any trip by heat."""
    now_s = world.env.now
    times = {*outage.known_back_s(world), *world.plants.back_s.values()}
    flowing = (t for t in sorted(times) if t > now_s and _flows(world, block, t).any())
    return next(flowing, now_s + world.site.topology.cooling.inspection) - now_s


def chip_now(world: World, rack: int, resistance_k_w: float) -> Chip:
    """Return a chip of a rack at what it does now."""
    site, state = world.site, world.state
    rows, row, load = site.rows, int(site.rack_row[rack]), int(state.racks.load[rack])
    chip_c, leak_w_k = state.racks.junction_c[rack], rows.leakage_w_k[row]
    leak_w = leak_w_k * (chip_c - rows.leakage_ref_c[row])
    on, busy = state.loads.on[load], state.loads.dynamic_frac[load] * state.loads.cap[load]
    return Chip(
        float(resistance_k_w), float(rows.heat_capacity_j_k[row]),
        float(on * (rows.chip_idle_w[row] + leak_w)), float(on * busy * rows.chip_dynamic_w[row]),
        float(rows.power_exponent[row]), float(rows.throttle_start_c[row]),
        float(rows.throttle_full_c[row]), float(rows.shutdown_c[row]), float(on * leak_w_k), float(chip_c),
        Memory(*(float(column[row]) for column in (
            rows.hbm_rise, rows.hbm_throttle_c, rows.hbm_full_c, rows.hbm_shutdown_c))),
    )  # fmt: skip


def _stop(world: World, block: int, cause: str) -> None:
    """Stop a block's coolant: its chips heat at P/C, slow down and trip, then its racks are out until it flows
    again and they have booted."""
    state, site = world.state, world.site
    racks = np.flatnonzero(site.rack_block == block)
    state.blocks.flow[block] = world.env.now % STEP_S / STEP_S
    throttle_s, trip_s = _dry_s(world, racks)
    lasts_s, repair = _until_flow_s(world, block), world.inflicted
    name = site.block_names[block]

    def still(act: Callable[[], None]) -> Callable[[], None]:
        return lambda: act() if state.blocks.flow[block] < 1.0 else None

    def trip() -> None:
        world.log("trip", name, cause, lasts_s - trip_s, NO_FLOW)
        power_loss.take_out(world, racks, cause, lasts_s - trip_s, repair)

    if throttle_s < lasts_s:
        tell = lambda: world.log("throttle", name, cause, detail=NO_FLOW)  # noqa: E731
        outage.after(world, throttle_s, still(tell))
    if trip_s < lasts_s:
        outage.after(world, trip_s, still(trip))


def _dry_s(world: World, racks: np.ndarray) -> tuple[float, float]:
    """Return when the first chip of some racks throttles and trips without flow: of each load, the
    hottest comes first."""
    state, first, around_c = world.state, (math.inf, math.inf), heat_limits.coolant_c(world)
    working = racks[(state.racks.up_frac[racks] > 0.0)]
    for load in np.unique(state.racks.load[working]):
        under = working[state.racks.load[working] == load]
        rack = int(under[np.argmax(state.racks.junction_c[under])])
        chip, chip_c = chip_now(world, rack, 1.0), float(state.racks.junction_c[rack])
        standing_c = float(around_c[world.site.rack_row[rack]])
        told = tuple(chip.seconds_dry(chip_c, limit_c, standing_c)
                     for limit_c, _ in (chip.throttles(standing_c), chip.trips(standing_c)))
        first = min(first[0], told[0]), min(first[1], told[1])
    return first
