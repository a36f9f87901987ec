"""Published plans of large runs against the search: their authors were not far from the best."""

from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.performance.plan_search import Planned, best_plan

GPT: dict[str, Any] = {
    "sequence_length": 2048, "cp": 1, "recompute": "full", "sharding": "none",
    "schedule": "1f1b", "precision": "bf16", "stack": "megatron-2021",
}  # fmt: skip
LLAMA: dict[str, Any] = {
    "sequence_length": 8192, "cp": 1, "sharding": "gradients", "schedule": "1f1b",
    "precision": "bf16", "stack": "llama3-2024", "global_batch_sequences": 2048,
}  # fmt: skip
RUNS = [
    # Narayanan et al., SC21, tables 1 and 2.
    ("gpt-3-175b", "A100-SXM-80GB", 384, {**GPT, "global_batch_sequences": 1536}, (8, 12)),
    ("gpt-529.6b", "A100-SXM-80GB", 2240, {**GPT, "global_batch_sequences": 2240}, (8, 35)),
    ("gpt-1008b", "A100-SXM-80GB", 3072, {**GPT, "global_batch_sequences": 3072}, (8, 64)),
    # The Llama 3 Herd of Models, table 4.
    ("llama-3.1-405b", "H100-SXM-80GB", 8192, LLAMA, (8, 16)),
    ("llama-3.1-405b", "H100-SXM-80GB", 16_384, LLAMA, (8, 16)),
]


def both(run: tuple[Any, ...]) -> tuple[Planned, Planned]:
    """Return the published plan, what it leaves open chosen best, and the best of all."""
    model, chip, count, choices, (tp, pp) = run
    made = language_model(model), accelerator(chip), count
    return (
        best_plan(*made, {**choices, "tp": tp, "pp": pp, "micro_batch": 1}),
        best_plan(*made, choices),
    )


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[2]}")
def test_a_published_plan_is_near_the_best_of_its_choices(run: tuple[Any, ...]) -> None:
    published, best = both(run)
    assert 1.0 <= published.step.step_time_s / best.step.step_time_s < 1.25
