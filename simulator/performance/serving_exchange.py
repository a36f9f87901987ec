"""Exchanges between the chips of a replica: sums over those that share a sequence, tokens to experts
and back.
"""

import numpy as np

from simulator.performance import collectives
from simulator.performance.expert_exchange import expert_exchange_s
from simulator.performance.layers import LayerKind, Product
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import Tokens, Work, local_tokens, work

# Start of a sum in two steps (each rank adds up its share, then reads the others') over that in one.
# Assumed, 1.3-2.
TWO_STEPS = 1.5

# Memories that a byte between two chips passes: it is read in one and written in the other. Derived.
ENDS = 2.0


def exchange_work(setting: ServingSetting, kind: LayerKind, tokens: Tokens) -> Work:
    """Return the work of one layer's exchange: time, and what sums read and write in memory at their
    two ends (of tokens to experts: time only)."""
    plan = setting.plan
    routed = next((p for p in kind.products if p.part == "expert_up"), None)
    if plan.dp > 1 and routed:
        return work(setting, _to_experts_s(setting, routed, tokens), 0.0, 0.0)
    if plan.tp == 1:
        return work(setting, 0.0 * tokens, 0.0, 0.0)
    message = 2.0 * local_tokens(setting, tokens) * setting.model.hidden
    moved = ENDS * 2.0 * (plan.tp - 1) / plan.tp * message
    return work(setting, all_reduce_s(setting, plan.tp, message), 0.0, moved)


def all_reduce_s(setting: ServingSetting, ranks: int, message: Tokens) -> Tokens:
    """Return the time of sums of `message` bytes over ranks.

    Inside a domain the engine's own kernel, in one step or two, or the library where that is
    sooner; engines without such a kernel leave the library's fast path beyond a size.
    """
    engine, fabric = setting.engine, setting.fabric
    library = np.array([collectives.all_reduce_s(fabric, ranks, float(m)) for m in message])
    if ranks > fabric.domain:
        return library
    if engine.reduce_beyond and ranks > 2:
        slow = message / engine.of(engine.reduce_beyond, setting.chip.name)
        return np.where(message > engine.reduce_limit, np.maximum(library, slow), library)
    begin_s = engine.of(engine.reduce_start, setting.chip.name)
    one = begin_s + (ranks - 1) * message / fabric.scaleup_rate
    two = TWO_STEPS * begin_s + 2.0 * (ranks - 1) / ranks * message / fabric.scaleup_rate
    return np.minimum(np.minimum(one, two), library)


def _to_experts_s(setting: ServingSetting, product: Product, tokens: Tokens) -> Tokens:
    """Return the time of tokens of all groups to their experts and back."""
    plan, fabric, kernel = setting.plan, setting.fabric, setting.engine.exchange
    if kernel == "all_gather":
        both = [
            collectives.all_gather_s(fabric, plan.stage_chips, float(message))
            + collectives.reduce_scatter_s(fabric, plan.stage_chips, float(message))
            for message in 2.0 * tokens * product.k
        ]
        return np.array(both)
    found = []
    for each in tokens / plan.stage_chips:
        once = expert_exchange_s(
            fabric, plan.ep, float(each), product.k, product.times, product.stored, kernel
        )
        found.append(once.dispatch_s + once.combine_s)
    return np.array(found)
