"""A site at its design load: what its substations deliver, and the losses of a full AC flow there.

The power tree knows real power only: one power factor at every level, nominal voltage. Where a
topology has a medium-voltage network, its loss coefficients are set so that at design load the losses
of every element are those of the AC flow, whose voltages and reactive powers they then contain.
"""

from typing import NamedTuple

import numpy as np

from simulator.components.power import loading, newton
from simulator.components.power.ac_flow import Flow, solve, solve_drawn
from simulator.components.power.flow_network import BASE_VA, HIGH, POI, FlowNetwork, site_network
from simulator.components.power.node import SUBSTATIONS, Node
from simulator.kernels import power_flow
from simulator.site import Site

SHARES = (1.0, 0.3)
"""Of the design load, at which two flows tell how currents follow power."""
TAPS = (1.05, 1.025, 1.0, 0.975, 0.95)
"""Off-circuit taps of unit substations, turns over nominal: two steps of 2.5 % to either side, the standard."""


BANKS = ("line", "transformer_main")
"""Kinds of branches that stand together as the first nodes of the tree."""


class Columns(NamedTuple):
    """Of elements of the power tree, each (elements,). Losses are shares of the rating."""

    rating_w: np.ndarray
    """Real power at rated current."""
    sag: np.ndarray
    """As in `components.power.loading`."""
    no_load: np.ndarray
    load: np.ndarray


class Laws(NamedTuple):
    """What a run's tree is told of the AC flow."""

    nodes: Columns
    branches: Columns
    """Of the mesh."""
    drawn: np.ndarray
    """(2, buses) By halls at each bus of the mesh at `SHARES` of the design load, complex, in per unit."""


def network(site: Site) -> FlowNetwork:
    """Return the one-line of a site at its design load: racks at nameplate, or what their blocks
    feed, mechanical substations at what they carry with one unit out. ArithmeticError where it does
    not carry that.

    The off-circuit taps of unit substations stand where one that carries its rating still holds nominal voltage, or
    on the last one: the highest secondary voltages that light load then sees are below 105 %.
    """
    net = site_network(site.topology, site, design_w(site))
    primary = np.abs(solve(net, np.array(net.closed)).voltage)
    for k in np.flatnonzero(np.array(net.kind) == "transformer_unit"):
        before = float(primary[net.ends[k][0]])
        held = (tap for tap in TAPS if _secondary(net, int(k), before / tap) >= 1.0)
        net.ratio[k] = next(held, TAPS[-1])
    return net


def _secondary(net: FlowNetwork, k: int, before: float) -> float:
    """Return the voltage behind a transformer, per unit, that carries its rating at the loads' power factor, from
    that before its impedance; zero where there is none. |V|^2 is the larger root of the quadratic
    v^2 + 2 v (rp + xq) - b^2 v + |z|^2 |s|^2 = 0 with v = |V|^2 and b the voltage before."""
    rated = net.rating_va[k] / BASE_VA
    z = complex(net.resistance[k], net.reactance[k]) * rated
    p, q = net.power_factor, float(np.sqrt(1.0 - net.power_factor**2))
    half = 0.5 * before * before - (z.real * p + z.imag * q)
    inside = half * half - abs(z) ** 2
    return float(np.sqrt(half + np.sqrt(inside))) if half > 0.0 and inside >= 0.0 else 0.0


def design_w(site: Site) -> dict[int, float]:
    """Return the output of every unit substation at design load, by node."""
    output_w = outputs_w(site, np.array([node.firm_w for node in site.nodes]))
    return {i: float(output_w[i]) for i, node in enumerate(site.nodes)
            if node.stage == SUBSTATIONS and node.kind == "transformer_unit"}  # fmt: skip


def outputs_w(site: Site, plants_w: np.ndarray) -> np.ndarray:
    """Return the output of every node at design load, (nodes,): racks at nameplate, or what their
    blocks feed, mechanical substations at `plants_w` (nodes,)."""
    output_w = np.zeros(len(site.nodes))
    block_w = racks_w(site)
    for block, (first, stop) in enumerate(zip(site.feed_first, site.feed_first[1:], strict=False)):
        for feed in range(first, stop):
            output_w[site.feed_node[feed]] += block_w[block] * site.feed_share[feed]
    for i in range(len(site.nodes) - 1, 0, -1):
        node = site.nodes[i]
        if node.serves == "mechanical" and node.stage == SUBSTATIONS:
            output_w[i] = plants_w[i]
        output_w[node.parent] += input_w(node, output_w[i])
    return output_w


def input_w(node: Node, output_w: float) -> float:
    """Return what a node takes in to deliver so much."""
    return output_w + node.loss.loss_w(output_w, node.rating_w)


def laws(site: Site) -> Laws:
    """Return ratings and loss coefficients of a run with everything in service: those of the equipment at nominal
    voltage, or with a medium-voltage network those that give losses and currents of the AC flow."""
    nodes = Columns(
        np.array([node.rating_w for node in site.nodes]), np.zeros(len(site.nodes)),
        np.array([node.loss.no_load for node in site.nodes]), np.array([node.loss.load for node in site.nodes]),
    )  # fmt: skip
    if site.mesh is None:
        return Laws(nodes, Columns(*np.zeros((4, 0))), np.zeros((2, 0), complex))
    net, first = network(site), len(site.mesh.net.name)
    flows = [solve(net, np.array(net.closed), share) for share in SHARES]
    carried_w = np.array([_carried_w(site, net, flow, share) for flow, share in zip(flows, SHARES, strict=True)])
    branches = _columns(net, np.array(net.closed), flows, carried_w)
    for i, members in _members(site, net, first).items():
        nodes.rating_w[i] = branches.rating_w[members].sum()
        for of_node, of_branch in zip(nodes[1:], branches[1:], strict=True):
            of_node[i] = of_branch[members].mean()
    told = Laws(nodes, branches, np.array([_drawn(site, flow) for flow in flows]))
    return switched(site, np.array(site.mesh.net.closed), told)


def switched(site: Site, closed: np.ndarray, told: Laws) -> Laws:
    """Return the laws with these branches of the mesh closed (boolean), halls drawing what they do at design load: of
    lines, main transformers and branches. ArithmeticError where they do not carry that."""
    assert site.mesh is not None
    net, kind = site.mesh.net, np.array(site.mesh.net.kind)
    flows = [solve_drawn(net, closed, drawn) for drawn in told.drawn]
    live, ends = net.live(closed), np.array(net.ends)
    draws_w = np.where(live, told.drawn.real, 0.0) * BASE_VA
    by_bus = power_flow.transfer_factors(live.size, ends, np.array(net.reactance), closed, POI)
    branches = _columns(net, closed, flows, np.abs(draws_w @ by_bus.T))
    carried_w, currents, standing = np.zeros((2, 2)), np.zeros((2, 2)), np.ones(2)
    for row, flow in enumerate(flows):
        import_w = draws_w[row].sum() + flow.loss_w.sum()
        carried_w[row] = import_w, import_w - flow.loss_w[np.isin(kind, BANKS)].sum()
    for k, bank in enumerate(BANKS):
        mine = (kind == bank) & closed
        if mine.any():
            standing[k] = mine.sum() / (kind == bank).sum()
            currents[:, k] = [flow.loading[mine].mean() for flow in flows]
    nominal_w = np.array([node.rating_w for node in site.nodes[: len(BANKS)]])
    banks = loading.fitted(carried_w, currents, nominal_w * standing, np.array(BANKS))
    nodes = Columns(*(column.copy() for column in told.nodes))
    nodes.rating_w[: len(BANKS)], nodes.sag[: len(BANKS)] = banks.rating_w / standing, banks.sag
    return Laws(nodes, branches, told.drawn)


def racks_w(site: Site) -> np.ndarray:
    """Return what the racks of each block draw at nameplate, at most what the block feeds."""
    return np.minimum(site.rack_nameplate_w, site.block_limit_w) + site.support_nameplate_w


def _columns(net: FlowNetwork, closed: np.ndarray, flows: list[Flow], carried_w: np.ndarray) -> Columns:
    """Return the columns of branches that carry `carried_w` (2, branches) in two flows; losses are of the first."""
    currents, (flow, _) = np.array([flow.loading for flow in flows]), flows
    law = loading.fitted(carried_w, currents, np.array(net.rating_va) * net.power_factor, np.array(net.kind))
    (first, second) = np.abs(flow.voltage)[np.array(net.ends)].T
    iron_w = np.array(net.shunt) * 0.5 * ((first / flow.ratio) ** 2 + second**2) * BASE_VA * closed
    at_rating = np.array(net.resistance) * np.array(net.rating_va) ** 2 / (BASE_VA * law.rating_w)
    load = _over(flow.loss_w - iron_w, carried_w[0] ** 2 / law.rating_w, at_rating)
    return Columns(*law, iron_w / law.rating_w, load)


def _drawn(site: Site, flow: Flow) -> np.ndarray:
    """Return what halls draw at each bus of the mesh, complex (buses,) in per unit, in a flow of the whole site."""
    assert site.mesh is not None
    net, buses = site.mesh.net, site.mesh.buses
    series, on = np.array(net.resistance) + 1j * np.array(net.reactance), np.array(net.closed)
    branches = newton.Branches(site.mesh.ends, series, np.array(net.shunt), on, flow.ratio[: on.size])
    voltage = flow.voltage[:buses]
    taken = -voltage * np.conj(newton.admittance(branches, flow.bank_va[:buses] / BASE_VA) @ voltage)
    taken[: HIGH + 1] = 0.0  # the utility gives, and nothing hangs on the bus behind the lines
    return taken


def _members(site: Site, net: FlowNetwork, first: int) -> dict[int, list[int]]:
    """Return the branches, beyond the mesh, that are units of a node of the tree."""
    node_of = {node.name: i for i, node in enumerate(site.nodes)}
    found: dict[int, list[int]] = {}
    for k in range(first, len(net.name)):
        name = net.name[k]
        node = node_of.get(name, node_of.get(name.rsplit("/", 1)[0], -1))
        found.setdefault(node, []).append(k)
    return found


def _carried_w(site: Site, net: FlowNetwork, flow: Flow, share: float) -> np.ndarray:
    """Return what the tree puts through each branch in the flow at `share` of the design load: the output of
    nodes; of the mesh, the size of the flow by its factors."""
    assert site.mesh is not None
    first = len(site.mesh.net.name)
    carried_w = np.zeros(len(net.name))
    load_w = {name: load.real * share for name, load in zip(net.load_name, net.load_va, strict=True)}
    hall_w = np.zeros(site.halls.feeder_node.size)
    into_w = np.zeros(len(site.nodes))
    members = _members(site, net, first)
    for i in sorted(members, reverse=True):
        node, branches = site.nodes[i], members[i]
        output_w = load_w.get(node.name, into_w[i])
        carried_w[branches] = output_w / len(branches)
        input_w = output_w + float(flow.loss_w[branches].sum())
        if i in site.halls.feeder_node:
            hall_w[site.node_hall[i]] = input_w
        else:
            into_w[int(site.halls.feeder_node[site.node_hall[i]])] += input_w
    closed = np.array(site.mesh.net.closed)
    carried_w[:first] = np.abs(site.mesh.factors(closed) @ hall_w)
    return carried_w


def _over(part: np.ndarray, whole: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Return part over whole; where nothing flows, what the resistance says."""
    return np.where(whole > 1.0, part / np.where(whole > 1.0, whole, 1.0), otherwise)
