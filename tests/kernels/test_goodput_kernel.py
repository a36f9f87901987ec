"""A job under failures against Daly's complete model, and at its limits."""

import math

import numpy as np
import pytest

from simulator.kernels import goodput

KEY = (1, 2)


def run(rate_s, interval_s, stall_s, restart_s, end_s, count=300, start_s=0.0):
    saved_s, hits = np.zeros(count), np.zeros(count, np.int64)
    goodput.replicates(
        *KEY, rate_s, interval_s, stall_s, restart_s, end_s, start_s, saved_s, hits
    )
    return saved_s, hits


def daly(mttf_s, interval_s, stall_s, restart_s):
    """Return useful over wall time (Daly 2006, eq. 13): failures strike whatever the job does."""
    cycle = math.expm1((interval_s + stall_s) / mttf_s)
    return interval_s / (mttf_s * math.exp(restart_s / mttf_s) * cycle)


@pytest.mark.parametrize("mttf_s", [500.0, 2000.0, 20_000.0])
@pytest.mark.parametrize(("stall_s", "restart_s"), [(30.0, 600.0), (2.0, 120.0), (0.0, 0.0)])
def test_useful_share_is_dalys(mttf_s, stall_s, restart_s):
    end_s = 400.0 * mttf_s
    saved_s, _ = run(1.0 / mttf_s, 250.0, stall_s, restart_s, end_s)
    assert saved_s.mean() / end_s == pytest.approx(
        daly(mttf_s, 250.0, stall_s, restart_s), abs=4e-3
    )


def test_interruptions_are_poisson():
    _, hits = run(1.0 / 1000.0, 100.0, 1.0, 60.0, 1e5, count=2000)
    assert hits.mean() == pytest.approx(100.0, abs=1.0)
    assert hits.var() == pytest.approx(100.0, rel=0.15)


def test_without_failures_only_saving_costs():
    saved_s, hits = run(1e-30, 90.0, 10.0, 60.0, 1000.0, count=3)
    assert (saved_s == 900.0).all() and not hits.any()


def test_work_not_yet_saved_counts_at_the_end_and_a_pause_does_not():
    assert run(1e-30, 90.0, 10.0, 0.0, 145.0, count=1)[0] == pytest.approx(135.0)
    assert run(1e-30, 90.0, 10.0, 0.0, 195.0, count=1)[0] == pytest.approx(180.0)


def test_a_job_that_cannot_reach_a_save_retains_little():
    saved_s, _ = run(1.0 / 10.0, 1000.0, 10.0, 100.0, 1e5)
    assert saved_s.mean() < 10.0


def test_the_same_replicate_meets_the_same_failures():
    few, many = run(1e-3, 100.0, 1.0, 10.0, 1e5, 5), run(1e-3, 100.0, 1.0, 10.0, 1e5, 9)
    assert (few[0] == many[0][:5]).all() and (few[1] == many[1][:5]).all()


def test_a_start_up_is_begun_anew_by_a_failure_and_shifts_what_follows():
    assert run(1e-30, 90.0, 10.0, 60.0, 1000.0, count=1, start_s=200.0)[0] == pytest.approx(720.0)
    never, _ = run(1.0 / 50.0, 90.0, 10.0, 5000.0, 1e4, count=20, start_s=5000.0)
    assert not never.any()
