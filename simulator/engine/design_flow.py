"""A site at its design load: what its substations deliver, and the losses of a full AC flow there.

The power tree knows real power only: one power factor at every level, nominal voltage. Where a
topology has a medium-voltage network, its loss coefficients are set so that at design load the losses
of every element are those of the AC flow, whose voltages and reactive powers they then contain.
"""

from typing import NamedTuple

import numpy as np

from simulator.components.power.ac_flow import solve
from simulator.components.power.flow_network import BASE_VA, FlowNetwork, site_network
from simulator.components.power.node import SUBSTATIONS, Node
from simulator.site import Site


class Coefficients(NamedTuple):
    """Of the loss, over rated real power: of nodes (nodes,) and of the mesh (branches,)."""

    node_no_load: np.ndarray
    node_load: np.ndarray
    branch_no_load: np.ndarray
    branch_load: np.ndarray


def network(site: Site) -> FlowNetwork:
    """Return the one-line of a site at its design load: racks at nameplate, or what their blocks
    feed, mechanical substations at what they carry with one unit out."""
    return site_network(site.topology, site, design_w(site))


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


def coefficients(site: Site) -> Coefficients:
    """Return the loss coefficients of a run: those of the loss curves, or with a medium-voltage
    network those that give the losses of the AC flow at design load."""
    node_no_load = np.array([node.loss.no_load for node in site.nodes])
    node_load = np.array([node.loss.load for node in site.nodes])
    if site.mesh is None:
        return Coefficients(node_no_load, node_load, np.zeros(0), np.zeros(0))
    net = network(site)
    flow = solve(net, np.array(net.closed))
    iron_w, copper_w = _parts(net, flow.voltage, flow.loss_w)
    first, carried_w = len(site.mesh.net.name), _design_flows_w(site, net, flow.loss_w)
    rating_w = np.array(net.rating_va) * site.topology.grid.power_factor
    no_load = iron_w / rating_w
    load = _over(copper_w, carried_w**2 / rating_w, np.array(net.resistance) * rating_w / BASE_VA)
    for i, members in _members(site, net, first).items():
        node_no_load[i], node_load[i] = no_load[members].mean(), load[members].mean()
    return Coefficients(node_no_load, node_load, no_load[:first], load[:first])


def racks_w(site: Site) -> np.ndarray:
    """Return what the racks of each block draw at nameplate, at most what the block feeds."""
    rack_w = np.array([rack.nameplate for rack in site.rack_types])[site.rack_type]
    block_w = np.bincount(site.rack_block, weights=rack_w, minlength=len(site.block_names))
    block_w = np.minimum(block_w, site.block_limit_w)
    for entry in site.support:
        block = site.block_names.index(f"{site.hall_names[entry.hall]}/support")
        block_w[block] += entry.count * entry.nameplate_w
    return block_w


def _parts(net: FlowNetwork, voltage: np.ndarray, loss_w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the no-load and the load loss of each branch in W."""
    ends, on = np.array(net.ends), np.array(net.closed)
    squares = (np.abs(voltage) ** 2)[ends].mean(axis=1)
    iron_w = np.array(net.shunt) * squares * BASE_VA * on
    return iron_w, loss_w - iron_w


def _members(site: Site, net: FlowNetwork, first: int) -> dict[int, list[int]]:
    """Return the branches, beyond the mesh, that are units of a node of the tree."""
    node_of = {node.name: i for i, node in enumerate(site.nodes)}
    found: dict[int, list[int]] = {}
    for k in range(first, len(net.name)):
        name = net.name[k]
        node = node_of.get(name, node_of.get(name.rsplit("/", 1)[0], -1))
        found.setdefault(node, []).append(k)
    return found


def _design_flows_w(site: Site, net: FlowNetwork, loss_w: np.ndarray) -> np.ndarray:
    """Return what the tree puts through each branch at design load: the output of nodes; of the mesh,
    the flow by its factors."""
    assert site.mesh is not None
    first = len(site.mesh.net.name)
    carried_w = np.zeros(len(net.name))
    load_w = {name: load.real for name, load in zip(net.load_name, net.load_va, strict=True)}
    hall_w = np.zeros(site.halls.feeder_node.size)
    into_w = np.zeros(len(site.nodes))
    members = _members(site, net, first)
    for i in sorted(members, reverse=True):
        node, branches = site.nodes[i], members[i]
        output_w = load_w.get(node.name, into_w[i])
        carried_w[branches] = output_w / len(branches)
        input_w = output_w + float(loss_w[branches].sum())
        if i in site.halls.feeder_node:
            hall_w[site.node_hall[i]] = input_w
        else:
            into_w[int(site.halls.feeder_node[site.node_hall[i]])] += input_w
    closed = np.array(site.mesh.net.closed)
    carried_w[:first] = site.mesh.factors(closed) @ hall_w
    return carried_w


def _over(part: np.ndarray, whole: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Return part over whole; where nothing flows, what the resistance says."""
    return np.where(whole > 1.0, part / np.where(whole > 1.0, whole, 1.0), otherwise)
