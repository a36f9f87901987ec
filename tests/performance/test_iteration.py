"""The cost of an iteration: closed forms it must contain, bounds it cannot pass, order."""

import math
from dataclasses import replace

import numpy as np
import pytest

from simulator.components.from_catalog import accelerator, engine, language_model
from simulator.performance import chip as chips
from simulator.performance import layers, serving_operators, transformer
from simulator.performance.collectives import fabric_of
from simulator.performance.iteration import (
    ReplicaCost,
    pairs,
    replica_cost_of,
)
from simulator.performance.serving_exchange import exchange_work
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting


def setting(
    model: str, chip: str, plan: ReplicaPlan, precision: str = "bf16", name: str = "vllm-0.12"
) -> ServingSetting:
    made = accelerator(chip)
    return ServingSetting(
        language_model(model), made, plan, precision, engine(name), fabric_of(made), 2.0
    )


def cost(model: str, chip: str, plan: ReplicaPlan, precision: str = "bf16") -> ReplicaCost:
    return replica_cost_of(setting(model, chip, plan, precision))


DENSE = ("llama-3.1-70b", "H100", ReplicaPlan(4))
EXPERTS = ("deepseek-v3", "B200", ReplicaPlan(1, 8, 8), "fp8")


def brute_pairs(tokens: int, cached: int, limit: float) -> float:
    return float(sum(min(cached + i, limit) for i in range(1, tokens + 1)))


@pytest.mark.parametrize("tokens", [1, 7, 100])
@pytest.mark.parametrize("cached", [0, 5, 300])
@pytest.mark.parametrize("limit", [4, 64, math.inf])
def test_pairs_are_those_of_a_causal_mask(tokens: int, cached: int, limit: float) -> None:
    assert pairs(tokens, cached, limit) == pytest.approx(brute_pairs(tokens, cached, limit))


def test_an_iteration_is_linear_in_all_but_its_tokens() -> None:
    time = cost(*DENSE).time
    alone, more = (float(time.decode_s(16, c)) for c in (1000.0, 3000.0))
    assert more - alone == pytest.approx(16 * 2000 * time.context_s)
    grid = np.interp(16, time.tokens, time.tokens_s)
    assert alone == pytest.approx(grid + 16 * (time.sequence_s + 1000 * time.context_s))
    assert time.prompts_s(500, 100) == pytest.approx(
        time.prompt_s + time.tokens_time_s(500) + time.sequence_s + time.pair_s * pairs(500, 100)
    )


@pytest.mark.parametrize("case", [DENSE, EXPERTS, ("gpt-oss-120b", "H100", ReplicaPlan(2), "fp4")])
def test_everything_grows_with_work(case: tuple[str, str, ReplicaPlan]) -> None:
    made = cost(*case)
    for form in (made.time, made.matrix, made.memory, made.drawn):
        batch = np.array([1.0, 8.0, 64.0, 512.0])
        assert (np.diff(form.decode_s(batch, 500.0)) > 0).all()
        assert form.decode_s(32, 4000.0) > form.decode_s(32, 500.0)
        assert form.prompts_s(4000.0) > form.prompts_s(1000.0) > 0
        assert (np.diff(form.tokens_s) >= -1e-12).all() or form.prompt_s >= 0


def test_alone_a_token_reads_the_weights_once_and_multiplies_them_once() -> None:
    model, chip = language_model("llama-3.1-70b"), accelerator("H100")
    made = cost(*DENSE)
    read_s = transformer.weight_bytes(model, "bf16") / (4 * chip.memory_bandwidth)
    table_s = 2.0 * model.vocabulary * model.hidden / (4 * chip.memory_bandwidth)
    assert float(made.memory.decode_s(1, 0.0)) == pytest.approx(read_s - table_s, rel=0.02)
    flops_s = 2.0 * transformer.multiplied_parameters(model) / (4 * chip.peak["bf16"])
    assert float(made.matrix.decode_s(1, 0.0)) == pytest.approx(flops_s, rel=0.02)


@pytest.mark.parametrize("case", [DENSE, EXPERTS])
def test_no_iteration_beats_the_roofline(case: tuple[str, str, ReplicaPlan]) -> None:
    made = cost(*case)
    for batch in (1.0, 64.0, 1024.0):
        forms = (made.time, made.matrix, made.memory, made.drawn)
        time_s, *others_s = (float(form.decode_s(batch, 2000.0)) for form in forms)
        assert time_s > max(others_s) and others_s[-1] > chips.WAITING_POWER * time_s


def test_sums_between_chips_pass_memory_at_both_ends() -> None:
    """Each of `n` chips sends and takes 2 (n - 1) / n of the message, whichever kernel it is."""
    tokens = np.array([64.0])
    for ranks in (1, 2, 8):
        made = setting("llama-3.1-70b", "H100", ReplicaPlan(ranks))
        _, matrix_s, memory_s, _ = exchange_work(made, layers.kinds(made.model)[0], tokens)[:, 0]
        message = 2.0 * 64 * made.model.hidden
        passed = 2.0 * 2.0 * (ranks - 1) / ranks * message
        assert memory_s == pytest.approx(passed / made.chip.memory_bandwidth) and matrix_s == 0.0


def test_windows_cut_contexts() -> None:
    time = cost("gemma-3-27b", "H100", ReplicaPlan(2)).time
    assert list(time.limits) == [1024.0]
    near = time.decode_s(1, 1024.0) - time.decode_s(1, 512.0)
    far = time.decode_s(1, 2048.0) - time.decode_s(1, 1536.0)
    assert near > 2 * far > 0
    assert far == pytest.approx(512 * time.context_s)


def test_latent_keys_are_read_once_for_all_heads() -> None:
    """DeepSeek keeps 576 numbers per token and layer; as many chips as share it read all of it."""
    one, eight = (
        cost("deepseek-v3", "H200", ReplicaPlan(tp, 1, tp), "fp8").memory.context_s
        for tp in (8, 16)
    )
    model, chip = language_model("deepseek-v3"), accelerator("H200")
    assert one == pytest.approx(model.layers * 576 * 2.0 / chip.memory_bandwidth)
    assert one == eight


def test_few_tokens_touch_few_experts() -> None:
    model = language_model("qwen3-30b-a3b")
    memory = cost("qwen3-30b-a3b", "H100", ReplicaPlan(1)).memory
    bandwidth = accelerator("H100").memory_bandwidth
    added = float(memory.tokens_s[7] - memory.tokens_s[0]) * bandwidth
    experts = model.experts
    chances = serving_operators.popularity(float(experts.count))
    few, many = (1.0 - (1.0 - chances) ** (n * experts.active) for n in (1.0, 8.0))
    each = transformer.expert_bytes(model, "bf16")
    assert added == pytest.approx((many - few).sum() * each, rel=0.05)


def test_the_popular_are_touched_by_more_tokens() -> None:
    shares = serving_operators.popularity(128.0)
    assert shares.sum() == pytest.approx(1.0) and (np.diff(shares) < 0).all()
    assert shares[0] / shares[63] == pytest.approx(64.0**serving_operators.SKEW)


def test_groups_share_the_experts_and_nothing_else() -> None:
    """What groups do for their own tokens is all of an iteration but experts, scores and host."""
    dense = cost("llama-3.1-70b", "H200", ReplicaPlan(4), "fp8").time
    assert (dense.local_s <= dense.tokens_s).all()
    assert dense.tokens_s - dense.local_s == pytest.approx((dense.tokens_s - dense.local_s)[0])
    mixture = cost("deepseek-v3", "H200", ReplicaPlan(1, 8, 8), "fp8").time
    assert (np.diff(mixture.tokens_s - mixture.local_s) > -1e-12).all()


def test_groups_that_take_their_own_sequences_repeat_attention() -> None:
    together, apart = (
        cost("deepseek-v3", "B200", plan, "fp8")
        for plan in (ReplicaPlan(8, 1, 8), ReplicaPlan(1, 8, 8))
    )
    assert apart.memory.tokens_s[0] > together.memory.tokens_s[0]
    assert apart.memory.context_s < together.memory.context_s


def test_a_capped_clock_slows_prompts_more_than_decoding() -> None:
    full, slow = (replica_cost_of(replace(setting(*DENSE), clock_frac=clock)).time for clock in (1.0, 0.6))
    prompts = slow.prompts_s(4096.0) / full.prompts_s(4096.0)
    decode = float(slow.decode_s(8, 1000.0) / full.decode_s(8, 1000.0))
    assert 1.0 <= decode < 1.1 < 1.4 < prompts < 1 / 0.6


def test_quantised_weights_are_read_faster() -> None:
    wide, narrow = (
        cost("llama-3.1-70b", "H100", ReplicaPlan(4), precision) for precision in ("bf16", "fp8")
    )
    assert narrow.memory.tokens_s[0] < 0.6 * wide.memory.tokens_s[0]
    assert narrow.time.tokens_s[0] < wide.time.tokens_s[0]


def test_kernels_that_a_host_launches_bound_an_iteration() -> None:
    base = setting(*DENSE)
    slow = base.engine.model_copy(update={"kernel_host": {"other": 1e-3}, "captured_tokens": 0})
    assert replica_cost_of(replace(base, engine=slow)).time.tokens_s[0] > 0.5


def test_a_planned_replica_waits_for_its_host() -> None:
    made = setting("qwen3-8b", "B200", ReplicaPlan(1), name="vllm-0.11")
    quick, planned = (replica_cost_of(replace(made, planned=p)).time for p in (False, True))
    assert planned.tokens_s[0] > 36 * 0.5e-3 > quick.tokens_s[0]
