"""Two levels, one estimator: no bias whatever the screen level says, and a gain where it moves alike."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import scenario
from simulator.metrics import control, kpis
from simulator.simulation import simulate
from simulator.studies import designs, multifidelity, sweep
from simulator.studies.multifidelity import COLUMNS, estimate
from simulator.studies.screen import screen

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"
SWEEP = f"""\
scenario: {POD}
fixed: {{period.duration: 3 h}}
axes:
  topology.cooling.supply: [36 degC, 40 degC]
uncertain:
  economics.energy_price: {{pert: [60 USD/MWh, 80 USD/MWh, 110 USD/MWh]}}
  weather.dry_bulb_shift: {{normal: [0 K, 2 K]}}
replicates: 8
screen: 40
"""


def levels(draws, n, noise, further=400):
    """Return the plan engine's values, and the screen level's: shifted, scaled, alike in luck."""
    luck = draws.normal(size=n + further)
    return 5.0 + luck[:n] + noise * draws.normal(size=n), -2.0 + 3.0 * luck[:n], -2.0 + 3.0 * luck[n:]


def test_the_corrected_mean_has_no_bias_even_of_few_replicates():
    """Skewed values of which a slope fitted on all of them would be biased."""
    draws, n, repeats = np.random.default_rng(2), 5, 6000
    corrected, regressed = [], []
    for _ in range(repeats):
        luck = draws.exponential(size=n + 400)
        values = luck[:n] ** 2 + 0.3 * draws.normal(size=n)
        corrected.append(control.without_bias(values, luck[:n], luck[n:]).mean)
        regressed.append(control.regressed(values, luck[:n] - 1.0).mean)
    within = 4.0 * np.std(corrected) / math.sqrt(repeats)
    assert np.mean(corrected) == pytest.approx(2.0, abs=within)
    assert abs(np.mean(regressed) - 2.0) > within


def test_intervals_hold_the_truth_and_gain_what_correlation_promises():
    draws, held, gains = np.random.default_rng(3), 0, []
    for _ in range(1500):
        found = estimate(*levels(draws, 16, 0.25))
        held += found["corrected_low"] <= 5.0 <= found["corrected_high"]
        gains.append(found["gain"])
    assert held / 1500 == pytest.approx(0.95, abs=0.025)
    # Variance without: 1 + 0.25^2 over n; with: 0.25^2 over n, and the screen's own over 400.
    promised = (1.0625 / 16) / (0.0625 / 16 + 1.0 / 400)
    assert np.median(gains) == pytest.approx(promised, rel=0.2)


def test_a_screen_that_knows_nothing_costs_little_and_moves_nothing():
    draws = np.random.default_rng(4)
    found = estimate(draws.normal(size=200), draws.normal(size=200), draws.normal(size=1000))
    assert found["gain"] == pytest.approx(1.0, abs=0.05)
    assert found["corrected"] == pytest.approx(found["mean"], abs=0.05)
    still = estimate(draws.normal(size=9), np.ones(9), np.ones(50))
    assert still["corrected"] == pytest.approx(still["mean"]) and still["correlation"] == 0.0


def test_slopes_of_all_others_are_what_they_say():
    draws = np.random.default_rng(6)
    values, known = draws.normal(size=7), draws.normal(size=7)
    for k, slope in enumerate(control._slopes_of_others(values, known)):
        y, c = np.delete(values, k), np.delete(known, k)
        assert slope == pytest.approx(np.cov(y, c)[0, 1] / c.var(ddof=1))


def test_the_screen_level_moves_as_the_engine_does():
    sets = ["period.duration=6 h", "reliability.rate_scale=0", "workloads.batch.backlog=0 h"]
    given = [scenario.load(POD, [*sets, f"weather.dry_bulb_shift={4 * k - 4} K"]) for k in range(6)]
    found = [dict(kpis.kpis(simulate(one, k)).set_index("kpi")["value"]) for k, one in enumerate(given)]
    cheap = [screen(one, k) for k, one in enumerate(given)]
    for kpi, least in (("power.pue_mean", 0.95), ("inference.llama-3.1-70b.requests", 0.99)):
        pairs = np.array([[one[kpi], other[kpi]] for one, other in zip(found, cheap, strict=True)], float)
        assert np.corrcoef(pairs.T)[0, 1] > least
    for kpi in ("energy.it", "power.poi_mean", "power.pue_mean"):
        assert [one[kpi] for one in cheap] == pytest.approx([one[kpi] for one in found], rel=0.15)


def test_a_sweep_tells_both_means(tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    plan = designs.from_file(tmp_path / "sweep.yaml")
    records = dict(sweep.execute(plan, plan.tasks, 1))
    runs = sweep.frame(plan, records)
    found = multifidelity.of_sweep(plan, runs, plan.screen)
    assert list(found.columns) == list(COLUMNS)
    cost = found[found["kpi"] == "cost.energy"].set_index("design")
    assert (cost["gain"] > 3.0).all() and (cost["screened"] == 40).all() and (cost["n"] == 8).all()
    assert (cost["corrected_high"] - cost["corrected_low"] < cost["high"] - cost["low"]).all()
    pd.testing.assert_frame_equal(found, multifidelity.of_sweep(plan, runs, plan.screen))
    few = runs[runs["replicate"] < 3]
    assert multifidelity.of_sweep(plan, few, 5).empty
