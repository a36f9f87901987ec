"""What is built, as frozen arrays: populations as columns, membership as indices, the power tree."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.components.accelerator import Accelerator
from simulator.components.cooling.in_service import CoolantColumns
from simulator.components.fabric.laid import Laid, network
from simulator.components.fabric.tier import Tier
from simulator.components.power.equipment import Lot, lots
from simulator.components.power.feed_graph import FeedGraph
from simulator.components.power.mesh import Mesh, mesh_of
from simulator.components.rack import Rack
from simulator.components.sizing import ends_of, fabric_of
from simulator.components.topology import Hall, Topology
from simulator.kernels.columns import RowSite


@dataclass(frozen=True)
class Loop:
    """One water loop of one hall."""

    name: str
    kind: str  # "warm" or "chilled"
    design_heat_w: float
    unit_w: float
    duty_units: int
    units: int
    flow_w_k: float
    tank_s: float
    pump_w: float


@dataclass(frozen=True)
class Support:
    """Racks without accelerators in one hall: steady draw behind a UPS, no chip to watch."""

    hall: int
    rack: Rack
    count: int
    power_w: float  # each
    nameplate_w: float  # each: provisioned, or drawn where the fabric takes more


@dataclass(frozen=True)
class Site(FeedGraph, CoolantColumns):
    """What is built, as arrays. `rack_*` are (accelerator racks,), `block_*` (blocks,)."""

    topology: Topology
    chips: tuple[Accelerator, ...]
    rack_types: tuple[Rack, ...]
    hall_names: tuple[str, ...]
    hall_spec: tuple[Hall, ...]
    block_names: tuple[str, ...]
    support: tuple[Support, ...]
    loops: tuple[Loop, ...]
    rows: RowSite
    row_type: np.ndarray
    rack_row: np.ndarray
    rack_block: np.ndarray
    rack_hall: np.ndarray
    rack_type: np.ndarray
    rack_chip: np.ndarray  # index into chips
    rack_accelerators: np.ndarray
    rack_servers: np.ndarray
    rack_number: np.ndarray  # within its hall: with the hall's name, the identity of the rack
    block_limit_w: np.ndarray
    block_hall: np.ndarray
    block_support_w: np.ndarray  # steady draw of support racks
    firm_w: float
    firm_limit: str

    @property
    def accelerators(self) -> int:
        """Accelerators installed."""
        return int(self.rack_accelerators.sum())

    @cached_property
    def rack_rows(self) -> RowSite:
        """`rows` rack by rack: (racks,), all but those columns that say which racks and rows they are."""
        apart = ("start", "stop", "segment_row")
        told = {name: getattr(self.rows, name)[self.rack_row] for name in RowSite._fields if name not in apart}
        return self.rows._replace(**told)

    @cached_property
    def mesh(self) -> Mesh | None:
        """Lines, main transformers and medium-voltage branches, where the topology has a network."""
        return mesh_of(self.topology, self.hall_names)

    @cached_property
    def node_indoors(self) -> np.ndarray:
        """(nodes,) The share of each node's loss that warms the air of its hall."""
        told = self.topology.cooling.indoors
        return np.array([told.share(node) for node in self.nodes]) * (self.node_hall >= 0)

    def support_block(self, hall: int) -> int:
        """Return the block of the racks without accelerators of a hall that has some."""
        return self.block_names.index(f"{self.hall_names[hall]}/support")

    @cached_property
    def rack_nameplate_w(self) -> np.ndarray:
        """(blocks,) Nameplate of accelerator racks."""
        nameplate_w = np.array([rack.nameplate for rack in self.rack_types])[self.rack_type]
        return np.bincount(self.rack_block, weights=nameplate_w, minlength=len(self.block_names))

    @cached_property
    def support_nameplate_w(self) -> np.ndarray:
        """(blocks,) The same of racks without accelerators."""
        nameplate_w = np.zeros(len(self.block_names))
        for entry in self.support:
            nameplate_w[self.support_block(entry.hall)] += entry.count * entry.nameplate_w
        return nameplate_w

    @property
    def block_nameplate_w(self) -> np.ndarray:
        """(blocks,) Nameplate of all racks."""
        return self.rack_nameplate_w + self.support_nameplate_w

    @cached_property
    def hall_walls(self) -> np.ndarray:
        """Return the units of each hall's air side, spares included: (halls,)."""
        air = self.topology.cooling.fan_wall
        return np.array([air.built(float(w)) for w in self.halls.fan_design_heat_w])

    @cached_property
    def equipment(self) -> list[Lot]:
        """Electrical equipment, by kind and group of halls."""
        halls = ["" if h < 0 else self.hall_spec[h].name for h in self.node_hall]
        return lots(self.topology, self.nodes, halls)

    @cached_property
    def fabrics(self) -> tuple[Laid, ...]:
        """The back-end fabric of each group of halls that has one."""
        found = []
        for hall in self.topology.halls:
            ends = ends_of(self.topology, hall)
            if ends is not None:
                halls = np.flatnonzero([spec == hall for spec in self.hall_spec])
                racks = np.flatnonzero(np.isin(self.rack_hall, halls))
                spec = fabric_of(self.topology, hall)
                each = ends.ports / racks.size
                found.append(Laid(hall.name, spec, ends, halls, racks, each))
        return tuple(found)

    def network(self, halls: tuple[str, ...], chip: Accelerator, accelerators: int) -> tuple[Tier, ...] | None:
        """Return the intact network of a job that may use these groups of halls (all if none are
        named): of as few of them as hold it. None without a fabric; ValueError if nothing joins
        those."""
        mine = [f for f in self.fabrics if (f.name in halls or not halls) and self._holds(f, chip)]
        parts: list[Laid] = []
        for fabric in sorted(mine, key=lambda f: -f.ends.accelerators):
            if sum(part.ends.accelerators for part in parts) < accelerators:
                parts.append(fabric)
        return network(parts, self.topology.wan, accelerators) if parts else None

    def _holds(self, fabric: Laid, chip: Accelerator) -> bool:
        return self.chips[self.rack_chip[fabric.racks[0]]] == chip
