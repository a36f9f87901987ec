"""Stages of a replica: what they hold, what a round takes, where they rest."""

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.performance import serving_memory
from simulator.performance.batching import rules_of
from simulator.performance.collectives import fabric_of, send_s
from simulator.performance.iteration import replica_cost_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting


def setting(tp, pp, model="llama-3.1-70b", chip="H100-SXM-80GB"):
    found = from_catalog.accelerator(chip)
    return ServingSetting(
        from_catalog.language_model(model), found, ReplicaPlan(tp=tp, pp=pp), "bf16",
        from_catalog.engine("vllm-0.12"), fabric_of(found), 2.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def costs():
    return {pp: replica_cost_of(setting(2, pp)) for pp in (1, 2, 4)}


def test_stages_share_weights_and_the_fullest_counts():
    one, four = (serving_memory.weight_bytes(setting(2, pp)) for pp in (1, 4))
    assert 0.25 * one < four < 0.27 * one
    model = setting(2, 1).model
    ends = 2.0 * model.vocabulary * model.hidden / 2
    assert four == pytest.approx((one - 2.0 * ends) / 4.0 + ends, rel=1e-6)


def test_stages_share_keys_and_values():
    one, four = (serving_memory.sequence_bytes(setting(2, pp), 1000.0) for pp in (1, 4))
    assert four == pytest.approx(one / 4.0)


@pytest.mark.parametrize("pp", [2, 4])
def test_a_round_is_all_layers_for_one_part_and_the_way_between_stages(costs, pp):
    made = setting(2, pp)
    tokens = 64.0 * pp
    whole_s = costs[1].time.tokens_time_s(64.0)
    way_s = pp * send_s(made.fabric, 2.0 * made.model.hidden * 64.0 / 2, 2)
    more_s = costs[pp].time.tokens_time_s(tokens) - whole_s - way_s
    assert 0.0 < more_s < 0.05 * whole_s  # scores of the other parts


def test_with_fewer_sequences_than_stages_some_rest(costs):
    alone_s, full_s = (costs[4].time.tokens_time_s(n) for n in (1.0, 4.0))
    assert alone_s == pytest.approx(full_s, rel=1e-3)
    busy_s = [float(np.interp(n, costs[4].memory.tokens, costs[4].memory.tokens_s)) for n in (1, 4)]
    assert busy_s[0] == pytest.approx(busy_s[1] / 4.0, rel=0.01)


def test_contexts_are_read_by_all_stages_at_once(costs):
    assert costs[4].time.context_s == pytest.approx(costs[1].time.context_s / 4.0)
    assert costs[4].time.pair_s == pytest.approx(costs[1].time.pair_s / 4.0)


def test_a_longer_last_stage_sets_the_pace():
    even, odd = (replica_cost_of(setting(2, pp)).time.context_s * pp for pp in (4, 3))
    assert odd == pytest.approx(even * 27 * 3 / 80)


def test_parts_are_groups_of_the_kernel():
    plain, staged = (rules_of(setting(2, pp), 100_000) for pp in (1, 4))
    assert (plain.groups, staged.groups) == (1, 4)
    assert staged.max_tokens == 4 * plain.max_tokens
    assert staged.hold == 0
