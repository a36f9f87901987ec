"""Topic `expert_exchange`: tokens out to their experts (dispatch) or results back (combine)."""

from typing import get_args

from simulator.components import from_catalog
from simulator.components.language_model import PRECISION_BYTES
from simulator.performance.collectives import Fabric, fabric_of
from simulator.performance.expert_exchange import (
    FP8_BYTES,
    NORMAL_SMS,
    Name,
    expert_exchange_s,
)
from simulator.studies.validate.replicas import unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit, number

QUANTITIES = ("dispatch_time", "combine_time")
WIDTHS = PRECISION_BYTES | {"fp8": FP8_BYTES}
"""Bytes per value sent out, by `dispatch_precision`; 8-bit values carry their scales."""


def simulate(row: Cells) -> Simulated:
    """Return the time of one half of an exchange of `tokens` per rank."""
    quantity, kernel = row.get("quantity", ""), given(row, "kernel")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    if kernel not in get_args(Name):
        raise ValueError(f"kernel is '{kernel}', none of {', '.join(get_args(Name))}")
    precision = row.get("dispatch_precision") or "fp8"
    if precision not in WIDTHS:
        raise ValueError(f"dispatch_precision is '{precision}', none of {', '.join(WIDTHS)}")
    times_s = expert_exchange_s(
        _fabric(row),
        count(row, "n_ranks"),
        number(row, "tokens"),
        count(row, "hidden"),
        count(row, "active_experts"),
        count(row, "experts"),
        kernel,  # type: ignore[arg-type]
        dispatch_bytes=WIDTHS[precision],
        multiprocessors=count(row, "multiprocessors", NORMAL_SMS),
    )
    return Simulated(in_unit(times_s[QUANTITIES.index(quantity)], "s", row))


def _fabric(row: Cells) -> Fabric:
    """Return the chip's fabric; fewer ranks per node than its domain holds make nodes of so many."""
    chip = from_catalog.accelerator(given(row, "accelerator"))
    each = count(row, "ranks_per_node", chip.scaleup_domain)
    if each < min(count(row, "n_ranks"), chip.scaleup_domain):
        chip = chip.model_copy(update={"scaleup_domain": each})
    return fabric_of(chip)
