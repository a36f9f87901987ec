"""Expert exchange: copies counted, limits of links and NICs, order, and the published times."""

from collections import defaultdict
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.from_catalog import accelerator
from simulator.performance import expert_exchange
from simulator.performance.collectives import fabric_of
from simulator.performance.expert_exchange import FP8_BYTES, expert_exchange_s
from simulator.performance.transports import WIRE_SHARE

KERNELS = ("normal", "low_latency", "one_sided")
V3 = {"hidden": 7168, "active": 8, "experts": 256}
CHIPS = {"h100_sxm": "H100", "h200_sxm": "H200", "b200_sxm": "B200", "b300_sxm": "B300",
         "gb200": "GB200", "gb300": "GB300"}  # fmt: skip
WIDTHS = {"bfloat16": 2.0, "fp8": 1.0, "nvfp4": 0.5625}


def on(chip: str, ranks: int, tokens: float = 4096, **more):
    return expert_exchange_s(fabric_of(accelerator(chip)), ranks, tokens, **V3 | more)


@pytest.mark.parametrize("kernel", KERNELS)
def test_nobody_to_talk_to_is_free(kernel):
    assert on("H100", 1, kernel=kernel) == (0.0, 0.0)
    assert on("H100", 8, tokens=0, kernel=kernel) == (0.0, 0.0)


@given(
    tokens=st.floats(1, 1e5),
    more=st.floats(1, 10),
    ranks=st.sampled_from([2, 8, 16, 64, 256]),
    kernel=st.sampled_from(KERNELS),
    chip=st.sampled_from(["H100", "B200", "GB200", "MI300X"]),
)
def test_more_tokens_take_longer(tokens, more, ranks, kernel, chip):
    less, later = (on(chip, ranks, t, kernel=kernel) for t in (tokens, tokens * more))
    assert later.dispatch_s >= less.dispatch_s > 0
    assert later.combine_s >= less.combine_s > 0


def test_a_rank_gets_one_copy_however_many_of_its_experts_are_meant():
    held = expert_exchange._held
    assert held(256, 256, 8) == 1.0
    assert held(256, 1, 8) == pytest.approx(1 / 8)
    assert held(256, 8, 8) == pytest.approx(1 - comb(224, 8) / comb(256, 8))
    assert 8 * held(256, 8, 8) < 8
    assert held(16, 2, 64) == pytest.approx(2 / 64)  # an expert's copies share its tokens


def test_two_nodes_are_bound_by_the_nic():
    chip = accelerator("H100")
    nodes = 1 - comb(128, 8) / comb(256, 8)  # the other node holds an expert of nearly every token
    wire_s = nodes * 7168 * FP8_BYTES / (WIRE_SHARE * chip.scaleout_bandwidth)
    slope_s = (on("H100", 16, 2e5).dispatch_s - on("H100", 16, 1e5).dispatch_s) / 1e5
    assert slope_s > wire_s * (1 - 1e-9)
    forwarding = on("H100", 16, 1e5, multiprocessors=24).dispatch_s
    assert forwarding == pytest.approx(1e5 * wire_s, rel=0.03)


def test_copies_per_node_spare_the_wire_that_copies_per_expert_load():
    once, each = (on("H100", 64, 8192, kernel=k) for k in ("normal", "low_latency"))
    assert once.dispatch_s < each.dispatch_s
    few, many = (on("H100", 64, 1, kernel=k) for k in ("low_latency", "normal"))
    assert few.dispatch_s < many.dispatch_s / 2


def test_fewer_multiprocessors_are_slower():
    times = [on("B200", 8, multiprocessors=n).dispatch_s for n in (8, 16, 24)]
    assert times == sorted(times, reverse=True)


def test_a_rack_keeps_off_the_nics():
    # The same 64 ranks: one NVLink domain of 72 against eight nodes of eight.
    assert on("GB200", 64).dispatch_s < on("B200", 64).dispatch_s / 3


@pytest.fixture
def errors(validation_rows):
    """Return signed errors of dispatch and combine together, by kernel and number of nodes."""
    found = defaultdict(list)
    for row in validation_rows("reference/moe_alltoall.csv"):
        family, *rest = row["kind"].split()
        kernel = family.removeprefix("deepep_") if not rest else "one_sided"
        choice = {"dispatch_bytes": WIDTHS[rest[0]]} if rest else {}
        if row["sms"]:
            choice["multiprocessors"] = int(float(row["sms"]))
        made = expert_exchange_s(
            fabric_of(accelerator(CHIPS[row["system"]])), int(float(row["gpus"])),
            float(row["tokens"]), int(row["hidden"]), int(row["topk"]), int(row["experts"]),
            kernel, **choice,
        )  # fmt: skip
        for time_s, column in zip(made, ("dispatch_us", "combine_us"), strict=True):
            if row[column].replace(".", "").isdigit():
                nodes = int(float(row["nodes"] or 1))
                found[kernel, nodes].append(time_s * 1e6 / float(row[column]) - 1)
    return {key: np.abs(values) for key, values in found.items()}


def test_published_times_are_met(errors):
    bounds = {"normal": (0.06, 0.14), "low_latency": (0.06, 0.14), "one_sided": (0.08, 0.30)}
    for kernel, (median, p90) in bounds.items():
        assert np.median(errors[kernel, 1]) < median
        assert np.quantile(errors[kernel, 1], 0.9) < p90
    for nodes in (2, 4):
        assert np.median(errors["normal", nodes]) < 0.11
        assert np.median(errors["low_latency", nodes]) < 0.09
    everything = np.concatenate(list(errors.values()))
    assert len(everything) > 15_000 and np.median(everything) < 0.06
