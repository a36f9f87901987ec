"""The nearest feasible plan, and the nearest numbers of accelerators."""

from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import plan_faults, plan_nearest
from simulator.performance.plan_axes import Case
from simulator.performance.plan_search import search
from simulator.performance.training import estimate

GIVEN: dict[str, Any] = {"global_batch_sequences": 288, "sequence_length": 8192}


def near(count: int = 288, **changes: Any) -> Any:
    plan = ParallelPlan(**{"tp": 4, "pp": 2, **GIVEN, **changes})
    model, chip = language_model("llama-3.1-70b"), accelerator("GB300")
    return plan_nearest.nearest(model, chip, count, plan)


def test_a_feasible_plan_is_nearest_to_itself() -> None:
    made = near()
    given = ParallelPlan(tp=4, pp=2, dp=36, **GIVEN)
    assert made.plan == given


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"tp": 3}, {"pp": 2}),
        ({"pp": 7}, {"tp": 4}),
        ({"tp": 1, "pp": 1}, {"tp": 1, "pp": 1}),
        ({"ep": 8}, {"tp": 4, "pp": 2, "ep": 1}),
        ({"micro_batch": 16}, {"tp": 4, "pp": 2}),
        ({"dp": 5}, {"tp": 4, "pp": 2, "dp": 36}),
    ],
)
def test_an_impossible_plan_has_a_feasible_neighbour(
    changes: dict[str, Any], kept: dict[str, Any]
) -> None:
    made = near(**changes)
    assert {name: getattr(made.plan, name) for name in kept} == kept
    model, chip = language_model("llama-3.1-70b"), accelerator("GB300")
    assert estimate(model, chip, 288, made.plan) == made.step
    assert made.plan.global_batch_sequences == 288


def test_no_plan_for_a_prime_number_of_accelerators() -> None:
    assert near(count=283) is None


def test_advice_tells_numbers_of_accelerators_where_no_plan_is_near() -> None:
    plan = ParallelPlan(tp=4, pp=2, **GIVEN)
    told = plan_nearest.advice(language_model("llama-3.1-70b"), accelerator("GB300"), 283, plan)
    assert told == "no plan of 283 accelerators is feasible, of 256 or 288 one is"


def case(model: str, chip: str, count: int, sequences: int) -> Case:
    fixed = {"global_batch_sequences": sequences, "sequence_length": 8192}
    return Case(language_model(model), accelerator(chip), count, fixed)


def plans(asked: Case, count: int) -> int:
    return search(asked.model, asked.chip, count, asked.fixed).feasible


@pytest.mark.parametrize("count", [8, 24, 40])
def test_enough_is_the_fewest_that_hold_the_model(count: int) -> None:
    asked = case("llama-3.1-405b", "H100", count, 64)
    found = plan_nearest.enough(asked)
    assert found is not None
    assert plans(asked, found) > 0
    assert not any(plans(asked, fewer) for fewer in range(count + 1, found))


def test_fewer_is_the_most_below() -> None:
    asked = case("llama-3.1-70b", "H100", 79, 64)
    found = plan_nearest.fewer(asked)
    assert found is not None
    assert plans(asked, found) > 0
    assert not any(plans(asked, count) for count in range(found + 1, 79))


def test_a_rounder_number_divides_in_more_ways() -> None:
    assert plan_nearest.rounder(case("llama-3.1-70b", "H100", 1050, 1024)) == 1024
    assert plan_nearest.rounder(case("llama-3.1-70b", "H100", 1024, 1024)) is None


def test_what_a_chip_cannot_do() -> None:
    chip = accelerator("A100-SXM-80GB")
    plan = ParallelPlan(tp=16, precision="fp4", **GIVEN)
    told = dict(plan_faults.beyond(chip, plan))
    assert told["tp"] == "tp 16 exceeds the scale-up domain of A100-SXM-80GB, 8 accelerators"
    assert told["precision"] == "A100-SXM-80GB multiplies in bf16, int8, not in fp4"
    assert not list(plan_faults.beyond(chip, ParallelPlan(tp=8, **GIVEN)))


def test_a_precision_the_chip_lacks_gives_way_to_one_it_has() -> None:
    plan = ParallelPlan(tp=4, pp=2, precision="fp4", **GIVEN | {"global_batch_sequences": 256})
    made = plan_nearest.nearest(language_model("llama-3.1-70b"), accelerator("H100"), 256, plan)
    assert made is not None
    assert made.plan.precision in accelerator("H100").peak


def test_near_numbers_of_accelerators_divide_over_the_sites() -> None:
    plan = ParallelPlan(tp=4, pp=2, sites={"sites": 5}, **GIVEN)
    told = plan_nearest.advice(language_model("llama-3.1-70b"), accelerator("GB300"), 288, plan)
    assert told == "no feasible plan is near; another batch may have one"
