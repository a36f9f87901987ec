"""What a collective library pays per start, step and byte, by generation of the links under it.

NCCL moves chunks by one of three protocols: LL (a flag beside every word: earliest, half the
bytes), LL128 (a flag per 128 bytes) and Simple (a fence per chunk: latest, all the bytes). It picks
the pair of algorithm and protocol whose time its own table of constants predicts to be shortest
(`believed` here, from its source) and then needs the time that links and hosts allow (`protocols`,
measured). The two differ, which is why measured times jump where the choice changes.
"""

from dataclasses import dataclass
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


# NCCL's tuning constants (github.com/NVIDIA/nccl, src/graph/tuning.cc, commit 5067397c: base and
# hardware latencies, LL128 as 0.92 of the bandwidth, at most 35 GB/s of LL out of a node of
# Hopper). It counts 0.8 of the links for Ampere, Hopper and Blackwell (20, 20.6 and 40.1 GB/s of 25,
# 25 and 50 each, rounded down to a whole number of channels), LL 0.31 of them. Vendor.
NET_LL, NET_LL128, NET_SIMPLE = (2.7e-6, 5.0e-6), (4.0e-6, 8.5e-6), (14.0e-6, 14.0e-6)
LL_DOMAIN_BYTES_S = 35e9
BELIEVED = (
    Protocol(6.6e-6, 0.6e-6, *NET_LL, 0.31, 0.5, LL_DOMAIN_BYTES_S),
    Protocol(14.0e-6, 1.9e-6, *NET_LL128, 0.736, 0.92),
    Protocol(8.4e-6, 3.4e-6, *NET_SIMPLE, 0.80, 1.0),
)

# Share of a NIC that the rings of many nodes reach with large messages: 0.94-0.96 from 2 to 64 nodes
# of 8, 0.92 at 128 (SimAI's table of bus bandwidth by size and ranks). Measured.
WIRE_SHARE = 0.94

# Shares of the links that LL and Simple reach inside a domain, alike for A100, H100 and B200 within
# 0.04 (NCCL 2.27-2.29, 2 kB to 512 MB, AIConfigurator's tables, which hold all that follows but
# where another source is named). Measured.
LL_SHARE, SIMPLE_SHARE = 0.39, 0.81

# LL needs a tenth more where more than one channel works. Measured.
LL_CROWDING = 1.10

# What LL128 adds to start and step of LL. Measured.
LL128_START_S, LL128_STEP_S = 10e-6, 1.0e-6


def nccl(
    name: str,
    start_s: float,
    step_s: float,
    simple_start_s: float,
    simple_step_s: float,
    ll128_share: float,
    pair_share: float,
    multicast_share: float = 0.0,
) -> Transport:
    """Return NCCL on one generation of NVLink."""
    ll = Protocol(
        start_s, step_s, *NET_LL, LL_SHARE, 0.5 * WIRE_SHARE, LL_DOMAIN_BYTES_S, LL_CROWDING
    )
    ll128 = Protocol(
        start_s + LL128_START_S,
        step_s + LL128_STEP_S,
        *NET_LL128,
        ll128_share,
        0.92 * WIRE_SHARE,
    )
    simple = Protocol(simple_start_s, simple_step_s, *NET_SIMPLE, SIMPLE_SHARE, WIRE_SHARE)
    return Transport(name, (ll, ll128, simple), BELIEVED, pair_share, multicast_share)


# By generation: start and step of LL, start and step of Simple, share of LL128, of exchanges between
# pairs, and of sums in the switch (NVLink SHARP). Starts hold host and driver. Measured.
NVLINK3 = nccl("NVLink 3", 9.3e-6, 0.87e-6, 23e-6, 6.6e-6, 0.63, 0.71)
NVLINK4 = nccl("NVLink 4", 4.8e-6, 0.80e-6, 15e-6, 3.0e-6, 0.80, 0.77, 0.57)
NVLINK5 = nccl("NVLink 5", 7.7e-6, 1.25e-6, 15e-6, 4.0e-6, 0.44, 0.62, 0.46)

# Rings over the links of a torus, driven by the compiler: start of a compiled collective, a hop of
# 1 us, 0.9 of the links. Assumed, ranges 3-20 us, 0.5-2 us, 0.8-0.95.
_TORUS = Protocol(8e-6, 1.0e-6, *NET_LL, 0.90, WIRE_SHARE)
TORUS = Transport("torus", (_TORUS,), (_TORUS,), 0.90, flat=False)

# Other switched or fully connected domains (RCCL, a fork of NCCL; oneCCL, HCCL and others are taken
# to be like it): NCCL's own expectations. Assumed, +-30 %.
OTHER = Transport("other", BELIEVED, BELIEVED, 0.70)


def transport_of(chip: Accelerator) -> Transport:
    """Return the library and links of a chip, by its vendor and bandwidth."""
    if chip.scaleup_torus:
        return TORUS
    if chip.vendor != "NVIDIA":
        return OTHER
    if chip.scaleup_bandwidth < 400e9:
        return NVLINK3
    return NVLINK4 if chip.scaleup_bandwidth < 800e9 else NVLINK5
