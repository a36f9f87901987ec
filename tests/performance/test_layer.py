"""A stage's layers: work adds up, ranks share it, recomputation repeats it, the host paces it."""

import dataclasses
from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model, stack
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.stack import Stack
from simulator.performance import layer, layers
from simulator.performance.setting import Setting
from simulator.performance.training import setting_of

BASE: dict[str, Any] = {"global_batch_sequences": 512, "sequence_length": 4096}


def setting(
    model: str = "llama-3.1-70b", chip: str = "H100", dp: int = 8, named: str = "mlperf-v3.1",
    stack_changes: dict[str, Any] | None = None, clock_frac: float = 1.0, **plan: Any,
) -> Setting:
    made = stack(named).model_copy(update=stack_changes or {})
    asked = ParallelPlan(**BASE | plan)
    return setting_of(language_model(model), accelerator(chip), asked, dp, None, made, clock_frac)


@pytest.mark.parametrize("model", ["llama-3.1-70b", "deepseek-v3", "nemotron-3-nano", "gpt-oss-120b"])
def test_local_shapes_hold_all_flops_of_the_model(model: str) -> None:
    plan = {"tp": 4, "ep": 8} if language_model(model).experts else {"tp": 4}
    made = setting(model, **plan)
    for kind in layers.kinds(made.model):
        flops = 0.0
        for product in kind.products:
            rows, n, k, count = layer.local_shape(made, product)
            ranks = made.plan.tp
            flops += rows * n * k * count * ranks
        assert flops == pytest.approx(made.tokens * sum(p.passed_weights for p in kind.products))


def test_tensor_ranks_share_the_products_and_exchange_activations() -> None:
    alone, shared = layer.stage_time(setting()), layer.stage_time(setting(tp=8))
    assert alone.exposed_s == 0.0
    assert shared.exposed_s > 0.0
    assert 1 / 8 < shared.product_s / alone.product_s < 0.16


def test_backward_costs_about_two_forwards() -> None:
    made = layer.stage_time(setting())
    assert 1.9 < made.backward.product_s / made.forward.product_s < 2.3


@pytest.mark.parametrize(("stops_early", "repeated"), [(False, 1.0), (True, 0.70)])
def test_full_recomputation_repeats_forward(stops_early: bool, repeated: float) -> None:
    changes = {"stops_early": stops_early}
    kept = layer.stage_time(setting(stack_changes=changes))
    again = layer.stage_time(setting(stack_changes=changes, recompute="full"))
    once_s = kept.forward.product_s - kept.top.product_s / 3.0
    assert (again.product_s - kept.product_s) / once_s == pytest.approx(repeated, abs=0.06)


def test_selective_recomputation_repeats_scores_that_were_written_out() -> None:
    unfused = {"attention": "unfused"}
    kept = layer.stage_time(setting(stack_changes=unfused))
    again = layer.stage_time(setting(stack_changes=unfused, recompute="selective"))
    core_s = sum(
        kind.count * layer.core_time(setting(stack_changes=unfused), kind)[0]
        for kind in layers.kinds(kept_model())
    )
    assert again.total_s - kept.total_s == pytest.approx(core_s)


def test_selective_recomputation_of_fused_stacks_repeats_norms_and_activations() -> None:
    kept, again = layer.stage_time(setting()), layer.stage_time(setting(recompute="selective"))
    extra = again.backward.memory_s - kept.backward.memory_s
    assert extra == pytest.approx(kept.forward.memory_s - _loss_s(), rel=1e-9)
    assert again.product_s == kept.product_s
    latent = {m: layer.stage_time(setting("deepseek-v3", recompute=m)) for m in ("none", "selective")}
    assert latent["selective"].product_s > 1.005 * latent["none"].product_s


def _loss_s() -> float:
    return layer._output_time(setting())[0].memory_s


def test_multi_token_prediction_adds_a_layer_and_a_head() -> None:
    made = language_model("deepseek-v3")
    assert made.mtp_layers == 1
    without = setting("deepseek-v3")
    without = dataclasses.replace(without, model=made.model_copy(update={"mtp_layers": 0}))
    more_s = layer.stage_time(setting("deepseek-v3")).product_s - layer.stage_time(without).product_s
    assert 1.0 / 61 < more_s / layer.stage_time(without).product_s < 4.0 / 61


def kept_model() -> Any:
    return language_model("llama-3.1-70b")


def test_a_slower_clock_slows_products_alone() -> None:
    full, half = layer.stage_time(setting(tp=8)), layer.stage_time(setting(tp=8, clock_frac=0.5))
    assert half.exposed_s == full.exposed_s
    assert half.forward.memory_s == full.forward.memory_s
    assert 1.7 < half.product_s / full.product_s < 2.0


def test_a_stage_takes_no_less_than_its_host() -> None:
    slow = setting(stack_changes={"host_product": {"other": 1.0}})
    assert layer.stage_time(slow).total_s == 80 * 4 * 1.0
    captured = setting(stack_changes={"host_product": {"other": 1.0}, "captures": (slow.chip.name,)})
    assert layer.stage_time(captured).host_s == 0.0
    hybrid = setting("nemotron-3-nano", stack_changes={
        "host_product": {"other": 1.0}, "captures": (slow.chip.name,)})  # fmt: skip
    assert layer.stage_time(hybrid).host_s > 0.0


def test_sequence_parallel_ranks_share_norms_too() -> None:
    shared, whole = setting(tp=8), setting(tp=8, sequence_parallel=False)
    assert layer.stage_time(whole).forward.memory_s > 1.5 * layer.stage_time(shared).forward.memory_s


def test_experts_over_more_chips_are_exchanged_over_slower_links() -> None:
    near = layer.stage_time(setting("deepseek-v3", dp=64, ep=8))
    far = layer.stage_time(setting("deepseek-v3", dp=64, ep=64))
    assert far.exposed_s > 2.0 * near.exposed_s
    rack = layer.stage_time(setting("deepseek-v3", "GB200", dp=64, ep=64, precision="fp8"))
    assert rack.exposed_s < 0.5 * far.exposed_s


def test_context_ranks_share_tokens_and_pass_keys_around() -> None:
    one = layer.stage_time(setting(sequence_length=32_768))
    two = layer.stage_time(setting(sequence_length=32_768, cp=2))
    assert two.exposed_s > 0.0
    assert two.product_s == pytest.approx(one.product_s / 2, rel=0.05)


def test_pass_times_add_and_scale() -> None:
    one = layer.PassTime(1.0, 2.0, 3.0)
    assert (one + one) == one * 2.0
    assert (one * 2.0).total_s == 12.0


def test_a_precision_that_the_chip_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="A100-SXM-80GB multiplies in bf16, int8, not in fp8"):
        setting(chip="A100", precision="fp8")


def test_a_stack_without_a_share_for_the_chip_says_which_it_has() -> None:
    bare: Stack = stack("mlperf-v3.1").model_copy(update={"product_share": {"H100-SXM-80GB": {"bf16": 1.0}}})
    made = dataclasses.replace(setting(chip="GB200"), stack=bare)
    with pytest.raises(KeyError, match="has product shares of H100-SXM-80GB, not of GB200"):
        layer.stage_time(made)
