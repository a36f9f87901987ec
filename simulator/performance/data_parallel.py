"""Data parallelism: summing gradients, spreading weights, the optimizer's pass, several sites."""

from dataclasses import dataclass

from simulator.performance import collectives, memory
from simulator.performance.chip import stream_s
from simulator.performance.layer import StageTime
from simulator.performance.setting import Setting

# Bytes that an Adam step moves per weight: reads and writes of master copy and moments (24), the
# gradient (4), the 16-bit weight (2), and once more the gradient for its norm (4). Counted. Derived.
OPTIMIZER_TRAFFIC_BYTES = 34.0

# Share of a ring's compute time that fully sharded weights can be fetched under: gathers of one
# layer run beside products of the one before and take some of its memory bandwidth. Assumed, 0.8-1.
PREFETCH_SHARE = 0.95


@dataclass(frozen=True)
class DataTime:
    """Seconds of a step."""

    exposed_s: float
    """Exchange of gradients and weights that nothing hides."""
    optimizer_s: float


def data_time(setting: Setting, stage: StageTime) -> DataTime:
    """Return what data parallelism and the optimizer add to a step.

    Each rank scatters gradients and gathers 16-bit weights once per step; fully sharded ranks
    gather weights twice and scatter gradients once in every micro-batch.
    """
    exchange = _sharded_s if setting.plan.sharding == "full" else _once_s
    return DataTime(exchange(setting, stage) + _sites_s(setting), _optimizer_s(setting))


def _once_s(setting: Setting, stage: StageTime) -> float:
    """Return the exposed time of one exchange per step.

    What the stack hides runs under the backward of the last micro-batch and the forward of the
    first; what does not fit there waits.
    """
    stack = setting.stack
    scatter_s = _gather_s(setting, stack.gradient_bytes)
    gather_s = _gather_s(setting, 2.0)
    shown = stack.exposed.data
    room_s = (1.0 - shown) * stage.compute_s
    return max(shown * (scatter_s + gather_s), scatter_s + gather_s - room_s)


def _sharded_s(setting: Setting, stage: StageTime) -> float:
    """Return the exposed time of weights gathered twice and gradients scattered once each time."""
    stack = setting.stack
    if stack.flat_gather:
        each_s = _flat_s(setting, 2.0 * 2.0 + stack.gradient_bytes)
    else:
        each_s = 2.0 * _gather_s(setting, 2.0) + _gather_s(setting, stack.gradient_bytes)
    shown = stack.exposed.weights
    room_s = (1.0 - shown) * PREFETCH_SHARE * stage.compute_s
    return setting.micro_batches * max(shown * each_s, each_s - room_s)


def _gather_s(setting: Setting, bytes_per_weight: float) -> float:
    """Return the time to gather (or scatter) all weights of a chip over the ranks that share them."""
    plan = setting.plan
    shared, experts = memory.local_parameters(setting.model, plan)
    dense_s = collectives.all_gather_s(
        setting.fabric, _local(setting.shard_ranks, setting), bytes_per_weight * shared,
        stride=plan.tp,
    )
    if not experts:
        return dense_s
    return dense_s + collectives.all_gather_s(
        setting.fabric, _local(setting.expert_ranks, setting), bytes_per_weight * experts,
        stride=max(plan.ep, plan.tp),
    )


def _flat_s(setting: Setting, bytes_per_weight: float) -> float:
    """Return the same in one ring over all ranks through one port per server."""
    weights = sum(memory.local_parameters(setting.model, setting.plan))
    ranks = setting.shard_ranks
    port_bytes_s = setting.chip.scaleout_bandwidth * collectives.PAIR_WIRE_SHARE
    return bytes_per_weight * weights * (ranks - 1) / ranks / port_bytes_s


def _optimizer_s(setting: Setting) -> float:
    """Return the time of the optimizer's pass over a chip's share of the state."""
    shared, experts = memory.local_parameters(setting.model, setting.plan)
    if setting.plan.sharding != "none":
        shared, experts = shared / setting.shard_ranks, experts / setting.expert_ranks
    return stream_s(setting.chip, OPTIMIZER_TRAFFIC_BYTES * (shared + experts))


def _sites_s(setting: Setting) -> float:
    """Return the time per step of the exchange across sites, with nothing to hide it.

    Every chip carries its own share of the weights that its site's ranks hold in common, in one
    all-reduce over the sites; done once in so many steps.
    """
    sites = setting.plan.sites
    if sites is None:
        return 0.0
    shared, experts = memory.local_parameters(setting.model, setting.plan)
    share = shared / setting.shard_ranks + experts / setting.expert_ranks
    message = setting.stack.gradient_bytes * share * sites.sites
    chips = setting.plan.tp * setting.plan.pp * setting.shard_ranks // sites.sites
    once_s = collectives.all_reduce_s(setting.fabric, sites.sites, message, stride=chips)
    return once_s / sites.every


def _local(ranks: int, setting: Setting) -> int:
    """Return the ranks of one site that share weights."""
    sites = setting.plan.sites
    return max(ranks // sites.sites, 1) if sites else ranks
