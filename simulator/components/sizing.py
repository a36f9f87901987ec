"""What follows from a topology in closed form: racks of a block, endpoints of a fabric, set points."""

import math
from functools import lru_cache

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.fabric import Ends, FabricSpec
from simulator.components.power.block import Block
from simulator.components.power.distribution import Distribution, lineup_input_w, lineup_loads
from simulator.components.power.loss import LossCurve
from simulator.components.power.path import in_row
from simulator.components.rack import Rack
from simulator.components.topology import Hall, Topology

PLAIN = Distribution(scheme="N")
"""How halls that say nothing are fed: each block by a unit substation of its own."""


def rack_named(topology: Topology, name: str) -> Rack:
    """Return the site's own rack type of that name, or the catalog's."""
    for rack in topology.racks:
        if rack.name == name:
            return rack
    return from_catalog.rack(name)


def rack_of(topology: Topology, hall: Hall) -> Rack:
    """Return the accelerator rack type of a hall, with the batteries of the hall and the shelf of its
    path if it has them, and as it is in a tank where the site's racks are immersed."""
    shelf = None if hall.path is None else from_catalog.power_path(hall.path).loss_of("shelf")
    own = {"power_shelf": shelf, "battery_backup": hall.battery_backup}
    own = {name: part for name, part in own.items() if part is not None}
    rack = rack_named(topology, hall.rack)
    own |= topology.cooling.coolant_unit.rack_changes(rack)
    return rack.model_copy(update=own) if own else rack


def block_of(topology: Topology, hall: Hall) -> Block:
    """Return the block of a hall with losses over its rated real power: its own, or those of its path,
    if it names one.

    What the path converts between substation and busway counts with the substation, at the same
    rating; a UPS of `distribution` takes its place.
    """
    if hall.path is None:
        own, factor = hall.block, topology.grid.power_factor
        return own.model_copy(update={
            "substation": own.substation.over_real(factor), "busway": own.busway.over_real(factor),
        })
    path = from_catalog.power_path(hall.path)
    own_ups = hall.distribution is not None and hall.distribution.ups is not None
    substation = [path.loss_of("substations"), None if own_ups else path.loss_of("ups")]
    return hall.block.model_copy(update={
        "substation": in_row(curve for curve in substation if curve is not None),
        "busway": path.loss_of("busways") or LossCurve(),
    })  # fmt: skip


def racks_per_block(topology: Topology, hall: Hall) -> int:
    """Return the accelerator racks of one block: as written, or as many as every level takes.

    A block takes what its continuous rating at the site's power factor, less substation and busway
    loss, feeds by the rack's nameplate, rounded down, times 1 + `topology.oversubscription`. Feeders
    and connection limit that where `topology.control.oversubscription` says how far they may be
    exceeded.
    """
    if hall.racks_per_block is not None:
        return _more(hall.racks_per_block, topology.oversubscription)
    if topology.control.oversubscription.connection is None:
        return _on_feeders(topology, hall)
    return dict(_on_connection(topology))[hall.name]


def feeders_firm_w(topology: Topology, hall: Hall) -> float:
    """Return what a hall's feeders carry with one out; a single one: all of it."""
    feeders = hall.feeders
    return feeders.capacity_va(out=1 if feeders.units > 1 else 0) * topology.grid.power_factor


def _more(racks: int, share: float) -> int:
    return math.floor(racks * (1.0 + share) + 1e-9)


def _on_feeders(topology: Topology, hall: Hall) -> int:
    """Return the racks of a block that blocks and feeders take."""
    nameplate_w = rack_of(topology, hall).nameplate
    fed = _more(int(block_limit_w(topology, hall) // nameplate_w), topology.oversubscription)
    share = topology.control.oversubscription.feeders
    if share is None:
        return fed
    carried_w = max(feeders_firm_w(topology, hall) * (1.0 + share) - _support_nameplate_w(topology, hall), 0.0)
    return min(fed, math.floor(carried_w / (nameplate_w * hall.blocks) + 1e-9))


def _support_nameplate_w(topology: Topology, hall: Hall) -> float:
    return sum(entry.count * rack_named(topology, entry.rack).nameplate for entry in hall.support)


@lru_cache(maxsize=64)
def _on_connection(topology: Topology) -> tuple[tuple[str, int], ...]:
    """Return the racks per block of each group of halls that the connection takes as well: all groups
    less by the same share, then one more in each, in order, as long as that fits."""
    share = topology.control.oversubscription.connection or 0.0
    left_w = topology.grid.firm_w()[0] * (1.0 + share)
    step_w, racks, free = {}, {}, {}
    for hall in topology.halls:
        step_w[hall.name] = hall.count * hall.blocks * rack_of(topology, hall).nameplate
        free[hall.name] = hall.racks_per_block is None
        racks[hall.name] = _on_feeders(topology, hall) if free[hall.name] else racks_per_block(topology, hall)
    left_w -= sum(hall.count * _support_nameplate_w(topology, hall) for hall in topology.halls)
    left_w -= sum(step_w[name] * racks[name] for name in racks if not free[name])
    asked_w = sum(step_w[name] * racks[name] for name in racks if free[name])
    if asked_w <= left_w * (1.0 + 1e-9):
        return tuple(racks.items())
    found = {n: math.floor(racks[n] * max(left_w, 0.0) / asked_w) if free[n] else racks[n] for n in racks}
    left_w -= sum(step_w[name] * found[name] for name in racks if free[name])
    for name in racks:
        if free[name] and found[name] < racks[name] and step_w[name] <= left_w * (1.0 + 1e-9):
            found[name] += 1
            left_w -= step_w[name]
    return tuple(found.items())


def block_limit_w(topology: Topology, hall: Hall) -> float:
    """Return the rack power of a block at which the input of the most loaded lineup, in the worst
    state that its scheme must survive, equals its continuous rating."""
    return _limit_w(block_of(topology, hall), hall.distribution or PLAIN, topology.grid.power_factor)


@lru_cache(maxsize=256)
def _limit_w(block: Block, plan: Distribution, power_factor: float) -> float:
    """Return that limit by what it follows from: halls, and designs of a sweep, mostly share it."""
    rating_w = block.rating * power_factor
    limit_w = rating_w * block.continuous
    group = plan.group
    states = lineup_loads(group, plan.common_bus)
    low_w, high_w = 0.0, limit_w
    for _ in range(60):
        middle_w = 0.5 * (low_w + high_w)
        input_w = max(
            lineup_input_w(block, plan.ups, group, rating_w, tuple(middle_w * x for x in loads))
            for loads in states
        )
        low_w, high_w = (middle_w, high_w) if input_w <= limit_w else (low_w, middle_w)
    return low_w


def steady_w(rack: Rack) -> float:
    """Return the input power of a support rack at its steady utilization."""
    return support_w(rack, rack.utilization)


def support_w(rack: Rack, utilization: float) -> float:
    """Return the input power of a support rack at some utilization."""
    output_w = rack.host_idle + utilization * (rack.host_max - rack.host_idle)
    return output_w + rack.power_shelf.loss_w(output_w, rack.power_shelf_rating)


def fabric_of(topology: Topology, hall: Hall) -> FabricSpec:
    """Return the kind of fabric of a group of halls."""
    spec: FabricSpec = hall.fabric or topology.fabric
    return spec


def ends_of(topology: Topology, hall: Hall) -> Ends | None:
    """Return what hangs on the fabric of a group of halls, None without network ports."""
    rack = rack_named(topology, hall.rack)
    racks = hall.count * hall.blocks * racks_per_block(topology, hall)
    accelerators = racks * rack.accelerators
    ports = fabric_of(topology, hall).attached(accelerators, racks * rack.network_ports)
    chip = chip_of(rack)
    return Ends(accelerators, ports, chip.scaleout_bandwidth, chip.scaleup_domain) if ports else None


def network_rack_w(topology: Topology, hall: Hall) -> float:
    """Return the input power of one of the racks that hold a hall group's switches (`Rack.fabric`).

    They share the fabric's switches and the optics in them; 0 if there is no fabric or no rack.
    """
    held = [(rack_named(topology, entry.rack), entry.count) for entry in hall.support]
    racks = hall.count * sum(count for rack, count in held if rack.fabric)
    ends = ends_of(topology, hall)
    if not racks or ends is None:
        return 0.0
    rack = next(rack for rack, count in held if rack.fabric and count)
    output_w = fabric_of(topology, hall).draw_w(ends) / racks
    return output_w + rack.power_shelf.loss_w(output_w, rack.power_shelf_rating)


def plant_setpoint_c(topology: Topology) -> float:
    """Return the water the warm plant must deliver for `cooling.supply` at the cold plates."""
    return topology.cooling.supply - topology.cooling.coolant_unit.approach


def chip_of(rack: Rack) -> Accelerator:
    """Return the chip of an accelerator rack; ValueError if it has none."""
    if rack.accelerator is None:
        raise ValueError(f"rack {rack.name} has no accelerator: list it under `support`")
    return from_catalog.accelerator(rack.accelerator)


def cramped(topology: Topology) -> list[str]:
    """Return in words which halls have fewer network racks than their fabric fills by nameplate."""
    told = []
    for hall in topology.halls:
        ends = ends_of(topology, hall)
        drawn_w = fabric_of(topology, hall).draw_w(ends) if ends else 0.0
        held = [(rack_named(topology, s.rack), hall.count * s.count) for s in hall.support]
        listed = sum(count for rack, count in held if rack.fabric)
        each_w = network_rack_w(topology, hall)
        if drawn_w and not listed:
            told.append(f"{hall.name} lists no racks for its switches: the {drawn_w / 1e3:,.0f} kW "
                        "they draw are not in the balance")  # fmt: skip
            continue
        nameplate_w = next((rack.nameplate for rack, count in held if rack.fabric and count), 0.0)
        if each_w > nameplate_w:
            told.append(f"{hall.name} lists {listed} network racks that draw {each_w / 1e3:.1f} kW "
                        f"each, above {nameplate_w / 1e3:.1f} kW; its switches and optics fill "
                        f"{math.ceil(listed * each_w / nameplate_w)}")  # fmt: skip
    return told
