"""The study behind `gigawatt plan`: what it assumes, what it answers, what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.errors import ScenarioError
from simulator.performance.collectives import fabric_of
from simulator.scenario import load
from simulator.site import compile_site
from simulator.studies import StudyError
from simulator.studies import plan as study
from simulator.studies.plan import Question
from simulator.studies.plan_fabric import network

ROOT = Path(__file__).parents[2]


def asked(model: str = "llama-3.1-70b", chip: str = "H100", count: int = 256, **more: Any) -> Any:
    return study.plan(Question(model, chip, count, **more))


def test_what_is_not_given_is_assumed_and_said() -> None:
    answer = asked()
    assert set(answer.assumed) == {
        "sequence_length", "global_batch_sequences", "precision", "stack", "fabric"
    }  # fmt: skip
    batch = answer.found.plans[0].plan.global_batch_sequences
    assert answer.assumed["global_batch_sequences"].startswith(f"{batch} sequences: near ")
    assert "arXiv" in answer.assumed["sequence_length"]


def test_a_stack_that_does_not_interleave_gets_no_chunks() -> None:
    plans = asked(stack="composer-fsdp-2024", precision="bf16", top=20).found.plans
    assert {made.plan.virtual_stages for made in plans} == {1}
    assert {made.step.stack for made in plans} == {"composer-fsdp-2024"}
    chunked = asked("gpt-3-175b", stack="megatron-2023", precision="bf16", top=20).found.plans
    assert max(made.plan.virtual_stages for made in chunked) > 1


def test_what_is_given_is_not_assumed() -> None:
    answer = asked(global_batch_sequences=512, sequence_length=4096, precision="bf16")
    assert set(answer.assumed) == {"stack", "fabric"}
    assert answer.assumed["stack"] == "megatron-bridge-26.06, the same for every chip"
    plan = answer.found.plans[0].plan
    assert (plan.global_batch_sequences, plan.sequence_length) == (512, 4096)
    assert plan.precision == "bf16"


@pytest.mark.parametrize(
    ("sequences", "accelerators", "batch"),
    [(3900, 100_800, 3150), (2048, 16_384, 2048), (1000, 3 * 2**10, 768), (10, 10_007, 8)],
)
def test_an_assumed_batch_divides(sequences: float, accelerators: int, batch: int) -> None:
    assert study.dividing(sequences, accelerators) == batch


@pytest.mark.parametrize(
    ("model", "tokens"), [("llama-3.1-405b", 16e6), ("deepseek-v3", 63e6), ("kimi-k2", 67e6)]
)
def test_an_assumed_batch_is_of_the_published_order(model: str, tokens: float) -> None:
    assert tokens / 4 < study.batch_tokens(language_model(model)) < 4 * tokens


def test_rows_are_complete_and_consistent() -> None:
    answer = asked(top=3)
    tree = study.as_json(answer)
    assert (tree["model"], tree["accelerator"], tree["n"]) == (
        "llama-3.1-70b", "H100-SXM-80GB", 256
    )  # fmt: skip
    assert len(tree["plans"]) == 3
    assert tree["searched"] >= tree["feasible"] > 0
    for row in tree["plans"]:
        assert row["memory_bytes"] == pytest.approx(sum(row["memory"].values()))
        tokens = row["global_batch_sequences"] * row["sequence_length"]
        assert row["tokens_s"] == pytest.approx(tokens / row["step_time_s"])
        parts = row["compute_s"] + row["exposed_communication_s"]
        whole = parts + row["bubble_frac"] * row["step_time_s"]
        assert whole == pytest.approx(row["step_time_s"])


def test_a_model_that_does_not_fit_has_its_parts_and_the_nearest_number() -> None:
    answer = asked("llama-3.1-405b", count=8)
    assert not answer.found.plans
    assert "weights" in answer.reason and "GB usable" in answer.reason
    assert answer.enough is not None and answer.enough > 8
    assert asked("llama-3.1-405b", count=answer.enough, global_batch_sequences=4096).found.plans


def test_accelerators_that_do_not_divide_have_a_plan_with_spares() -> None:
    answer = asked(count=259, global_batch_sequences=512)
    assert not answer.found.plans
    count, best = answer.fewer
    assert count == 256
    assert best.step.data_parallel * best.plan.tp * best.plan.pp * best.plan.cp == 256
    assert study.as_json(answer)["fewer"]["spares"] == 3


def test_fewer_accelerators_are_told_where_they_are_faster() -> None:
    answer = asked("llama-3.1-8b", count=272, global_batch_sequences=512)
    assert answer.found.plans
    count, best = answer.fewer
    assert count == 256
    assert best.step.step_time_s < answer.found.plans[0].step.step_time_s
    assert asked("llama-3.1-8b", count=256, global_batch_sequences=512).fewer is None


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"model": "lama-3.1-70b"}, "did you mean 'llama-3.1-70b'"),
        ({"chip": "H1000"}, "did you mean 'H100-SXM-80GB'"),
        ({"stack": "megatron-21"}, "did you mean 'megatron-2021'"),
        ({"precision": "fp4"}, "H100-SXM-80GB multiplies in bf16, fp8, int8, not in fp4"),
    ],
)
def test_impossible_questions(question: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        asked(**question)


# Fabrics


def test_the_network_of_a_scenario_is_the_one_of_the_halls_with_the_chip() -> None:
    file, chip = ROOT / "scenarios" / "gigawatt-campus.yaml", accelerator("GB300")
    fabric, told = network(file, chip, 100_800)
    site = compile_site(load(file).spec.topology)
    assert fabric == fabric_of(chip, site.network(("train",), chip, 100_800))
    assert told.startswith(f"{file}: ") and told.endswith(" at 100 GB/s")
    with pytest.raises(StudyError, match=r"its halls have \d+ GB300 on a network, not 9000000"):
        network(file, chip, 9_000_000)
    with pytest.raises(StudyError, match="its halls have 0 Gaudi2 on a network"):
        network(file, accelerator("Gaudi2"), 8)


CLOS = """kind: clos
radix: 64
port_bandwidth: 400 Gb/s
oversubscription: 3
hop_latency: 600 ns
switch_power: 1.5 kW
optic_power: 15 W
"""


@pytest.mark.parametrize("named", [False, True])
def test_the_network_of_a_file_of_its_own(tmp_path: Path, named: bool) -> None:
    file, chip = tmp_path / "net.yaml", accelerator("H100")
    body = "fabric:\n" + "".join(f"  {line}\n" for line in CLOS.splitlines()) if named else CLOS
    file.write_text(body)
    fabric, _ = network(file, chip, 1024)
    leaf, spine = fabric.tiers[1:]
    assert (leaf.reach, leaf.bytes_s) == (48, 50e9)
    assert spine.reach >= 1024 and spine.bytes_s == pytest.approx(50e9 / 3)


def test_a_slower_network_makes_a_slower_step(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(CLOS.replace("oversubscription: 3", "oversubscription: 31"))
    given = {"global_batch_sequences": 512, "sequence_length": 2048}
    slow, fast = asked(fabric=file, **given), asked(**given)
    assert slow.found.plans[0].step.step_time_s > fast.found.plans[0].step.step_time_s
    assert slow.assumed["fabric"] == f"{file}: leaf of 56 at 50 GB/s, spine of 280 at 1.613 GB/s"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("radix", "radiks", r"net.yaml:2:1: radiks: .*did you mean 'rails', 'radix'"),
        ("clos", "close", r"net.yaml:1:1: kind: .*clos"),
        ("400 Gb/s", "400", r"net.yaml:3:1: port_bandwidth: "),
    ],
)
def test_a_faulty_network_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(CLOS.replace(old, new))
    with pytest.raises(ScenarioError, match=told):
        network(file, accelerator("H100"), 64)


def test_a_network_too_small_for_its_ports(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(CLOS.replace("64", "4"))
    with pytest.raises(StudyError, match=r"net.yaml: .* ports"):
        network(file, accelerator("H100"), 4096)


def test_a_file_without_a_network(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("name: nothing\n")
    with pytest.raises(StudyError, match="neither a topology nor a fabric"):
        network(file, accelerator("H100"), 64)
