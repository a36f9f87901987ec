"""Operators that only move bytes: norms, activations, loss, routing, casts to narrow formats.

Bytes per element are counted from what each operator reads and writes, 16-bit unless told.
"""

from dataclasses import dataclass

from simulator.components.accelerator import Accelerator
from simulator.errors import nearest
from simulator.performance import chip as chips
from simulator.performance.attention import Direction


@dataclass(frozen=True)
class Operator:
    """Bytes that one element of the operator's output moves, and kernels that move them."""

    forward_bytes: float
    backward_bytes: float
    kernels: float = 1.0


# Derived: reads and writes of 2 bytes each, masks of 1, 32-bit logits of 4.
OPERATORS = {
    "norm": Operator(4.0, 6.0),
    "residual": Operator(6.0, 6.0),
    "dropout_residual": Operator(7.0, 5.0),  # bias, dropout and residual in one kernel
    "rotary": Operator(4.0, 4.0),
    "activation": Operator(4.0, 6.0),
    "gated_activation": Operator(6.0, 10.0),  # reads gate and value
    "permute": Operator(4.0, 4.0),  # of one routed copy; unpermuting costs the same
    "router": Operator(6.0, 6.0, kernels=6.0),  # of one expert's score: softmax, choice, counts
    "loss": Operator(38.0, 14.0, kernels=6.0),  # of one logit: widened, then step by step
    "fused_loss": Operator(4.0, 4.0),
}


@dataclass(frozen=True)
class Cast:
    """What it costs to narrow one 16-bit element."""

    read_bytes: float
    written_bytes: float
    """Of one copy, scales included."""
    kernels: float


# Bytes derived; kernels measured on the small products of the AIConfigurator GEMM tables, which
# cast their left operand: 9-12 us more than 16-bit for fp8 by current scale, 2-4 us by block,
# 8 us for nvfp4.
CASTS = {
    "fp8": Cast(2.0, 1.0, 1.5),  # scale known from earlier steps or per block
    "fp8_current": Cast(4.0, 1.0, 4.5),  # looks for the largest value first
    "mxfp8": Cast(2.0, 1.03, 1.5),
    "nvfp4": Cast(2.0, 0.5625, 3.5),
}

# Share of peak memory bandwidth of casts: they search for scales as they go. Measured on the same
# tables, 0.45-0.73.
CAST_BANDWIDTH_SHARE = 0.51


def operator_s(
    chip: Accelerator, name: str, elements: float, direction: Direction = "forward"
) -> float:
    """Return the time in s of one operator over `elements`; KeyError names the nearest."""
    if name not in OPERATORS:
        raise KeyError(f"no operator {name!r}{nearest(name, OPERATORS)}")
    operator = OPERATORS[name]
    backward = direction == "backward"
    per_element = operator.backward_bytes if backward else operator.forward_bytes
    return chips.stream_s(chip, elements * per_element, operator.kernels)


def cast_s(chip: Accelerator, kind: str, elements: float, copies: float = 1.0) -> float:
    """Return the time in s to narrow 16-bit `elements`; training keeps two copies of most.

    Products along rows and along columns each read their own copy. KeyError names the nearest.
    """
    if kind not in CASTS:
        raise KeyError(f"no cast {kind!r}{nearest(kind, CASTS)}")
    cast = CASTS[kind]
    moved = elements * (cast.read_bytes + copies * cast.written_bytes)
    rate = CAST_BANDWIDTH_SHARE * chip.memory_bandwidth
    return moved / rate + cast.kernels * chips.LAUNCH_S
