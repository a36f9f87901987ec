"""Memory by part: published figures, the laws of its parts, and what does not fit."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components.from_catalog import accelerator, language_model, stack
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import layers, memory, stages, transformer
from simulator.performance.memory import Footprint, footprint

GIB = 2**30
PUBLISHED = Path(__file__).parents[3] / "shared" / "validation" / "reference"
PEAKS = PUBLISHED / "training_step_memory_simumax_b200.csv"


def plan_of(**changes: Any) -> ParallelPlan:
    base = {"global_batch_sequences": 512, "sequence_length": 4096}
    return ParallelPlan(**base | changes)


def kept(model: LanguageModel, dp: int = 8, named: str | None = None, **changes: Any) -> Footprint:
    return footprint(model, plan_of(**changes), dp, stack(named) if named else None)


# Published figures


def measured() -> list[dict[str, str]]:
    if not PEAKS.exists():
        pytest.skip("the published figures are not beside the project")
    with PEAKS.open(newline="") as rows:
        return list(csv.DictReader(rows))


def simulated(row: dict[str, str]) -> Footprint:
    """Return the footprint of a run of SimuMax's: few layers, one of them dense with experts."""
    whole = language_model(row["model"])
    update: dict[str, Any] = {"layers": int(row["layers_kept"]), "mtp_layers": 0}
    if whole.experts:
        update["experts"] = whole.experts.model_copy(update={"dense_layers": 1})
    ways = {name: int(row[name]) for name in ("tp", "pp", "cp", "ep", "dp", "micro_batch")}
    plan = ParallelPlan(
        **ways,
        global_batch_sequences=int(row["micro_batches"]) * ways["dp"] * ways["micro_batch"],
        sequence_length=int(row["seq_len"]),
    )
    return footprint(whole.model_copy(update=update), plan, ways["dp"])


def test_peaks_of_measured_runs_are_met() -> None:
    errors = [simulated(r).total / GIB / float(r["peak_alloc_gib"]) - 1.0 for r in measured()]
    sizes = sorted(abs(error) for error in errors)
    assert len(sizes) == 43
    assert sizes[len(sizes) // 2] < 0.01
    assert sizes[int(0.9 * len(sizes))] < 0.03 and sizes[-1] < 0.05


@pytest.mark.parametrize(("name", "share"), [("gpt-3-175b", 0.70), ("gpt-529.6b", 0.65)])
def test_scores_are_the_published_share_of_activations(name: str, share: float) -> None:
    # Korthikanti et al., section 5: selective recomputation saves 70 % (GPT-3) and 65 % (MT-NLG).
    model = language_model(name)
    ways = {"tp": 8, "pp": 8, "sequence_length": 2048}
    whole, less = (
        kept(model, named="megatron-2022", recompute=r, **ways).activations
        for r in ("none", "selective")
    )
    assert 1.0 - less / whole == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("name", ["gpt-22b", "gpt-3-175b", "gpt-529.6b", "gpt-1008b"])
def test_both_techniques_bring_memory_under_a_fifth(name: str) -> None:
    # Korthikanti et al., section 6.1: each cuts activations nearly in half, both together to under
    # 20 % of tensor parallelism alone; full recomputation to about 10 %.
    model = language_model(name)
    ways = {"tp": 8, "pp": 8, "sequence_length": 2048}

    def left(recompute: str, split: bool) -> float:
        more = {"recompute": recompute, "sequence_parallel": split}
        made = kept(model, named="megatron-2022", **ways, **more)
        alone = kept(model, named="megatron-2022", **ways, sequence_parallel=False)
        return made.activations / alone.activations

    assert 0.5 < left("none", True) < 0.7
    assert 0.4 < left("selective", False) < 0.65
    assert left("selective", True) < 0.22
    assert left("full", False) < 0.16


# Laws


def test_bytes_per_weight_by_sharding() -> None:
    model, dp = language_model("llama-2-7b"), 8
    whole = transformer.parameters(model)
    for sharding, shared in (("none", 0), ("optimizer", 1), ("gradients", 2), ("full", 3)):
        made = kept(model, dp, sharding=sharding)
        sizes = (made.optimizer / 12.0, made.gradients / 4.0, made.weights / 2.0)
        expected = [whole / dp if part < shared else whole for part in range(3)]
        assert sizes == pytest.approx(expected)


def test_experts_are_shared_by_fewer_ranks() -> None:
    model = language_model("qwen3-235b-a22b")
    routed = transformer.routed_parameters(model)
    made = kept(model, 64, ep=32, sharding="optimizer", tp=4)
    others = made.optimizer / 12.0 - routed / 32 / (64 * 4 / 32)
    assert others == pytest.approx((transformer.parameters(model) - routed) / 4 / 64, rel=0.03)


def test_weights_that_tensor_parallel_ranks_repeat_are_not_divided() -> None:
    model = language_model("deepseek-v3")
    one, eight = (memory.local_parameters(model, plan_of(tp=tp))[0] for tp in (1, 8))
    latent = 61 * 7168 * (1536 + 512 + 64)
    assert 8 * eight - one == pytest.approx(7 * latent, rel=0.2)


@pytest.mark.parametrize(("virtual", "expected"), [(1, 8.0), (2, 8 + 7 / 2), (4, 8 + 7 / 4)])
def test_micro_batches_in_flight(virtual: int, expected: float) -> None:
    # Korthikanti et al., section 4.2.3: L (1 + (p - 1)/(p m)) layers on the first stage.
    plan = plan_of(pp=8, virtual_stages=virtual)
    assert memory.in_flight(plan, 4) == expected
    assert memory.in_flight(plan, 128) == 4.0
    assert memory.in_flight(plan_of(), 4) == 1.0


def test_zero_bubble_needs_no_more_than_1f1b() -> None:
    model = language_model("llama-3.1-70b")
    pair = [kept(model, tp=8, pp=8, schedule=s).total for s in ("1f1b", "zero_bubble")]
    assert pair[0] == pair[1]


def test_logits_are_kept_by_the_last_stage_only() -> None:
    model = language_model("llama-3.1-8b")
    wider = model.model_copy(update={"vocabulary": 2 * model.vocabulary})
    few = [kept(m, tp=8, pp=8).activations for m in (model, wider)]
    alone = [kept(m, tp=8, recompute="full").activations for m in (model, wider)]
    assert few[0] == few[1] and alone[1] > 1.3 * alone[0]


def test_images_fill_the_first_stage() -> None:
    model = language_model("gemma-3-27b")
    none, some = (footprint(model, plan_of(tp=8, images=n), 8).activations for n in (0, 4))
    plain = footprint(language_model("llama-2-7b"), plan_of(images=4), 8).activations
    assert some > none and plain == kept(language_model("llama-2-7b")).activations
    again = [
        footprint(model, plan_of(tp=8, recompute="full", images=n), 8).activations for n in (0, 4)
    ]
    assert 0 < again[1] - again[0] < 0.2 * (some - none)


def test_a_stack_says_how_gradients_are_summed() -> None:
    model = language_model("gpt-3-175b")
    old = stack("megatron-2021")
    named = footprint(model, plan_of(tp=8, pp=8, stack="megatron-2021"), 8)
    given = footprint(model, plan_of(tp=8, pp=8), 8, old)
    assert named == given
    assert given.gradients == pytest.approx(old.gradient_bytes / 2.0 * given.weights)


def test_a_run_that_recomputes_a_few_layers_is_just_beyond_memory() -> None:
    # Megatron Bridge's recipe of Llama 3 8B in fp8 on eight H100 makes 5 of 32 layers again.
    model, chip = language_model("llama-3.1-8b"), accelerator("H100")
    plan = plan_of(sequence_length=8192, global_batch_sequences=128, precision="fp8")
    over = footprint(model, plan, 8, stack("megatron-bridge-26.06")).total - chip.memory
    again = plan.model_copy(update={"recompute": "full"})
    spared = footprint(model, plan, 8).activations - footprint(model, again, 8).activations
    assert 0.0 < over < 5 / 32 * spared


WAYS = st.sampled_from([1, 2, 4, 8])


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["llama-3.1-8b", "qwen3-30b-a3b", "deepseek-v3", "nemotron-3-super"]),
    tp=WAYS, pp=WAYS, cp=WAYS, micro_batch=WAYS,
)  # fmt: skip
def test_more_of_anything_that_saves_never_costs(
    name: str, tp: int, pp: int, cp: int, micro_batch: int
) -> None:
    model = language_model(name)
    ways = {"tp": tp, "pp": pp, "cp": cp, "micro_batch": micro_batch}
    base = kept(model, **ways)
    assert min(vars(base).values()) >= 0.0
    assert kept(model, **ways | {"tp": 2 * tp}).total < base.total
    assert kept(model, **ways | {"cp": 2 * cp}).activations < base.activations
    assert kept(model, **ways | {"micro_batch": 2 * micro_batch}).activations > base.activations
    less = [kept(model, recompute=r, **ways).activations for r in memory.RECOMPUTE]
    assert less == sorted(less, reverse=True)
    state = [kept(model, sharding=s, **ways) for s in memory.SHARDING]
    sizes = [s.weights + s.gradients + s.optimizer for s in state]
    assert sizes == sorted(sizes, reverse=True)


def test_a_footprint_is_a_sum_over_stages_at_most() -> None:
    model = language_model("llama-3.1-70b")
    held = kept(model, pp=8, sharding="none").weights
    assert held < 2.0 * transformer.parameters(model) / 8 * 1.1
    assert stages.fullest(model, 8) == 10


# What does not fit


def test_what_fits_is_returned() -> None:
    model, chip = language_model("llama-3.1-8b"), accelerator("H100")
    plan = plan_of(tp=8)
    assert memory.check(model, chip, plan, 8) == footprint(model, plan, 8)


def test_what_does_not_fit_is_told_by_part_with_the_cure() -> None:
    model, chip = language_model("llama-3.1-8b"), accelerator("H100")
    told = (
        r"does not fit H100-SXM-80GB: weights 16\.1 GB, gradients 32\.1 GB, optimizer 12\.0 GB, "
        r"activations .* GB, buffers .* GB: [\d.]+ GB of 80\.0 GB usable; it would fit with "
        r"recompute selective, or recompute full, .*sharding full, or tp 2"
    )
    with pytest.raises(ValueError, match=told):
        memory.check(model, chip, plan_of(), 8)


def test_a_cure_is_true() -> None:
    model, chip = language_model("llama-3.1-8b"), accelerator("H100")
    memory.check(model, chip, plan_of(tp=2, dp=4), 4)
    memory.check(model, chip, plan_of(sharding="full"), 8)
    memory.check(model, chip, plan_of(recompute="selective"), 8)


def test_where_nothing_helps_it_says_so() -> None:
    with pytest.raises(ValueError, match="no single change makes it fit"):
        memory.check(language_model("kimi-k2"), accelerator("A100"), plan_of(), 8)


def test_more_expert_parallelism_is_a_cure_too() -> None:
    model, chip = language_model("qwen3-30b-a3b"), accelerator("B200")
    plan = plan_of(global_batch_sequences=64, recompute="full")
    with pytest.raises(ValueError, match="ep 2"):
        memory.check(model, chip, plan, 64)
def test_shared_predictions_are_stored_once() -> None:
    model = language_model("nemotron-3-super")
    made = layers.predictions(model)
    assert made is not None and made.count == 2 and model.mtp_shared
    held, each = (
        sum(memory.local_parameters(one, plan_of()))
        for one in (model, model.model_copy(update={"mtp_shared": False}))
    )
    assert each - held == pytest.approx(made.stored_weights)
