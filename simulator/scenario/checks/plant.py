"""The plant as the checks see it: every group of equal halls with its racks, in closed form."""

from dataclasses import dataclass

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.rack import Rack
from simulator.components.sizing import (
    block_limit_w,
    network_rack_w,
    rack_named,
    rack_of,
    racks_per_block,
)
from simulator.components.topology import Hall, Topology
from simulator.scenario.parts import Parts


@dataclass(frozen=True)
class Group:
    """`hall.count` equal halls."""

    index: int
    hall: Hall
    rack: Rack
    chip: Accelerator
    per_block: int
    """Accelerator racks of one block."""
    limit_w: float
    """Rack power at which a block's input equals its continuous rating."""
    support: tuple[tuple[Rack, int], ...]
    network_w: float = 0.0
    """Draw of each rack that holds switches of the fabric."""

    @property
    def racks(self) -> int:
        """Accelerator racks of all halls of the group."""
        return self.hall.count * self.hall.blocks * self.per_block

    @property
    def nameplate_w(self) -> float:
        """Nameplate of everything in the racks of one hall."""
        return self.hall.blocks * self.per_block * self.rack.nameplate + sum(
            max(rack.nameplate, self.network_w * rack.fabric) * count for rack, count in self.support
        )

    @property
    def idle_w(self) -> float:
        """Draw of one hall with no work at all: racks at rest, lights and offices."""
        racks_w = self.hall.blocks * self.per_block * rack_idle_w(self.rack, self.chip)
        support_w = sum(
            ((rack.fabric and self.network_w) or rack_idle_w(rack)) * count
            for rack, count in self.support
        )
        return racks_w + support_w + self.hall.house


@dataclass(frozen=True)
class Plant:
    """A valid topology and its groups of halls."""

    topology: Topology
    groups: tuple[Group, ...]

    def capacity_w(self, rating_va: float) -> float:
        """Return the real power of an apparent one at the site's power factor."""
        return rating_va * self.topology.grid.power_factor

    def with_chip(self, chip: Accelerator, halls: tuple[str, ...] = ()) -> list[Group]:
        """Return the groups that have a chip, among the named ones or all."""
        return [g for g in self.groups if g.chip == chip and (not halls or g.hall.name in halls)]


def plant_of(parts: Parts) -> Plant | None:
    """Return the plant, None if the topology is not valid or a name in it is unknown."""
    if parts.topology is None:
        return None
    try:
        groups = [_group(parts.topology, i, hall) for i, hall in parts.halls.items()]
    except KeyError:
        return None
    found = tuple(group for group in groups if group is not None)
    return Plant(parts.topology, found) if len(found) == len(groups) else None


def chip_named(name: str | None) -> Accelerator | None:
    """Return a chip of the catalog, None if there is none of that name."""
    try:
        return from_catalog.accelerator(name) if name else None
    except KeyError:
        return None


def model_named(name: str | None) -> LanguageModel | None:
    """Return a model of the catalog, None if there is none of that name."""
    try:
        return from_catalog.language_model(name) if name else None
    except KeyError:
        return None


def rack_idle_w(rack: Rack, chip: Accelerator | None = None) -> float:
    """Return the input power of a rack at rest, shelf losses included."""
    output_w = rack.host_idle + (rack.accelerators * chip.idle if chip else 0.0)
    return output_w + rack.power_shelf.loss_w(output_w, rack.power_shelf_rating)


def watts(value_w: float) -> str:
    """Return power in words for a message."""
    for factor, unit in ((1e9, "GW"), (1e6, "MW"), (1e3, "kW")):
        if abs(value_w) >= factor:
            return f"{value_w / factor:.4g} {unit}"
    return f"{value_w:.4g} W"


def _group(topology: Topology, index: int, hall: Hall) -> Group | None:
    rack = rack_of(topology, hall)
    chip = from_catalog.accelerator(rack.accelerator) if rack.accelerator else None
    support = tuple((rack_named(topology, s.rack), s.count) for s in hall.support)
    if chip is None:
        return None
    limit_w = block_limit_w(topology, hall)
    try:
        network_w = network_rack_w(topology, hall)
    except ValueError:  # a fabric that is too small: its own check says so
        network_w = 0.0
    racks = racks_per_block(topology, hall)
    return Group(index, hall, rack, chip, racks, limit_w, support, network_w)
