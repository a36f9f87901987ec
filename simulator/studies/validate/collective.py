"""Topic `collective`: one collective on an idle network."""

from dataclasses import dataclass, replace

from simulator.components import from_catalog
from simulator.components.fabric.tier import Tier
from simulator.performance import collectives
from simulator.performance.collectives import UNLIMITED, Fabric, fabric_of
from simulator.performance.transports import NVLINK4, Transport
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit, number

QUANTITY = "time"
INSIDE_ONE_DOMAIN = " NVLink"
SEND = "send_recv"
OPERATIONS = {
    "all_gather": collectives.all_gather_s,
    "reduce_scatter": collectives.reduce_scatter_s,
    "all_reduce": collectives.all_reduce_s,
    "alltoall": collectives.all_to_all_s,
}

# Payload of 16 lanes of PCIe 4 and 5: 31.5 and 63 GB/s, 256 bytes in packets of about 284. The two
# bridged GPUs of a pair share a way out. Derived.
PCIE4_BYTES_S, PCIE5_BYTES_S = 28.4e9, 56.8e9

# NVLink bridge of two GPUs: 600 GB/s both ways together. Vendor (NVIDIA, A100 and H100 PCIe).
BRIDGE_BYTES_S = 300e9

# Ethernet between boxes of pairs: 80 Gb/s (Azure NC96ads A100 v4). Vendor. Without RDMA a stream of
# TCP moves 20 Gb/s, but the sender is done with what its buffers hold. Assumed, 15-25 Gb/s, 1-8 MB.
ETHERNET_BYTES_S, TCP_BYTES_S, TCP_BUFFER_BYTES = 10e9, 2.5e9, 4e6

# InfiniBand of the `a100_dgx` table: messages go through the host, whatever NICs a DGX has. Per GPU
# one way, per GPU both ways at once, per node. Measured on the table itself (its 60 rows).
A100_DGX_SEND_BYTES_S, A100_DGX_RING_BYTES_S, A100_DGX_NODE_BYTES_S = 10.8e9, 6.3e9, 18e9

# Switches and cables between two nodes. Assumed, 1-5 us.
WIRE_S = 2e-6


@dataclass(frozen=True)
class Network:
    """The machines of one table that are not one scale-up domain."""

    tiers: tuple[Tier, ...]
    transport: Transport
    host_s: float
    """What the framework needs to issue a collective, so that shorter ones wait for it. Median of
    the table's all-reduces up to 512 kB, which scatter between 7 and 65 us. Measured."""

    def fabric(self, ranks: int, each: int, operation: str) -> Fabric:
        """Return the fabric as `each` ranks per node see it."""
        tiers = self.tiers
        if tiers[1].name == "host":
            rate = A100_DGX_SEND_BYTES_S if operation == SEND else A100_DGX_RING_BYTES_S
            rate = min(rate, A100_DGX_NODE_BYTES_S / each)
            tiers = (tiers[0], replace(tiers[1], bytes_s=rate))
        return Fabric(tiers, self.transport)


def _dgx(chip: str, host_s: float, wire: str) -> Network:
    made = fabric_of(from_catalog.accelerator(chip))
    tier = replace(made.tiers[1], name=wire, latency_s=WIRE_S)
    return Network((made.tiers[0], tier), made.transport, host_s)


def _pairs(transport: Transport, pcie_bytes_s: float, host_s: float) -> Network:
    bridge = Tier("bridge", "scaleup", 2, BRIDGE_BYTES_S, 0.0)
    pcie = Tier("pcie", "scaleout", 4, pcie_bytes_s / 2.0, 0.0)
    ethernet = Tier("ethernet", "scaleout", UNLIMITED, ETHERNET_BYTES_S, WIRE_S)
    return Network((bridge, pcie, ethernet), transport, host_s)


NETWORKS = {
    "a100_dgx": _dgx("A100-SXM-80GB", 45e-6, "host"),
    "h100_dgx": _dgx("H100-SXM-80GB", 38e-6, "infiniband"),
    # Both tables of pairs hold the same sends, so their hosts count as one, of the Hopper age.
    "a100_pairwise_nvlink": _pairs(NVLINK4, PCIE4_BYTES_S, 58e-6),
    "h100_pairwise_nvlink": _pairs(NVLINK4, PCIE5_BYTES_S, 28e-6),
}


def simulate(row: Cells) -> Simulated:
    """Return the time of a row's collective; ValueError for an unknown network or operation."""
    network, operation = given(row, "network"), given(row, "operation")
    ranks, size = count(row, "n_ranks"), number(row, "message_bytes")
    if operation != SEND and operation not in OPERATIONS:
        raise ValueError(f"no operation '{operation}'; one of {', '.join([*OPERATIONS, SEND])}")
    if network.endswith(INSIDE_ONE_DOMAIN):
        chip = from_catalog.accelerator(network.removesuffix(INSIDE_ONE_DOMAIN))
        time_s = _time_s(fabric_of(chip), operation, ranks, size, 1)
    elif network in NETWORKS:
        time_s = _across_s(network, operation, ranks, count(row, "ranks_per_node", ranks), size)
    else:
        known = ", ".join([*NETWORKS, "<accelerator> NVLink"])
        raise ValueError(f"no network '{network}'; one of {known}")
    return Simulated(in_unit(time_s, "s", row))


def _across_s(network: str, operation: str, ranks: int, each: int, size: float) -> float:
    """Return the time on one of the networks; ranks of several nodes stand a node apart."""
    machines = NETWORKS[network]
    fabric = machines.fabric(ranks, each, operation)
    node = next(t.reach for t in reversed(fabric.tiers) if t.reach < UNLIMITED)
    time_s = _time_s(fabric, operation, ranks, size, node // each if ranks > each else 1)
    if operation != SEND:
        return max(time_s, machines.host_s)
    if fabric.tiers[-1].name == "ethernet" and ranks > each:
        usual = collectives.PAIR_WIRE_SHARE * ETHERNET_BYTES_S
        time_s += max(0.0, size - TCP_BUFFER_BYTES) * (1.0 / TCP_BYTES_S - 1.0 / usual)
    return time_s


def _time_s(fabric: Fabric, operation: str, ranks: int, size: float, stride: int) -> float:
    if operation == SEND:
        return collectives.send_s(fabric, size, stride)
    return OPERATIONS[operation](fabric, ranks, size, stride)
