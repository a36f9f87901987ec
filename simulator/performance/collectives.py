"""Collectives in closed form: alpha-beta rings inside the scale-up domain and across the Clos."""

from dataclasses import dataclass

from simulator.components.accelerator import Accelerator

# Share of link bandwidth that large messages reach. Inside a scale-up domain NCCL's all-gathers and
# all-reduces of 0.1-1 GB on A100, H100, B200 and GB200 reach 0.48-0.75 (AIConfigurator's tables).
# Measured. Across a Clos, tests of 8 x 400 Gb/s nodes reach 0.80-0.95 of the wire. Assumed.
SCALEUP_SHARE = 0.62
SCALEOUT_SHARE = 0.85

# Launch of a collective, and start-up of one of its ring steps: small all-to-alls take 15-25 us,
# all-reduces of 8 ranks 30-40 us (the same tables). Measured. Between racks AIConfigurator uses
# 5 us of wire; library and NIC add about as much. Assumed.
LAUNCH_S = 12e-6
SCALEUP_LATENCY_S = 1.5e-6
SCALEOUT_LATENCY_S = 10e-6


@dataclass(frozen=True)
class Fabric:
    """What a chip sees of its networks: one scale-up domain, the Clos beyond."""

    domain: int
    """Chips in one scale-up domain."""
    scaleup_bytes_s: float
    """Unidirectional, per chip."""
    scaleout_bytes_s: float
    oversubscription: float = 1.0
    """Of the Clos above the leaves; divides what a chip gets across it."""
    launch_s: float = LAUNCH_S
    scaleup_latency_s: float = SCALEUP_LATENCY_S
    scaleout_latency_s: float = SCALEOUT_LATENCY_S

    @property
    def scaleup_rate(self) -> float:
        """Sustained bytes per second and chip inside the domain."""
        return SCALEUP_SHARE * self.scaleup_bytes_s

    @property
    def scaleout_rate(self) -> float:
        """Sustained bytes per second and chip across the Clos."""
        return SCALEOUT_SHARE * self.scaleout_bytes_s / self.oversubscription


def fabric_of(chip: Accelerator, oversubscription: float = 1.0, degraded: float = 1.0) -> Fabric:
    """Return the fabric of a chip's own ports; `degraded` is the share of scale-out left."""
    return Fabric(
        domain=chip.scaleup_domain,
        scaleup_bytes_s=chip.scaleup_bandwidth,
        scaleout_bytes_s=chip.scaleout_bandwidth * degraded,
        oversubscription=oversubscription,
    )


def all_gather_s(fabric: Fabric, ranks: int, message_bytes: float, stride: int = 1) -> float:
    """Return the time in s until each of `ranks` holds `message_bytes` gathered from all.

    Ring: launch + (n-1)/n S/B + (n-1) alpha (Thakur et al., 2005). Ranks are `stride` chips apart;
    where the group spans domains, the part in a domain and the part between domains follow each
    other and each chip carries its share of the traffic between domains. Reduce-scatter costs the
    same.
    """
    if ranks == 1:
        return 0.0
    return fabric.launch_s + _gather_s(fabric, ranks, message_bytes, stride)


def _gather_s(fabric: Fabric, ranks: int, message_bytes: float, stride: int) -> float:
    """Return the time of an all-gather after its launch."""
    inside = local_ranks(fabric, ranks, stride)
    groups = -(-ranks // inside)
    time_s = _ring_s(inside, message_bytes, fabric.scaleup_rate, fabric.scaleup_latency_s)
    share = message_bytes / inside
    return time_s + _ring_s(groups, share, fabric.scaleout_rate, fabric.scaleout_latency_s)


def all_reduce_s(fabric: Fabric, ranks: int, message_bytes: float, stride: int = 1) -> float:
    """Return the time in s to sum `message_bytes` over all ranks: reduce-scatter, all-gather."""
    if ranks == 1:
        return 0.0
    return fabric.launch_s + 2.0 * _gather_s(fabric, ranks, message_bytes, stride)


def all_to_all_s(fabric: Fabric, ranks: int, sent_bytes: float, stride: int = 1) -> float:
    """Return the time in s for each rank to send `sent_bytes`, spread evenly over all ranks.

    The shares for chips of the own domain and for others travel side by side.
    """
    if ranks == 1:
        return 0.0
    inside = local_ranks(fabric, ranks, stride)
    near = sent_bytes * (inside - 1) / ranks / fabric.scaleup_rate
    far = sent_bytes * (ranks - inside) / ranks / fabric.scaleout_rate
    latency_s = fabric.scaleup_latency_s if ranks == inside else fabric.scaleout_latency_s
    return fabric.launch_s + latency_s + max(near, far)


def send_s(fabric: Fabric, message_bytes: float, distance: int) -> float:
    """Return the time in s to send a message to a chip `distance` places away."""
    if distance < fabric.domain:
        return fabric.launch_s + message_bytes / fabric.scaleup_rate
    return fabric.launch_s + message_bytes / fabric.scaleout_rate + fabric.scaleout_latency_s


def local_ranks(fabric: Fabric, ranks: int, stride: int = 1) -> int:
    """Return how many of the group's ranks share one scale-up domain."""
    return max(1, min(ranks, fabric.domain // stride))


def _ring_s(ranks: int, message_bytes: float, rate: float, latency_s: float) -> float:
    """Return the time in s of one ring pass over `ranks`."""
    steps = ranks - 1
    return steps / ranks * message_bytes / rate + steps * latency_s
