"""What does not divide in a plan: the roots, at the fields their author wrote."""

from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import plan_faults, plan_space
from simulator.performance.plan_axes import Case

GIVEN: dict[str, Any] = {"global_batch_sequences": 256, "sequence_length": 4096}


def faults(model: str = "llama-3.1-70b", count: int = 256, **plan: Any) -> list[plan_faults.Fault]:
    return plan_faults.undivided(language_model(model), count, ParallelPlan(**GIVEN | plan))


@pytest.mark.parametrize(
    ("plan", "field", "told"),
    [
        ({"tp": 3, "ep": 1}, "tp", "64 heads do not divide over tp 3"),
        ({"pp": 7}, "pp", "tp 1 x pp 7 x cp 1 is 7, which does not divide 256 accelerators"),
        ({"tp": 8, "pp": 64}, "pp", "tp 8 x pp 64 x cp 1 is 512, which does not divide 256 accel"),
        ({"pp": 2, "dp": 5}, "dp", "tp 1 x pp 2 x cp 1 x dp 5 is 10, not 256 accelerators"),
        ({"cp": 2, "sequence_length": 4095}, "cp", "a sequence of 4095 tokens does not divide"),
        ({"virtual_stages": 2}, "virtual_stages", "2 virtual stages need a pipeline, and pp is 1"),
        ({"pp": 8, "virtual_stages": 7}, "virtual_stages", "80 layers do not divide over pp 8 x 7"),
        ({"pp": 8, "virtual_stages": 2, "schedule": "zero_bubble"}, "virtual_stages",
         "schedule zero_bubble does not interleave"),
        ({"pp": 16, "virtual_stages": 5, "micro_batch": 2}, "virtual_stages",
         "8 micro-batches are not whole rounds of pp 16"),
        ({"sites": {"sites": 3}}, "sites", "256 data-parallel ranks do not divide over 3 sites"),
    ],
)  # fmt: skip
def test_each_root_is_told_at_its_field(plan: dict[str, Any], field: str, told: str) -> None:
    found = faults(**plan)
    assert found[0][0] == field
    assert told in found[0][1]
    assert "dp" in plan or len(found) == 1


def test_ranks_that_nobody_wrote_are_not_blamed_for_other_degrees() -> None:
    wrong = {"tp": 3, "ep": 64, "global_batch_sequences": 100}
    assert [field for field, _ in faults("deepseek-v3", **wrong)] == ["tp"]
    assert [field for field, _ in faults("deepseek-v3", dp=85, **wrong)] == [
        "tp", "dp", "global_batch_sequences", "ep",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "fixed",
    [{}, {"virtual_stages": 7}, {"schedule": "zero_bubble"}, {"cp": 3}, {"micro_batch": 4}],
    ids=str,
)
@pytest.mark.parametrize("model", ["llama-3.1-70b", "deepseek-v3"])
def test_no_plan_that_is_searched_has_a_fault(model: str, fixed: dict[str, Any]) -> None:
    case = Case(language_model(model), accelerator("H100"), 256, GIVEN | fixed)
    for one in plan_space.fittings(case):
        for place in range(0, one.fits.size, 7):
            plan = plan_space.plan_at(case, one, place)
            assert plan_faults.undivided(case.model, 256, plan) == []
