"""Expert exchange: tokens out to the ranks of their experts (dispatch), results back (combine).

Three kernels. `normal` (DeepEP, for training and prefill) sends a token once to each rank, and once
to each node, that holds one of its experts. `low_latency` (DeepEP, for decode) sends a copy per
expert without counting first. `one_sided` (TensorRT-LLM inside an NVLink domain) writes a copy per
rank straight into its memory.
"""

from dataclasses import dataclass, replace
from math import comb, inf, log2
from typing import Literal, NamedTuple

from simulator.performance.collectives import PAIR_HOP_S, Fabric, group_of
from simulator.performance.transports import NVLINK5, WIRE_SHARE

Name = Literal["normal", "low_latency", "one_sided"]

# Bytes per value: 8-bit floats with a 32-bit scale per 128, results in 16 bits. Vendor (DeepEP).
FP8_BYTES, BF16_BYTES = 1.0 + 4.0 / 128.0, 2.0

# Multiprocessors that DeepEP's normal kernels take by default, and most that its low-latency ones
# do, one per expert. Vendor.
NORMAL_SMS, LOW_LATENCY_SMS = 20, 128

# What normal kernels start later per doubling of nodes (DeepEP 0.5.6 on 2, 4 and 8 nodes of H100,
# AIConfigurator's tables, as all below). Measured.
NODES_START_S = 33e-6


@dataclass(frozen=True)
class Way:
    """One direction of a kernel; costs of multiprocessors at the kernel's usual number of them."""

    start_s: float
    token_s: float
    """Per token, beside its copies."""
    bytes_s: float
    """Of the copies that leave the rank."""
    copy_s: float = 0.0
    """Per copy, beside its bytes."""
    hidden_s: float = 0.0
    """Start per value of a token."""
    expert_s: float = 0.0
    """Start per expert."""
    forward_s: float = 0.0
    """Passing a copy on between nodes."""


Kernels = dict[str, tuple[Way, Way]]
"""Dispatch and combine by name of the kernel."""

# DeepEP on one domain of H100 or H200, of B200 or B300, and of a rack of GB200 or GB300, by least
# squares of logarithms over all shapes, sizes and numbers of multiprocessors. Dispatch: start, per
# token, per copy, rate; combine the same, its start also per value. Measured.
HOPPER_OUT_START_S, BLACKWELL_OUT_START_S, RACK_OUT_START_S = 27e-6, 37e-6, 34e-6
HOPPER_OUT_TOKEN_S, BLACKWELL_OUT_TOKEN_S, RACK_OUT_TOKEN_S = 18e-9, 22e-9, 30e-9
HOPPER_OUT_COPY_S, BLACKWELL_OUT_COPY_S, RACK_OUT_COPY_S = 2.2e-9, 5.8e-9, 6.8e-9
HOPPER_OUT_BYTES_S, BLACKWELL_OUT_BYTES_S, RACK_OUT_BYTES_S = 380e9, 540e9, 1150e9
HOPPER_BACK_START_S, BLACKWELL_BACK_START_S, RACK_BACK_START_S = 25e-6, 34e-6, 27e-6
HOPPER_BACK_TOKEN_S, BLACKWELL_BACK_TOKEN_S, RACK_BACK_TOKEN_S = 38e-9, 51e-9, 60e-9
HOPPER_BACK_BYTES_S, BLACKWELL_BACK_BYTES_S, RACK_BACK_BYTES_S = 370e9, 510e9, 740e9
BACK_HIDDEN_S = 3e-9

# Passing a copy on between nodes, out and back, with 20 multiprocessors, which bind where fewer than
# 12 are given (DeepEP 0.5.6 on 2 and 4 nodes of H100). Measured.
OUT_FORWARD_S, BACK_FORWARD_S = 30e-9, 75e-9

# The same domains with the low-latency kernels: start, start per expert, per token with 128
# multiprocessors, rate, out and back. Measured.
HOPPER_EARLY_START_S, BLACKWELL_EARLY_START_S, RACK_EARLY_START_S = 8.0e-6, 14e-6, 9.7e-6
HOPPER_EARLY_EXPERT_S, BLACKWELL_EARLY_EXPERT_S, RACK_EARLY_EXPERT_S = 14e-9, 27e-9, 25e-9
HOPPER_EARLY_TOKEN_S, BLACKWELL_EARLY_TOKEN_S, RACK_EARLY_TOKEN_S = 16e-9, 20e-9, 20e-9
HOPPER_EARLY_BYTES_S, BLACKWELL_EARLY_BYTES_S, RACK_EARLY_BYTES_S = 290e9, 700e9, 790e9
HOPPER_RETURN_START_S, BLACKWELL_RETURN_START_S, RACK_RETURN_START_S = 9.7e-6, 16e-6, 10.6e-6
HOPPER_RETURN_EXPERT_S, BLACKWELL_RETURN_EXPERT_S, RACK_RETURN_EXPERT_S = 6e-9, 16e-9, 18e-9
HOPPER_RETURN_TOKEN_S, BLACKWELL_RETURN_TOKEN_S, RACK_RETURN_TOKEN_S = 1.5e-9, 1.7e-9, 2.4e-9
HOPPER_RETURN_BYTES_S, BLACKWELL_RETURN_BYTES_S, RACK_RETURN_BYTES_S = 224e9, 620e9, 700e9

# TensorRT-LLM 1.3 on 2 to 64 ranks of GB200: start, per token, rate, out and back. Measured.
WRITE_START_S, WRITE_TOKEN_S, WRITE_BYTES_S = 27e-6, 11e-9, 490e9
READ_START_S, READ_TOKEN_S, READ_BYTES_S = 15e-6, 35e-9, 530e9

ONE_SIDED = (
    Way(WRITE_START_S, WRITE_TOKEN_S, WRITE_BYTES_S),
    Way(READ_START_S, READ_TOKEN_S, READ_BYTES_S),
)


def _normal(out: Way, back: Way) -> tuple[Way, Way]:
    return (
        replace(out, forward_s=OUT_FORWARD_S),
        replace(back, forward_s=BACK_FORWARD_S, hidden_s=BACK_HIDDEN_S),
    )


HOPPER: Kernels = {
    "normal": _normal(
        Way(HOPPER_OUT_START_S, HOPPER_OUT_TOKEN_S, HOPPER_OUT_BYTES_S, HOPPER_OUT_COPY_S),
        Way(HOPPER_BACK_START_S, HOPPER_BACK_TOKEN_S, HOPPER_BACK_BYTES_S),
    ),
    "low_latency": (
        Way(HOPPER_EARLY_START_S, HOPPER_EARLY_TOKEN_S, HOPPER_EARLY_BYTES_S,
            expert_s=HOPPER_EARLY_EXPERT_S),
        Way(HOPPER_RETURN_START_S, HOPPER_RETURN_TOKEN_S, HOPPER_RETURN_BYTES_S,
            expert_s=HOPPER_RETURN_EXPERT_S),
    ),
    "one_sided": ONE_SIDED,
}  # fmt: skip
BLACKWELL: Kernels = {
    "normal": _normal(
        Way(BLACKWELL_OUT_START_S, BLACKWELL_OUT_TOKEN_S, BLACKWELL_OUT_BYTES_S,
            BLACKWELL_OUT_COPY_S),
        Way(BLACKWELL_BACK_START_S, BLACKWELL_BACK_TOKEN_S, BLACKWELL_BACK_BYTES_S),
    ),
    "low_latency": (
        Way(BLACKWELL_EARLY_START_S, BLACKWELL_EARLY_TOKEN_S, BLACKWELL_EARLY_BYTES_S,
            expert_s=BLACKWELL_EARLY_EXPERT_S),
        Way(BLACKWELL_RETURN_START_S, BLACKWELL_RETURN_TOKEN_S, BLACKWELL_RETURN_BYTES_S,
            expert_s=BLACKWELL_RETURN_EXPERT_S),
    ),
    "one_sided": ONE_SIDED,
}  # fmt: skip
RACK: Kernels = {
    "normal": _normal(
        Way(RACK_OUT_START_S, RACK_OUT_TOKEN_S, RACK_OUT_BYTES_S, RACK_OUT_COPY_S),
        Way(RACK_BACK_START_S, RACK_BACK_TOKEN_S, RACK_BACK_BYTES_S),
    ),
    "low_latency": (
        Way(RACK_EARLY_START_S, RACK_EARLY_TOKEN_S, RACK_EARLY_BYTES_S,
            expert_s=RACK_EARLY_EXPERT_S),
        Way(RACK_RETURN_START_S, RACK_RETURN_TOKEN_S, RACK_RETURN_BYTES_S,
            expert_s=RACK_RETURN_EXPERT_S),
    ),
    "one_sided": ONE_SIDED,
}  # fmt: skip


class Exchange(NamedTuple):
    """Seconds of the two halves."""

    dispatch_s: float
    combine_s: float


class _Copies(NamedTuple):
    """Copies of one token."""

    leaving: float
    """To other ranks."""
    wired: float
    """To other nodes."""


def expert_exchange_s(
    fabric: Fabric,
    ranks: int,
    tokens: float,
    hidden: int,
    active: int,
    experts: int,
    kernel: Name = "normal",
    dispatch_bytes: float = FP8_BYTES,
    combine_bytes: float = BF16_BYTES,
    multiprocessors: int = NORMAL_SMS,
    stride: int = 1,
) -> Exchange:
    """Return dispatch and combine of `tokens` per rank, routed evenly to `active` of `experts`.

    `dispatch_bytes` and `combine_bytes` are per value. A token takes what binds most of its
    multiprocessors and links, the NIC, and the multiprocessors that forward between nodes.
    """
    if ranks == 1 or tokens <= 0.0:
        return Exchange(0.0, 0.0)
    group = group_of(fabric, ranks, stride)
    copies = _copies(kernel, ranks, group.domains, active, experts)
    wire = WIRE_SHARE * group.wire_bytes_s or inf
    slower, hops_s = 1.0, 0.0
    if kernel == "normal":
        slower, hops_s = NORMAL_SMS / multiprocessors, NODES_START_S * log2(group.domains)
    elif kernel == "low_latency":
        slower = LOW_LATENCY_SMS / min(experts, LOW_LATENCY_SMS)
        hops_s = PAIR_HOP_S if group.domains > 1 else 0.0
    times_s = []
    pairs = zip(kernels_of(fabric)[kernel], (dispatch_bytes, combine_bytes), strict=True)
    for way, width in pairs:
        start_s = way.start_s + way.hidden_s * hidden + way.expert_s * experts
        token_s = _token_s(way, copies, hidden * width, wire, slower)
        times_s.append(start_s + hops_s + tokens * token_s)
    return Exchange(*times_s)


def kernels_of(fabric: Fabric) -> Kernels:
    """Return the kernels of a fabric's domain; other chips are taken to be like Hopper."""
    if fabric.transport is not NVLINK5:
        return HOPPER
    return BLACKWELL if fabric.domain <= 8 else RACK


def _copies(kernel: Name, ranks: int, nodes: int, active: int, experts: int) -> _Copies:
    if kernel == "low_latency":
        return _Copies(active * (ranks - 1) / ranks, active * (nodes - 1) / nodes)
    leaving = (ranks - 1) * _held(experts, active, ranks)
    return _Copies(leaving, (nodes - 1) * _held(experts, active, nodes))


def _held(experts: int, active: int, places: int) -> float:
    """Return the chance that a given one of `places` holds an expert of a token."""
    here = experts // places
    if here == 0:
        return active / places
    return 1.0 - comb(experts - here, active) / comb(experts, active)


def _token_s(way: Way, copies: _Copies, size: float, wire_bytes_s: float, slower: float) -> float:
    """Return what one token of `size` bytes adds."""
    inside_s = way.token_s * slower
    inside_s += copies.leaving * (way.copy_s * slower + size / way.bytes_s)
    if copies.wired == 0.0:
        return inside_s
    forward_s = copies.leaving * way.forward_s * slower
    return max(inside_s, copies.wired * size / wire_bytes_s, forward_s)
