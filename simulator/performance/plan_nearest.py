"""The feasible plan nearest to one that is not, and the fewest accelerators that hold a model."""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan, Recompute, Schedule, Sharding
from simulator.performance import memory, plan_faults, plan_space
from simulator.performance.collectives import Fabric
from simulator.performance.plan_axes import AXES, Case, divisors, options
from simulator.performance.plan_search import Planned, Search
from simulator.performance.plan_space import Fitting, Layout, Variant
from simulator.performance.plan_words import wording

# Fields that stay as the author wrote them.
KEPT = ("global_batch_sequences", "sequence_length", "images", "sequence_parallel", "stack", "sites")

# What a change of plan counts beside the doublings of its degrees: a step of recomputation or
# sharding, another schedule, another precision. Of equally near plans the fastest is told. Chosen.
STEP, SCHEDULE, PRECISION = 0.5, 1.0, 4.0
NEAR = 8

# Share of the accelerators that may stand by where fewer of them divide better. Chosen.
MOST_SPARES = 0.10

# How many times the accelerators asked for are looked through for a number that holds the model.
MOST_TIMES = 4096


def advice(model: LanguageModel, chip: Accelerator, accelerators: int, plan: ParallelPlan) -> str:
    """Return the nearest feasible plan in words, or the nearest accelerators that have one."""
    made = nearest(model, chip, accelerators, plan)
    if made is not None:
        return f"nearest feasible plan: {wording(made.plan)}"
    case = Case(model, chip, accelerators, {name: getattr(plan, name) for name in KEPT})
    counts = [str(count) for count in (fewer(case), enough(case)) if count]
    if counts:
        return (
            f"no plan of {accelerators} accelerators is feasible, of {' or '.join(counts)} one is"
        )
    return "no feasible plan is near; another batch may have one"


def nearest(
    model: LanguageModel,
    chip: Accelerator,
    accelerators: int,
    plan: ParallelPlan,
    fabric: Fabric | None = None,
) -> Planned | None:
    """Return the feasible plan nearest to `plan` with the same batch; None if there is none."""
    fixed = {name: getattr(plan, name) for name in KEPT}
    also = {name: getattr(plan, name) for name in AXES}
    if plan.precision not in chip.peak:
        del also["precision"]
    case = Case(model, chip, accelerators, fixed, also)
    search, made = Search(case, fabric), list[tuple[float, Planned]]()
    for distance, candidate in sorted(_near(case, plan), key=lambda found: found[0]):
        if made and (distance > made[0][0] or len(made) == NEAR):
            break
        step = search.estimate(candidate)
        if step is not None and not any(plan_faults.beyond(chip, candidate)):
            made.append((distance, step))
    return min((step for _, step in made), key=lambda m: m.step.step_time_s, default=None)


def enough(case: Case) -> int | None:
    """Return the fewest accelerators, more than the case's, that hold some plan of its batch."""
    sizes = _sizes(case, case.accelerators + 1, MOST_TIMES * case.accelerators)
    return next((count for count, layout in sizes if _holds(case, count, layout)), None)


def fewer(case: Case) -> int | None:
    """Return the most accelerators, fewer than the case's, that divide and hold some plan."""
    sizes = reversed(_sizes(case, 1, case.accelerators - 1))
    return next((count for count, layout in sizes if _holds(case, count, layout)), None)


def rounder(case: Case) -> int | None:
    """Return the number a little below the case's that divides in most ways, if in more ways.

    Fewer accelerators in a better layout can be faster than all of them in a poor one.
    """
    least = math.ceil((1.0 - MOST_SPARES) * case.accelerators)
    ways = Counter(count for count, _ in _sizes(case, least, case.accelerators))
    best = max(ways, key=lambda count: (ways[count], count), default=case.accelerators)
    return best if ways[best] > ways[case.accelerators] else None


def _near(case: Case, plan: ParallelPlan) -> Iterator[tuple[float, ParallelPlan]]:
    """Yield the nearest plans of every layout with their distances."""
    for one in plan_space.fittings(case):
        far = np.where(one.fits, _distances(one, plan), np.inf)
        for place in np.flatnonzero(far == far.min())[:NEAR]:
            if np.isfinite(far.flat[place]):
                e, s, v = np.unravel_index(place, far.shape)
                chosen = (one.experts[e], one.shardings[s], one.variants[v])
                yield float(far.flat[place]), plan_space.plan_of(case, one.layout, *chosen)


def _distances(one: Fitting, plan: ParallelPlan) -> NDArray[np.float64]:
    """Return how far each plan of a layout is, by expert degree, sharding and variant."""
    layout = sum(_doublings(getattr(one.layout, n), getattr(plan, n)) for n in ("tp", "pp", "cp"))
    experts = np.array([_doublings(e, plan.ep) for e in one.experts])
    shared = np.array([_steps(Sharding, s, plan.sharding) for s in one.shardings])
    varied = np.array([_varied(v, plan) for v in one.variants])
    return layout + experts[:, None, None] + shared[:, None] + varied


def _varied(variant: Variant, plan: ParallelPlan) -> float:
    return (
        _doublings(variant.micro_batch, plan.micro_batch)
        + _doublings(variant.virtual_stages, plan.virtual_stages)
        + _steps(Recompute, variant.recompute, plan.recompute)
        + SCHEDULE * (variant.schedule != plan.schedule)
        + PRECISION * (variant.precision != plan.precision)
    )


def _doublings(ways: int, given: int) -> float:
    return abs(math.log2(ways / given))


def _steps(kind: Any, name: str, given: str) -> float:
    order = get_args(kind)
    return STEP * abs(order.index(name) - order.index(given))


def _sizes(case: Case, least: int, most: int) -> list[tuple[int, Layout]]:
    """Return numbers of accelerators with a layout that they divide into, ascending."""
    whole = Case(case.model, case.chip, case.chip.scaleup_domain, case.fixed)
    axes = (options(whole, axis) for axis in ("tp", "pp", "cp"))
    sites = case.fixed.get("sites")
    ranks = [dp for dp in divisors(case.sequences) if plan_faults.parts(dp, sites)]
    every = (Layout(tp, pp, cp, dp) for tp, pp, cp in product(*axes) for dp in ranks)
    sizes = ((math.prod(layout), layout) for layout in every)
    return sorted((size, layout) for size, layout in sizes if least <= size <= most)


def _holds(case: Case, count: int, layout: Layout) -> bool:
    """Tell whether the plans that keep least on a chip fit: all shared out and recomputed."""
    grown = Case(case.model, case.chip, count, case.fixed)
    ways = plan_space.expert_ways(grown, layout)
    if not ways or layout.tp not in options(grown, "tp"):
        return False
    room = plan_space.usable_bytes(case.chip)
    for precision in options(grown, "precision"):
        variant = Variant(1, 1, get_args(Schedule)[0], "full", precision)
        plan = plan_space.plan_of(grown, layout, ways[-1], "full", variant)
        if memory.footprint(case.model, plan, layout.dp).total <= room:
            return True
    return False
