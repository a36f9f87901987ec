"""The AC power flow by Newton's method: voltages of buses, losses and currents of branches.

Per-unit on one power base. A branch is a turns ratio at its first end, then a series impedance with half of
its shunt conductance (no-load loss) at either end. Sparse: a one-line has a few hundred buses and hardly
more branches.
"""

from typing import Any, NamedTuple

import numpy as np

TOLERANCE = 1e-10
"""Largest mismatch of a bus in per unit when Newton's method stops."""
ITERATIONS = 30
FARTHEST = 1e3
"""Step, in radian or per unit, of an iteration that has gone astray."""
NO_SOLUTION = "the power flow has no solution: more is drawn than the network carries"


class Branches(NamedTuple):
    """Shape (branches,), in per unit."""

    ends: np.ndarray  # (branches, 2) numbers of buses
    impedance: np.ndarray
    shunt: np.ndarray
    on: np.ndarray  # boolean
    ratio: np.ndarray  # voltage of the first end over that of the second at no load


def admittance(branches: Branches, bank: np.ndarray) -> Any:
    """Return the sparse bus admittance matrix of the branches that are on, with the susceptance `bank`
    (buses,) of capacitors at buses."""
    from scipy.sparse import (
        coo_array,  # here, because few sites have a network and all would wait for it
    )

    on, buses = np.flatnonzero(branches.on), np.arange(bank.size)
    (first, second), ratio = branches.ends[on].T, branches.ratio[on]
    series = 1.0 / branches.impedance[on]
    own = series + 0.5 * branches.shunt[on]
    across = -series / ratio
    rows = np.concatenate([first, second, first, second, buses])
    columns = np.concatenate([first, second, second, first, buses])
    values = np.concatenate([own / ratio**2, own, across, across, 1j * bank])
    return coo_array((values, (rows, columns)), shape=(bank.size, bank.size)).tocsr()


def voltages(matrix: Any, drawn: np.ndarray, free: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the complex voltages (buses,) at which every `free` bus (their numbers) draws `drawn` (complex
    power, (buses,)), the others standing as at the start; ArithmeticError where there is no such state."""
    from scipy.sparse.linalg import splu

    voltage, inner = start.astype(np.complex128), matrix[free][:, free].tocoo()
    for _ in range(ITERATIONS):
        current = matrix @ voltage
        mismatch = (voltage * np.conj(current) + drawn)[free]
        if not mismatch.size or np.abs(mismatch).max() < TOLERANCE:
            return voltage
        try:
            step = splu(_jacobian(inner, voltage[free], current[free])).solve(
                -np.concatenate([mismatch.real, mismatch.imag]))
        except RuntimeError as error:  # exactly singular
            raise ArithmeticError(NO_SOLUTION) from error
        if not np.abs(step).max() < FARTHEST:
            break
        turned, grown = np.split(step, 2)
        size = np.abs(voltage[free])
        voltage[free] *= np.exp(1j * turned) * (size + grown) / size
    raise ArithmeticError(NO_SOLUTION)


def _jacobian(inner: Any, voltage: np.ndarray, current: np.ndarray) -> Any:
    """Return the derivatives of real and reactive power by angles and magnitudes, entry by entry: of networks
    this small, products of sparse matrices take ten times as long."""
    from scipy.sparse import coo_array

    size, buses = np.abs(voltage), np.arange(voltage.size)
    own, across = voltage * current.conj(), voltage[inner.row] * (inner.data * voltage[inner.col]).conj()
    row, column = np.concatenate([inner.row, buses]), np.concatenate([inner.col, buses])
    by_angle = np.concatenate([-1j * across, 1j * own])
    by_size = np.concatenate([across / size[inner.col], own / size])
    values = np.concatenate([by_angle.real, by_size.real, by_angle.imag, by_size.imag])
    rows = np.concatenate([row, row, row + buses.size, row + buses.size])
    columns = np.concatenate([column, column + buses.size, column, column + buses.size])
    return coo_array((values, (rows, columns)), shape=(2 * buses.size, 2 * buses.size)).tocsc()


def carried(branches: Branches, voltage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each branch and the larger of the currents at its ends, in per unit, that of the
    first end on the base of its tap: tappings are of full power (IEC 60076-1, 6.2), so that the rated
    current grows as the rated voltage falls."""
    first, second = voltage[branches.ends[:, 0]] / branches.ratio, voltage[branches.ends[:, 1]]
    through = np.where(branches.on, (first - second) / branches.impedance, 0.0)
    aside = np.where(branches.on, 0.5 * branches.shunt, 0.0)
    into, out = through + aside * first, through - aside * second
    loss: np.ndarray = (first * np.conj(into) - second * np.conj(out)).real
    return loss, np.maximum(np.abs(into), np.abs(out))
