"""Flows of a small network: what is reached, the linear (DC) flow, and the full (AC) one.

Per-unit on one power base. Buses are numbered; a branch is a series impedance with half of its
shunt conductance (no-load loss) at either end. Dense linear algebra: networks have tens to a few
hundred buses, and are solved when something switches, not every step.
"""

import numpy as np

TOLERANCE = 1e-10
"""Largest mismatch of a bus in per unit when Newton's method stops."""
ITERATIONS = 30
FARTHEST = 1e3
"""Step, in radian or per unit, of an iteration that has gone astray."""
NO_SOLUTION = "the power flow has no solution: more is drawn than the network carries"


def reached(
    buses: int, ends: np.ndarray, closed: np.ndarray, sources: np.ndarray
) -> np.ndarray:
    """Return which buses hang together with a source: boolean (buses,).

    Parameters
    ----------
    ends : int (branches, 2)
    closed : boolean (branches,)
    sources : int (sources,)
    """
    live = np.zeros(buses, np.bool_)
    live[sources] = True
    before = -1
    while live.sum() != before:
        before = live.sum()
        joined = closed & (live[ends[:, 0]] | live[ends[:, 1]])
        live[ends[joined].ravel()] = True
    return live


def close_open_points(
    buses: int, ends: np.ndarray, normal: np.ndarray, gone: np.ndarray, sources: np.ndarray
) -> np.ndarray:
    """Return which branches are closed after each open point, in order, that joins a dark bus to a
    live one has been closed: boolean (branches,).

    Parameters
    ----------
    normal : boolean (branches,)
        Closed with everything in service.
    gone : boolean (branches,)
        Out of service.
    """
    closed = normal & ~gone
    for k in np.flatnonzero(~normal & ~gone):
        live = reached(buses, ends, closed, sources)
        closed[k] = live[ends[k, 0]] != live[ends[k, 1]]
    return closed


def transfer_factors(
    buses: int, ends: np.ndarray, reactance: np.ndarray, closed: np.ndarray, slack: int
) -> np.ndarray:
    """Return the flow in each branch, from its first to its second end, per unit drawn at each bus
    and supplied at the slack bus: (branches, buses). Zero for buses that nothing reaches.

    DC approximation: B theta = P, flow = (theta_i - theta_j) / x; lossless, voltages at one.
    """
    live = reached(buses, ends, closed, np.array([slack]))
    solved = np.flatnonzero(live & (np.arange(buses) != slack))
    on = np.flatnonzero(closed & live[ends[:, 0]] & live[ends[:, 1]])
    susceptance = np.zeros((buses, buses))
    for k in on:
        i, j, b = ends[k, 0], ends[k, 1], 1.0 / reactance[k]
        susceptance[i, i] += b
        susceptance[j, j] += b
        susceptance[i, j] -= b
        susceptance[j, i] -= b
    angle = np.zeros((buses, buses))  # of bus i per unit drawn at bus j
    if solved.size:
        inner = susceptance[np.ix_(solved, solved)]
        angle[np.ix_(solved, solved)] = np.linalg.solve(inner, -np.eye(solved.size))
    factors = np.zeros((ends.shape[0], buses))
    factors[on] = (angle[ends[on, 0]] - angle[ends[on, 1]]) / reactance[on, None]
    return factors


def admittance(
    buses: int, ends: np.ndarray, impedance: np.ndarray, shunt: np.ndarray, closed: np.ndarray
) -> np.ndarray:
    """Return the complex bus admittance matrix of the closed branches."""
    matrix = np.zeros((buses, buses), np.complex128)
    for k in np.flatnonzero(closed):
        i, j, y = ends[k, 0], ends[k, 1], 1.0 / impedance[k]
        matrix[i, i] += y + 0.5 * shunt[k]
        matrix[j, j] += y + 0.5 * shunt[k]
        matrix[i, j] -= y
        matrix[j, i] -= y
    return matrix


def ac_voltages(
    matrix: np.ndarray, drawn: np.ndarray, live: np.ndarray, slack: int
) -> np.ndarray:
    """Return the complex voltages (buses,) at which every live bus draws `drawn` (complex power);
    ArithmeticError where there is no such state. Buses that are not live have voltage zero.

    Newton's method in polar coordinates from a flat start, the slack bus held at one.
    """
    buses = drawn.size
    free = np.flatnonzero(live & (np.arange(buses) != slack))
    magnitude, angle = live.astype(float), np.zeros(buses)
    for _ in range(ITERATIONS):
        voltage = magnitude * np.exp(1j * angle)
        mismatch = (voltage * np.conj(matrix @ voltage) + drawn)[free]
        if not mismatch.size or np.abs(mismatch).max() < TOLERANCE:
            return voltage
        jacobian = _jacobian(matrix, voltage, magnitude, free)
        try:
            step = np.linalg.solve(jacobian, -np.concatenate([mismatch.real, mismatch.imag]))
        except np.linalg.LinAlgError as error:
            raise ArithmeticError(NO_SOLUTION) from error
        if np.abs(step).max() > FARTHEST:
            break
        angle[free] += step[: free.size]
        magnitude[free] += step[free.size :]
    raise ArithmeticError(NO_SOLUTION)


def _jacobian(
    matrix: np.ndarray, voltage: np.ndarray, magnitude: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Return the derivatives of real and reactive power by angles and magnitudes."""
    current = matrix @ voltage
    unit = np.where(magnitude > 0.0, voltage / np.where(magnitude > 0.0, magnitude, 1.0), 0.0)
    rows = np.ix_(free, free)
    own = np.diag_indices(free.size)
    by_angle = -matrix[rows] * voltage[free]
    by_angle[own] += current[free]
    by_angle = 1j * voltage[free, None] * np.conj(by_angle)
    by_size = voltage[free, None] * np.conj(matrix[rows] * unit[free])
    by_size[own] += np.conj(current[free]) * unit[free]
    return np.block([[by_angle.real, by_size.real], [by_angle.imag, by_size.imag]])


def branch_powers(
    voltage: np.ndarray, ends: np.ndarray, impedance: np.ndarray, shunt: np.ndarray,
    closed: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each branch and the larger of the currents at its ends, per unit."""
    first, second = voltage[ends[:, 0]], voltage[ends[:, 1]]
    through = np.where(closed, (first - second) / impedance, 0.0)
    aside = np.where(closed, 0.5 * shunt, 0.0)
    into, out = through + aside * first, through - aside * second
    loss = (first * np.conj(into) - second * np.conj(out)).real
    return loss, np.maximum(np.abs(into), np.abs(out))
