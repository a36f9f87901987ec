"""The meshed part of a site, above its halls, as the columns that the power tree works on."""

from dataclasses import dataclass

import numpy as np

from simulator.components.power.flow_network import HIGH, POI, FlowNetwork, campus_network
from simulator.components.power.loss import LossCurve
from simulator.components.power.node import FEEDERS, LINES, TRANSFORMERS
from simulator.components.topology import Topology
from simulator.kernels import power_flow
from simulator.kernels.columns import MeshState

STAGE = {"line": LINES, "transformer_main": TRANSFORMERS, "feeder": FEEDERS}


@dataclass(frozen=True)
class Mesh:
    """Lines, main transformers and medium-voltage branches, each by itself, and where halls hang."""

    net: FlowNetwork
    hall_bus: np.ndarray
    """(halls,) Bus of each hall."""

    @property
    def ends(self) -> np.ndarray:
        """(branches, 2) Buses at the two ends."""
        return np.array(self.net.ends)

    def closed(self, gone: np.ndarray) -> np.ndarray:
        """Return which branches are closed once the open points have answered those gone (boolean)."""
        normal = np.array(self.net.closed)
        return power_flow.close_open_points(self.buses, self.ends, normal, gone, np.array([POI]))

    def live(self, closed: np.ndarray) -> np.ndarray:
        """Return which halls the utility reaches: boolean (halls,). Where it reaches no bus at all the
        campus is an island, which generators and batteries carry as one."""
        live = self.net.live(closed)
        return live[self.hall_bus] if live[HIGH + 1 :].any() else np.ones(self.hall_bus.size, np.bool_)

    def factors(self, closed: np.ndarray) -> np.ndarray:
        """Return the flow in each branch per watt that a hall draws: (branches, halls)."""
        reactance = np.array(self.net.reactance)
        by_bus = power_flow.transfer_factors(self.buses, self.ends, reactance, closed, POI)
        return np.ascontiguousarray(by_bus[:, self.hall_bus])

    @property
    def buses(self) -> int:
        """Buses of the network."""
        return len(self.net.bus_name)


def mesh_of(topology: Topology, hall_names: tuple[str, ...]) -> Mesh | None:
    """Return the mesh of a topology that has a medium-voltage network."""
    if topology.medium_voltage is None:
        return None
    net, of_hall = campus_network(topology)
    return Mesh(net, np.array([of_hall[name] for name in hall_names]))


def columns(topology: Topology, mesh: Mesh | None, feeder_node: np.ndarray) -> MeshState:
    """Return the mesh with everything in service; without branches where there is none."""
    halls = feeder_node.size
    if mesh is None:
        none = np.zeros(0)
        return MeshState(feeder_node, np.zeros((0, halls)), np.zeros(0, np.int64), none, none, none,
                         none, none, none)  # fmt: skip
    closed = mesh.closed(np.zeros(len(mesh.net.name), np.bool_))
    curves = _losses(topology)
    pf = topology.grid.power_factor
    zeros = np.zeros(len(curves))
    return MeshState(
        node=feeder_node, factor=mesh.factors(closed),
        stage=np.array([STAGE[kind] for kind in mesh.net.kind]),
        rating_w=np.array(mesh.net.rating_va) * pf, on=closed.astype(float),
        no_load=np.array([curve.no_load for curve in curves]),
        load=np.array([curve.load for curve in curves]),
        flow_w=zeros.copy(), peak_w=zeros.copy(),
    )  # fmt: skip


def _losses(topology: Topology) -> list[LossCurve]:
    """Return the loss of each branch in the order of the network."""
    grid, plan = topology.grid, topology.medium_voltage
    own = [] if plan is None else [branch.loss for branch in plan.branches]
    lines, transformers = grid.lines, grid.transformers
    return [*[lines.loss] * lines.count, *[transformers.loss] * transformers.count, *own]
