"""The planner of plans: its space, its bounds, and that pruning never loses the best plan."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import memory, plan_axes, plan_nearest, plan_search, plan_space, training
from simulator.performance.collectives import fabric_of
from simulator.performance.plan_axes import Case
from simulator.performance.plan_search import Search, best_plan, search
from simulator.performance.plan_space import Fitting

SMALL = {
    "dense": ("llama-3.1-8b", "H100", 16, 32, 8192),
    "experts": ("qwen3-30b-a3b", "H200-SXM-141GB", 8, 16, 4096),
    "old": ("gpt-3-175b", "A100-SXM-80GB", 96, 96, 2048),
    "sharded": ("llama-2-7b", "H100", 8, 16, 4096),
    "torus": ("llama-2-7b", "TPU-v5p", 32, 64, 4096),
}


def case_of(name: str, **fixed: Any) -> Case:
    """Return a small case; `sharded` is on a stack that shards weights fully."""
    model, chip, count, sequences, length = SMALL[name]
    batch = {"global_batch_sequences": sequences, "sequence_length": length, "precision": "bf16"}
    batch |= {"stack": "composer-fsdp-2024"} if name == "sharded" else {}
    return Case(language_model(model), accelerator(chip), count, batch | fixed)


def every_step(case: Case, every: list[Fitting]) -> dict[tuple[Any, ...], float]:
    """Return the step time of each feasible plan, every one estimated."""
    steps = {}
    for one in every:
        for place in np.flatnonzero(one.fits):
            plan = plan_space.plan_at(case, one, int(place))
            step = training.estimate(case.model, case.chip, case.accelerators, plan)
            steps[one.layout, plan.ep, place] = step.step_time_s
    return steps


@pytest.mark.parametrize("name", SMALL)
def test_the_search_finds_what_trying_everything_finds(name: str) -> None:
    case = case_of(name)
    steps = every_step(case, plan_space.fittings(case))
    by_layout: dict[Any, float] = {}
    for (layout, ep, _), step_s in steps.items():
        by_layout[layout, ep] = min(step_s, by_layout.get((layout, ep), np.inf))
    found = search(case.model, case.chip, case.accelerators, case.fixed, top=4)
    times = [made.step.step_time_s for made in found.plans]
    assert times == pytest.approx(sorted(by_layout.values())[:4], rel=1e-12)
    assert found.feasible == len(steps)
    assert found.searched >= found.feasible
    assert found.estimated < len(steps)


@pytest.mark.parametrize("name", SMALL)
def test_no_plan_is_faster_than_its_bounds(name: str) -> None:
    case = case_of(name)
    under = Search(case)
    for one in plan_space.fittings(case):
        for branch in plan_search.branches(one):
            bounds_s = [next(iter(under.below(depth, branch)))[0] for depth in (0, 1)]
            for bound_s, leaf in under.below(2, branch):
                made = under.estimate(plan_space.plan_of(case, *leaf))
                assert made is not None
                assert max(*bounds_s, bound_s) <= made.step.step_time_s * (1 + 1e-9)


def test_the_bound_is_close_enough_to_prune() -> None:
    case = case_of("dense")
    found = search(case.model, case.chip, case.accelerators, case.fixed)
    assert found.estimated < 0.2 * found.feasible


@pytest.mark.parametrize("name", SMALL)
def test_memory_is_the_sum_of_state_and_activations(name: str) -> None:
    case = case_of(name)
    draw = np.random.default_rng(1)
    for one in plan_space.fittings(case):
        for place in draw.integers(one.fits.size, size=5):
            plan = plan_space.plan_at(case, one, int(place))
            whole = memory.footprint(case.model, plan, one.layout.dp).total
            assert one.memory_bytes.flat[place] == pytest.approx(whole, rel=1e-12)


def test_more_memory_removes_no_plan() -> None:
    small = case_of("old")
    roomy = small.chip.model_copy(update={"memory": 1.5 * small.chip.memory})
    large = Case(small.model, roomy, small.accelerators, small.fixed)
    pairs = list(zip(plan_space.fittings(small), plan_space.fittings(large), strict=True))
    assert all(np.all(less.fits <= more.fits) for less, more in pairs)
    assert sum(more.fits.sum() - less.fits.sum() for less, more in pairs) > 0
    times = [search(c.model, c.chip, c.accelerators, c.fixed).plans[0] for c in (small, large)]
    assert times[1].step.step_time_s <= times[0].step.step_time_s


@pytest.mark.parametrize(
    ("model", "chip"),
    list(
        product(
            ("llama-3.1-70b", "qwen3-235b-a22b", "gpt-3-175b"),
            ("H100-SXM-80GB", "GB200", "TPU-v5p"),
        )
    ),
)
def test_plans_are_feasible_and_use_every_accelerator(model: str, chip: str) -> None:
    made_of, on, count = language_model(model), accelerator(chip), 256
    fixed = {"global_batch_sequences": 512, "sequence_length": 2048}
    found = search(made_of, on, count, fixed, top=3)
    assert len(found.plans) == 3
    steps = [made.step.step_time_s for made in found.plans]
    assert steps == sorted(steps)
    for made in found.plans:
        plan = ParallelPlan.model_validate(made.plan.model_dump())
        assert plan.tp * plan.pp * plan.cp * (plan.dp or 0) == count
        assert training.estimate(made_of, on, count, plan) == made.step
        assert made.memory.total == made.step.memory_bytes <= plan_space.usable_bytes(on)
        assert 0 < made.step.mfu < 1
        assert plan.tp <= on.scaleup_domain


def test_a_slower_network_gives_no_faster_plan() -> None:
    case = case_of("old")
    times = [
        best_plan(case.model, case.chip, 96, case.fixed, fabric_of(case.chip, degraded=share))
        for share in (1.0, 0.1)
    ]
    assert times[0].step.step_time_s < times[1].step.step_time_s


@pytest.mark.parametrize(
    "fixed",
    [
        {"tp": 4, "pp": 2},
        {"recompute": "full", "sharding": "full"},
        {"micro_batch": 2, "precision": "bf16", "dp": 8},
        {"schedule": "1f1b", "pp": 4, "virtual_stages": 2},
    ],
)
def test_given_fields_are_kept(fixed: dict[str, Any]) -> None:
    case = case_of("dense")
    made = best_plan(case.model, case.chip, 16, {**case.fixed, **fixed})
    assert {name: getattr(made.plan, name) for name in fixed} == fixed


def test_every_field_of_a_plan_is_searched_or_kept() -> None:
    searched = {*plan_axes.AXES, "dp"}
    assert set(ParallelPlan.model_fields) == searched | set(plan_nearest.KEPT)


def test_without_a_plan_the_reason_is_told_part_by_part() -> None:
    chip, fixed = accelerator("H100"), {"global_batch_sequences": 64, "sequence_length": 8192}
    large = language_model("llama-3.1-405b")
    with pytest.raises(ValueError, match=r"does not fit: weights [\d.]+ GB, gradients .* usable"):
        best_plan(large, chip, 8, fixed)
    with pytest.raises(ValueError, match="no layout uses all accelerators"):
        best_plan(large, chip, 11, fixed)


def test_divisors() -> None:
    assert plan_axes.divisors(72) == (1, 2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 72)
    assert plan_axes.divisors(49) == (1, 7, 49)
    assert plan_axes.powers_of_two(9) == (1, 2, 4, 8)
