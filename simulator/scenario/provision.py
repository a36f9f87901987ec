"""Counts that a document leaves blank: feeders, main transformers, lines and generators follow from the
design load, and so from the redundancy scheme of the halls.

Design load is racks at nameplate, or what their blocks feed, with the plants of the design day on which
mechanical substations are sized (`site.plants.DESIGN_DAY`), and the losses of everything between.
"""

import math

import numpy as np

from simulator.components.power.bank import Bank
from simulator.components.power.generator import ROUNDING
from simulator.components.power.node import LINES, SUBSTATIONS, TRANSFORMERS
from simulator.components.sizing import rack_named, rack_of, racks_per_block
from simulator.components.topology import Hall, Topology
from simulator.engine import lineup_sets
from simulator.engine.design_flow import input_w, outputs_w
from simulator.scenario.spec import ScenarioSpec
from simulator.site import Site, compile_site

ROUNDS = 8
"""Losses follow the counts: two rounds are enough for any campus that carries its load."""


def counted(topology: Topology) -> Topology:
    """Return the topology with every count that is blank; itself if none is.

    KeyError for a rack or chip that is not known, ValueError for a fabric that is too small.
    """
    if not _blank(topology):
        return topology
    found = _guess(topology)
    for _ in range(ROUNDS):
        last, found = found, _for_load(topology, found)
        if found == last:
            break
    return found


def counted_or_guessed(topology: Topology) -> Topology:
    """Return the same, and where what is wrong with a topology leaves no design load, one element for
    every count that is blank and no generator: its checks say what is wrong."""
    try:
        return counted(topology)
    except (KeyError, ValueError):
        return _with(topology, 1, 1, {hall.name: 1 for hall in topology.halls}, 0)


def of_spec(spec: ScenarioSpec) -> ScenarioSpec:
    """Return a scenario with every count of its topology."""
    found = counted_or_guessed(spec.topology)
    return spec if found is spec.topology else spec.model_copy(update={"topology": found})


def _blank(topology: Topology) -> bool:
    banks = [topology.grid.lines, topology.grid.transformers, *(hall.feeders for hall in topology.halls)]
    sets = topology.generators
    return any(bank.count is None for bank in banks) or (sets is not None and sets.count is None)


def _guess(topology: Topology) -> Topology:
    """Return the counts of the racks' nameplates alone."""
    below_w = {hall.name: _nameplate_w(topology, hall) for hall in topology.halls}
    feeders = {hall.name: _units(topology, hall.feeders, below_w[hall.name]) for hall in topology.halls}
    whole_w = sum(hall.count * below_w[hall.name] for hall in topology.halls)
    lines, transformers = (
        _units(topology, bank, whole_w) for bank in (topology.grid.lines, topology.grid.transformers)
    )
    return _with(topology, lines, transformers, feeders, 1)


def _for_load(topology: Topology, found: Topology) -> Topology:
    """Return the counts for the design load that the site of the last counts has."""
    site = compile_site(found)
    output_w = design_outputs_w(site)
    grid = topology.grid
    feeders = {
        hall.name: _units(topology, hall.feeders, _of_hall_w(site, hall, output_w)) for hall in topology.halls
    }
    return _with(
        topology, _units(topology, grid.lines, float(output_w[LINES])),
        _units(topology, grid.transformers, float(output_w[TRANSFORMERS])), feeders,
        _sets(site, output_w),
    )  # fmt: skip


def design_outputs_w(site: Site) -> np.ndarray:
    """Return what every node of the power tree delivers at design load, (nodes,)."""
    return outputs_w(site, np.array([node.design_w for node in site.nodes]))


def needed_sets(topology: Topology) -> int:
    """Return the generators that carry what they back at design load; those to spare are not among
    them."""
    site = compile_site(topology)
    return _sets(site, design_outputs_w(site))


def _sets(site: Site, output_w: np.ndarray) -> int:
    plant = site.topology.generators
    if plant is None or plant.backs is None:
        return 0
    if plant.backs == "campus":
        return plant.sets_for(input_w(site.nodes[TRANSFORMERS], float(output_w[TRANSFORMERS])))
    rest_w = sum(
        input_w(node, float(output_w[i])) for i, node in enumerate(site.nodes)
        if node.stage == SUBSTATIONS and node.serves in ("support", "mechanical")
    )  # fmt: skip
    return sum(lineup_sets.of_lineups(site)) + plant.sets_for(rest_w)


def _of_hall_w(site: Site, hall: Hall, output_w: np.ndarray) -> float:
    """Return what the feeders of one hall of a group deliver."""
    first = [spec.name for spec in site.hall_spec].index(hall.name)
    return float(output_w[site.halls.feeder_node[first]])


def _nameplate_w(topology: Topology, hall: Hall) -> float:
    support_w = sum(s.count * rack_named(topology, s.rack).nameplate for s in hall.support)
    return hall.blocks * racks_per_block(topology, hall) * rack_of(topology, hall).nameplate + support_w


def _units(topology: Topology, bank: Bank, load_w: float) -> int:
    """Return the elements of a bank that carry a load, and those to spare."""
    each_w = bank.rating * topology.grid.power_factor
    return max(math.ceil(load_w / each_w * (1.0 - ROUNDING)), 1) + bank.spare


def _with(
    topology: Topology, lines: int, transformers: int, feeders: dict[str, int], sets: int
) -> Topology:
    """Return the topology with these counts where it leaves them blank."""
    grid = topology.grid.model_copy(update={
        "lines": _bank_with(topology.grid.lines, lines),
        "transformers": _bank_with(topology.grid.transformers, _on_buses(topology, transformers)),
    })  # fmt: skip
    halls = tuple(hall.model_copy(update={"feeders": _bank_with(hall.feeders, feeders[hall.name])})
                  for hall in topology.halls)  # fmt: skip
    plant = topology.generators
    if plant is not None and plant.count is None:
        plant = plant.model_copy(update={"count": sets + plant.spare})
    return topology.model_copy(update={"grid": grid, "halls": halls, "generators": plant})


def _bank_with(bank: Bank, count: int) -> Bank:
    return bank if bank.count is not None else bank.model_copy(update={"count": count})


def _on_buses(topology: Topology, count: int) -> int:
    """Return the main transformers: with a medium-voltage network, those that its buses have."""
    plan = topology.medium_voltage
    return count if plan is None else max(sum(bus.transformers for bus in plan.buses), 1)
