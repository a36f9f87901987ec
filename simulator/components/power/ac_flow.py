"""The AC power flow of a network with its loads."""

from dataclasses import dataclass

import numpy as np

from simulator.components.power.flow_network import BASE_VA, POI, FlowNetwork
from simulator.kernels import power_flow


@dataclass(frozen=True)
class Flow:
    """A solved state."""

    voltage: np.ndarray  # (buses,) per unit, zero where dark
    loss_w: np.ndarray  # (branches,)
    loading: np.ndarray  # (branches,) larger current of the two ends over the rated one


def solve(net: FlowNetwork, closed: np.ndarray, share: np.ndarray | float = 1.0) -> Flow:
    """Return the state with some branches closed and `share` (loads,) of every load.

    ArithmeticError where the network cannot carry it.
    """
    ends = np.array(net.ends)
    impedance = np.array(net.resistance) + 1j * np.array(net.reactance)
    shunt, live = np.array(net.shunt), net.live(closed)
    on = closed & live[ends[:, 0]]
    matrix = power_flow.admittance(live.size, ends, impedance, shunt, on)
    drawn = np.where(live, net.drawn(share), 0.0)
    voltage = power_flow.ac_voltages(matrix, drawn, live, POI)
    loss, current = power_flow.branch_powers(voltage, ends, impedance, shunt, on)
    return Flow(voltage, loss * BASE_VA, current * BASE_VA / np.array(net.rating_va))
