"""The AC power flow of a network with its loads."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulator.components.power.flow_network import BASE_VA, POI, FlowNetwork
from simulator.kernels import power_flow

KEPT = 8
"""Flows that are kept: checks, the runs of one scenario and what compares them ask for the same one."""


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
    live = net.live(closed)
    branches = (net.ends, net.resistance, net.reactance, net.shunt, net.rating_va)
    drawn = np.where(live, net.drawn(share), 0.0)
    switched = tuple(closed.tolist()), tuple(live.tolist())
    return _solved(tuple(tuple(column) for column in branches), *switched, tuple(drawn.tolist()))


@lru_cache(maxsize=KEPT)
def _solved(
    branches: tuple[tuple, ...], closed: tuple[bool, ...], live: tuple[bool, ...], drawn: tuple[complex, ...]
) -> Flow:
    """Return the state of a network whose buses draw so much, in per unit; its arrays are read-only."""
    ends, resistance, reactance, shunt, rating_va = (np.array(column) for column in branches)
    impedance, lit = resistance + 1j * reactance, np.array(live)
    on = np.array(closed) & lit[ends[:, 0]]
    matrix = power_flow.admittance(lit.size, ends, impedance, shunt, on)
    voltage = power_flow.ac_voltages(matrix, np.array(drawn), lit, POI)
    loss, current = power_flow.branch_powers(voltage, ends, impedance, shunt, on)
    flow = Flow(voltage, loss * BASE_VA, current * BASE_VA / rating_va)
    for column in (flow.voltage, flow.loss_w, flow.loading):
        column.flags.writeable = False
    return flow
