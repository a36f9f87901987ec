"""Racks: consistent in themselves, in the right rows, connected, and not too many for a block."""

import math
from collections.abc import Iterator

from simulator.components import from_catalog
from simulator.components.rack import Rack
from simulator.scenario.checks.plant import Group, Plant, chip_named, rack_idle_w, watts
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

MOST_RACKS = 1_000_000
"""A hundred campuses of a gigawatt; more is a slip."""


def inconsistent(parts: Parts) -> Iterator[Trouble]:
    """Rack types of the document that contradict themselves."""
    for i, rack in parts.racks.items():
        for key, message in _contradictions(rack):
            yield ("topology", "racks", i, key), message


def misplaced(parts: Parts) -> Iterator[Trouble]:
    """Support racks in accelerator rows, and the other way round."""
    for i, hall in parts.halls.items():
        rack = _rack(parts, hall.rack)
        if rack is not None and rack.accelerator is None:
            cure = "list it under 'support' and name an accelerator rack here"
            yield ("topology", "halls", i, "rack"), f"'{rack.name}' has no accelerators; {cure}"
        for k, entry in enumerate(hall.support):
            found = _rack(parts, entry.rack)
            if found is not None and found.accelerator is not None:
                told = f"'{found.name}' has accelerators; give it a hall of its own"
                yield ("topology", "halls", i, "support", k, "rack"), told


def too_many(plant: Plant) -> Iterator[Trouble]:
    """More racks than anyone builds."""
    racks = sum(g.racks + g.hall.count * sum(n for _, n in g.support) for g in plant.groups)
    if racks > MOST_RACKS:
        told = f"{racks:,} racks in all; at most {MOST_RACKS:,}: check 'count' and 'blocks'"
        yield ("topology", "halls"), told


def disconnected(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Blocks that feed no rack."""
    for g in plant.groups:
        if g.per_block == 0:
            told = (
                f"no rack is connected: a block feeds {watts(g.limit_w)} of racks, less than one "
                f"{g.rack.name} of {watts(g.rack.nameplate)}"
            )
            place: tuple[str | int, ...] = ("halls", g.index, "block", "rating")
            if g.limit_w >= g.rack.nameplate:
                told = (
                    "no rack is connected: feeders or the connection take less than one rack in each "
                    f"of {g.hall.blocks} blocks"
                )
                place = ("control", "oversubscription")
            yield ("topology", *place), told


def overloaded_blocks(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Blocks whose racks overload them by nameplate beyond oversubscription, or even at rest."""
    allowed = 1.0 + plant.topology.oversubscription
    for g in plant.groups:
        here = ("topology", "halls", g.index)
        rest_w = g.per_block * rack_idle_w(g.rack, g.chip)
        explicit = g.hall.racks_per_block
        if rest_w > g.limit_w:
            at = "racks_per_block" if explicit else "block"
            yield (*here, at), _at_rest(g, rest_w)
        elif explicit and explicit * g.rack.nameplate > g.limit_w * allowed * (1.0 + 1e-9):
            most = math.floor(g.limit_w * allowed / g.rack.nameplate)
            plan = g.hall.distribution
            state = f" with one lineup out ({plan.scheme})" if plan and plan.scheme != "N" else ""
            told = (
                f"{explicit} racks of {watts(g.rack.nameplate)} overload a block that feeds "
                f"{watts(g.limit_w)}{state}; at most {most}, or raise 'topology.oversubscription'"
            )
            yield (*here, "racks_per_block"), told


def _at_rest(group: Group, rest_w: float) -> str:
    return (
        f"overloaded at rest: {group.per_block} idle racks draw {watts(rest_w)}, a block feeds "
        f"{watts(group.limit_w)}"
    )


def _contradictions(rack: Rack) -> Iterator[tuple[str, str]]:
    """Yield (key, message) of what cannot be true together in one rack type."""
    chip = chip_named(rack.accelerator)
    if (rack.accelerator is None) != (rack.accelerators == 0):
        yield "accelerators", "give 'accelerator' and 'accelerators' together, or neither"
    if rack.fabric and rack.accelerator is not None:
        yield "fabric", "racks that hold switches are support racks; give them no accelerators"
    if rack.accelerators % rack.servers:
        told = f"{rack.accelerators} accelerators do not divide over {rack.servers} servers"
        yield "servers", told
    if rack.host_max < rack.host_idle:
        yield "host_max", f"{watts(rack.host_max)} is below host_idle, {watts(rack.host_idle)}"
    rest_w = rack_idle_w(rack, chip)
    if rack.nameplate < rest_w:
        told = f"{watts(rack.nameplate)} is below the rack's draw at rest, {watts(rest_w)}"
        yield "nameplate", told


def _rack(parts: Parts, name: str) -> Rack | None:
    for rack in parts.racks.values():
        if rack.name == name:
            return rack
    try:
        return None if name in parts.rack_names else from_catalog.rack(name)
    except KeyError:
        return None
