"""The AC power flow of a network with its loads, its on-load taps and its capacitor banks at rest.

Main transformers whose buses hang together step together, and hold the mean voltage of these buses at the set point
as far as their taps go; the banks give what reactive power is missing for the power factor that is
held at the point of interconnection. Both act within a minute or so, far within what elements stand
beyond their rating, so a state after an outage is one in which they have come to rest. Steps of taps (5/8 %)
and of banks are taken as fine.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulator.components.power import newton
from simulator.components.power.flow_network import BASE_VA, HIGH, POI, FlowNetwork
from simulator.kernels import power_flow

KEPT = 32
"""Flows that are kept: checks, the runs of one scenario and what compares them ask for the same one."""
SET_POINT = 1.0
"""Voltage that main transformers hold at medium voltage, per unit (assumed)."""
TAP_RANGE = 0.10
"""Of on-load taps, to either side (+-16 steps of 5/8 %, the standard of North America)."""
SETTLED = 1e-8
"""Per unit, of voltages and of reactive power over the base, at which taps and banks rest."""
ROUNDS = 200
DAMPING = 0.75
"""Of a round's change of the capacitors, because taps answer it."""
RESTLESS = "taps and capacitor banks find no rest: the network does not carry what is drawn"


@dataclass(frozen=True)
class Flow:
    """A solved state."""

    voltage: np.ndarray  # (buses,) per unit, zero where dark
    loss_w: np.ndarray  # (branches,)
    loading: np.ndarray  # (branches,) larger current of the two ends over the rated one
    ratio: np.ndarray  # (branches,) of turns, over the nominal one
    bank_va: np.ndarray  # (buses,) of capacitors in service, at nominal voltage


def solve(net: FlowNetwork, closed: np.ndarray, share: np.ndarray | float = 1.0) -> Flow:
    """Return the state with some branches closed and `share` (loads,) of every load.

    ArithmeticError where the network cannot carry it.
    """
    return solve_drawn(net, closed, net.drawn(share))


def solve_drawn(net: FlowNetwork, closed: np.ndarray, drawn: np.ndarray) -> Flow:
    """Return the state with some branches closed and so much drawn at each bus, complex (buses,) in per unit."""
    live = net.live(closed)
    drawn = np.where(live, drawn, 0.0)
    columns = (net.ends, net.resistance, net.reactance, net.shunt, net.ratio, net.rating_va, net.on_load,
               net.bank, [net.power_factor])  # fmt: skip
    switched = tuple(closed.tolist()), tuple(live.tolist())
    return _solved(tuple(tuple(column) for column in columns), *switched, tuple(drawn.tolist()))


@lru_cache(maxsize=KEPT)
def _solved(
    columns: tuple[tuple, ...], closed: tuple[bool, ...], live: tuple[bool, ...], drawn: tuple[complex, ...]
) -> Flow:
    """Return the state of a network whose buses draw so much, in per unit; its arrays are read-only."""
    ends, resistance, reactance, shunt, ratio, rating_va, on_load, bank, (factor,) = map(np.array, columns)
    lit = np.array(live)
    on = np.array(closed) & lit[ends[:, 0]]
    branches = newton.Branches(ends, resistance + 1j * reactance, shunt, on, ratio)
    branches, voltage, bank = _at_rest(
        branches, np.flatnonzero(on_load & on), np.where(lit, bank, 0.0), np.array(drawn), float(factor))
    loss, current = newton.carried(branches, voltage)
    flow = Flow(voltage, loss * BASE_VA, current * BASE_VA / rating_va, branches.ratio, bank * BASE_VA)
    for column in (flow.voltage, flow.loss_w, flow.loading, flow.ratio, flow.bank_va):
        column.flags.writeable = False
    return flow


def _at_rest(
    branches: newton.Branches, tapped: np.ndarray, share: np.ndarray, drawn: np.ndarray, factor: float
) -> tuple[newton.Branches, np.ndarray, np.ndarray]:
    """Return branches with taps, and voltages and capacitors of buses, once taps and banks have come to rest,
    starting from neutral taps and banks that give what loads take.

    Parameters
    ----------
    tapped : (transformers,) branches with on-load taps
    share : (buses,) of all capacitors; none where dark
    """
    live = power_flow.reached(drawn.size, branches.ends, branches.on, np.array([POI]))
    free, voltage = np.flatnonzero(live & (np.arange(drawn.size) != POI)), live.astype(np.complex128)
    group, at = _groups(branches, tapped), branches.ends[tapped, 1]
    total = share.sum()
    bank = share / total * drawn.imag.sum() if total > 0.0 else share
    slope = float(np.tan(np.arccos(factor)))
    for _ in range(ROUNDS):
        matrix = newton.admittance(branches, bank)
        voltage = newton.voltages(matrix, drawn, free, voltage)
        held = np.array([np.abs(voltage[at[group == k]]).mean() for k in group])
        ratio = branches.ratio.copy()
        ratio[tapped] = np.clip(ratio[tapped] * held / SET_POINT, 1.0 - TAP_RANGE, 1.0 + TAP_RANGE)
        taken = voltage[POI] * np.conj((matrix @ voltage)[POI])
        missing = taken.imag - slope * taken.real
        wanted = max(bank.sum() + DAMPING * missing, 0.0) if total > 0.0 else 0.0
        moved = max(np.abs(ratio - branches.ratio).max(initial=0.0), abs(wanted - bank.sum()))
        if moved < SETTLED:
            return branches, voltage, bank
        branches = branches._replace(ratio=ratio)
        bank = share / total * wanted if total > 0.0 else bank
    raise ArithmeticError(RESTLESS)


def _groups(branches: newton.Branches, tapped: np.ndarray) -> np.ndarray:
    """Return the number of the group that each transformer with on-load taps steps with: (transformers,).
    Those whose buses hang together without them are one."""
    below, buses = branches.on.copy(), int(branches.ends.max(initial=HIGH)) + 1
    below[tapped] = False
    group = np.arange(tapped.size)
    for k in range(tapped.size):
        bus = np.array([branches.ends[tapped[k], 1]])
        together = power_flow.reached(buses, branches.ends, below, bus)[branches.ends[tapped, 1]]
        group[k] = int(np.flatnonzero(together)[0])
    return group
