"""Speculative decoding: a model drafts with its prediction layers and verifies in one iteration."""

from dataclasses import dataclass, replace

import numpy as np

from simulator.performance import layers
from simulator.performance import serving_operators as ops
from simulator.performance.iteration import IterationCost, ReplicaCost
from simulator.performance.serving_attention import context_work
from simulator.performance.serving_exchange import exchange_work
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import DRAWN, TIME


@dataclass(frozen=True)
class Drafts:
    """Tokens drafted per step, and tokens that a step gives on average."""

    tokens: int
    accepted: float
    """The verified token included: between 1 and `tokens` + 1."""


def speculated_replica(setting: ServingSetting, cost: ReplicaCost, drafts: Drafts) -> ReplicaCost:
    """Return time and draw of iterations with drafts; FLOPs and bytes stay those without."""
    return replace(
        cost,
        time=speculated(setting, cost.time, drafts),
        drawn=speculated(setting, cost.drawn, drafts, DRAWN),
    )


def speculated(
    setting: ServingSetting, cost: IterationCost, drafts: Drafts, form: int = TIME
) -> IterationCost:
    """Return the cost of iterations that verify `drafts.tokens` + 1 tokens per sequence.

    Each draft passes the prediction layer once more and reads the vocabulary; ValueError if the
    model has no such layer.
    """
    kind = layers.predictions(setting.model)
    if kind is None:
        raise ValueError(
            f"{setting.model.name} has no layer of multi-token prediction to draft with"
        )
    drafted = drafts.tokens
    at = np.maximum(cost.tokens / (drafted + 1.0), 1.0)
    once = ops.small_work(setting, kind, at) + exchange_work(setting, kind, at)
    for product in kind.products:
        once = once + ops.product_work(setting, kind, product, at)
    reads = sum(made[form] for _, made in context_work(setting, kind))
    few, many = ops.output_work(setting, np.array([1.0, 513.0]))[form]
    return replace(
        cost,
        tokens_s=cost.tokens_s + drafted * once[form],
        context_s=cost.context_s + drafted * float(reads),
        sequence_s=cost.sequence_s + drafted * float(many - few) / 512.0,
        verified=drafted + 1.0,
        emitted=drafts.accepted,
    )
