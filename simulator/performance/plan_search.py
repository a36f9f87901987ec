"""The best parallel plans of a training step: best-first branch and bound, exact.

A branch is a layout with its experts, micro-batch, recomputation and precision; its leaves differ in
sharding, virtual stages and schedule. Branches wait in a queue under a lower bound of their step
time that is sharpened each time they come up: useful FLOPs at the chip's peak; the micro-batches on
one stage, without recomputation; the same with it. Leaves add their bubble, then are estimated.
The search ends when the least bound is no better than the worst plan kept: nothing better is left.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from math import inf
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan, Recompute
from simulator.performance import memory, plan_space, training, transformer
from simulator.performance.collectives import Fabric
from simulator.performance.layer import stage_time
from simulator.performance.memory import Footprint
from simulator.performance.pipeline import ZERO_BUBBLE_LEFT
from simulator.performance.plan_axes import Case
from simulator.performance.plan_space import Fitting, Layout, Variant
from simulator.performance.plan_words import why_none
from simulator.performance.training import TrainingStep

# Sharding that exchanges once a step, from the fastest to the slowest.
FASTEST_SHARDING = ("optimizer", "none", "gradients")
RECOMPUTES: tuple[str, ...] = get_args(Recompute)


@dataclass(frozen=True)
class Planned:
    """A plan with its step and what it keeps in memory."""

    plan: ParallelPlan
    step: TrainingStep
    memory: Footprint


@dataclass(frozen=True)
class Found:
    """The outcome of a search."""

    plans: tuple[Planned, ...]
    """The best of each of the best layouts, fastest first."""
    searched: int
    """Plans that divide; each is estimated or excluded by memory or a bound."""
    feasible: int
    """Of these, plans that fit the chip's memory."""
    estimated: int
    """Steps estimated in full."""


class Branch(NamedTuple):
    """Plans that share all that the time of one more micro-batch depends on."""

    layout: Layout
    ep: int
    micro_batch: int
    recompute: str
    precision: str
    leaves: tuple[tuple[str, Variant], ...]
    """Sharding and variant of those that fit."""


class Pace(NamedTuple):
    """Seconds of one micro-batch of the whole model, and of its layers alone."""

    whole_s: float
    layers_s: float


class Leaf(NamedTuple):
    """One plan."""

    layout: Layout
    ep: int
    sharding: str
    variant: Variant


def search(
    model: LanguageModel,
    chip: Accelerator,
    accelerators: int,
    fixed: Mapping[str, Any],
    fabric: Fabric | None = None,
    top: int = 1,
    **more: Any,
) -> Found:
    """Return the `top` fastest feasible plans, each of another layout.

    `fixed` holds the fields of the plan that are given: the global batch and sequence length at
    least. `more` goes to `training.estimate`. No plan at all gives an empty tuple.
    """
    case = Case(model, chip, accelerators, fixed)
    every = plan_space.fittings(case)
    under = Search(case, fabric, more)
    plans = under.best(every, top)
    return Found(
        plans=tuple(plans),
        searched=sum(one.fits.size for one in every),
        feasible=sum(int(one.fits.sum()) for one in every),
        estimated=under.estimated,
    )


def best_plan(
    model: LanguageModel,
    chip: Accelerator,
    accelerators: int,
    fixed: Mapping[str, Any],
    fabric: Fabric | None = None,
    **more: Any,
) -> Planned:
    """Return the fastest feasible plan that keeps the given fields; ValueError if there is none."""
    found = search(model, chip, accelerators, fixed, fabric, 1, **more)
    if not found.plans:
        raise ValueError(why_none(Case(model, chip, accelerators, fixed)))
    return found.plans[0]


def branches(one: Fitting) -> Iterator[Branch]:
    """Yield the branches of a layout that have a leaf no other plan is sure to beat."""
    leaves: dict[tuple[Any, ...], list[tuple[str, Variant]]] = {}
    for e, s, v in np.argwhere(undominated(one)):
        variant = one.variants[v]
        twig = (one.experts[e], variant.micro_batch, variant.recompute, variant.precision)
        leaves.setdefault(twig, []).append((one.shardings[s], variant))
    for twig, those in leaves.items():
        yield Branch(one.layout, *twig, tuple(those))


def undominated(one: Fitting) -> NDArray[np.bool_]:
    """Return the plans that fit, without those that recompute or share out more than they need.

    Of plans that are equal otherwise, the one that recomputes least is fastest. Of those that
    exchange once a step, so is the one that shares out the optimizer's state alone: no sharing
    sends as much and updates more. Fully sharded plans are another kind, and compete.
    """
    kept = one.fits.copy()
    order = [one.shardings.index(kind) for kind in FASTEST_SHARDING if kind in one.shardings]
    for place, s in enumerate(order):
        for faster in order[:place]:
            kept[:, s] &= ~one.fits[:, faster]
    for v, variant in enumerate(one.variants):
        for less in RECOMPUTES[: RECOMPUTES.index(variant.recompute)]:
            lighter = variant._replace(recompute=less)
            if lighter in one.variants:
                kept[:, :, v] &= ~one.fits[:, :, one.variants.index(lighter)]
    return kept


@dataclass
class Search:
    """A search under way: counts its estimates and remembers its bounds."""

    case: Case
    fabric: Fabric | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    estimated: int = 0
    paces: dict[tuple[Any, ...], Pace] = field(default_factory=dict)

    def best(self, every: list[Fitting], top: int) -> list[Planned]:
        """Return the fastest plan of each of the `top` best layouts, fastest first."""
        kept: dict[Any, Planned] = {}
        tie = count()  # decides between equal bounds, first come first
        queue: list[tuple[float, int, int, Branch | Leaf]] = [
            (0.0, next(tie), 0, branch) for one in every for branch in branches(one)
        ]
        while queue:
            bound_s, _, depth, at = heapq.heappop(queue)
            if bound_s >= _worst_s(kept, top):
                break
            if isinstance(at, Leaf):
                self._keep(kept, at, top)
            else:
                for below_s, below in self.below(depth, at):
                    heapq.heappush(queue, (max(bound_s, below_s), next(tie), depth + 1, below))
        return sorted(kept.values(), key=lambda made: made.step.step_time_s)

    def below(self, depth: int, branch: Branch) -> Iterator[tuple[float, Branch | Leaf]]:
        """Yield the branch under its next bound in s, at last its leaves under theirs."""
        if depth == 0:
            yield self._flops_s(branch.precision), branch
        elif depth == 1:
            yield self._rounds(branch) * self._pace(branch, "none").whole_s, branch
        else:
            pace = self._pace(branch, branch.recompute)
            steady_s = self._rounds(branch) * pace.whole_s
            for sharding, variant in branch.leaves:
                bubble_s = least_bubble(branch.layout, variant) * pace.layers_s
                yield steady_s + bubble_s, Leaf(branch.layout, branch.ep, sharding, variant)

    def _keep(self, kept: dict[Any, Planned], leaf: Leaf, top: int) -> None:
        """Estimate a leaf; keep it if it is the best of its layout and among the best layouts."""
        made = self.estimate(plan_space.plan_of(self.case, *leaf))
        key = (leaf.layout, leaf.ep)
        if made is None or (key in kept and kept[key].step.step_time_s <= made.step.step_time_s):
            return
        kept[key] = made
        if len(kept) > top:
            del kept[max(kept, key=lambda k: kept[k].step.step_time_s)]

    def estimate(self, plan: ParallelPlan) -> Planned | None:
        """Return the plan's step; None where the model of the step refuses it."""
        self.estimated += 1
        case = self.case
        try:
            step = training.estimate(
                case.model, case.chip, case.accelerators, plan, self.fabric, **self.more
            )
        except ValueError:
            return None
        return Planned(plan, step, memory.footprint(case.model, plan, step.data_parallel))

    def _flops_s(self, precision: str) -> float:
        """Return the step's time if all chips did useful products at their peak."""
        return self._flops / (self.case.accelerators * self.case.chip.peak[precision])

    @cached_property
    def _flops(self) -> float:
        """Useful FLOPs of a step."""
        case = self.case
        return case.sequences * case.length * transformer.train_flops(case.model, case.length)

    def _rounds(self, branch: Branch) -> float:
        """Return micro-batches of the whole model that one stage's work amounts to."""
        layout = branch.layout
        return self.case.sequences / (layout.dp * branch.micro_batch * layout.pp)

    def _pace(self, branch: Branch, recompute: str) -> Pace:
        """Return what one micro-batch takes where one stage holds the whole model.

        The fullest stage of a pipeline takes at least its share of that.
        """
        layout = branch.layout
        key = (layout.tp, layout.cp, branch.ep, branch.micro_batch, recompute, branch.precision)
        if key not in self.paces:
            self.paces[key] = self._alone(branch, recompute)
        return self.paces[key]

    def _alone(self, branch: Branch, recompute: str) -> Pace:
        """Return the pace of a layout without pipeline; no bound where it is refused."""
        case, own = self.case, branch.layout
        variant = Variant(branch.micro_batch, 1, "1f1b", recompute, branch.precision)
        layout = Layout(own.tp, 1, own.cp, own.dp * own.pp)
        plan = plan_space.plan_of(case, layout, branch.ep, "optimizer", variant)
        try:
            setting = training.setting_of(
                case.model, case.chip, plan, layout.dp, self.fabric, **self.more
            )
        except ValueError:
            return Pace(0.0, 0.0)
        stage = stage_time(setting)
        layers_s = stage.forward.total_s + stage.backward.total_s - stage.top.total_s
        slowest = training.slowest(case.chip, case.accelerators)
        return Pace(slowest * stage.total_s, slowest * layers_s)


def least_bubble(layout: Layout, variant: Variant) -> float:
    """Return the least a pipeline waits, in micro-batches of all layers.

    (p - 1)/v stages (Narayanan et al., SC21, section 2.2), less what a schedule fills.
    """
    left = 1.0 if variant.schedule == "1f1b" else ZERO_BUBBLE_LEFT
    return left * (layout.pp - 1) / (variant.virtual_stages * layout.pp)


def _worst_s(kept: Mapping[Any, Planned], top: int) -> float:
    """Return the time that a plan must beat to be kept."""
    if len(kept) < top:
        return inf
    return max(made.step.step_time_s for made in kept.values())
