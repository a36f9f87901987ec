"""Expert exchange: tokens out to the ranks of their experts (dispatch), results back (combine).

Three kernels. `normal` (DeepEP, for training and prefill) sends a token once to each rank, and once
to each node, that holds one of its experts. `low_latency` (DeepEP, for decode) sends a copy per
expert without counting first. `one_sided` (TensorRT-LLM inside an NVLink domain) writes a copy per
rank straight into its memory.
"""

from dataclasses import dataclass
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
    copy_s: float
    """Per copy, beside its bytes."""
    bytes_s: float
    """Of the copies that leave the rank."""
    hidden_s: float = 0.0
    """Start per value of a token."""
    expert_s: float = 0.0
    """Start per expert."""
    forward_s: float = 0.0
    """Passing a copy on between nodes."""


Kernels = dict[str, tuple[Way, Way]]
"""Dispatch and combine by name of the kernel."""

# TensorRT-LLM 1.3 on 2 to 64 ranks of GB200. Measured.
ONE_SIDED = Way(27e-6, 11e-9, 0.0, 490e9), Way(15e-6, 35e-9, 0.0, 530e9)

# DeepEP 0.5.12 on 8 ranks of one domain: all shapes, sizes and numbers of multiprocessors, by least
# squares of logarithms, once per kind of domain; forwarding on 2 and 4 nodes of H100 (0.5.6), where
# 4 to 24 multiprocessors bind. Measured.
HOPPER: Kernels = {
    "normal": (
        Way(27e-6, 18e-9, 2.2e-9, 380e9, forward_s=30e-9),
        Way(25e-6, 38e-9, 0.0, 370e9, hidden_s=3e-9, forward_s=75e-9),
    ),
    "low_latency": (
        Way(8.0e-6, 16e-9, 0.0, 290e9, expert_s=14e-9),
        Way(9.7e-6, 1.5e-9, 0.0, 224e9, expert_s=6e-9),
    ),
    "one_sided": ONE_SIDED,
}
BLACKWELL: Kernels = {
    "normal": (
        Way(37e-6, 22e-9, 5.8e-9, 540e9, forward_s=30e-9),
        Way(34e-6, 51e-9, 0.0, 510e9, hidden_s=3e-9, forward_s=75e-9),
    ),
    "low_latency": (
        Way(14e-6, 20e-9, 0.0, 700e9, expert_s=27e-9),
        Way(16e-6, 1.7e-9, 0.0, 620e9, expert_s=16e-9),
    ),
    "one_sided": ONE_SIDED,
}
BLACKWELL_RACK: Kernels = {
    "normal": (
        Way(34e-6, 30e-9, 6.8e-9, 1150e9, forward_s=30e-9),
        Way(27e-6, 54e-9, 1.8e-9, 770e9, hidden_s=3e-9, forward_s=75e-9),
    ),
    "low_latency": (
        Way(9.7e-6, 20e-9, 0.0, 790e9, expert_s=25e-9),
        Way(10.6e-6, 2.4e-9, 0.0, 700e9, expert_s=18e-9),
    ),
    "one_sided": ONE_SIDED,
}


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
    return BLACKWELL if fabric.domain <= 8 else BLACKWELL_RACK


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
