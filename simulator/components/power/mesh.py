"""The meshed part of a site, above its halls, as the columns that the power tree works on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.components.power.flow_network import HIGH, POI, FlowNetwork, campus_network
from simulator.components.power.loss import LossCurve
from simulator.components.power.node import FEEDERS, LINES, TRANSFORMERS, Node
from simulator.components.topology import Topology
from simulator.kernels import power_flow
from simulator.kernels.columns import MeshState

ROUNDING = 1e-9
"""Of a flow's share."""
STAGE = {"line": LINES, "transformer_main": TRANSFORMERS, "feeder": FEEDERS}


@dataclass(frozen=True)
class Mesh:
    """Lines, main transformers and medium-voltage branches, each by itself, and where halls hang."""

    net: FlowNetwork
    hall_bus: np.ndarray
    """(halls,) Bus of each hall."""
    nodes: tuple[Node, ...]
    """(branches,) Each as an element with a rating; their losses are columns of `MeshState`."""

    @cached_property
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

    @cached_property
    def intact(self) -> np.ndarray:
        """Which halls the utility reaches with everything in service: boolean (halls,), read-only."""
        reached = self.live(self.closed(np.zeros(len(self.net.name), np.bool_)))
        reached.flags.writeable = False
        return reached

    @cached_property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Keys of the buses and branches among what is out (`engine.outage`)."""
        buses = tuple(("mv bus", bus) for bus in range(self.buses))
        return buses + tuple(("mv branch", k) for k in range(len(self.net.name)))

    def factors(self, closed: np.ndarray) -> np.ndarray:
        """Return the flow in each branch per watt that a hall draws: (branches, halls)."""
        reactance = np.array(self.net.reactance)
        by_bus = power_flow.transfer_factors(self.buses, self.ends, reactance, closed, POI)
        of_hall = np.ascontiguousarray(by_bus[:, self.hall_bus])
        of_hall[np.abs(of_hall) < ROUNDING] = 0.0  # a hall that is not behind a branch is none of its concern
        return of_hall

    @property
    def buses(self) -> int:
        """Buses of the network."""
        return len(self.net.bus_name)


def mesh_of(topology: Topology, hall_names: tuple[str, ...]) -> Mesh | None:
    """Return the mesh of a topology that has a medium-voltage network."""
    if topology.medium_voltage is None:
        return None
    net, of_hall = campus_network(topology)
    power_factor = topology.grid.power_factor
    nodes = tuple(
        Node(name, -1, STAGE[kind], kind, rating_va * power_factor, LossCurve())
        for name, kind, rating_va in zip(net.name, net.kind, net.rating_va, strict=True)
    )
    return Mesh(net, np.array([of_hall[name] for name in hall_names]), nodes)


def columns(
    mesh: Mesh | None, feeder_node: np.ndarray, rating_w: np.ndarray, no_load: np.ndarray, load: np.ndarray
) -> MeshState:
    """Return the mesh with everything in service; without branches where there is none.

    Parameters
    ----------
    feeder_node : (halls,)
    rating_w : (branches,) real power at rated current
    no_load, load : (branches,) coefficients of the loss, over that
    """
    if mesh is None:
        zeros, stage, factor = np.zeros(0), np.zeros(0, np.int64), np.zeros((0, feeder_node.size))
        return MeshState(feeder_node, factor, stage, zeros, zeros, zeros, zeros, zeros, zeros, zeros)
    closed = mesh.closed(np.zeros(len(mesh.net.name), np.bool_))
    zeros = np.zeros(no_load.size)
    return MeshState(
        node=feeder_node, factor=mesh.factors(closed),
        stage=np.array([STAGE[kind] for kind in mesh.net.kind]),
        rating_w=rating_w, on=closed.astype(float),
        no_load=no_load, load=load, flow_w=zeros.copy(), peak_w=zeros.copy(), over_s=zeros.copy(),
    )  # fmt: skip
