"""Rings, trees, in-switch sums and tori: closed forms in steps, hops and bytes.

Every function takes plain numbers and costs about a microsecond, whatever the number of ranks.
"""

from math import inf, log2
from typing import NamedTuple

from simulator.performance.transports import Protocol, Transport

# A rank also copies its own slice to the output, in a step of its own that only sends or only
# receives: a ring of n ranks works like (n - 1 + 0.6) steps. Measured: times per byte at 2, 4 and 8
# ranks lie on this line for all gathers and sums (AIConfigurator's NCCL tables).
OWN_SLICE = 0.6

# Messages above this use more than one channel. Vendor (NCCL's least traffic per channel).
ONE_CHANNEL_BYTES = 16_384.0

# A sum in the switch: start, and the fewest ranks with which the tables show one. Measured.
MULTICAST_START_S, MULTICAST_RANKS = 53e-6, 8

# Share of the bandwidth that trees keep: 0.92, and NCCL corrects medium sizes by 0.5-0.9. Vendor.
TREE_SHARE = 0.70


class Group(NamedTuple):
    """A group of ranks on a fabric, as the closed forms need it."""

    ranks: int
    inside: int
    """Ranks in one scale-up domain."""
    domains: int
    link_bytes_s: float
    """Scale-up bandwidth per rank."""
    wire_bytes_s: float
    """Bandwidth per rank between domains, of the slowest tier the group spans."""
    ring_wire_s: float
    """Wire and switches once around the ring."""
    top_wire_s: float
    """One way over the highest tier the group spans."""
    inside_steps: int
    """Steps that one pass takes inside a domain where each domain works by itself."""


def collective_s(transport: Transport, group: Group, passes: int, message_bytes: float) -> float:
    """Return the time of a gather or scatter (one pass) or of an all-reduce (two).

    The library chooses what it believes to be shortest; the switch sums where that is shorter.
    """
    if not transport.flat:
        return min(_inside_first_s(p, group, passes, message_bytes) for p in transport.protocols)
    trees = passes == 2 and group.domains > 1
    least, chosen, by_tree = inf, transport.protocols[0], False
    for taken, believed in zip(transport.protocols, transport.believed, strict=True):
        expected_s = ring_s(believed, group, passes, message_bytes)
        if expected_s < least:
            least, chosen, by_tree = expected_s, taken, False
        if trees and (expected_s := tree_s(believed, group, message_bytes)) < least:
            least, chosen, by_tree = expected_s, taken, True
    if by_tree:
        return tree_s(chosen, group, message_bytes)
    time_s = ring_s(chosen, group, passes, message_bytes)
    if passes == 2 and group.domains == 1 and group.ranks >= MULTICAST_RANKS:
        return min(time_s, _multicast_s(transport, group, message_bytes))
    return time_s


def ring_s(p: Protocol, group: Group, passes: int, message_bytes: float) -> float:
    """Return the time of one ring through all ranks.

    start + steps alpha + bytes over the slower of links and NICs (Thakur et al., 2005); the ring
    enters and leaves each domain once per lane, and links and NICs work at the same time.
    """
    steps, hops = passes * (group.ranks - 1), passes * (group.domains - 1)
    wait_s = (steps - hops) * p.step_s + hops * p.hop_s + passes * group.ring_wire_s
    crowding = p.crowding if message_bytes > ONE_CHANNEL_BYTES else 1.0
    inside_s = across_s = 0.0
    if group.inside > 1:
        inside_s = (steps + OWN_SLICE) / group.ranks * message_bytes
        inside_s /= p.share * group.link_bytes_s
    if group.domains > 1:
        rate = min(p.wire_share * group.inside * group.wire_bytes_s, p.domain_bytes_s)
        across_s = steps / group.ranks * message_bytes / rate
    return (p.start_s + wait_s) * crowding + max(inside_s, across_s)


def tree_s(p: Protocol, group: Group, message_bytes: float) -> float:
    """Return the time of an all-reduce up and down two trees of domains, chains inside them."""
    levels = log2(group.domains)
    wait_s = (group.inside - 1) * p.step_s + levels * (p.tree_hop_s + group.top_wire_s)
    rate = min(p.wire_share * group.inside * group.wire_bytes_s, p.domain_bytes_s)
    if group.inside > 1:
        rate = min(rate, p.share * group.link_bytes_s)
    return p.start_s + 2.0 * (wait_s + message_bytes / (TREE_SHARE * rate))


def _multicast_s(transport: Transport, group: Group, message_bytes: float) -> float:
    """Return the time of an all-reduce in the switches of one domain: each rank sends all once."""
    if not transport.multicast_share:
        return inf
    rate = transport.multicast_share * group.link_bytes_s
    return MULTICAST_START_S + message_bytes / rate


def _inside_first_s(p: Protocol, group: Group, passes: int, message_bytes: float) -> float:
    """Return the time where domains work by themselves, then each rank's share goes between them.

    A pass is (g-1)/g S over the links and (m-1)/m S/g over the NICs, one after the other.
    """
    inside, domains = group.inside, group.domains
    wait_s = group.inside_steps * p.step_s + (domains - 1) * p.hop_s + group.ring_wire_s
    links_s = (inside - 1) / inside * message_bytes / (p.share * group.link_bytes_s)
    if domains > 1:
        share = (domains - 1) / domains * message_bytes / inside
        links_s += share / (p.wire_share * group.wire_bytes_s)
    return p.start_s + passes * (wait_s + links_s)
