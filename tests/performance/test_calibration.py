"""Surfaces measured on the request-level kernel: limits, monotony, agreement with closed forms."""

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.performance import calibration, request_level
from simulator.performance.calibration import Calibration, measured
from simulator.performance.queueing import Demand
from simulator.performance.replica import Replica
from simulator.performance.request_work import request_work_frac, sustained_s
from simulator.performance.serving import surface

DEMAND = Demand(500.0, 100.0, 0.5)


def calibration_of(asked=500, given=100, tpot_s=0.03, ttft_s=1.0, count=calibration.REQUESTS, seed=1):
    draws = np.random.Generator(np.random.Philox(seed))
    replica = Replica(
        from_catalog.language_model("llama-3.1-8b"), from_catalog.accelerator("H100-SXM-80GB"),
        1, "fp8",
    )  # fmt: skip
    gaps = draws.exponential(size=count)
    return Calibration(
        replica, DEMAND, np.full(count, asked), np.full(count, given), gaps, tpot_s, ttft_s)


def guess_of(made):
    return surface(
        made.replica.model, made.replica.chip, 1, "fp8", DEMAND.input_tokens, DEMAND.output_tokens,
        length_cv=DEMAND.length_cv, tpot_limit_s=made.tpot_limit_s, ttft_limit_s=made.ttft_limit_s,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found():
    made = calibration_of()
    return made, measured(made, guess_of(made))


def test_capacity_meets_both_limits_and_hardly_more_breaks_one(found):
    made, surface = found
    stay_s = calibration._stay_s(made, guess_of(made))
    assert made.broken(made.at(surface.capacity_requests_s, stay_s)) == ""
    assert made.broken(made.at(1.05 * surface.capacity_requests_s, stay_s)) == surface.bound_by


def test_a_surface_rises_with_its_load(found):
    _, surface = found
    for column in (surface.batch, surface.tpot_s, surface.dynamic_power_frac, surface.busy_frac):
        assert np.all(np.diff(column) >= -1e-3 * column.max())
    assert np.all(np.diff(surface.ttft_quantiles_s, axis=1) >= 0.0)
    assert np.all(np.diff(surface.tpot_quantiles_s, axis=1) >= 0.0)
    assert surface.dynamic_power_frac[0] == 0.0
    assert np.all((surface.met_frac >= 0.0) & (surface.met_frac <= 1.0))


def test_little_holds_on_the_surface(found):
    _, surface = found
    in_decode = surface.load[32] * surface.capacity_requests_s * (100 - 1) * surface.tpot_s[32]
    assert surface.batch[32] == pytest.approx(in_decode, rel=0.15)  # chunks of prompts beside it


def test_almost_alone_a_token_takes_one_iteration(found):
    made, surface = found
    alone_s = float(made.replica.decode_s(1.0, DEMAND.context))
    assert surface.tpot_s[0] == pytest.approx(alone_s, rel=0.05)


@pytest.mark.parametrize("load", [0.03, 0.07, 0.12, 0.25, 0.62, 0.95])
def test_between_its_loads_the_surface_has_the_power_of_the_kernel(found, load):
    made, surface = found
    there = made.at(load * surface.capacity_requests_s, calibration._stay_s(made, guess_of(made)))
    chip = made.replica.chip
    frac = np.interp(load, surface.load, surface.dynamic_power_frac)
    watts = [chip.idle + each * (chip.tdp - chip.idle) for each in (frac, there.power_frac)]
    assert watts[0] == pytest.approx(watts[1], rel=0.05)


def test_tighter_limits_leave_less_capacity(found):
    _, surface = found
    tight = calibration_of(tpot_s=0.012)
    assert measured(tight, guess_of(tight)).capacity_requests_s < surface.capacity_requests_s


def test_limits_that_nothing_meets_are_told():
    made = calibration_of(ttft_s=0.025)
    guess = guess_of(calibration_of())
    assert "to the first token" in calibration.impossible(made, guess)
    with pytest.raises(ValueError, match="with hardly any load"):
        measured(made, guess)


def test_a_window_counts_what_arrives_inside_it():
    made = calibration_of()
    moments = np.concatenate([np.arange(100.0), np.arange(100.0)])
    lengths = np.full(200, 50)
    window = request_level.serve(
        made.engine, lengths, lengths, moments, np.array([0, 100, 200]), 50.0, 100.0)
    assert window.ttft_s.size == window.tpot_s.size == 100
    assert window.output_tokens_s == pytest.approx(50.0)
    assert np.all(np.isfinite(window.ttft_s))
    assert window.met_frac(np.inf, np.inf) == 1.0
    assert window.met_frac(0.0, np.inf) == 0.0
    assert 0.0 < window.busy_frac < 1.0


def test_a_slower_clock_serves_slower():
    made = calibration_of()
    slow = request_level.engine_of(made.replica.setting, DEMAND, np.inf, 0.5)
    moments, lengths = np.arange(0.0, 100.0, 0.05), np.full(2000, 200)
    both = [
        request_level.serve(e, lengths, lengths, moments, np.array([0, 2000]), 10.0, 100.0)
        for e in (made.engine, slow)
    ]
    assert both[1].tpot_mean_s > both[0].tpot_mean_s
    assert both[1].tpot_mean_s < 2.0 * both[0].tpot_mean_s


def test_work_is_one_for_the_rated_lengths_and_adds_up_where_prompts_take_all():
    replica = calibration_of().replica
    same = request_work_frac(replica, DEMAND, DEMAND, 1024, 0.03)
    assert same == pytest.approx(1.0, rel=1e-12)
    short, long = Demand(1000.0, 1.000001, 0.0), Demand(2000.0, 1.000001, 0.0)
    ratio = replica.prefill_s(2000.0) / replica.prefill_s(1000.0)
    assert request_work_frac(replica, short, long, 1024, 1.0) == pytest.approx(ratio, rel=0.01)


def test_the_sustained_rate_keeps_littles_law():
    replica = calibration_of().replica
    rate = sustained_s(replica, DEMAND, 1024, 0.02)
    batches = np.arange(1.0, 400.0)
    tpot_s = replica.decode_s(batches, DEMAND.context) / (1.0 - rate * replica.prefill_s(500.0))
    held = rate * DEMAND.steps * tpot_s
    at = int(np.argmin(np.abs(held - batches)))
    assert tpot_s[at] <= 0.02 * 1.01
