"""The kernel's arrays say what the cost of an iteration says."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.kernels.batching_state import CONTEXT, GRAIN, LIMITED, PAIR, PROMPTS, SEQUENCE
from simulator.performance import serving_memory
from simulator.performance.batching import HOST_BYTES_S, kernel_cost, rules_of, swap_s, transfer_s
from simulator.performance.collectives import fabric_of
from simulator.performance.iteration import replica_cost_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting


def setting(model, tp=1):
    chip = from_catalog.accelerator("H100-SXM-80GB")
    return ServingSetting(
        from_catalog.language_model(model), chip, ReplicaPlan(tp=tp), "bf16",
        from_catalog.engine("vllm-0.12"), fabric_of(chip), 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("model", ["llama-3.1-8b", "gpt-oss-20b", "gemma-3-12b"])
def test_iterations_cost_the_same(model):
    cost = replica_cost_of(setting(model))
    made = kernel_cost(cost, 4096)
    for k, form in enumerate((cost.time, cost.drawn)):
        for batch, context in ((1, 100.0), (7, 3000.0), (300, 40_000.0)):
            total = made.table[batch, k] + batch * made.each[SEQUENCE, k]
            total += batch * context * made.each[CONTEXT, k]
            for j, limit in enumerate(made.limits):
                total += batch * min(context, limit) * made.each[LIMITED + 2 * j, k]
            assert total == pytest.approx(float(form.decode_s(batch, context)), rel=1e-12)
        tokens = 900
        total = made.table[tokens, k] + made.each[SEQUENCE, k] + made.each[PROMPTS, k]
        total += made.each[PAIR, k] * tokens * (tokens + 1) / 2
        for j, limit in enumerate(made.limits):
            seen = np.minimum(np.arange(1, tokens + 1), limit).sum()
            total += made.each[LIMITED + 2 * j + 1, k] * seen
        assert total == pytest.approx(form.prompts_s(tokens), rel=1e-12)


def test_beyond_the_grid_time_is_in_proportion():
    cost = replica_cost_of(setting("llama-3.1-8b"))
    made = kernel_cost(cost, 40_000)
    assert made.table[40_000, 0] == pytest.approx(cost.time.tokens_time_s(40_000), rel=1e-12)


def test_rules_are_the_engines():
    one, four = setting("llama-3.1-8b"), replace(setting("llama-3.1-8b"), plan=ReplicaPlan(dp=4))
    rules, many = rules_of(one, 1000), rules_of(four, 1000)
    assert rules.capacity == 1000 * GRAIN and rules.chunked and rules.ahead
    assert many.max_tokens == 4 * rules.max_tokens == 4 * one.engine.chunk_tokens
    drafted = rules_of(one, 1000, drafts=15)
    assert drafted.max_sequences * drafted.verified <= drafted.max_tokens


def test_swapping_moves_every_byte_of_a_token():
    one = setting("llama-2-70b", tp=8)
    kept = serving_memory.sequence_bytes(one, 1001.0) - serving_memory.sequence_bytes(one, 1.0)
    assert swap_s(one) == pytest.approx(kept / 1000 / HOST_BYTES_S)


def test_transfers_take_the_ports_of_all_chips():
    tokens = np.array([100, 1000, 10_000])
    few, many = (transfer_s(setting("llama-2-70b", tp=tp), tokens) for tp in (4, 8))
    assert (np.diff(few) > 0).all()
    assert few[2] - few[1] == pytest.approx(2 * (many[2] - many[1]))
    one = setting("llama-2-70b", tp=8)
    sent = serving_memory.sequence_bytes(one, 10_000.0)
    assert many[2] > sent / one.chip.scaleout_bandwidth
    assert len(transfer_s(one, np.zeros(0, np.int64))) == 0
