"""Topic `goodput`: one synchronous job under failures, simulated failure by failure."""

from simulator.policies.checkpointing import daly
from simulator.studies import clockwork
from simulator.studies.clockwork import DAY_S, REPLICATES, Practice
from simulator.studies.validate.replicas import unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit, number

QUANTITIES = ("ettr", "mttf", "interruptions")
DAYS = 30.0
"""Length of a run whose row gives none."""
STALL_S = 30.0
"""Pause for a save whose row gives none: the era saved to network storage, blocking."""


def simulate(row: Cells) -> Simulated:
    """Return the mean over replicates of ETTR, time between interruptions, or their number.

    The draws depend on the replicate alone, so that rows differ by their inputs, not by luck.
    """
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    days = number(row, "days", DAYS)
    if days <= 0.0:
        raise ValueError("goodput needs a length above zero")
    useful_s, interruptions = clockwork.follow(_practice(row), days)
    if quantity == "ettr":
        return Simulated(in_unit(float(useful_s.mean()) / (days * DAY_S), "1", row))
    if quantity == "interruptions":
        return Simulated(in_unit(float(interruptions.mean()), "1", row))
    if not interruptions.any():
        raise ValueError(f"no failure strikes in {REPLICATES} runs of {days:g} days")
    mttf_s = days * DAY_S * REPLICATES / float(interruptions.sum())
    return Simulated(in_unit(mttf_s, "s", row), note="" if row.get("days") else f"{DAYS:g} days")


def _practice(row: Cells) -> Practice:
    """Return how often the row's job is hit, and what it does."""
    rate = number(row, "failures_per_1000_node_days")
    if rate <= 0.0:
        raise ValueError("goodput needs a rate of failures above zero")
    mttf_s = clockwork.mttf_s(
        count(row, "n_accelerators"), count(row, "accelerators_per_node", 1), rate
    )
    stall_s = number(row, "checkpoint_stall_s", STALL_S)
    interval_s = number(row, "checkpoint_interval_s", daly.interval_s(stall_s, mttf_s))
    return Practice(mttf_s, interval_s, stall_s, number(row, "restart_s", 0.0))
