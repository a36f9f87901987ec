"""How much of a replica a request takes, against one of the lengths the replica is rated for."""

import numpy as np

from simulator.performance.queueing import Demand
from simulator.performance.replica import Replica


def request_work_frac(
    replica: Replica, rated: Demand, asked: Demand, most_batch: int, tpot_limit_s: float
) -> float:
    """Return the rate of rated requests that a replica sustains over that of the asked ones.

    Both as long as tokens come in time and contexts fit; what first tokens wait for is left out,
    since a replica serves long prompts whether or not they are in time.
    """
    rates = (sustained_s(replica, d, most_batch, tpot_limit_s) for d in (rated, asked))
    return next(rates) / next(rates)


def sustained_s(replica: Replica, demand: Demand, most_batch: int, tpot_limit_s: float) -> float:
    """Return the requests per second at which a steady batch meets the limit per token.

    Of n sequences each gets a token per t(n) / (1 - rate x prompt), and rate x steps x that time
    are n (Little); the largest n that fits and is in time gives the rate. One sequence at least is
    served, in time or not.
    """
    seats = max(min(replica.sequences(demand.context), most_batch), 1)
    batch = np.arange(1.0, seats + 1.0)
    encoder_s = demand.image_tokens * replica.image_token_s
    prompt_s, decode_s = (
        encoder_s + replica.prefill_s(demand.input_tokens, demand.cached_tokens),
        replica.decode_s(batch, demand.context),
    )
    rate = batch / (demand.steps * decode_s + batch * prompt_s)
    in_time = decode_s <= tpot_limit_s * (1.0 - rate * prompt_s)
    return float(rate[in_time].max(initial=float(rate[0])))
