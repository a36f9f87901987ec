"""The clockwork against the plan engine on the same draws, and against closed forms."""

import math

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator import rng, simulation
from simulator.components.failure_class import FailureClass
from simulator.kernels import goodput
from simulator.simulation import simulate
from simulator.studies import clockwork
from simulator.studies.clockwork import DAY_S, Practice

DAYS = 6
# What a job of one rack meets: mean time between failures, interval, pause, restart.
CASES = {
    "calm": (20_000.0, 600.0, 1e-3, 300.0),
    "saves that pause": (9000.0, 600.0, 30.0, 300.0),
    "one failure in another": (1500.0, 240.0, 1e-3, 900.0),
    "never a save": (700.0, 2000.0, 1e-3, 100.0),
}


def engine(practice, folder, monkeypatch, replicate):
    """Return useful seconds and interruptions of a job on the only rack of a plant."""
    tree = pod_tree()
    tree["topology"]["halls"][0] |= {"blocks": 1, "racks_per_block": 1, "support": []}
    tree["workloads"] = [{
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
        "accelerators": 72, "tokens": 1e15,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
        "checkpoint": {"policy": "fixed", "interval": f"{practice.interval_s} s",
                       "stall": f"{practice.stall_s} s", "restart": f"{practice.restart_s} s"},
    }]  # fmt: skip
    tree["period"]["duration"] = f"{DAYS} d"
    hit = FailureClass(name="hit", per="rack", rate=f"{1.0 / practice.mttf_s!r} /s",
                       effect="interrupt", repair="1 min")  # fmt: skip
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (hit,))
    scenario = load_tree(tree, folder)
    results = simulate(scenario, replicate)
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum()
    useful_s = hours.get("useful", 0.0) / 72.0 * 3600.0
    return useful_s, int(results.tables["jobs"].iloc[0]["interruptions"]), scenario.spec.seed


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("replicate", [0, 3])
def test_the_plan_engine_keeps_the_same_work_failure_by_failure(
    name, replicate, tmp_path, monkeypatch
):
    """Same key, same counter word: the same failures. What differs is a save cut by the end, which
    the engine spreads over the interval."""
    practice = Practice(*CASES[name])
    useful_s, interruptions, seed = engine(practice, tmp_path, monkeypatch, replicate)
    expected_s, hits = goodput.replicate(
        *rng.key(seed, replicate, "failures"), rng.word("hit/pod"), 1.0 / practice.mttf_s,
        practice.interval_s, practice.stall_s, practice.restart_s, DAYS * DAY_S, practice.restart_s,
    )  # fmt: skip
    assert interruptions == hits > 5
    assert useful_s == pytest.approx(expected_s, abs=practice.stall_s + 1e-3)


@pytest.mark.parametrize("name", ["calm", "one failure in another"])
def test_the_plan_engine_and_the_clockwork_agree_in_the_mean(name, tmp_path, monkeypatch):
    practice = Practice(*CASES[name])
    found = [engine(practice, tmp_path, monkeypatch, k)[0] / (DAYS * DAY_S) for k in range(5)]
    useful_s, _ = clockwork.follow(practice, DAYS, 2000, start_s=practice.restart_s)
    share = useful_s / (DAYS * DAY_S)
    spread = math.sqrt(share.var() / 5 + share.var() / 2000)
    assert np.mean(found) == pytest.approx(share.mean(), abs=3.5 * spread)


PUBLISHED_100K = Practice(clockwork.mttf_s(100_000, 8, 6.5), 252.593, 30.0, 600.0)


def test_the_formula_in_common_use_is_a_tenth_too_good_at_a_hundred_thousand():
    assert clockwork.first_order(PUBLISHED_100K) == pytest.approx(0.555, abs=5e-4)
    assert clockwork.complete(PUBLISHED_100K) == pytest.approx(0.4438, abs=5e-5)
    useful_s, _ = clockwork.follow(PUBLISHED_100K, 30.0, 200)
    assert useful_s.mean() / (30.0 * DAY_S) == pytest.approx(0.4438, abs=0.01)


def test_all_forms_meet_where_failures_are_rare():
    rare = Practice(1e7, 3000.0, 5.0, 60.0)
    exact = clockwork.complete(rare)
    assert clockwork.first_order(rare) == pytest.approx(exact, abs=1e-6)
    assert clockwork.linear(rare) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("mttf_s", [800.0, 4000.0, 30_000.0])
def test_the_first_order_is_never_below_the_truth(mttf_s):
    p = Practice(mttf_s, math.sqrt(2.0 * 20.0 * mttf_s), 20.0, 300.0)
    assert clockwork.first_order(p) > clockwork.complete(p)


def test_the_same_luck_meets_every_practice():
    a = clockwork.follow(PUBLISHED_100K, 5.0, 50)[1]
    b = clockwork.follow(PUBLISHED_100K.every(900.0), 5.0, 50)[1]
    assert (a == b).all()
    assert (clockwork.follow(PUBLISHED_100K, 5.0, 50, "another")[1] != a).any()


@pytest.mark.parametrize("cells", [(0.0, 60.0, 1.0, 1.0), (60.0, 0.0, 1.0, 1.0)])
def test_a_practice_that_cannot_be(cells):
    with pytest.raises(ValueError, match=r"above zero|does no work"):
        Practice(*cells)


# The control variate


def test_the_control_takes_luck_out_and_moves_nothing_in_the_mean():
    p = Practice(clockwork.mttf_s(16_384, 8, 3.7887), 600.0, 3.0, 600.0)
    days, n = 54.0, 400
    useful_s, hits = clockwork.follow(p, days, n)
    mean, deviation, gain = clockwork.controlled(p, useful_s, hits, days)
    assert gain > 5.0
    assert mean == pytest.approx(clockwork.complete(p), abs=4.0 * deviation)
    plain = useful_s / (days * DAY_S)
    assert deviation < plain.std(ddof=1) / math.sqrt(n) / 2.0


def test_the_control_is_unbiased_over_many_small_samples():
    p = Practice(4000.0, 300.0, 5.0, 200.0)
    useful_s, hits = clockwork.follow(p, 5.0, 4000)
    means = [
        clockwork.controlled(p, u, h, 5.0)[0]
        for u, h in zip(np.split(useful_s, 100), np.split(hits, 100), strict=True)
    ]
    plain = useful_s.mean() / (5.0 * DAY_S)
    assert np.mean(means) == pytest.approx(plain, abs=0.002)
    assert np.var(means) < np.var([u.mean() for u in np.split(useful_s / (5 * DAY_S), 100)])


def test_a_job_that_is_never_hit_has_nothing_to_control():
    p = Practice(1e15, 300.0, 5.0, 200.0)
    mean, deviation, gain = clockwork.controlled(p, *clockwork.follow(p, 1.0, 5), 1.0)
    assert deviation == 0.0 and gain == 1.0
    assert mean == pytest.approx(300.0 / 305.0, abs=1e-3)


# What else could take luck out, and pays less


def by_hand(practice, end_s, gaps_s):
    """Return the useful share of a job that meets failures after these gaps."""
    now_s = ready_s = saved_s = 0.0
    cycle_s = practice.interval_s + practice.stall_s
    for gap_s in gaps_s:
        strike_s = min(now_s + gap_s, end_s)
        saved_s += max(0.0, strike_s - ready_s) // cycle_s * practice.interval_s
        if strike_s == end_s:
            return saved_s / end_s
        now_s, ready_s = strike_s, strike_s + practice.restart_s
    raise AssertionError("too few gaps")


def test_antithetic_pairs_pay_less_than_the_control():
    """Pairs of u and 1 - u: measured, and left out because the control does several times more."""
    practice = Practice(clockwork.mttf_s(16_384, 8, 3.7887), 600.0, 3.0, 600.0)
    end_s = 20.0 * DAY_S
    uniforms = np.random.default_rng(11).uniform(size=(300, 400))
    one, other = (
        np.array([by_hand(practice, end_s, gaps) for gaps in -practice.mttf_s * np.log(u)])
        for u in (uniforms, 1.0 - uniforms)
    )
    antithetic = 0.5 * one.var(ddof=1) / (0.5 * (one + other)).var(ddof=1)
    _, _, control = clockwork.controlled(practice, *clockwork.follow(practice, 20.0), 20.0)
    assert 1.0 < antithetic < 0.7 * control
    assert one.mean() == pytest.approx(clockwork.complete(practice), abs=0.005)
