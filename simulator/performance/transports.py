"""What a collective library pays per start, step and byte, by generation of the links.

NCCL moves chunks by one of three protocols: LL (a flag beside every word: earliest, half the
bytes), LL128 (a flag per 128 bytes) and Simple (a fence per chunk: latest, all the bytes). It picks
the pair of algorithm and protocol whose time its own table of constants predicts to be shortest
(`believed` here, from its source) and then needs the time that links and hosts allow (`protocols`,
measured). The two differ, which is why measured times jump where the choice changes.
"""

from dataclasses import dataclass, replace
from math import inf

from simulator.components.accelerator import Accelerator


@dataclass(frozen=True)
class Protocol:
    """One way to move the chunks of a collective."""

    start_s: float
    step_s: float
    """One step of a ring inside a scale-up domain."""
    hop_s: float
    """One step of a ring between domains: library, host and NIC, without wire."""
    tree_hop_s: float
    """One level of a tree between domains, likewise."""
    share: float
    """Of the scale-up bandwidth that large messages reach."""
    wire_share: float
    """The same of the NIC."""
    domain_bytes_s: float = inf
    """Most that one domain sends to others, whatever its NICs."""
    crowding: float = 1.0
    """Factor on the latency of messages too large for one channel."""


@dataclass(frozen=True)
class Transport:
    """The library and links of a chip."""

    name: str
    protocols: tuple[Protocol, ...]
    """What it takes."""
    believed: tuple[Protocol, ...]
    """What the library expects when it chooses, in the same order."""
    pair_share: float
    """Of the scale-up bandwidth that exchanges between pairs reach."""
    multicast_share: float = 0.0
    """Of the scale-up bandwidth at which switches sum and spread a message; 0: they do not."""
    flat: bool = True
    """One ring through all ranks; otherwise every domain works inside first."""


# NCCL's tuning constants for LL, LL128 and Simple (github.com/NVIDIA/nccl, src/graph/tuning.cc, commit
# 5067397c): start; a step over NVLink; a step and a tree's level over the network; share of the
# links, of which it counts 0.8 for Ampere, Hopper and Blackwell, LL128 0.92 of that, LL 0.31. Vendor.
NCCL_LL_START_S, NCCL_LL128_START_S, NCCL_SIMPLE_START_S = 6.6e-6, 14.0e-6, 8.4e-6
NCCL_LL_STEP_S, NCCL_LL128_STEP_S, NCCL_SIMPLE_STEP_S = 0.6e-6, 1.9e-6, 3.4e-6
NCCL_LL_HOP_S, NCCL_LL128_HOP_S, NCCL_SIMPLE_HOP_S = 2.7e-6, 4.0e-6, 14.0e-6
NCCL_LL_TREE_HOP_S, NCCL_LL128_TREE_HOP_S, NCCL_SIMPLE_TREE_HOP_S = 5.0e-6, 8.5e-6, 14.0e-6
NCCL_LL_SHARE, NCCL_LL128_SHARE, NCCL_SIMPLE_SHARE = 0.31, 0.736, 0.80

# Shares of the wire that LL and LL128 leave to data, and most that LL sends out of a node of
# Hopper (the same file). Vendor.
LL_WIRE, LL128_WIRE = 0.5, 0.92
LL_DOMAIN_BYTES_S = 35e9

BELIEVED = (
    Protocol(
        NCCL_LL_START_S,
        NCCL_LL_STEP_S,
        NCCL_LL_HOP_S,
        NCCL_LL_TREE_HOP_S,
        NCCL_LL_SHARE,
        LL_WIRE,
        LL_DOMAIN_BYTES_S,
    ),
    Protocol(
        NCCL_LL128_START_S,
        NCCL_LL128_STEP_S,
        NCCL_LL128_HOP_S,
        NCCL_LL128_TREE_HOP_S,
        NCCL_LL128_SHARE,
        LL128_WIRE,
    ),
    Protocol(
        NCCL_SIMPLE_START_S,
        NCCL_SIMPLE_STEP_S,
        NCCL_SIMPLE_HOP_S,
        NCCL_SIMPLE_TREE_HOP_S,
        NCCL_SIMPLE_SHARE,
        1.0,
    ),
)

# Share of a NIC that the rings of many nodes reach with large messages: 0.94-0.96 from 2 to 64 nodes
# of 8, 0.92 at 128 (SimAI's table of bus bandwidth by size and ranks). Measured.
WIRE_SHARE = 0.94

# Shares of the links that LL and Simple reach inside a domain, alike for A100, H100 and B200 within
# 0.04; the tenth more that LL waits where more than one channel works; what LL128 adds to start and
# step of LL (NCCL 2.27-2.29, 2 to 8 ranks, 2 kB to 512 MB, AIConfigurator's tables). Measured.
LL_SHARE, SIMPLE_SHARE = 0.39, 0.81
LL_CROWDING = 1.10
LL128_START_S, LL128_STEP_S = 10e-6, 1.0e-6

# By generation of NVLink (A100; H100; B200, B300, GB200), from the same tables: start, host and driver
# with it, and step of LL; start and step of Simple; share of the links of LL128, of exchanges
# between pairs, and of sums in the switch (NVLink SHARP, from the fourth on). Measured.
NVLINK3_START_S, NVLINK4_START_S, NVLINK5_START_S = 9.3e-6, 4.8e-6, 7.7e-6
NVLINK3_STEP_S, NVLINK4_STEP_S, NVLINK5_STEP_S = 0.87e-6, 0.80e-6, 1.25e-6
NVLINK3_SIMPLE_START_S, NVLINK4_SIMPLE_START_S, NVLINK5_SIMPLE_START_S = 23e-6, 15e-6, 15e-6
NVLINK3_SIMPLE_STEP_S, NVLINK4_SIMPLE_STEP_S, NVLINK5_SIMPLE_STEP_S = 6.6e-6, 3.0e-6, 4.0e-6
NVLINK3_LL128_SHARE, NVLINK4_LL128_SHARE, NVLINK5_LL128_SHARE = 0.63, 0.80, 0.44
NVLINK3_PAIR_SHARE, NVLINK4_PAIR_SHARE, NVLINK5_PAIR_SHARE = 0.71, 0.77, 0.62
NVLINK4_MULTICAST_SHARE, NVLINK5_MULTICAST_SHARE = 0.57, 0.46


def _nccl(
    name: str, ll: Protocol, simple: Protocol, ll128_share: float, pair: float, multicast: float
) -> Transport:
    """Return NCCL on one generation of NVLink."""
    ll128 = replace(
        BELIEVED[1],
        start_s=ll.start_s + LL128_START_S,
        step_s=ll.step_s + LL128_STEP_S,
        share=ll128_share,
        wire_share=LL128_WIRE * WIRE_SHARE,
    )
    return Transport(name, (ll, ll128, simple), BELIEVED, pair, multicast)


def _ll(start_s: float, step_s: float) -> Protocol:
    return replace(
        BELIEVED[0],
        start_s=start_s,
        step_s=step_s,
        share=LL_SHARE,
        wire_share=LL_WIRE * WIRE_SHARE,
        crowding=LL_CROWDING,
    )


def _simple(start_s: float, step_s: float) -> Protocol:
    return replace(
        BELIEVED[2], start_s=start_s, step_s=step_s, share=SIMPLE_SHARE, wire_share=WIRE_SHARE
    )


NVLINK3 = _nccl(
    "NVLink 3",
    _ll(NVLINK3_START_S, NVLINK3_STEP_S),
    _simple(NVLINK3_SIMPLE_START_S, NVLINK3_SIMPLE_STEP_S),
    NVLINK3_LL128_SHARE,
    NVLINK3_PAIR_SHARE,
    0.0,
)
NVLINK4 = _nccl(
    "NVLink 4",
    _ll(NVLINK4_START_S, NVLINK4_STEP_S),
    _simple(NVLINK4_SIMPLE_START_S, NVLINK4_SIMPLE_STEP_S),
    NVLINK4_LL128_SHARE,
    NVLINK4_PAIR_SHARE,
    NVLINK4_MULTICAST_SHARE,
)
NVLINK5 = _nccl(
    "NVLink 5",
    _ll(NVLINK5_START_S, NVLINK5_STEP_S),
    _simple(NVLINK5_SIMPLE_START_S, NVLINK5_SIMPLE_STEP_S),
    NVLINK5_LL128_SHARE,
    NVLINK5_PAIR_SHARE,
    NVLINK5_MULTICAST_SHARE,
)

# Rings over the links of a torus, driven by the compiler: start of a compiled collective, one hop,
# share of the links. Assumed, ranges 3e-6-2e-5 s, 5e-7-2e-6 s and 0.8-0.95.
TORUS_START_S, TORUS_STEP_S, TORUS_SHARE = 8e-6, 1e-6, 0.90
_TORUS = replace(
    BELIEVED[0],
    start_s=TORUS_START_S,
    step_s=TORUS_STEP_S,
    share=TORUS_SHARE,
    wire_share=WIRE_SHARE,
    domain_bytes_s=inf,
)
TORUS = Transport("torus", (_TORUS,), (_TORUS,), TORUS_SHARE, flat=False)

# Other switched or fully connected domains: NCCL's own expectations (RCCL is its fork; the others
# are taken to be like it), and its share in exchanges between pairs. Assumed, range 0.5-0.85.
OTHER_PAIR_SHARE = 0.70
OTHER = Transport("other", BELIEVED, BELIEVED, OTHER_PAIR_SHARE)


def transport_of(chip: Accelerator) -> Transport:
    """Return the library and links of a chip, by its vendor and bandwidth."""
    if chip.scaleup_torus:
        return TORUS
    if chip.vendor != "NVIDIA":
        return OTHER
    if chip.scaleup_bandwidth < 400e9:
        return NVLINK3
    return NVLINK4 if chip.scaleup_bandwidth < 800e9 else NVLINK5
