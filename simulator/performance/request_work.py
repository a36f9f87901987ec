"""How much of a replica a request takes, against one of the lengths the replica is rated for."""

from simulator.performance.queueing import Demand
from simulator.performance.replica import Replica


def request_work_frac(replica: Replica, rated: Demand, batch: float, asked: Demand) -> float:
    """Return the replica time of one request over that of a rated one.

    A request takes its prompt's time and its share of the decode iterations it is in, at the batch
    that the replica reaches at its rated capacity, or the batch whose contexts fill as much memory.
    """
    fewer = batch * min(rated.context / asked.context, 1.0)
    return _replica_s(replica, asked, max(fewer, 1.0)) / _replica_s(replica, rated, max(batch, 1.0))


def _replica_s(replica: Replica, demand: Demand, batch: float) -> float:
    """Return the seconds of a replica that a request takes among `batch` that decode."""
    prompt_s = replica.prefill_s(demand.input_tokens, demand.cached_tokens)
    return prompt_s + demand.steps * float(replica.decode_s(batch, demand.context)) / batch
