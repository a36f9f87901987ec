"""Memory of a replica: weights shared out, keys and values kept, refusals."""

import pytest

from simulator.components.from_catalog import accelerator, engine, language_model
from simulator.performance import serving_memory, transformer
from simulator.performance.collectives import fabric_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting


def setting(model: str, chip: str, plan: ReplicaPlan, precision: str = "bf16") -> ServingSetting:
    made = accelerator(chip)
    return ServingSetting(
        language_model(model), made, plan, precision, engine("vllm-0.12"), fabric_of(made), 2.0
    )


@pytest.mark.parametrize("model", ["llama-3.1-70b", "gemma-3-27b", "qwen3-30b-a3b"])
def test_tensor_parallel_chips_hold_all_weights_once(model: str) -> None:
    whole = transformer.weight_bytes(language_model(model), "bf16")
    for tp in (1, 2, 4):
        made = setting(model, "H200", ReplicaPlan(tp, 1, 1))
        assert tp * serving_memory.weight_bytes(made) == pytest.approx(whole, rel=0.02)


def test_groups_hold_attention_each_and_experts_once() -> None:
    one, many = (
        serving_memory.weight_bytes(setting("deepseek-v3", "B200", plan, "fp8")) * 8
        for plan in (ReplicaPlan(8, 1, 8), ReplicaPlan(1, 8, 8))
    )
    model = language_model("deepseek-v3")
    assert 7 * transformer.attention_bytes(model, "fp8") < many - one < 0.25 * one


def test_more_chips_than_key_heads_keep_copies() -> None:
    kept = [
        serving_memory.sequence_bytes(setting("llama-3.1-70b", "H100", ReplicaPlan(tp)), 1000.0)
        for tp in (4, 8, 16)
    ]
    assert kept[0] == pytest.approx(2 * kept[1])
    assert kept[2] == kept[1]


def test_seats_are_room_over_a_sequence_per_group() -> None:
    made = setting("llama-3.1-70b", "H100", ReplicaPlan(4))
    room, each = serving_memory.room_bytes(made), serving_memory.sequence_bytes(made, 4000.0)
    assert serving_memory.seats(made, 4000.0) == int(room // each)
    assert serving_memory.kv_tokens(made, 4000.0) == pytest.approx(room / each * 4000.0)
    groups = setting("deepseek-v3", "B200", ReplicaPlan(1, 8, 8), "fp8")
    assert serving_memory.seats(groups, 4000.0) % 8 == 0


def test_what_does_not_fit_says_so() -> None:
    with pytest.raises(
        ValueError, match=r"needs 14. GB for bf16 weights; 1 x H100-SXM-80GB offer 77"
    ):
        serving_memory.seats(setting("llama-3.1-70b", "H100", ReplicaPlan(1)), 100.0)
    with pytest.raises(ValueError, match="one sequence of 2000000 tokens"):
        serving_memory.seats(setting("llama-3.1-70b", "H100", ReplicaPlan(2)), 2e6)
