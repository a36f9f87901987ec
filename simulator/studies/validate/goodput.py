"""Topic `goodput`: one synchronous job under failures, simulated failure by failure."""

import numpy as np

from simulator import rng
from simulator.kernels import goodput as kernel
from simulator.policies.checkpointing import daly
from simulator.studies.validate.replicas import unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit, number

QUANTITIES = ("ettr", "mttf", "interruptions")
REPLICATES = 400
SEED = 0
DAYS = 30.0
"""Length of a run whose row gives none."""
STALL_S = 30.0
"""Pause for a save whose row gives none: the era saved to network storage, blocking."""
DAY_S = 86_400.0


def simulate(row: Cells) -> Simulated:
    """Return the mean over replicates of ETTR, time between interruptions, or their number."""
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    days = number(row, "days", DAYS)
    useful_s, interruptions = _replicates(row, days * DAY_S)
    if quantity == "ettr":
        return Simulated(in_unit(float(useful_s.mean()) / (days * DAY_S), "1", row))
    if quantity == "interruptions":
        return Simulated(in_unit(float(interruptions.mean()), "1", row))
    if not interruptions.any():
        raise ValueError(f"no failure strikes in {REPLICATES} runs of {days:g} days")
    mttf_s = days * DAY_S * REPLICATES / float(interruptions.sum())
    return Simulated(in_unit(mttf_s, "s", row), note="" if row.get("days") else f"{DAYS:g} days")


def _replicates(row: Cells, end_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return useful seconds and interruptions of every replicate.

    The draws depend on the replicate alone, so that rows differ by their inputs, not by luck.
    """
    nodes = count(row, "n_accelerators") / count(row, "accelerators_per_node", 1)
    rate_s = number(row, "failures_per_1000_node_days") / 1000.0 * nodes / DAY_S
    if rate_s <= 0.0 or end_s <= 0.0:
        raise ValueError("goodput needs a rate of failures and a length above zero")
    stall_s = number(row, "checkpoint_stall_s", STALL_S)
    interval_s = number(row, "checkpoint_interval_s", daly.interval_s(stall_s, 1.0 / rate_s))
    if interval_s <= 0.0:
        raise ValueError("checkpoint_interval_s is zero: a job that only saves does no work")
    useful_s, interruptions = np.zeros(REPLICATES), np.zeros(REPLICATES, np.int64)
    key, restart_s = rng.key(SEED, 0, "validate goodput"), number(row, "restart_s", 0.0)
    kernel.replicates(*key, rate_s, interval_s, stall_s, restart_s, end_s, useful_s, interruptions)
    return useful_s, interruptions
