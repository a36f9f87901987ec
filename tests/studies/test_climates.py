"""One campus under several skies: limits, monotone in weather, and the figures of hours."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from small import ROOT

from simulator import scenario
from simulator.site import compile_site
from simulator.studies import climates

DAY = ["period.duration=1 d"]
BY_HEAT = ("Helsinki", "Stockholm", "Seattle", "Chicago", "Atlanta", "Dallas", "Phoenix")
WEATHER = ROOT.parent / "shared" / "data" / "weather"
YEAR = ["period.start=2027-01-01T00:00:00-06:00", "period.duration=365 d", "topology.grid.import_limit=1.15 MW"]


def pod(*sets):
    return scenario.load(ROOT / "scenarios" / "pod.yaml", [*DAY, *sets])


@pytest.fixture(scope="module")
def free():
    return climates.hours(pod())


def test_what_is_installed_is_what_the_racks_draw_at_tdp(free):
    site = compile_site(pod().spec.topology)
    rack, chip = site.rack_types[0], site.chips[0]
    support_w = site.block_support_w.sum()
    for row in free.itertuples():
        racks_w = len(site.rack_block) * rack.input_w(chip, 1.0, row.coolant_c)
        assert row.installed_w == pytest.approx(racks_w + support_w, rel=1e-4)
    assert list(free.columns) == list(climates.HOURS) and len(free) == 24
    assert (free["limit"] == "installed").all() and (free["usable_w"] == free["installed_w"]).all()


def test_a_small_connection_binds_and_is_filled(free):
    tight = climates.hours(pod("topology.grid.import_limit=1.1 MW"))
    assert (tight["limit"] == "connection").all()
    np.testing.assert_allclose(tight["poi_w"], 1.1e6, rtol=1e-3)  # straight between levels of work
    assert (tight["usable_w"] < free["usable_w"]).all()


def test_heat_takes_chips_then_megawatts(free):
    hot = climates.hours(pod("weather.dry_bulb_shift=18 K"))
    assert (hot["coolant_c"] >= free["coolant_c"] - 1e-9).all()
    assert (hot["margin_k"] <= free["margin_k"] + 1e-9).all()
    limited = hot["limit"] == "chips"
    assert limited.any() and (hot.loc[limited, "margin_k"] < 0.0).all()
    assert (hot.loc[limited, "usable_w"] < hot.loc[limited, "installed_w"]).all()


def test_figures_of_two_days_by_hand():
    time = pd.date_range("2027-07-01T05:00Z", periods=48, freq="h")
    found = pd.DataFrame({
        "time": time, "installed_w": 4e6, "usable_w": np.where(np.arange(48) < 12, 2e6, 4e6),
        "limit": "installed", "poi_w": np.where(np.arange(48) < 12, 3e6, 5e6),
        "evaporation_kg_s": np.repeat([1.0, 2.0], 24), "withdrawal_kg_s": np.repeat([1.5, 3.0], 24),
        "coolant_c": 40.0, "margin_k": np.where(np.arange(48) < 5, -1.0, 2.0),
        "worst_margin_k": np.where(np.arange(48) < 7, -3.0, 1.0),
    })  # fmt: skip
    told = climates.summary(found, -5.0)
    assert told["usable_mw_min"] == 2.0 and told["usable_mw_mean"] == 3.5
    assert told["pue"] == pytest.approx((12 * 3 + 36 * 5) / (12 * 2 + 36 * 4))
    assert told["water_consumed_m3"] == pytest.approx(24 * 3.6 * 3)
    assert told["water_peak_day_m3"] == pytest.approx(24 * 3.6 * 3.0)
    assert told["wue_l_kwh"] == pytest.approx(24 * 3600 * 3 / (168e3))
    assert told["full_work_throttles_h"] == 5.0 and told["margin_min_k"] == -1.0
    assert told["worst_chip_throttles_h"] == 7.0 and told["worst_margin_min_k"] == -3.0


def test_the_chip_that_sits_worst_is_warmer_by_the_spread_of_its_hall(free):
    """Blom's quantile against the mean largest of drawn halls; no spread, no difference."""
    drawn = np.random.default_rng(1).standard_normal((20_000, 8)).max(axis=1).mean()
    assert climates.worst_resistance_frac(0.05, 8) == pytest.approx(1.0 + 0.05 * drawn, rel=2e-3)
    assert climates.worst_resistance_frac(0.05, 100_000) == 1.15 and climates.worst_resistance_frac(0.05, 1) == 1.0
    site = compile_site(pod().spec.topology)
    rack, chip = site.rack_types[0], site.chips[0]
    rise_k = chip.throttle_start - free["margin_k"] - free["coolant_c"]  # the junction's, or more by memory
    worse_k = free["margin_k"] - free["worst_margin_k"]
    more = climates.worst_resistance_frac(rack.resistance_spread, 8) - 1.0
    assert (worse_k > 0.5 * more * rise_k).all() and (worse_k < 2.0 * more * rise_k).all()


def test_lines_between_levels_hold_at_their_ends():
    x, y = np.array([[0.0], [1.0], [3.0]]), [np.array([0.0]), np.array([10.0]), np.array([20.0])]
    for at, expected in ((-1.0, 0.0), (0.5, 5.0), (2.0, 15.0), (9.0, 20.0)):
        assert climates._between(x, y, np.array([at])) == pytest.approx(expected)


@pytest.mark.parametrize("design", ["dry", "adiabatic", "towers", "chillers"])
def test_the_designs_of_the_campus_are_valid(design):
    given = scenario.load(ROOT / "scenarios" / "climates.yaml", DAY, design)
    dry = given.spec.topology.cooling.chilled.kind == "air_chiller"
    assert dry == (design != "towers")


def years(*sets):
    """Return the figures of the pod's whole year behind a tight import in every climate, by name."""
    found = {}
    for name in BY_HEAT:
        path = next(WEATHER.glob(f"*{name}*.epw"))
        hours = climates.hours(scenario.load(ROOT / "scenarios" / "pod.yaml", [*YEAR, *sets, f"weather.epw={path}"]))
        muggy_k = float(np.maximum(hours["wet_bulb_c"] - 12.0, 0.0).mean())
        found[name] = climates.summary(hours, -6.0) | {"muggy_k": muggy_k}
    return pd.DataFrame(found).T


def falls(column):
    """Two cold climates may tie: neither asks more than their least of fans in most hours."""
    return all(b <= a + 1e-4 * abs(a) for a, b in pairwise(column))


@pytest.mark.skipif(not WEATHER.is_dir(), reason="needs the weather years of ../shared")
def test_seven_climates_order_as_physics_says():
    """Behind dry coolers by heat; behind towers power by the wet bulb, water by dry heat."""
    dry, towers = years(), years("topology.cooling.warm.kind=tower")
    by_wet_bulb = towers.sort_values("muggy_k")
    assert list(by_wet_bulb.index) != list(BY_HEAT) and by_wet_bulb.index[-1] == "Dallas"
    assert falls(-dry["pue"]) and falls(dry["usable_mw_mean"]) and falls(-dry["wue_l_kwh"])
    assert falls(-by_wet_bulb["pue"]) and falls(by_wet_bulb["usable_mw_mean"]) and falls(-towers["wue_l_kwh"])
    # Fans at full speed draw by density: in Phoenix's hottest, thinnest air no more than in Dallas, and water floats.
    assert set(dry["usable_mw_min"].nsmallest(2).index) == {"Phoenix", "Dallas"}
    assert list(dry.index[dry["full_work_throttles_h"] > 0.0]) == ["Phoenix"]
    assert (towers["full_work_throttles_h"] == 0.0).all()
    assert (towers["water_peak_day_m3"] > 2.0 * dry["water_peak_day_m3"]).all()
    assert towers["usable_mw_mean"]["Helsinki"] < dry["usable_mw_mean"]["Helsinki"]  # pumps that always run
