"""Time of collectives on a fabric of tiers, in closed form; nothing enumerates endpoints."""

from dataclasses import dataclass

from simulator.components.accelerator import Accelerator
from simulator.components.fabric.tier import Tier
from simulator.performance import algorithms, torus
from simulator.performance.algorithms import Group
from simulator.performance.transports import WIRE_SHARE, Transport, transport_of

UNLIMITED = 1 << 40
"""Reach of a network nobody described."""

# One way through the switches and cables of a scale-out network nobody described: three to five
# switches of 0.15-0.9 us, 100 m of fibre. Derived.
SCALEOUT_WIRE_S = 2e-6

# Exchanges between pairs: what one more peer adds to the start of LL, the rate of a peer's LL
# channel, and what Simple adds to the start (all-to-alls of 2 to 8 ranks on four chips,
# AIConfigurator). Measured.
PAIR_START_S, PAIR_LL_BYTES_S, PAIR_SIMPLE_S = 2.5e-6, 6.5e9, 6.2e-6

# What Simple adds to the start of a single send (Vidur's tables of NVLink). Measured.
SEND_SIMPLE_S = 3.5e-6

# The same between domains: a message of 2 kB takes 17 us on H100 and 24 us on A100 hosts, and one
# pair keeps 0.72 of its NIC (Vidur's send and receive tables). Measured.
PAIR_HOP_S, PAIR_WIRE_SHARE = 13e-6, 0.72

# What one more peer in another domain costs the host. Assumed, 0.2-1 us.
PAIR_POST_S = 0.5e-6

# Share of a line between sites that large flows keep. Assumed, 0.7-0.95.
WAN_SHARE = 0.85


@dataclass(frozen=True)
class Fabric:
    """What a chip sees of its networks: the scale-up domain, then tiers of growing reach."""

    tiers: tuple[Tier, ...]
    transport: Transport

    @property
    def domain(self) -> int:
        """Chips in one scale-up domain."""
        return self.tiers[0].reach

    @property
    def scaleup_rate(self) -> float:
        """Sustained bytes per second and chip in exchanges inside the domain."""
        return self.transport.pair_share * self.tiers[0].bytes_s


def fabric_of(
    chip: Accelerator,
    network: tuple[Tier, ...] | None = None,
    oversubscription: float = 1.0,
    degraded: float = 1.0,
) -> Fabric:
    """Return the chip's scale-up domain with the scale-out tiers of a network above it.

    Without a network: one tier without end at the chip's own ports, divided by `oversubscription`,
    `degraded` the share of it that is left. A network that begins with a scale-up tier (a torus
    between racks) takes the place of the chip's own domain.
    """
    if network and network[0].kind == "scaleup":
        return Fabric(network, transport_of(chip))
    scaleup = Tier(
        name="scale-up",
        kind="scaleup",
        reach=chip.scaleup_domain,
        bytes_s=chip.scaleup_bandwidth,
        latency_s=0.0,
        shape="torus" if chip.scaleup_torus else "switched",
        dimensions=chip.scaleup_torus,
    )
    if network is None:
        rate = chip.scaleout_bandwidth * degraded / oversubscription
        network = (Tier("scale-out", "scaleout", UNLIMITED, rate, SCALEOUT_WIRE_S),)
    return Fabric((scaleup, *network), transport_of(chip))


def all_gather_s(fabric: Fabric, ranks: int, message_bytes: float, stride: int = 1) -> float:
    """Return the time in s until each of `ranks` holds `message_bytes` gathered from all.

    Ranks are `stride` chips apart. A reduce-scatter of the same buffer costs the same.
    """
    return _collective_s(fabric, ranks, message_bytes, stride, 1)


def reduce_scatter_s(fabric: Fabric, ranks: int, message_bytes: float, stride: int = 1) -> float:
    """Return the time in s until each rank holds its share of the sum of `message_bytes`."""
    return _collective_s(fabric, ranks, message_bytes, stride, 1)


def all_reduce_s(fabric: Fabric, ranks: int, message_bytes: float, stride: int = 1) -> float:
    """Return the time in s to sum `message_bytes` over all ranks."""
    return _collective_s(fabric, ranks, message_bytes, stride, 2)


def all_to_all_s(fabric: Fabric, ranks: int, sent_bytes: float, stride: int = 1) -> float:
    """Return the time in s for each rank to send `sent_bytes`, spread evenly over all ranks.

    Shares for the own domain and for each tier above travel side by side; the slowest counts.
    """
    if ranks == 1:
        return 0.0
    inside = local_ranks(fabric, ranks, stride)
    start_s = fabric.transport.protocols[0].start_s + PAIR_START_S
    time_s = _near_s(fabric, inside, sent_bytes * inside / ranks, stride)
    if ranks > inside:
        start_s += PAIR_HOP_S + (ranks - inside) * PAIR_POST_S
        below = inside
        for tier in _spanned(fabric, ranks, stride):
            start_s += tier.latency_s if tier.kind == "wan" else 0.0
            leaving = sent_bytes * (ranks - below) / ranks
            time_s = max(time_s, leaving / (WIRE_SHARE * tier.bytes_s))
            below = max(1, min(ranks, tier.reach // stride))
    return start_s + time_s


def send_s(fabric: Fabric, message_bytes: float, distance: int) -> float:
    """Return the time in s to send a message to a chip `distance` places away."""
    start_s = fabric.transport.protocols[0].start_s
    if distance < fabric.domain:
        scaleup = fabric.tiers[0]
        rate = fabric.transport.protocols[-1].share * scaleup.bytes_s
        rate /= max(1, 2 * len(scaleup.dimensions))
        early_s, late_s = message_bytes / PAIR_LL_BYTES_S, SEND_SIMPLE_S + message_bytes / rate
        return start_s + min(early_s, late_s)
    tier = _tier_over(fabric, distance + 1)
    return start_s + PAIR_HOP_S + tier.latency_s + message_bytes / (PAIR_WIRE_SHARE * tier.bytes_s)


def slowest_send_s(fabric: Fabric, message_bytes: float, distance: int, extent: int) -> float:
    """Return the time in s of the slowest send between chips `distance` places apart, of all that
    a job over `extent` chips makes: it crosses every tier up to the one that joins them."""
    edges = [tier.reach for tier in fabric.tiers if tier.reach < extent] + [extent]
    return max(send_s(fabric, message_bytes, max(distance, edge - 1)) for edge in edges)


def local_ranks(fabric: Fabric, ranks: int, stride: int = 1) -> int:
    """Return how many of the group's ranks share one scale-up domain."""
    return max(1, min(ranks, fabric.domain // stride))


def _collective_s(fabric: Fabric, ranks: int, size: float, stride: int, passes: int) -> float:
    """Return the time of a collective; sites work by themselves, then exchange their shares."""
    if ranks == 1:
        return 0.0
    wan = fabric.tiers[-1]
    if wan.kind == "wan" and ranks * stride > fabric.tiers[-2].reach:
        sites = -(-ranks * stride // fabric.tiers[-2].reach)
        here = max(1, ranks // sites)
        between_s = _between_sites_s(fabric, sites, size / here, passes)
        return between_s + _collective_s(fabric, here, size, stride, passes)
    group = group_of(fabric, ranks, stride)
    return algorithms.collective_s(fabric.transport, group, passes, size)


def _between_sites_s(fabric: Fabric, sites: int, share_bytes: float, passes: int) -> float:
    """Return the time of a ring of sites in which each chip carries its own share."""
    wan, simple = fabric.tiers[-1], fabric.transport.protocols[-1]
    step_s = simple.hop_s + wan.latency_s
    moved_s = (sites - 1) / sites * share_bytes / (WAN_SHARE * wan.bytes_s)
    return simple.start_s + passes * ((sites - 1) * step_s + moved_s)


def group_of(fabric: Fabric, ranks: int, stride: int) -> Group:
    """Return a group as the closed forms need it; ranks spread evenly over their domains."""
    scaleup, rate, around_s, top_s = fabric.tiers[0], 0.0, 0.0, 0.0
    domains = -(-ranks // local_ranks(fabric, ranks, stride))
    inside, edges = ranks // domains, domains
    for tier in _spanned(fabric, ranks, stride):
        rate = min(rate or tier.bytes_s, tier.bytes_s)
        blocks = -(-ranks * stride // tier.reach)
        around_s += (edges - blocks) * tier.latency_s
        edges, top_s = blocks, tier.latency_s
    link, steps = scaleup.bytes_s, inside - 1
    if scaleup.dimensions:
        taken = torus.extents(scaleup.dimensions, inside, stride)
        link, steps = (
            torus.ring_bytes_s(link, scaleup.dimensions, taken),
            torus.ring_steps(taken),
        )
    return Group(ranks, inside, domains, link, rate, around_s, top_s, steps)


def _near_s(fabric: Fabric, inside: int, sent_bytes: float, stride: int) -> float:
    """Return the time of an all-to-all inside one domain, after its start."""
    scaleup = fabric.tiers[0]
    if inside == 1:
        return 0.0
    if scaleup.dimensions:
        taken = torus.extents(scaleup.dimensions, inside, stride)
        moved_s = torus.exchange_s(scaleup.bytes_s, scaleup.dimensions, taken, sent_bytes)
        return moved_s / fabric.transport.pair_share
    moved = (inside - 1 + algorithms.OWN_SLICE) / inside * sent_bytes
    late_s = PAIR_SIMPLE_S + moved / fabric.scaleup_rate
    return min(sent_bytes / inside / PAIR_LL_BYTES_S, late_s)


def _spanned(fabric: Fabric, ranks: int, stride: int) -> tuple[Tier, ...]:
    """Return the tiers above the domain that a group meets."""
    if ranks <= local_ranks(fabric, ranks, stride):
        return ()
    last = fabric.tiers.index(_tier_over(fabric, ranks * stride))
    return fabric.tiers[1 : last + 1]


def _tier_over(fabric: Fabric, extent: int) -> Tier:
    """Return the lowest tier that joins that many chips."""
    for tier in fabric.tiers:
        if tier.reach >= extent:
            return tier
    most = fabric.tiers[-1].reach
    raise ValueError(f"{extent} accelerators do not fit on a fabric that joins {most}")
