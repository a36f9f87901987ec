"""The serving surface: limits that are known exactly, order, conservation, refusals."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from simulator.components.from_catalog import accelerator, engine, language_model
from simulator.performance.queueing import Demand, Queue
from simulator.performance.replica import Replica
from simulator.performance.serving import QUANTILES, ServingSurface, surface

Rows = list[dict[str, str]]
CASES = [
    ("llama-3.1-70b", "H100-SXM-80GB", 8, "bf16"),
    ("llama-3.1-8b", "H200-SXM-141GB", 1, "fp8"),
    ("deepseek-r1", "GB300", 8, "fp8"),
    ("gpt-oss-120b", "Maia-200", 1, "fp4"),
]


def make(
    case: tuple[str, str, int, str],
    *,
    length_cv: float = 1.0,
    max_batch: int | None = None,
    tpot_limit_s: float | None = None,
    ttft_limit_s: float | None = None,
) -> ServingSurface:
    model, chip, chips, precision = case
    return surface(
        language_model(model),
        accelerator(chip),
        chips,
        precision,
        input_tokens=1500.0,
        output_tokens=500.0,
        length_cv=length_cv,
        max_batch=max_batch,
        tpot_limit_s=tpot_limit_s,
        ttft_limit_s=ttft_limit_s,
    )


@pytest.mark.parametrize("case", CASES)
def test_everything_grows_with_load(case: tuple[str, str, int, str]) -> None:
    made = make(case, tpot_limit_s=0.05)
    assert len(made.load) == 65 and made.load[0] == 0 and made.load[-1] == 1
    for array in (made.batch, made.tpot_s, made.busy_frac, made.ttft_mean_s):
        assert (np.diff(array) >= -1e-9).all()
    assert (np.diff(made.ttft_quantiles_s, axis=0) > -1e-6).all()
    assert (np.diff(made.ttft_quantiles_s, axis=1) > 0).all()
    assert made.ttft_quantiles_s.shape == (65, len(QUANTILES))
    assert (made.dynamic_power_frac >= 0).all() and (made.dynamic_power_frac < 1).all()
    assert (made.busy_frac <= 1).all()
    assert made.tpot_s[-1] <= 0.05 * (1 + 1e-9)


def test_alone_a_sequence_is_bound_by_reading_weights() -> None:
    model, chip = language_model("llama-3.1-70b"), accelerator("H100-SXM-80GB")
    replica = Replica(model, chip, 4, "bf16")
    alone_s = make(("llama-3.1-70b", "H100-SXM-80GB", 4, "bf16")).tpot_s[0]
    assert alone_s == pytest.approx(float(replica.decode_s(np.ones(1), 2000.0)[0]), rel=1e-6)
    weights_s = 141e9 / (4 * 3.35e12)
    assert weights_s < alone_s < 1.8 * weights_s


def test_batch_agrees_with_the_mean_field_where_it_is_large() -> None:
    replica = Replica(language_model("llama-3.1-8b"), accelerator("H200"), 1, "fp8")
    demand = Demand(500.0, 500.0, 0.5)
    queue = Queue(replica, demand, 900)
    rate = 0.75 * queue.limit_requests_s
    state = queue.at(np.array([rate]))
    batch = float(state.batch[0])
    iteration_s = float(replica.decode_s(np.array([batch]), demand.context)[0])
    tpot_s = iteration_s / (1.0 - rate * queue.prefill_s)
    assert batch > 50
    assert batch == pytest.approx(rate * demand.steps * tpot_s, rel=0.07)
    assert state.tpot_s[0] == pytest.approx(tpot_s, rel=0.07)


def test_constant_prompts_wait_as_in_m_d_1() -> None:
    replica = Replica(language_model("llama-3.1-8b"), accelerator("H100"), 1, "bf16")
    queue = Queue(replica, Demand(2000.0, 100.0, 0.0), 64)
    state = queue.at(np.array([0.5 / queue.prefill_s * 0.3]))
    load = float(state.prefill_load[0])
    expected_s = load * queue.prefill_s / (2 * (1 - load))
    assert load * state.prefill_wait_s[0] == pytest.approx(expected_s)


@dataclass(frozen=True)
class Seats:
    """A stand-in whose iteration takes one second whatever the batch."""

    image_token_s = 0.0

    def decode_s(self, batch: np.ndarray, context: float) -> np.ndarray:
        return np.ones_like(batch)

    def prefill_s(self, tokens: float, cached: float = 0.0) -> float:
        return 1e-9

    def decode_power(self, batch: np.ndarray, context: float) -> np.ndarray:
        return 0.5 * np.ones_like(batch)

    def prefill_power(self, tokens: float, cached: float = 0.0) -> float:
        return 1.0


@pytest.mark.parametrize(("seats", "offered"), [(1, 0.5), (8, 6.0), (100, 90.0)])
def test_constant_iterations_make_erlangs_queue(seats: int, offered: float) -> None:
    queue = Queue(Seats(), Demand(1.0, 101.0, 1.0), seats)  # type: ignore[arg-type]
    state = queue.at(np.array([offered / 100.0]))
    terms = [offered**n / math.factorial(n) for n in range(seats)]
    last = offered**seats / math.factorial(seats) * seats / (seats - offered)
    chance = last / (sum(terms) + last)
    assert state.seat_wait_chance[0] == pytest.approx(chance, rel=1e-6)
    assert state.batch[0] == pytest.approx(offered, rel=1e-6)
    assert state.seat_wait_s[0] == pytest.approx(100.0 / (seats - offered), rel=1e-6)


def test_quantiles_have_the_mean() -> None:
    replica = Replica(language_model("llama-3.1-8b"), accelerator("H100"), 1, "bf16")
    state = Queue(replica, Demand(3000.0, 200.0, 0.8), 200).at(np.array([6.0]))
    chances = (np.arange(4000) + 0.5) / 4000
    mean_s = state.ttft_quantiles_s(chances)[0].mean()
    assert mean_s == pytest.approx(float(state.ttft_mean_s[0]), rel=0.01)


def test_each_limit_binds_in_turn() -> None:
    case = ("llama-3.1-8b", "H200-SXM-141GB", 1, "fp8")
    free = make(case)
    slow = make(case, tpot_limit_s=0.015)
    quick = make(case, ttft_limit_s=0.25)
    narrow = make(case, max_batch=16)
    assert (free.bound_by, slow.bound_by, quick.bound_by) == ("memory", "tpot", "ttft")
    assert slow.tpot_s[-1] == pytest.approx(0.015, rel=1e-6)
    assert quick.ttft_quantiles_s[-1, 3] == pytest.approx(0.25, rel=1e-3)
    assert narrow.max_batch == 16 and narrow.bound_by == "batch"
    for bound in (slow, quick, narrow):
        assert bound.capacity_requests_s < free.capacity_requests_s


@pytest.mark.parametrize(
    ("case", "limits", "message"),
    [
        (("llama-3.1-405b", "H100", 8, "bf16"), {}, "needs 81. GB for bf16 weights; 8 x H100"),
        (("llama-3.1-70b", "H100", 8, "bf16"), {"tpot_limit_s": 0.001}, "limit is 0.001 s"),
        (("llama-3.1-70b", "H100", 8, "bf16"), {"ttft_limit_s": 0.001}, "to the first token"),
    ],
)
def test_what_cannot_be_says_why(
    case: tuple[str, str, int, str], limits: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(case, **limits)


def test_published_decode_steps_of_dense_models_on_h100(
    validation_rows: Callable[[str], Rows],
) -> None:
    errors = []
    for row in validation_rows("serving_batch.csv"):
        dense = row["architecture"].startswith("Dense") and "Nemotron" not in row["model"]
        if row["quantity"] != "itl_p50" or not dense or row["accelerator"] != "H100-SXM-80GB":
            continue
        model = language_model(row["model"])
        precision = {"bfloat16": "bf16", "fp8": "fp8"}[row["weight_precision"]]
        chips = int(row["n_accelerators"])
        replica = Replica(model, accelerator("H100"), chips, precision, engine("vllm-0.11"))
        context = 200 + 0.65 * float(row["mean_output_tokens"])
        step_s = replica.decode_s(np.array([float(row["mean_batch"])]), context)[0]
        errors.append(abs(1e3 * step_s / float(row["measured"]) - 1))
    assert len(errors) > 100
    assert np.median(errors) < 0.10
    assert np.quantile(errors, 0.9) < 0.25
