"""Rare combinations against an exact Markov chain, and what is refused."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.linalg import expm

import simulator as gw
from simulator.kernels.rare import EXPONENTIAL
from simulator.reports import comparison
from simulator.reports import rare as drawing
from simulator.studies import rare, rare_groups
from simulator.studies.rare import YEAR_S
from simulator.studies.rare_groups import Group

HOUR_S = 3600.0


def group(units, together, per_year, repair_h, common=0.0, **more):
    given = {"transient": 0.0, "reset_s": 0.0, "repair_s": repair_h * HOUR_S,
             "repair_spread": EXPONENTIAL} | more  # fmt: skip
    return Group("units", "test", units, together, units - together + 1, per_year / YEAR_S,
                 common, **given)  # fmt: skip


def generator(g):
    """Return the chain of the number of units out: failures one by one or all at once, repairs each
    on their own."""
    n, rate, back = g.units, g.rate_s, 1.0 / g.repair_s
    q = np.zeros((n + 1, n + 1))
    for out in range(n + 1):
        if out < n:
            q[out, out + 1] += (n - out) * (1.0 - g.common) * rate
            q[out, n] += g.common * rate
        if out > 0:
            q[out, out - 1] += out * back
        q[out, out] -= q[out].sum()
    return q


def exact_probability(g, end_s=YEAR_S):
    """Return the chance to have had so many out at once by the end."""
    q = generator(g)
    q[g.together:] = 0.0  # absorbing
    return float(expm(q * end_s)[0, g.together:].sum())


def exact_hours(g, end_s=YEAR_S):
    """Return the expected hours with so many out: the integral of the chain's probabilities."""
    q, n = generator(g), g.units + 1
    wide = np.zeros((2 * n, 2 * n))
    wide[:n, :n], wide[:n, n:] = q, np.eye(n)
    spent_s = expm(wide * end_s)[:n, n:][0]
    return float(spent_s[g.together:].sum()) / HOUR_S


CASES = {
    "two transformers of four": group(4, 2, 0.0153, 200.0),
    "three of eight, each day-long": group(8, 3, 0.2, 24.0),
    "four of six": group(6, 4, 0.3, 48.0),
    "two of two pumps with a common cause": group(2, 2, 0.05, 12.0, 0.05),
    "three of five with a common cause": group(5, 3, 0.1, 100.0, 0.02),
    "two of forty": group(40, 2, 0.1, 12.0),
}


@pytest.mark.parametrize("name", CASES)
def test_probability_and_hours_are_those_of_the_markov_chain(name):
    g = CASES[name]
    drawn = rare.sample(g, YEAR_S, 1, 0, 40_000)
    exact = exact_probability(g)
    assert drawn.relative_error < 0.06
    assert drawn.probability == pytest.approx(exact, rel=4.5 * drawn.relative_error)
    hours = drawn.weight * drawn.out_s / HOUR_S
    deviation = hours.std() / math.sqrt(len(hours))
    assert hours.mean() == pytest.approx(exact_hours(g), abs=4.5 * deviation)


@pytest.mark.parametrize("name", CASES)
def test_weights_average_to_one(name):
    drawn = rare.sample(CASES[name], YEAR_S, 2, 0, 40_000)
    deviation = drawn.weight.std() / math.sqrt(len(drawn.weight))
    assert drawn.weight.mean() == pytest.approx(1.0, abs=5.0 * deviation)


def test_the_rarest_gain_most_over_crude_sampling():
    table = rare.study([CASES["four of six"], CASES["two of forty"]]).set_index("drawn", drop=False)
    gains = {row.probability: row.gain for row in table.itertuples()}
    rarest, often = min(gains), max(gains)
    assert rarest < 1e-4 and gains[rarest] > 1000.0
    assert gains[rarest] > gains[often]


def test_crude_sampling_agrees_where_it_sees_anything():
    g = CASES["two of forty"]
    biased, crude = (rare.sample(g, YEAR_S, 3, 0, 20_000, biased) for biased in (True, False))
    assert crude.reached.sum() > 100 and (crude.weight == 1.0).all()
    apart = math.hypot(*(s.relative_error * s.probability for s in (biased, crude)))
    assert biased.probability == pytest.approx(crude.probability, abs=4.5 * apart)


def test_hours_do_not_depend_on_how_repair_times_scatter():
    """Alternating units: the share of time out is that of the mean repair alone."""
    steady = group(4, 2, 0.5, 50.0)
    spread = 0.8
    scattered = dataclasses.replace(
        steady, repair_s=50.0 * HOUR_S / math.exp(0.5 * spread**2), repair_spread=spread)
    assert scattered.mean_repair_s == pytest.approx(steady.mean_repair_s)
    exact = exact_hours(steady)
    for g in (steady, scattered):
        drawn = rare.sample(g, YEAR_S, 4, 0, 60_000)
        hours = drawn.weight * drawn.out_s / HOUR_S
        assert hours.mean() == pytest.approx(exact, abs=4.5 * hours.std() / math.sqrt(len(hours)))


def test_a_common_cause_is_what_makes_rare_things_likely():
    alone, common = (group(6, 4, 0.3, 48.0, beta) for beta in (0.0, 0.05))
    assert exact_probability(common) > 100.0 * exact_probability(alone)
    found = [rare.study([g]).loc[0, "probability"] for g in (alone, common)]
    assert found[1] > 100.0 * found[0]
    assert found[1] == pytest.approx(0.05 * 0.3, rel=0.2)  # beta times the rate of a unit


def test_what_a_restart_cures_is_out_for_its_reset():
    g = group(2, 2, 2.0, 100.0, transient=1.0, reset_s=60.0)
    assert g.mean_repair_s == 60.0
    drawn = rare.sample(g, YEAR_S, 5, 0, 20_000)
    hours = (drawn.weight * drawn.out_s).mean() / HOUR_S
    out_frac = 2.0 / YEAR_S * 60.0
    assert hours == pytest.approx(out_frac**2 * YEAR_S / HOUR_S, rel=0.1)


def test_the_share_of_duty_that_nothing_carries():
    g = dataclasses.replace(group(3, 2, 0.5, 100.0), duty=2)
    drawn = rare.sample(g, YEAR_S, 6, 0, 40_000)
    out, short = (drawn.weight * drawn.out_s).mean(), (drawn.weight * drawn.short_s).mean()
    assert 0.5 * out < short < 0.51 * out  # one of two is left nearly always, seldom none


def test_any_of_many_groups():
    one = rare.study([CASES["two transformers of four"]]).iloc[0]
    many = rare.study([dataclasses.replace(CASES["two transformers of four"], groups=50)]).iloc[0]
    assert many["probability"] == pytest.approx(1.0 - (1.0 - one["probability"]) ** 50)
    assert many["hours"] == pytest.approx(50.0 * one["hours"])
    assert many["low"] < many["probability"] < many["high"]


def test_a_sample_whose_weights_scatter_is_refused():
    g = CASES["four of six"]
    few = rare.sample(g, YEAR_S, 7, 0, 60, biased=False)
    assert few.relative_error == math.inf and few.effective == 0.0
    assert "effective years" in rare.unsound(few, few)
    weight = np.where(np.arange(20_000) < 5, 1.0, 1e-9)
    lopsided = rare.Sample(np.ones(20_000), np.zeros(20_000), np.zeros(20_000), weight)
    assert "only 5 effective years" in rare.unsound(lopsided, few)


def test_a_sample_that_contradicts_crude_monte_carlo_is_refused():
    g = CASES["two of forty"]
    sound, crude = (rare.sample(g, YEAR_S, 8, 0, 20_000, biased) for biased in (True, False))
    assert rare.unsound(sound, crude) == ""
    wrong = dataclasses.replace(sound, weight=3.0 * sound.weight)
    assert "crude Monte Carlo says" in rare.unsound(wrong, crude)


def test_what_never_fails_is_not_resolved_and_shown_without_a_number():
    row = rare.study([group(2, 2, 1e-12, 1.0)]).iloc[0]
    assert row["reason"] == "" or row["probability"] is None
    assert row["crude_hits"] == 0


def test_the_same_seed_gives_the_same_years_in_any_order():
    g = CASES["four of six"]
    whole = rare.sample(g, YEAR_S, 9, 0, 100)
    halves = rare.sample(g, YEAR_S, 9, 0, 50).joined(rare.sample(g, YEAR_S, 9, 50, 50))
    for name, values in vars(whole).items():
        assert (values == getattr(halves, name)).all()


# The groups of a site


@pytest.fixture(scope="module")
def campus():
    return gw.Scenario.from_yaml("scenarios/gigawatt-campus.yaml").record


def test_groups_of_the_campus_are_those_with_spares(campus):
    groups = rare_groups.of_scenario(campus)
    by_name = {g.name: g for g in groups}
    assert by_name["2 of 4 main transformers"].groups == 1
    assert by_name["2 of 3 lines"].duty == 2
    pumps = [g for g in groups if g.cause == "coolant_pump"]
    assert sum(g.groups for g in pumps) > 300 and all(g.together == 2 for g in pumps)
    loops = [g for g in groups if g.cause == "chiller_unit"]
    assert sum(g.groups for g in loops) == 22  # one chilled loop a hall
    for g in groups:
        assert 0 < g.duty < g.units and g.together == g.units - g.duty + 1
        assert g.accelerators > 0 and g.example


def test_rates_follow_scale_and_age(campus):
    scaled = gw.Scenario.from_yaml("scenarios/gigawatt-campus.yaml").with_(
        {"reliability.rate_scale": 3}).record
    once, thrice = (
        {g.name + g.example: g.rate_s for g in rare_groups.of_scenario(s)} for s in (campus, scaled))
    assert once.keys() == thrice.keys()
    assert all(thrice[k] == pytest.approx(3.0 * once[k]) for k in once)


def test_peers_that_are_lost_together_are_a_combination_of_the_job():
    given = gw.Scenario.from_yaml("scenarios/llama3-54-days.yaml").with_({
        "workloads.llama3.checkpoint.peer": {"interval": "2 min"},
        "workloads.llama3.checkpoint.stall": "1 s",
    }).record  # fmt: skip
    (peers,) = [g for g in rare_groups.of_scenario(given) if g.cause == "racks"]
    assert peers.groups == 512 and peers.accelerators == 16_384
    assert peers.repair_s == 600.0 + 120.0
    per_rack = peers.rate_s * YEAR_S
    assert 2.0 < per_rack < 8.0  # 365 stops of hardware in 54 days over 512 racks
    found = rare.study([peers]).iloc[0]
    expected = 1.0 - math.exp(-512 * 2.0 * per_rack**2 * peers.repair_s / YEAR_S)  # either first
    assert found["probability"] == pytest.approx(expected, rel=0.1)


# The figure


def test_the_page_names_what_costs_most(tmp_path):
    groups = [
        dataclasses.replace(CASES[name], accelerators=n, example="here")
        for name, n in (("two transformers of four", 100_000), ("four of six", 10))
    ]
    table = rare.study(groups)
    page = drawing.page(table, "plan")
    assert "accelerator-hours a year" in page.title
    assert [p.name for p in comparison.write(page, tmp_path)] == ["rare.png", "rare.csv"]
    assert len(page.tables[0].frame) == 2


@pytest.mark.parametrize(("p", "text"), [(0.25, "25.0\u00a0%"), (1e-4, "1 in 10,000"), (0.0, "never")])
def test_chances_in_words(p, text):
    assert drawing.chance(p) == text


def test_nothing_resolved_is_said():
    table = rare.study([CASES["four of six"]]).assign(probability=None)
    assert "could be resolved" in drawing.title(table.dropna(subset=["probability"]), "plan")
