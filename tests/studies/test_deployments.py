"""Published deployments: every line holds together, and the right one is found."""

import math
from collections import Counter

import pytest

from simulator.components import from_catalog
from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate import deployments
from simulator.studies.validate.load_plans import engines_of

SPLIT = {"mode": "disaggregated", "model": "deepseek-ai/DeepSeek-R1", "accelerator": "GB300",
         "engine": "trtllm", "weight_precision": "fp8", "input_tokens": "1024",
         "output_tokens": "1024", "concurrency": "24"}  # fmt: skip
WORKERS = {"prefill_workers": "1", "prefill_tp": "1", "prefill_dp": "4", "prefill_ep": "4",
           "decode_workers": "4", "decode_tp": "8", "decode_dp": "1", "decode_ep": "8"}  # fmt: skip


def every():
    return [(key, d) for key, found in deployments._table().items() for d in found]


def test_every_deployment_is_one_that_could_be():
    for key, d in every():
        model = from_catalog.language_model(key.model)
        for side in (d.prefill, d.decode):
            assert side.count >= 1 and side.plan.chips % side.plan.ep == 0
            assert not model.heads % side.plan.tp
        assert 0 <= d.drafts <= 3 and d.users == tuple(sorted(d.users)) and d.users[0] > 0
        if d.decode.seats:
            assert d.decode.seats >= d.decode.plan.dp, "each group has a seat"


def test_no_deployment_stands_twice():
    seen = Counter((key, d) for key, d in every())
    assert max(seen.values()) == 1


def test_seats_are_somewhere_near_what_users_need():
    near = [
        sum(math.log(d.decode.count * d.decode.seats / u) > -1.5 for u in d.users) / len(d.users)
        for _, d in every()
        if d.decode.seats
    ]
    assert sum(near) / len(near) > 0.9


def test_distance_is_a_ratio_of_users():
    _, one = next((k, d) for k, d in every() if len(d.users) > 1)
    assert one.away(one.users[0]) == 0.0
    assert one.away(4 * one.users[-1]) == pytest.approx(math.log(4.0))


def test_a_model_by_another_name_has_the_same_deployments():
    both = [deployments.workload(m, "GB200", "fp4", "trtllm", 1024, 1024)
            for m in ("deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3")]  # fmt: skip
    assert both[0] == both[1] and deployments.of(both[0])
    nobody = deployments.workload("llama-3.1-8b", "B200", "fp8", "vllm", 1024, 1024)
    assert deployments.of(nobody) == () and deployments.alone(nobody) == ()


def test_told_workers_find_the_seats_of_their_recipe():
    found = engines_of(SPLIT | WORKERS)
    assert found.published and found.published.decode.seats == 4 and not found.note


def test_workers_that_are_not_told_are_those_of_the_recipe():
    degrees = {k: v for k, v in WORKERS.items() if "workers" not in k}
    found = engines_of(SPLIT | degrees)
    assert (found.prefills, found.decodes) == (1, 4) and "recipe" in found.note
    other = engines_of(SPLIT | degrees | {"concurrency": "30"})
    assert "for other users" in other.note and other.published is None


def test_a_whole_rack_is_the_deployment_with_as_many_chips():
    row = SPLIT | {"mode": "aggregated", "accelerator": "GB200", "weight_precision": "fp4",
                   "n_accelerators": "24", "concurrency": "2048", "tp": "24"}  # fmt: skip
    found = engines_of(row)
    assert found.prefill == ReplicaPlan(1, 4, 4) and found.prefills == 2
    assert found.decode == ReplicaPlan(1, 16, 16) and found.decodes == 1


@pytest.mark.parametrize(
    ("users", "version", "plan", "drafting"),
    [
        ("256", "1.2.0rc6.post2", ReplicaPlan(1, 8, 8), False),
        ("4", "1.2.0rc6.post2", ReplicaPlan(8, 1, 1), False),
        ("4", "1.2.0rc6.post3", ReplicaPlan(8, 1, 1), True),
        ("16", "1.1.0rc2.post2", ReplicaPlan(8, 1, 8), None),
    ],
)
def test_an_engine_alone_is_completed_from_its_recipe(users, version, plan, drafting):
    row = {"mode": "aggregated", "model": "deepseek-ai/DeepSeek-R1", "accelerator": "B200",
           "engine": "trtllm", "engine_version": version, "weight_precision": "fp4",
           "n_accelerators": "8", "tp": "8", "dp": "1", "ep": "1", "concurrency": users,
           "input_tokens": "1024", "output_tokens": "1024"}  # fmt: skip
    found = engines_of(row)
    assert found.decode == plan and found.drafting is drafting
