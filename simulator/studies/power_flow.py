"""AC power flow of a site's one-line at its design load, intact and with elements out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.components.power.ac_flow import Flow, solve
from simulator.components.power.flow_network import BASE_VA, POI, FlowNetwork
from simulator.engine.design_flow import network
from simulator.kernels import power_flow

__all__ = ["Flow", "Response", "network", "respond", "solve", "switched", "tables"]

FULL = 1.0 + 1e-4
"""Loading up to which a branch counts as not overloaded."""
BEHIND = 0.01
"""A load is behind a branch if this share of it flows there."""
RELIEF = 0.9
"""What is left of all loads, again and again, where the voltage would collapse."""
ROUNDS = 200
"""Rounds of shedding after which the network is given up."""


@dataclass(frozen=True)
class Response:
    """What follows from elements that are out."""

    first: Flow
    """Before anything is shed for overloads."""
    overloads: tuple[str, ...]
    """Branches above their rating then."""
    dark_w: float
    """Load on buses that nothing reaches."""
    last: Flow
    """After all shedding."""
    shed_w: float
    """Further load shed until the voltages stand and no branch is overloaded."""


def respond(net: FlowNetwork, out: Iterable[str] = ()) -> Response:
    """Return what happens with branches and buses of these names out: open points close where a bus
    would be dark, what is still dark is lost, and loads behind overloaded branches are cut, in
    proportion, until none is."""
    closed = switched(net, frozenset(out))
    live = net.live(closed)
    share = live[net.load_bus].astype(float)
    first, share = _standing(net, closed, share)
    flow = first
    over = tuple(name for name, x in zip(net.name, first.loading, strict=True) if x > FULL)
    behind = _behind(net, closed) if over else np.zeros((len(net.name), share.size), bool)
    for _ in range(ROUNDS):
        full = np.flatnonzero(flow.loading > FULL)
        if not full.size:
            break
        for branch in full:
            share[behind[branch]] /= flow.loading[branch]
        flow = solve(net, closed, share)
    power_w = np.array(net.load_va).real
    dark_w = float(power_w[~live[net.load_bus]].sum())
    shed_w = float((power_w * (1.0 - share)).sum()) - dark_w
    return Response(first, over, dark_w, flow, max(shed_w, 0.0))


def _standing(
    net: FlowNetwork, closed: np.ndarray, share: np.ndarray
) -> tuple[Flow, np.ndarray]:
    """Return the flow, and the share of the loads with which it has a solution."""
    for _ in range(ROUNDS):
        try:
            return solve(net, closed, share), share
        except ArithmeticError:
            share = share * RELIEF
    raise ArithmeticError("the network carries nothing at all")


def switched(net: FlowNetwork, out: frozenset[str]) -> np.ndarray:
    """Return which branches are closed once the open points have answered what is out."""
    ends = np.array(net.ends)
    gone = np.array([name in out for name in net.name])
    dead = np.array([name in out for name in net.bus_name])
    gone |= dead[ends[:, 0]] | dead[ends[:, 1]]
    normal, buses = np.array(net.closed), len(net.bus_name)
    return power_flow.close_open_points(buses, ends, normal, gone, np.array([POI]))


def tables(net: FlowNetwork) -> dict[str, Any]:
    """Return the network as plain tables with units in their names, for other programs: taps and capacitors stand
    as they come to rest with everything in service. ArithmeticError where the network does not carry its loads."""
    flow = solve(net, np.array(net.closed))
    rows = zip(net.name, net.kind, net.ends, net.resistance, net.reactance, net.shunt, flow.ratio.tolist(),
               net.rating_va, net.closed, strict=True)  # fmt: skip
    return {
        "base_mva": BASE_VA / 1e6,
        "slack": net.bus_name[POI],
        "power_factor": net.power_factor,
        "buses": [{"name": n, "kv": v / 1e3} for n, v in zip(net.bus_name, net.bus_v, strict=True)],
        "branches": [
            {
                "name": name, "kind": kind, "from": net.bus_name[i], "to": net.bus_name[j],
                "r_pu": r, "x_pu": x, "g_pu": g, "ratio": t, "rating_mva": s / 1e6, "closed": bool(on),
            }
            for name, kind, (i, j), r, x, g, t, s, on in rows
        ],
        "banks": [
            {"bus": net.bus_name[b], "share": net.bank[b], "q_mvar": float(flow.bank_va[b]) / 1e6}
            for b in np.flatnonzero(net.bank)
        ],
        "loads": [
            {"name": n, "bus": net.bus_name[b], "p_mw": s.real / 1e6, "q_mvar": s.imag / 1e6}
            for n, b, s in zip(net.load_name, net.load_bus, net.load_va, strict=True)
        ],
    }  # fmt: skip


def _behind(net: FlowNetwork, closed: np.ndarray) -> np.ndarray:
    """Return which loads flow over which branches: boolean (branches, loads)."""
    ends, reactance = np.array(net.ends), np.array(net.reactance)
    factors = power_flow.transfer_factors(len(net.bus_name), ends, reactance, closed, POI)
    return np.abs(factors[:, net.load_bus]) > BEHIND
