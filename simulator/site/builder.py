"""The columns of a site, hall by hall, in the order of the document."""

import numpy as np

from simulator.components.accelerator import Accelerator
from simulator.components.cooling.in_service import BlockCoolant, columns, of_block
from simulator.components.power.bank import Bank
from simulator.components.power.flow_network import hall_names
from simulator.components.power.lineups import Feed, Lineups
from simulator.components.power.loss import LossCurve
from simulator.components.power.node import (
    BUSWAYS,
    FEEDERS,
    LINES,
    SIDES,
    SUBSTATIONS,
    TRANSFORMERS,
    UPS,
    Node,
)
from simulator.components.rack import Rack
from simulator.components.rack_rows import row_columns
from simulator.components.sizing import (
    block_limit_w,
    block_of,
    chip_of,
    network_rack_w,
    rack_named,
    rack_of,
    racks_per_block,
    steady_w,
)
from simulator.components.topology import Hall, Topology
from simulator.kernels.columns import HallSite
from simulator.site.arrays import Loop, Site, Support
from simulator.site.plants import Plants


class Builder:
    """Accumulates the columns hall by hall."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.pf = topology.grid.power_factor
        self.plants = Plants(topology)
        self.types: list[Rack] = []
        self.chips: list[Accelerator] = []
        self.hall_names: list[str] = []
        self.hall_spec: list[Hall] = []
        self.blocks: list[tuple[str, int, float, float]] = []
        self.coolants: list[BlockCoolant] = []
        self.drawn_w: list[float] = []  # of each block at its design load
        self.feeds: list[list[Feed]] = []
        self.stand_ins: list[tuple[int, ...]] = []
        self.support: list[Support] = []
        self.loops: list[Loop] = []
        self.nodes: list[Node] = []
        self.rows: list[tuple[int, int, int, int, int]] = []  # start, stop, block, hall, type
        self.halls: list[tuple[int, int, int, float, float]] = []
        self.racks = 0
        grid = topology.grid
        self._node_of_bank("lines", -1, LINES, "line", grid.lines)
        self._node_of_bank("main transformers", 0, TRANSFORMERS, "transformer_main", grid.transformers)
        for hall in topology.halls:
            for name in hall_names(hall.name, hall.count):
                self._hall(hall, name)

    def _node_of_bank(self, name: str, parent: int, stage: int, kind: str, bank: Bank) -> int:
        rating_w = bank.capacity_va() * self.pf
        firm_w = bank.capacity_va(out=1) * self.pf
        above = stage in (LINES, TRANSFORMERS) and self.topology.medium_voltage is not None
        loss = LossCurve() if above else bank.loss.over_real(self.pf)  # above: of each in the mesh
        return self._node(Node(name, parent, stage, kind, rating_w, loss, bank.units, firm_w))

    def _node(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _type(self, hall: Hall) -> int:
        rack = rack_of(self.topology, hall)
        if rack not in self.types:
            self.types.append(rack)
            if chip_of(rack) not in self.chips:
                self.chips.append(chip_of(rack))
        return self.types.index(rack)

    def _hall(self, hall: Hall, name: str) -> None:
        h = len(self.hall_names)
        self.hall_names.append(name)
        self.hall_spec.append(hall)
        feeder = self._node_of_bank(f"{name}/feeders", 1, FEEDERS, "feeder", hall.feeders)
        kind = self._type(hall)
        per_block, limit_w = racks_per_block(self.topology, hall), block_limit_w(self.topology, hall)
        heat_w = min(per_block * self.types[kind].nameplate, limit_w)
        block_liquid_w = heat_w * self.types[kind].liquid_fraction
        coolant = of_block(self.topology.cooling.coolant_unit, self.types[kind], block_liquid_w)
        liquid_w, air_w, pumps_w = 0.0, 0.0, 0.0
        laid = self._lineups(hall, name, feeder)
        for number in range(hall.blocks):
            block = f"{name}/b{number + 1:02d}"
            self.feeds.append(laid[number] if laid else [(self._own_lineup(hall, block, feeder), 1.0)])
            self.coolants.append(coolant)
            self.drawn_w.append(heat_w)
            self.blocks.append((block, h, limit_w, 0.0))
            self._row(kind, per_block, h)
            liquid_w, air_w = liquid_w + block_liquid_w, air_w + (heat_w - block_liquid_w)
            pumps_w += coolant.coolant.pump_w
        air_w += self._support(hall, name, h, feeder)
        air_w += self._indoor_w(hall, feeder)
        self._plants(hall, name, feeder, (liquid_w, air_w, pumps_w))

    def _lineups(self, hall: Hall, name: str, feeder: int) -> list[list[Feed]]:
        """Add the lineups of a hall with a scheme; return the feeds of its blocks."""
        if hall.distribution is None:
            return []
        first = len(self.nodes)
        own = hall.model_copy(update={"block": block_of(self.topology, hall)})
        block_w = min(
            racks_per_block(self.topology, hall) * rack_of(self.topology, hall).nameplate,
            block_limit_w(self.topology, hall),
        )
        laid = Lineups(own, hall.distribution, name, feeder, first, self.pf, block_w)
        self.nodes += laid.nodes
        self.stand_ins += laid.stand_ins
        return laid.feeds

    def _own_lineup(self, hall: Hall, name: str, feeder: int) -> int:
        """Add the substation and busway of one block; return the busway."""
        block, rating_w = block_of(self.topology, hall), hall.block.rating * self.pf
        substation = self._node(
            Node(f"{name}/substation", feeder, SUBSTATIONS, "transformer_unit", rating_w,
                 block.substation, continuous=block.continuous, serves="racks", cooling=block.cooling)
        )
        return self._node(Node(f"{name}/busway", substation, BUSWAYS, "busway", rating_w,
                               block.busway, continuous=block.continuous,
                               serves="racks"))  # fmt: skip

    def _support(self, hall: Hall, name: str, h: int, feeder: int) -> float:
        """Add the block of network, storage and CPU racks, which two sides feed; return its design air heat."""
        present = [s for s in hall.support if s.count > 0]
        if not present:
            return 0.0
        ups, block = self.topology.ups, self.topology.mechanical
        racks = [rack_named(self.topology, entry.rack) for entry in present]
        added = [self._support_of(hall, h, entry.count, rack)
                 for entry, rack in zip(present, racks, strict=True)]  # fmt: skip
        design_w = sum(entry.count * entry.nameplate_w for entry in added)
        built = ups.sized(design_w)  # each side, for all of it
        side_w, rating_w, base = built.rating_w, SIDES * built.rating_w, f"{name}/support"
        substation = self._node(
            Node(f"{base}/substation", feeder, SUBSTATIONS, "transformer_unit", rating_w,
                 block.substation.over_real(self.pf), SIDES, side_w, serves="support", cooling=block.cooling)
        )
        ups_node = self._node(
            Node(f"{base}/ups", substation, UPS, "ups", rating_w, ups.losses, SIDES * built.modules, side_w,
                 built.ride_through_s, SIDES * built.recharge_w, "support")
        )
        busway = self._node(Node(f"{base}/busway", ups_node, BUSWAYS, "busway", rating_w,
                                 block.busway.over_real(self.pf), SIDES, side_w, serves="support"))  # fmt: skip
        self.support += added
        draw_w = sum(entry.count * entry.power_w for entry in added)
        self.feeds.append([(busway, 1.0)])
        self.drawn_w.append(design_w)
        self.blocks.append((base, h, side_w, draw_w))
        self.coolants.append(of_block(self.topology.cooling.coolant_unit, None, 0.0))
        return design_w

    def _support_of(self, hall: Hall, h: int, count: int, rack: Rack) -> Support:
        power_w = (rack.fabric and network_rack_w(self.topology, hall)) or steady_w(rack)
        return Support(h, rack, count, power_w, max(rack.nameplate, power_w))

    def _row(self, kind: int, count: int, h: int) -> None:
        self.rows.append((self.racks, self.racks + count, len(self.blocks) - 1, h, kind))
        self.racks += count

    def _indoor_w(self, hall: Hall, feeder: int) -> float:
        """Return the heat at design load of a hall's lights and of what feeds its racks, as far as it
        reaches the hall's air."""
        told, output_w = self.topology.cooling.indoors, np.zeros(len(self.nodes))
        for b in (b for b, of in enumerate(self.blocks) if of[1] == len(self.hall_names) - 1):
            for fed, share in self.feeds[b]:
                output_w[fed] += share * self.drawn_w[b]
        found_w = told.house * hall.house
        for i in range(len(self.nodes) - 1, feeder, -1):
            node = self.nodes[i]
            loss_w = node.loss.loss_w(float(output_w[i]), node.rating_w)
            output_w[node.parent] += output_w[i] + loss_w
            found_w += told.share(node) * loss_w
        return found_w

    def _plants(self, hall: Hall, name: str, feeder: int, heat: tuple[float, float, float]) -> None:
        """Add the two loops of a hall and what feeds them."""
        built = self.plants.of_hall(hall, name, feeder, len(self.nodes), heat)
        self.loops += [built.warm, built.chilled]
        mechanical, pumps = self._node(built.substation), self._node(built.pump_ups)
        self.halls.append((feeder, mechanical, pumps, hall.house, max(built.air_w, 1.0)))

    def site(self) -> Site:
        """Return the finished arrays."""
        rows = np.array(self.rows, dtype=np.int64)
        counts = rows[:, 1] - rows[:, 0]
        rack_row = np.repeat(np.arange(len(rows)), counts)
        rack_type, rack_hall = rows[rack_row, 4], rows[rack_row, 3]
        first = np.array([np.flatnonzero(rack_hall == h)[0] for h in range(len(self.hall_names))])
        chip_of_type = [self.chips.index(chip_of(rack)) for rack in self.types]
        names, hall, limit_w, support_w = zip(*self.blocks, strict=True)
        firm_w, firm_limit = self.topology.grid.firm_w()
        return Site(
            topology=self.topology,
            chips=tuple(self.chips),
            rack_types=tuple(self.types),
            hall_names=tuple(self.hall_names),
            hall_spec=tuple(self.hall_spec),
            block_names=names,
            support=tuple(self.support),
            loops=tuple(self.loops),
            nodes=tuple(self.nodes),
            rows=row_columns(rows, [self.types[k] for k in rows[:, 4]]),
            halls=self._hall_columns(),
            row_type=rows[:, 4],
            rack_row=rack_row,
            rack_block=rows[rack_row, 2],
            rack_hall=rack_hall,
            rack_type=rack_type,
            rack_chip=np.array(chip_of_type)[rack_type],
            rack_accelerators=np.array([float(t.accelerators) for t in self.types])[rack_type],
            rack_servers=np.array([float(t.servers) for t in self.types])[rack_type],
            rack_number=np.arange(self.racks) - first[rack_hall],
            block_limit_w=np.array(limit_w),
            stand_ins=tuple(self.stand_ins),
            feed_first=np.cumsum([0, *map(len, self.feeds)]),
            feed_node=np.array([node for feeds in self.feeds for node, _ in feeds]),
            feed_share=np.array([share for feeds in self.feeds for _, share in feeds]),
            block_hall=np.array(hall),
            block_support_w=np.array(support_w),
            **vars(columns(self.coolants)),
            firm_w=firm_w,
            firm_limit=firm_limit,
        )

    def _hall_columns(self) -> HallSite:
        feeder, plant, pumps, house_w, air_w = zip(*self.halls, strict=True)
        count = len(self.halls)
        fan, chilled = self.topology.cooling.fan_wall, self.topology.cooling.chilled
        return HallSite(
            liquid_loop=np.arange(count) * 2,
            air_loop=np.arange(count) * 2 + 1,
            feeder_node=np.array(feeder),
            plant_node=np.array(plant),
            pump_node=np.array(pumps),
            house_w=np.array(house_w, dtype=float),
            fan_design_heat_w=np.array(air_w),
            fan_approach_k=np.full(count, float(fan.approach)),
            fan_power_frac=np.tile(fan.power_frac(), (count, 1)),
            coil_k=fan.coil_k(chilled.range, chilled.flow_steps()),
        )
