"""The medium-voltage network: names, loops, what hangs where, and what a branch must carry."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from simulator.components.power.ac_flow import solve
from simulator.components.power.flow_network import HIGH, POI, campus_network, hall_names
from simulator.components.power.medium_voltage import MediumVoltage
from simulator.components.topology import Topology
from simulator.engine.design_flow import design_w, input_w, network, outputs_w
from simulator.errors import nearest
from simulator.kernels import power_flow
from simulator.scenario.checks.plant import Plant, watts
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.site import compile_site

HERE = ("topology", "medium_voltage")
FAR_FROM_COLLAPSE = 0.8
"""Voltage per unit at halls above which unit substations, of 5.75 % on a rating that carries their load, cannot
collapse: that takes a voltage near a half (derived)."""


def names(parts: Parts) -> Iterator[Trouble]:
    """Buses, branches and halls that are not there, or there twice."""
    topology, plan = _plan(parts)
    if topology is None or plan is None:
        return
    buses = [bus.name for bus in plan.buses]
    for i, bus in enumerate(plan.buses):
        if bus.name in buses[:i]:
            yield (*HERE, "buses", i, "name"), f"there is another bus '{bus.name}'"
    seen: set[str] = set(buses)
    for i, branch in enumerate(plan.branches):
        here = (*HERE, "branches", i)
        if branch.name in seen:
            yield (*here, "name"), f"there is another bus or branch '{branch.name}'"
        seen.add(branch.name)
        if branch.between[0] == branch.between[1]:
            yield (*here, "between"), f"'{branch.name}' begins and ends on bus '{branch.between[0]}'"
        for k, name in enumerate(branch.between):
            if name not in buses:
                cure = nearest(name, buses) or f"; there are {', '.join(buses)}"
                yield (*here, "between", k), f"there is no bus '{name}'{cure}"


def halls(parts: Parts) -> Iterator[Trouble]:
    """Halls that hang on no bus or on two, and main transformers that do not add up."""
    topology, plan = _plan(parts)
    if topology is None or plan is None:
        return
    of = {hall.name: hall_names(hall.name, hall.count) for hall in topology.halls}
    every = [name for group in of.values() for name in group]
    placed: Counter[str] = Counter()
    for i, bus in enumerate(plan.buses):
        for k, name in enumerate(bus.halls):
            if name not in of and name not in every:
                cure = nearest(name, [*of, *every]) or f"; there are {', '.join(of)}"
                yield (*HERE, "buses", i, "halls", k), f"there is no hall '{name}'{cure}"
            placed.update(of.get(name, [name]))
    for name in every:
        if placed[name] != 1:
            told = "hangs on no bus" if not placed[name] else f"hangs on {placed[name]} buses"
            yield (*HERE, "buses"), f"hall '{name}' {told}; list it under exactly one"
    count = sum(bus.transformers for bus in plan.buses)
    if count != topology.grid.transformers.units:
        told = (
            f"its buses have {count} main transformers, 'topology.grid.transformers' has "
            f"{topology.grid.transformers.units}"
        )
        yield (*HERE, "buses"), told


def loops(parts: Parts) -> Iterator[Trouble]:
    """Closed loops in a network that is said to be radial, and buses that nothing reaches."""
    topology, plan = _plan(parts)
    if topology is None or plan is None or [*names(parts), *halls(parts)]:
        return
    loop = _loop(plan) if plan.operation == "radial" else []
    if loop:
        told = (
            f"{', '.join(loop)} close a loop; open one of them (`open: true`) or say "
            "'operation: meshed'"
        )
        place = next(i for i, branch in enumerate(plan.branches) if branch.name == loop[-1])
        yield (*HERE, "branches", place), told
    net, _ = campus_network(topology)
    live = dict(zip(net.bus_name, net.live(np.array(net.closed)), strict=True))
    for i, bus in enumerate(plan.buses):
        if not live[bus.name]:
            told = f"no main transformer reaches bus '{bus.name}' over closed branches"
            yield (*HERE, "buses", i), told


def without_return(parts: Parts) -> Iterator[Trouble]:
    """Halls of a network with open points that none of these feeds when one closed branch is lost."""
    topology, plan = _plan(parts)
    if topology is None or plan is None or [*names(parts), *halls(parts), *loops(parts)]:
        return
    if not any(branch.open for branch in plan.branches):
        return  # no ring is meant
    net, bus_of = campus_network(topology)
    ends, normal = np.array(net.ends), np.array(net.closed)
    for i, branch in enumerate(plan.branches):
        gone = np.array([name == branch.name for name in net.name])
        closed = power_flow.close_open_points(len(net.bus_name), ends, normal, gone, np.array([POI]))
        live = power_flow.reached(len(net.bus_name), ends, closed, np.array([POI]))
        dark = [name for name, bus in bus_of.items() if not live[bus]]
        if dark and not branch.open:
            told = (
                f"no return feed: without '{branch.name}' no open point feeds {', '.join(dark)}; close the ring "
                "with a branch that is normally open"
            )
            yield (*HERE, "branches", i), told


def overloaded_branches(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Branches that cannot carry the halls behind them with everything in service."""
    topology, plan = plant.topology, plant.topology.medium_voltage
    if plan is None or [*names(parts), *halls(parts), *loops(parts)]:
        return
    net, bus_of = campus_network(topology)
    ends, reactance = np.array(net.ends), np.array(net.reactance)
    closed = power_flow.close_open_points(
        len(net.bus_name), ends, np.array(net.closed), np.zeros(len(net.name), bool), np.array([POI]))
    factors = power_flow.transfer_factors(len(net.bus_name), ends, reactance, closed, POI)
    drawn_w = np.zeros(len(net.bus_name))
    for group in plant.groups:
        for name in hall_names(group.hall.name, group.hall.count):
            drawn_w[bus_of[name]] += group.nameplate_w
    allowed = 1.0 + topology.oversubscription
    for k in np.flatnonzero(ends[:, 0] > HIGH):
        flow_w, rating_w = abs(float(factors[k] @ drawn_w)), plant.capacity_w(net.rating_va[k])
        if flow_w > rating_w * allowed:
            told = (
                f"'{net.name[k]}' carries {watts(rating_w)}, the racks behind it need "
                f"{watts(flow_w)} by nameplate with everything in service"
            )
            place = [branch.name for branch in plan.branches].index(net.name[k])
            yield (*HERE, "branches", place, "rating"), told


def collapsing(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Networks that cannot carry their design load at any voltage."""
    plan = plant.topology.medium_voltage
    if plan is None or any(g.per_block == 0 for g in plant.groups):
        return
    if [*names(parts), *halls(parts), *loops(parts), *overloaded_branches(parts, plant)]:
        return
    if _holds_up(plant.topology):
        return
    site = compile_site(plant.topology)
    try:
        net = network(site)
        solve(net, np.array(net.closed))
    except ArithmeticError:
        drawn_w = sum(design_w(site).values())
        told = (
            f"the voltages collapse at design load, {watts(drawn_w)} at the substations: too much "
            "impedance for it in lines, main transformers or branches"
        )
        yield HERE, told


def _loop(plan: MediumVoltage) -> list[str]:
    """Return the closed branches of a loop, in no order but a stable one; none without a loop."""
    import networkx as nx  # here, because few scenarios have such a network and all would wait for it

    graph = nx.MultiGraph((*each.between, {"name": each.name}) for each in plan.branches if not each.open)
    graph.add_edges_from(("main transformers", bus.name, {"name": ""}) for bus in plan.buses if bus.transformers)
    try:
        edges = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return []
    found = [graph.edges[edge]["name"] for edge in edges]
    return [name for name in found if name]


def _holds_up(topology: Topology) -> bool:
    """Return whether the network down to the halls alone keeps their voltages up at design load, in
    which case unit substations, each with its own, do too."""
    site = compile_site(topology)
    output_w = outputs_w(site, np.array([node.firm_w for node in site.nodes]))
    net, bus_of = campus_network(topology)
    for name, node in zip(site.hall_names, site.halls.feeder_node, strict=True):
        net.load(name, bus_of[name], input_w(site.nodes[node], float(output_w[node])), topology.grid.power_factor)
    try:
        flow = solve(net, np.array(net.closed))
    except ArithmeticError:
        return False
    return bool(np.abs(flow.voltage).min() > FAR_FROM_COLLAPSE)


def _plan(parts: Parts) -> tuple[Topology | None, MediumVoltage | None]:
    return parts.topology, parts.topology.medium_voltage if parts.topology else None
