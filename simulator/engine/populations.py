"""What the failures of a class are counted on: racks, units of plant, parts of a fabric."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from simulator.components.power.node import SIDES, UPS
from simulator.engine import network_parts
from simulator.site import Site

ON_RACKS = ("accelerator", "server", "rack", "optic")
NOTHING = np.zeros(0, np.int64)
SITE = -1
"""Stands for the hall of what belongs to no hall."""


@dataclass(frozen=True)
class Units:
    """Units that are not accelerator racks, in groups of equal ones."""

    targets: np.ndarray
    """(groups,) What the effect takes: a block, loop, hall, node of the power tree, fabric, kind of
    support racks."""
    names: list[str]
    counts: list[int]
    halls: list[int]
    """A hall of each group, or `SITE`: it tells the age."""
    first: list[int] = field(default_factory=list)
    """Number of each group's first unit inside its target; blank: zero."""
    many: np.ndarray | None = None
    """(units,) How many equal things a unit stands for; blank: one."""


def per_rack(site: Site, per: str) -> np.ndarray:
    """Return how many of a population each accelerator rack holds."""
    chips = site.rack_accelerators
    if per == "accelerator":
        return chips
    if per == "server":
        return site.rack_servers
    if per == "rack":
        return np.ones(chips.size)
    return chips * _optics_per_accelerator(site)[site.rack_hall]


def units(site: Site, per: str) -> Units:
    """Return the units of a population that is not on racks."""
    if per in network_parts.POPULATIONS:
        return _of_fabrics(site, per)
    return _OF_PLANT[per](site)


def _optics_per_accelerator(site: Site) -> np.ndarray:
    """Return optical modules of its fabric over accelerators, for each hall."""
    share = np.zeros(len(site.hall_names))
    chips = np.bincount(site.rack_hall, weights=site.rack_accelerators, minlength=share.size)
    for fabric in site.fabrics:
        share[fabric.halls] = fabric.counts.optics / chips[fabric.halls].sum()
    return share


def _of_fabrics(site: Site, per: str) -> Units:
    targets, names, counts = network_parts.units(site, per)
    many = None
    if per == "uplink":
        unit = np.concatenate([NOTHING, *(np.arange(k) for k in counts)])
        many = network_parts.links_of(site, np.repeat(targets, counts), unit)
    return Units(targets, names, counts, [int(f.halls[0]) for f in site.fabrics], many=many)


def _bank(node: int) -> Callable[[Site], Units]:
    def units_of(site: Site) -> Units:
        return Units(np.array([node]), [site.nodes[node].name], [site.nodes[node].count], [SITE])

    return units_of


def _generators(site: Site) -> Units:
    plant = site.topology.generators
    return Units(np.zeros(1, np.int64), ["generators"], [plant.sets if plant else 0], [SITE])


def _battery_units(site: Site) -> Units:
    plant = site.topology.battery
    return Units(np.zeros(1, np.int64), ["battery"], [plant.units if plant else 0], [SITE])


def _rack_batteries(site: Site) -> Units:
    """The battery units of racks, counted by rack and block."""
    held = [(int(b), site.rack_types[site.rack_type[first]], int(count)) for b, first, count in zip(
        *np.unique(site.rack_block, return_index=True, return_counts=True), strict=True)]  # fmt: skip
    backed = [(b, count) for b, rack, count in held if rack.battery_backup is not None]
    return Units(np.array([b for b, _ in backed], np.int64), [site.block_names[b] for b, _ in backed],
                 [n for _, n in backed], [int(site.block_hall[b]) for b, _ in backed])  # fmt: skip


def _ends_of_branches(site: Site) -> Units:
    """Breakers at either end of the medium-voltage branches."""
    of = _in_network("branches")(site)
    return Units(of.targets, of.names, [2] * len(of.names), of.halls)


def _feeders(site: Site) -> Units:
    nodes = [site.nodes[i] for i in site.halls.feeder_node]
    return Units(site.halls.feeder_node, [n.name for n in nodes], [n.count for n in nodes],
                 list(range(len(nodes))))  # fmt: skip


def _blocks(site: Site) -> Units:
    """Blocks of support racks have two sides."""
    sides = [1 if b in set(site.rows.block) else SIDES for b in range(len(site.block_names))]
    return Units(np.arange(len(sides)), list(site.block_names), sides, site.block_hall.tolist())


def _in_feeds(*kinds: str) -> Callable[[Site], Units]:
    """Return the nodes of some kinds of equipment that feed blocks.

    A block with a lineup of its own stands under its name, support racks with two sides; where
    lineups, busways or sections stand in for each other, they are a group.
    """

    def units_of(site: Site) -> Units:
        grouped = {node for group in site.stand_ins for node in group}
        found = [(group[0], site.nodes[group[0]].name, len(group)) for group in site.stand_ins
                 if site.nodes[group[0]].kind in kinds]  # fmt: skip
        for b, name in enumerate(site.block_names):
            path = site.feed_paths[site.feed_first[b]]
            found += [(node, name, site.nodes[node].count) for node in path
                      if site.nodes[node].kind in kinds and node not in grouped]  # fmt: skip
        found.sort()
        halls = [int(site.node_hall[node]) for node, *_ in found]
        return Units(np.array([node for node, *_ in found], np.int64), [n for _, n, _ in found],
                     [count for *_, count in found], halls)  # fmt: skip

    return units_of


def _transfer_switches(site: Site) -> Units:
    plans = [site.hall_spec[hall].distribution for hall in site.block_hall]
    blocks = [b for b, plan in enumerate(plans)
              if plan is not None and plan.switched and site.block_support_w[b] == 0.0]  # fmt: skip
    return Units(np.array(blocks, np.int64), [site.block_names[b] for b in blocks],
                 [1] * len(blocks), [int(site.block_hall[b]) for b in blocks])  # fmt: skip


def _in_network(part: str) -> Callable[[Site], Units]:
    """Return the buses or branches of the medium-voltage network."""

    def units_of(site: Site) -> Units:
        plan = site.topology.medium_voltage
        names = [] if plan is None else [each.name for each in getattr(plan, part)]
        return Units(np.arange(len(names)), names, [1] * len(names), [SITE] * len(names))

    return units_of


def _halls(site: Site) -> Units:
    halls = list(range(len(site.hall_names)))
    return Units(np.array(halls), list(site.hall_names), [1] * len(halls), halls)


def _hall_groups(site: Site) -> Units:
    first = [site.hall_spec.index(hall) for hall in site.topology.halls]
    names = [hall.name for hall in site.topology.halls]
    return Units(np.arange(len(first)), names, [1] * len(first), first)


def _ups_modules(site: Site) -> Units:
    """The modules of each UPS; those of support racks stand in two groups, one a side."""
    nodes = [i for i, node in enumerate(site.nodes) if node.stage == UPS]
    sides = [SIDES if site.nodes[i].serves == "support" else 1 for i in nodes]
    of, counts = np.repeat(nodes, sides), np.repeat([site.nodes[i].count for i in nodes], sides)
    counts //= np.repeat(sides, sides)
    first = counts * np.concatenate([NOTHING, *(np.arange(k) for k in sides)])
    return Units(of, [site.nodes[i].name for i in of], counts.tolist(), site.node_hall[of].tolist(), first.tolist())


def _coolant_units(site: Site) -> Units:
    blocks = np.flatnonzero(site.block_coolant_units)
    names = [site.block_names[b] for b in blocks]
    return Units(blocks, names, site.block_coolant_units[blocks].tolist(),
                 site.block_hall[blocks].tolist())  # fmt: skip


def _coolant_pumps(site: Site) -> Units:
    """The pumps of each coolant unit are a group of their own: they stand in for each other."""
    each = site.topology.cooling.coolant_unit.pumps
    of = _coolant_units(site)
    number = np.concatenate([NOTHING, *(np.arange(k) for k in of.counts)])
    return Units(
        np.repeat(of.targets, of.counts), list(np.repeat(of.names, of.counts)), [each] * number.size,
        np.repeat(of.halls, of.counts).tolist(), (number * each).tolist(),
    )  # fmt: skip


def _plant(kind: str, fans: bool = False) -> Callable[[Site], Units]:
    """Return the plant units of one kind of loop; with `fans`, each stands for its fans."""

    def units_of(site: Site) -> Units:
        plant = site.topology.cooling.warm if kind == "warm" else site.topology.cooling.chilled
        chosen = np.array([i for i, loop in enumerate(site.loops) if loop.kind == kind])
        loops = [site.loops[i] for i in chosen]
        counts = [loop.units for loop in loops]
        many = np.full(sum(counts), float(plant.fans)) if fans else None
        return Units(chosen, [loop.name for loop in loops], counts, (chosen // 2).tolist(), many=many)

    return units_of


def _loop_pumps(kind: str) -> Callable[[Site], Units]:
    """Return the pumps of one kind of loop."""

    def units_of(site: Site) -> Units:
        plant = site.topology.cooling.warm if kind == "warm" else site.topology.cooling.chilled
        chosen = np.array([i for i, loop in enumerate(site.loops) if loop.kind == kind])
        return Units(chosen, [site.loops[i].name for i in chosen], [plant.pumps] * chosen.size,
                     (chosen // 2).tolist())  # fmt: skip

    return units_of


def _air_units(site: Site) -> Units:
    halls = list(range(len(site.hall_names)))
    return Units(np.array(halls), list(site.hall_names), site.hall_walls.tolist(), halls)


def _mechanical_substations(site: Site) -> Units:
    nodes = [site.nodes[i] for i in site.halls.plant_node]
    return Units(site.halls.plant_node, [n.name for n in nodes], [n.count for n in nodes],
                 list(range(len(nodes))))  # fmt: skip


def _connection(site: Site) -> Units:
    return Units(np.zeros(1, np.int64), ["point of interconnection"], [1], [SITE])


def _support_servers(site: Site) -> Units:
    """Servers of CPU and storage racks; switches are populations of their own."""
    kept = [i for i, entry in enumerate(site.support) if not entry.rack.fabric]
    held = [site.support[i] for i in kept]
    return Units(
        np.array(kept, np.int64), [f"{site.hall_names[e.hall]}/{e.rack.name}" for e in held],
        [1] * len(held), [e.hall for e in held],
        many=np.array([float(e.count * e.rack.servers) for e in held]),
    )  # fmt: skip


_OF_PLANT: dict[str, Callable[[Site], Units]] = {
    "line": _bank(0), "transformer": _bank(1), "generator": _generators, "feeder": _feeders,
    "substation": _in_feeds("transformer_unit"), "busway": _in_feeds("busway"),
    "mv_section": _in_feeds("breaker"), "transfer_switch": _transfer_switches,
    "mv_bus": _in_network("buses"), "mv_branch": _in_network("branches"),
    "feeder_breaker": _feeders, "substation_breaker": _in_feeds("transformer_unit"),
    "busway_breaker": _in_feeds("busway"), "mv_branch_breaker": _ends_of_branches,
    "battery_unit": _battery_units, "rack_battery": _rack_batteries,
    "block": _blocks, "hall": _halls, "hall_group": _hall_groups, "ups_module": _ups_modules,
    "coolant_unit": _coolant_units, "coolant_pump": _coolant_pumps,
    "liquid_plant_unit": _plant("warm"), "air_plant_unit": _plant("chilled"),
    "liquid_plant_fan": _plant("warm", fans=True), "air_plant_fan": _plant("chilled", fans=True),
    "support_server": _support_servers,
    "liquid_loop_pump": _loop_pumps("warm"), "air_loop_pump": _loop_pumps("chilled"),
    "air_unit": _air_units, "mechanical_substation": _mechanical_substations,
    "connection": _connection,
}  # fmt: skip
