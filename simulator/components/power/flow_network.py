"""The one-line as buses and branches with impedances: what a power flow works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulator.components.power.feed_graph import FeedGraph
from simulator.components.power.loss import LossCurve
from simulator.components.power.medium_voltage import MediumVoltage, MvBus
from simulator.components.power.node import FEEDERS, SUBSTATIONS, Node
from simulator.components.topology import Topology
from simulator.kernels import power_flow

BASE_VA = 100e6
"""Power of one per unit."""
UNIT_IMPEDANCE = 0.0575
"""Of a unit substation on its rating (assumed, ANSI standard value)."""
FEEDER_X_R = 2.0
"""Reactance over resistance of hall feeders (assumed, medium-voltage cable 1-3)."""
SECONDARY_V = 480.0
"""Low voltage behind unit substations; 415 and 480 V are in use (assumed)."""
LEAST_REACTANCE = 1e-4
"""Of a branch on its rating, where no loss tells of an impedance: the least that can be written."""
POI, HIGH = 0, 1
"""Number of the utility's bus, and of the campus bus at its voltage."""


@dataclass
class FlowNetwork:
    """Buses and branches, impedances per unit on `BASE_VA`."""

    bus_name: list[str] = field(default_factory=list)
    bus_v: list[float] = field(default_factory=list)
    bank: list[float] = field(default_factory=list)
    """Share of all capacitors that stands at each bus."""
    power_factor: float = 1.0
    """Held at the point of interconnection by the capacitors."""
    name: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    """As of nodes of the power tree."""
    ends: list[tuple[int, int]] = field(default_factory=list)
    resistance: list[float] = field(default_factory=list)
    reactance: list[float] = field(default_factory=list)
    shunt: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)
    """Of turns, first end over second, over the nominal one."""
    rating_va: list[float] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    load_name: list[str] = field(default_factory=list)
    load_bus: list[int] = field(default_factory=list)
    load_va: list[complex] = field(default_factory=list)

    @property
    def on_load(self) -> list[bool]:
        """Which branches have taps that move under load: those of main transformers."""
        return [kind == "transformer_main" for kind in self.kind]

    def bus(self, name: str, volts: float, bank: float = 0.0) -> int:
        """Add a bus; return its number."""
        self.bus_name.append(name)
        self.bus_v.append(volts)
        self.bank.append(bank)
        return len(self.bus_name) - 1

    def branch(
        self, name: str, kind: str, ends: tuple[int, int], rating_va: float, loss: LossCurve,
        reactance: float, closed: bool = True,
    ) -> int:
        """Add a branch whose loss curve and reactance are on its rating; return its number. The
        linear part of the curve, which no impedance has, is left out."""
        base = BASE_VA / rating_va
        self.name.append(name)
        self.kind.append(kind)
        self.ends.append(ends)
        self.resistance.append(loss.load * base)
        self.reactance.append(max(reactance, LEAST_REACTANCE) * base)
        self.shunt.append(loss.no_load / base)
        self.ratio.append(1.0)
        self.rating_va.append(rating_va)
        self.closed.append(closed)
        return len(self.name) - 1

    def load(self, name: str, bus: int, power_w: float, power_factor: float) -> None:
        """Add a load at a lagging power factor."""
        self.load_name.append(name)
        self.load_bus.append(bus)
        self.load_va.append(complex(power_w, power_w * float(np.tan(np.arccos(power_factor)))))

    def drawn(self, share: np.ndarray | float = 1.0) -> np.ndarray:
        """Return the complex power in per unit drawn at each bus, of `share` (loads,) of each."""
        total = np.zeros(len(self.bus_name), np.complex128)
        np.add.at(total, np.array(self.load_bus, np.int64), np.array(self.load_va) * share / BASE_VA)
        return total

    def live(self, closed: np.ndarray) -> np.ndarray:
        """Return which buses the utility reaches over the closed branches: boolean (buses,)."""
        ends = np.array(self.ends)
        return power_flow.reached(len(self.bus_name), ends, closed, np.array([POI]))


def campus_network(topology: Topology) -> tuple[FlowNetwork, dict[str, int]]:
    """Return lines, main transformers and medium-voltage network, and the bus of each hall. Capacitors stand at
    the buses with main transformers, in proportion to their number (assumed)."""
    grid, plan = topology.grid, topology.medium_voltage or single_bus(topology)
    net = FlowNetwork(power_factor=grid.power_factor)
    net.bus("utility", grid.voltage)
    net.bus("campus high voltage", grid.voltage)
    for k in range(grid.lines.units):
        net.branch(f"lines/{k + 1}", "line", (POI, HIGH), grid.lines.rating, grid.lines.loss,
                   plan.line_reactance)  # fmt: skip
    share = 1.0 / max(sum(bus.transformers for bus in plan.buses), 1)
    buses = {bus.name: net.bus(bus.name, plan.voltage, share * bus.transformers) for bus in plan.buses}
    reactance = _reactance(plan.transformer_impedance, grid.transformers.loss)
    fed = [buses[bus.name] for bus in plan.buses for _ in range(bus.transformers)]
    for k, bus in enumerate(fed):
        net.branch(f"main transformers/{k + 1}", "transformer_main", (HIGH, bus),
                   grid.transformers.rating, grid.transformers.loss, reactance)  # fmt: skip
    for branch in plan.branches:
        first, second = (buses[name] for name in branch.between)
        net.branch(branch.name, "feeder", (first, second), branch.rating, branch.loss,
                   branch.reactance, not branch.open)  # fmt: skip
    return net, {hall: buses[bus] for hall, bus in hall_buses(topology, plan).items()}


def site_network(topology: Topology, graph: FeedGraph, output_w: Mapping[int, float]) -> FlowNetwork:
    """Return the whole one-line down to unit substations, which carry `output_w` by node at the power factor of
    the interconnection (assumed). Their off-circuit taps are still neutral."""
    net, of_hall = campus_network(topology)
    power_factor = topology.grid.power_factor
    at: dict[int, int] = {}
    for i, node in enumerate(graph.nodes):
        if node.stage == FEEDERS:
            start = of_hall[node.name.rsplit("/", 1)[0]]
            at[i] = net.bus(node.name, net.bus_v[start])
            each_va, loss = node.rating_w / node.count / power_factor, node.loss.over_real(1.0 / power_factor)
            for k in range(node.count):
                net.branch(f"{node.name}/{k + 1}", node.kind, (start, at[i]), each_va, loss,
                           FEEDER_X_R * loss.load)  # fmt: skip
        elif node.stage == SUBSTATIONS and node.kind == "breaker":
            at[i] = at[node.parent]
        elif node.stage == SUBSTATIONS:
            bus = net.bus(node.name, SECONDARY_V)
            loss = node.loss.over_real(1.0 / power_factor)
            reactance = _reactance(UNIT_IMPEDANCE, loss)
            names = _sides(node)
            for name in names:
                net.branch(name, node.kind, (at[node.parent], bus), node.rating_w / len(names) / power_factor,
                           loss, reactance)  # fmt: skip
            net.load(node.name, bus, output_w.get(i, 0.0), power_factor)
    return net


def single_bus(topology: Topology) -> MediumVoltage:
    """Return the network of a topology that says nothing: all on one bus."""
    halls = tuple(hall.name for hall in topology.halls)
    count = topology.grid.transformers.units
    return MediumVoltage(buses=(MvBus(name="medium voltage", transformers=count, halls=halls),))


def hall_buses(topology: Topology, plan: MediumVoltage) -> dict[str, str]:
    """Return the bus of every hall that is named, by the hall's own name or by its group's."""
    names = {hall.name: hall_names(hall.name, hall.count) for hall in topology.halls}
    found: dict[str, str] = {}
    for bus in plan.buses:
        for name in bus.halls:
            found |= dict.fromkeys(names.get(name, [name]), bus.name)
    return found


def hall_names(name: str, count: int) -> list[str]:
    """Return the names of the halls of a group."""
    return [f"{name}-{k + 1:02d}" for k in range(count)] if count > 1 else [name]


def _sides(node: Node) -> list[str]:
    """Return the names of the branches of a unit substation: one a side of support racks; else equal units in
    parallel are one."""
    return [f"{node.name}/{k + 1}" for k in range(node.count)] if node.serves == "support" else [node.name]


def _reactance(impedance: float, loss: LossCurve) -> float:
    return float(np.sqrt(max(impedance**2 - loss.load**2, 0.0)))
