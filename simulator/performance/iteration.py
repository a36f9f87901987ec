"""Time of one iteration of a serving replica, and the work in it, as a few plain numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.performance import chip as chips
from simulator.performance import layers
from simulator.performance import serving_attention as cores
from simulator.performance import serving_operators as ops
from simulator.performance import serving_stages as stages
from simulator.performance.layers import LayerKind
from simulator.performance.serving_exchange import exchange_work
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import (
    DRAWN,
    MATRIX,
    MEMORY,
    TIME,
    Tokens,
    Work,
    waited,
)

Floats = NDArray[np.float64]

GRID = np.concatenate(
    [
        np.arange(1, 17), np.arange(20, 65, 4), np.arange(72, 129, 8), np.arange(160, 513, 32),
        np.arange(640, 2049, 128), np.arange(2560, 16385, 512),
    ]
).astype(np.float64)  # fmt: skip
"""Tokens of an iteration at which it is costed; groups that take their own sequences add their
multiples."""


@dataclass(frozen=True)
class IterationCost:
    """Seconds of one iteration of a replica, linear in all but the tokens it processes.

    One iteration takes interp(tokens_s, n) + context_s x (sum of decode contexts) + pair_s x (sum
    of prefill pairs) + sequence_s x sequences, prompt_s more if it holds prompts, and the same per
    context and pair for attention that sees the nearest `limits` positions only, cut there.
    """

    tokens: Floats
    """Tokens processed in one iteration, ascending."""
    tokens_s: Floats
    """Seconds at those, linear between: products, norms, exchanges, launches, host."""
    context_s: float
    """Per cached token that a decoding sequence attends to."""
    pair_s: float
    """Per pair of query and key of prefill attention."""
    sequence_s: float
    """Per running sequence: its host work, scores over the vocabulary, recurrent state."""
    limits: Floats
    """Spans of attention that does not see everything, ascending."""
    limited_context_s: Floats
    """Per cached token inside each span."""
    limited_pair_s: Floats
    """Per pair inside each span."""
    prompt_s: float = 0.0
    """Once per iteration that holds prompts: what its kernels, outside the graphs, wait for."""
    verified: float = 1.0
    """Tokens that a decoding sequence brings to an iteration: one, and those drafted ahead."""
    emitted: float = 1.0
    """Tokens that an iteration gives a decoding sequence on average."""
    local_s: Floats | None = None
    """The part of `tokens_s` that each group does for its own tokens: all but experts."""

    def decode_s(self, batch: Floats | float, context: float) -> Floats:
        """Return the time of an iteration in which `batch` sequences decode at a mean context."""
        n = np.asarray(batch, np.float64)
        each = self.sequence_s + self.context_s * context
        each += float(self.limited_context_s @ np.minimum(context, self.limits))
        return np.asarray(np.interp(n * self.verified, self.tokens, self.tokens_s) + n * each)

    def tokens_time_s(self, tokens: float) -> float:
        """Return the part of the tokens processed; beyond the grid it is in proportion."""
        most = float(self.tokens[-1])
        if tokens > most:
            return float(self.tokens_s[-1]) * tokens / most
        return float(np.interp(tokens, self.tokens, self.tokens_s))

    def prompts_s(self, tokens: float, cached: float = 0.0, prompts: float = 1.0) -> float:
        """Return the time of an iteration of `prompts` alike, `tokens` new ones behind `cached`."""
        each = self.sequence_s + self.pairs_s(tokens, cached)
        return self.prompt_s + self.tokens_time_s(prompts * tokens) + prompts * each

    def added_s(self, tokens: float, batch: float, cached: float = 0.0) -> float:
        """Return what `tokens` of a prompt add to an iteration in which `batch` sequences decode."""
        shared = self.tokens_time_s(batch + tokens) - self.tokens_time_s(batch)
        return shared + self.prompt_s + self.sequence_s + self.pairs_s(tokens, cached)

    def pairs_s(self, tokens: float, cached: float = 0.0) -> float:
        """Return the time of attention of one prompt's `tokens` behind `cached`."""
        total = self.pair_s * pairs(tokens, cached)
        for limit, each_s in zip(self.limits, self.limited_pair_s, strict=True):
            total += each_s * pairs(tokens, cached, float(limit))
        return float(total)


def pairs(tokens: float, cached: float = 0.0, limit: float = math.inf) -> float:
    """Return the pairs of query and key of `tokens` behind `cached`, each seeing `limit` at most."""
    if limit >= cached + tokens:
        return tokens * cached + 0.5 * tokens * (tokens + 1.0)
    growing = max(limit - cached, 0.0)
    return growing * cached + 0.5 * growing * (growing + 1.0) + (tokens - growing) * limit


@dataclass(frozen=True)
class ReplicaCost:
    """Time of iterations, the seconds that their FLOPs and bytes take at the chip's peaks, and those
    that they would take at all of the power between idle and TDP."""

    time: IterationCost
    matrix: IterationCost
    memory: IterationCost
    drawn: IterationCost


def replica_cost_of(setting: ServingSetting) -> ReplicaCost:
    """Return time and work of an iteration of one replica."""
    plan = setting.plan
    grid = np.unique(np.concatenate([GRID, GRID * plan.dp, GRID * plan.dp * plan.pp]))
    tokens, local = _tokens_work(setting, grid / plan.pp)
    if plan.pp > 1:
        tokens = local = stages.round_work(setting, grid, tokens)
    sequence = stages.per_sequence(setting, _sequence_work(setting))
    contexts, spans = _spanned(setting, cores.context_work), _spanned(setting, cores.pair_work)
    limits = sorted({limit for limit in (*contexts, *spans) if limit < math.inf})
    nothing, prompt = np.zeros(4), waited(_prompt_s(setting))

    def form(i: int) -> IterationCost:
        return IterationCost(
            grid,
            tokens[i],
            float(contexts.get(math.inf, nothing)[i]),
            float(spans.get(math.inf, nothing)[i]),
            float(sequence[i]),
            np.array(limits),
            np.array([contexts.get(limit, nothing)[i] for limit in limits]),
            np.array([spans.get(limit, nothing)[i] for limit in limits]),
            float(prompt[i]),
            local_s=local[i],
        )

    return ReplicaCost(form(TIME), form(MATRIX), form(MEMORY), form(DRAWN))


def _tokens_work(setting: ServingSetting, grid: Floats) -> tuple[Floats, Floats]:
    """Return the work of all layers and of the first token's scores, by tokens, and the part of it
    that groups do for their own tokens."""
    engine, chip = setting.engine, setting.chip.name
    local, experts, launched = np.zeros((4, len(grid))), np.zeros((4, len(grid))), 0.0
    for kind in layers.kinds(setting.model):
        local += kind.count * ops.small_work(setting, kind, grid)
        local += kind.count * exchange_work(setting, kind, grid)
        for product in kind.products:
            made = kind.count * ops.product_work(setting, kind, product, grid)
            if product.split == "experts":
                experts += made
            else:
                local += made
        launched += kind.count * ops.kernels(setting, kind)
    total = local + experts + ops.output_work(setting, grid[:1])
    if setting.planned and engine.planned_mixer_host:
        mixers = setting.model.attention_layers + setting.model.state_layers
        total = _no_sooner(total, mixers * engine.of(engine.planned_mixer_host, chip))
    if engine.kernel_host:
        loose = grid / setting.plan.dp > engine.captured_tokens
        host_s = launched * engine.of(engine.kernel_host, chip)
        total = _no_sooner(total, np.where(loose, host_s, 0.0))
    between_s = engine.of(engine.iteration_host, chip)
    return total + waited(np.full_like(grid, between_s)), local


def _no_sooner(made: Work, least_s: Tokens | float) -> Work:
    """Return work stretched by a wait for the host to take no less than `least_s`."""
    return made + waited(np.maximum(least_s - made[TIME], 0.0))


def _prompt_s(setting: ServingSetting) -> float:
    """Return what an iteration with prompts waits for its host, over all layers."""
    model, engine, chip = setting.model, setting.engine, setting.chip.name
    total = 0.0
    if model.experts and engine.expert_layer_host:
        total += model.moe_layers * engine.of(engine.expert_layer_host, chip)
    if model.latent and engine.latent_layer_host:
        total += model.attention_layers * engine.of(engine.latent_layer_host, chip)
    return total


def _sequence_work(setting: ServingSetting) -> Floats:
    """Return what one more sequence adds: vocabulary, state, and the host of its own group."""
    dp, engine = setting.plan.dp, setting.engine
    few, many = ops.output_work(setting, np.array([1.0, 513.0]) * dp).T
    each = np.asarray((many - few) / (512.0 * dp))
    for kind in layers.kinds(setting.model):
        each = each + kind.count * cores.state_work(setting, kind)
    each_s = engine.of(engine.sequence_host, setting.chip.name) / dp
    return each + waited(each_s, chips.SAMPLING_POWER)


def _spanned(
    setting: ServingSetting, operator: Callable[[ServingSetting, LayerKind], cores.Spanned]
) -> dict[float, Floats]:
    """Return the sum over layers of an operator's work, by span."""
    found: dict[float, Floats] = {}
    for kind in layers.kinds(setting.model):
        for limit, made in operator(setting, kind):
            each = stages.shared(setting, kind.count * made)
            found[limit] = found.get(limit, np.zeros(4)) + each
    return found
