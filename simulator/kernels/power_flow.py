"""What a small network reaches, and its linear (DC) flow.

Per-unit on one power base. Buses are numbered. Dense linear algebra: the meshed part of a site has tens of
buses, and is solved when something switches, not every step.
"""

import numpy as np


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
