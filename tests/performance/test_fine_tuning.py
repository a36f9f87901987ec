"""Adapters against published counts, and the step they need against that of the whole model."""

import pytest

from simulator.components import from_catalog
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import memory, transformer
from simulator.performance.fine_tuning import adapter_parameters, adapter_step
from simulator.performance.training import estimate

GB300 = from_catalog.accelerator("GB300")
ADAPTER_BYTES = memory.WEIGHT_BYTES + memory.GRADIENT_BYTES + memory.OPTIMIZER_BYTES
PLAN = ParallelPlan(tp=4, pp=2, global_batch_sequences=288, sequence_length=8192)


@pytest.mark.parametrize(("model", "weights"), [
    ("llama-2-7b", 39_976_960), ("llama-3.1-8b", 41_943_040), ("llama-3.1-70b", 207_093_760)])
def test_adapters_of_rank_16_on_every_projection(model, weights):
    """As the trainable parameters that PEFT prints for LoRA on all linear layers."""
    assert adapter_parameters(from_catalog.language_model(model), 16) == weights


def both(plan=PLAN, model="llama-3.1-70b", chip=GB300, accelerators=288):
    spec = from_catalog.language_model(model)
    whole = estimate(spec, chip, accelerators, plan)
    return spec, whole, adapter_step(spec, chip, accelerators, plan, 16)


def test_gradients_of_frozen_weights_are_not_computed():
    model, whole, step = both()
    skipped = 2.0 * transformer.multiplied_parameters(model)
    left = 1.0 - skipped / transformer.train_flops(model, PLAN.sequence_length)
    assert 0.66 < left < 0.72
    assert step.compute_s == pytest.approx(left * whole.compute_s)
    assert step.mfu * step.step_time_s == pytest.approx(left * whole.mfu * whole.step_time_s)
    assert step.tokens_per_step == whole.tokens_per_step


def test_with_full_recomputation_a_quarter_is_saved():
    _, whole, step = both(PLAN.model_copy(update={"recompute": "full"}))
    assert step.compute_s == pytest.approx(0.76 * whole.compute_s, rel=0.03)


def test_the_parts_of_the_step_add_up():
    _, whole, step = both()
    parts_s = step.compute_s + step.exposed_communication_s + step.bubble_frac * step.step_time_s
    assert step.step_time_s == pytest.approx(parts_s)
    assert 0.0 < step.data_parallel_s < whole.data_parallel_s
    assert 0.0 < step.clock_bound_frac < 1.0


def test_adapters_fit_where_the_optimizer_of_all_weights_does_not():
    model = from_catalog.language_model("llama-3.1-70b")
    plan = ParallelPlan(tp=4, global_batch_sequences=8, sequence_length=4096, sharding="none")
    with pytest.raises(ValueError, match="does not fit"):
        estimate(model, GB300, 8, plan)
    step = adapter_step(model, GB300, 8, plan, 16)
    need = memory.footprint(model, plan, 2)
    assert step.memory_bytes == pytest.approx(
        need.total - need.gradients - need.optimizer + ADAPTER_BYTES * 207_093_760 / 4)
    assert step.checkpoint_bytes == 14.0 * 207_093_760


def test_what_does_not_fit_says_what_takes_the_room():
    model = from_catalog.language_model("llama-3.1-405b")
    with pytest.raises(ValueError, match="adapters of rank 16: weights"):
        adapter_step(model, GB300, 8, ParallelPlan(
            tp=1, global_batch_sequences=8, sequence_length=4096), 16)
