"""Heat given to users, days short of water, and what stays of a plant without any."""

import numpy as np
import pytest
from small import load_tree, pod_tree, resting

from simulator.components.cooling import LOAD_FRAC, PLANT_KINDS, HourlyWeather
from simulator.components.cooling.heat_reuse import HeatReuse
from simulator.components.cooling.water import Water
from simulator.engine.cooling import plant_maps
from simulator.kernels import cooling
from simulator.kernels import water as rationed
from simulator.kernels.cooling_columns import WaterState
from simulator.metrics import balance, kpis
from simulator.policies import setpoint
from simulator.simulation import simulate
from simulator.site import compile_site
from simulator.studies.calibrate.models.facility_power import _reused_w

DAY = "2027-07-15T08:00:00-04:00"
TIGHT = {"unit": "400 kW", "spare_units": 0}
HOT = HourlyWeather(np.array([38.0, 20.0]), np.array([24.0, 12.0]), np.full(2, 101_325.0))


def run(folder, hours=4, station="miami", start=DAY, **changes):
    """Return the results of the pod, on a hot day of Miami if not told, with other cooling."""
    tree = pod_tree()
    for key, value in changes.items():
        here = tree["topology"]["cooling"]
        here[key] = here[key] | value if isinstance(here.get(key), dict) else value
    tree["weather"] = {"station": station}
    tree["period"] = {"start": start, "duration": f"{hours} h"}
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h"}]
    return simulate(load_tree(tree, folder))


def warm(results, column):
    loop = results.timeseries["loop"]
    return loop.loc[loop["element"] == "pod/warm", column].to_numpy()


def value(results, name):
    return kpis.kpis(results).set_index("kpi")["value"][name]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plain"), warm={"kind": "tower"})


@pytest.fixture(scope="module")
def reusing(tmp_path_factory):
    users = {"power": "300 kW", "temperature": "35 degC"}
    return run(tmp_path_factory.mktemp("reusing"), warm={"kind": "tower"}, heat_reuse=users)


def test_what_users_take_is_rejected_heat_with_another_destination(plain, reusing):
    np.testing.assert_allclose(warm(reusing, "reused_w"), 300e3)
    np.testing.assert_allclose(warm(reusing, "heat_w"), warm(plain, "heat_w"), rtol=0.01)
    assert max(balance.checks(reusing).values()) <= 1e-9
    given_mwh = 0.3 * 4.0
    assert value(reusing, "cooling.heat_reused") == pytest.approx(given_mwh)
    site_mwh = value(reusing, "power.pue_mean") * value(reusing, "energy.it")
    assert value(reusing, "cooling.ere") == pytest.approx(
        (site_mwh - given_mwh) / value(reusing, "energy.it"))
    assert value(reusing, "cooling.erf") == pytest.approx(given_mwh / site_mwh)


def test_plant_energy_and_water_fall_by_about_the_share_taken(plain, reusing):
    share = 300e3 / warm(plain, "heat_w").mean()
    assert 0.2 < share < 0.6
    left = warm(reusing, "evaporation_kg_s").sum() / warm(plain, "evaporation_kg_s").sum()
    assert left == pytest.approx(1.0 - share, abs=0.03)
    assert warm(reusing, "power_w").sum() < warm(plain, "power_w").sum()
    assert "cooling.heat_reused" not in set(kpis.kpis(plain)["kpi"])


def test_a_return_that_is_not_warm_enough_gives_what_it_can(tmp_path):
    users = {"temperature": "36 degC", "approach": "3 K"}
    results = run(tmp_path, hours=2, warm={"kind": "tower"}, heat_reuse=users)
    site = results.timeseries["loop"]
    assert (warm(results, "reused_w") > 0.0).all()
    assert (warm(results, "reused_w") < warm(results, "heat_w")).all()
    assert (site.loc[site["element"] == "pod/chilled", "reused_w"] == 0.0).all()
    # G (T + Q/G - 39), T at its set point of 37: flow of three units of 1 MW at 10 K, less the spare
    flow_w_k = 2e6 / 10.0
    most_w = np.maximum(flow_w_k * (37.0 - 39.0) + warm(results, "heat_w"), 0.0)
    np.testing.assert_allclose(warm(results, "reused_w"), most_w, rtol=1e-6)


def test_demand_falls_with_warm_air():
    spec = HeatReuse.model_validate(
        {"temperature": "35 degC", "full_below": "0 degC", "none_above": "20 degC"})
    np.testing.assert_allclose(
        spec.demand_frac(np.array([-10.0, 0.0, 5.0, 20.0, 30.0])), [1.0, 1.0, 0.75, 0.0, 0.0])


# Water


def rationed_hours(policy, need_kg, air_c, limit_kg, start_hour, share=1.0):
    """Return which hours go dry, 1, where plants take a share of what was foretold."""
    hours = len(need_kg)
    spec = Water.model_validate({"daily_limit": "1 m3/d", "rationing": policy})
    need_kg = np.asarray(need_kg, float)
    state = WaterState(
        limit_kg=np.full(3, limit_kg), start_hour=np.array([start_hour]), used_kg=np.zeros(2), need_kg=need_kg,
        wanted_kg=spec.wanted_kg(need_kg, np.asarray(air_c, float), start_hour), taken=np.ones(1),
        dry=np.zeros(1, np.int64), dry_hours=np.zeros(hours, np.int64))
    used = np.zeros(3)
    for hour in range(hours):
        rationed.ration(state, hour)
        if not state.dry[0]:
            for _ in range(60):
                rationed.take(state, share * need_kg[hour] / 60.0)
            used[(start_hour + hour) // 24] += share * need_kg[hour]
    assert (used <= limit_kg + 1e-6).all()
    return state.dry_hours.tolist()


def test_the_kernel_stops_before_the_limit_and_starts_anew_at_midnight():
    dry = rationed_hours("first_come", [960.0] * 12, [20.0] * 12, 3 * 960.0, 20)
    assert dry == [0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1]


def test_the_hottest_hours_get_what_there_is():
    """Three hours of water a day: those of the afternoon, not the first; what needs none goes on."""
    air_c = np.array([20.0, 22, 25, 30, 34, 35, 33, 29, 24, 21])
    dry = rationed_hours("hottest_first", [960.0] * 10, air_c, 3 * 960.0, 9)
    assert [h for h, d in enumerate(dry) if not d] == [4, 5, 6]
    cool = rationed_hours("hottest_first", [0.0, 0.0, *[960.0] * 8], air_c, 3 * 960.0, 9)
    assert cool[:2] == [0, 0] and [h for h, d in enumerate(cool) if not d] == [0, 1, 4, 5, 6]
    half = rationed_hours("hottest_first", [960.0] * 10, air_c, 3 * 960.0, 9, share=0.5)
    assert half.count(0) > 3  # plants at half load want half of what was foretold


def test_limits_of_days_hold_in_every_day_that_a_drought_touches():
    spec = Water.model_validate({
        "daily_limit": "100 m3/d",
        "droughts": [{"at": "30 h", "lasts": "20 h", "daily_limit": "10 m3/d"}]})
    np.testing.assert_allclose(spec.limits_m3(6, 96), [100.0, 10.0, 10.0, 100.0, 100.0])
    assert not Water().scarce


@pytest.mark.parametrize("kind", PLANT_KINDS, ids=lambda kind: kind.__name__)
def test_without_water_a_plant_takes_none_and_is_no_colder(kind):
    spec = kind.model_validate({"unit": "3 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"})
    wet, dry = spec.plant_map(30.0, HOT), spec.dry_map(30.0, HOT)
    if dry is None:
        assert wet.evaporation_kg_j.any()
        return
    assert not dry.evaporation_kg_j.any() and not dry.blowdown_kg_j.any()
    assert (dry.supply_c >= wet.supply_c - 1e-9).all()
    assert (dry.power_frac >= 0.0).all() and np.isfinite(dry.supply_c).all()


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Return runs without a drop of water of two kinds of plant."""
    droughts = {"droughts": [{"at": "0 h", "lasts": "4 h", "daily_limit": "0 m3/d"}]}
    return {
        kind: run(tmp_path_factory.mktemp(kind), warm={"kind": kind} | TIGHT, water=droughts,
                  chilled={"kind": "air_chiller"}, supply="37 degC")
        for kind in ("adiabatic_dry_cooler", "tower")
    }


def test_pads_dry_up_and_their_water_warms(short, tmp_path):
    results = short["adiabatic_dry_cooler"]
    wet = run(tmp_path, warm={"kind": "adiabatic_dry_cooler"} | TIGHT,
              chilled={"kind": "air_chiller"}, supply="37 degC")
    assert warm(wet, "evaporation_kg_s").sum() > 0.0
    assert warm(results, "evaporation_kg_s").sum() == 0.0
    assert warm(results, "supply_max_c").max() > warm(wet, "supply_max_c").max() + 0.1
    assert value(results, "cooling.drought_hours") == pytest.approx(4.0)
    assert max(balance.checks(results).values()) <= 1e-9


def test_towers_reject_nothing_and_chips_tell_first(short):
    results = short["tower"]
    events = results.events
    assert events["kind"].tolist()[0] == "drought" and events["duration_s"].iloc[0] == 4 * 3600.0
    throttled = events.loc[events["kind"] == "throttle", "time"].min()
    tripped = events.loc[events["kind"] == "trip", "time"].min()
    assert results.events["time"].iloc[0] < throttled < tripped
    heat = results.tables["heat"].set_index("loop").loc["pod/warm"]
    assert heat["rejected_j"] == pytest.approx(0.0, abs=1.0)
    assert max(balance.checks(results).values()) <= 1e-9


def test_a_drought_leaves_the_air_of_a_hall_as_dry_as_it_comes_in(tmp_path):
    """Winter air of Alaska is let in and has less than the hall's dew point: only water adds to it."""
    economiser = {"kind": "crah", "economiser": {"lowest_dew_point": "8 degC"}}
    found = {}
    for name, water in (
        ("wet", {}), ("dry", {"daily_limit": "0 m3/d"}), ("short", {"daily_limit": "0.01 m3/d"})
    ):
        results = run(
            tmp_path, 2, "sand_point", "2027-01-15T00:00:00-09:00", fan_wall=economiser, water=water,
            warm={"kind": "dry_cooler"}, chilled={"kind": "air_chiller"},
        )
        found[name] = value(results, "cooling.water_withdrawn")
        assert max(balance.checks(results).values()) <= 1e-9
    assert found["wet"] > 0.01 >= found["short"] and found["dry"] == 0.0


def test_a_hall_whose_chilled_plant_has_no_water_switches_off_before_it_bakes(tmp_path):
    results = run(tmp_path, 2, water={"daily_limit": "0 m3/d"})
    events = results.events
    assert set(events.loc[events["detail"] == "hot air", "kind"]) == {"trip"}
    hall = results.timeseries["loop"]
    assert hall.loc[hall["element"] == "pod/chilled", "supply_c"].max() < 65.0


def test_closed_forms_of_studies_give_users_as_much_as_the_kernel(tmp_path):
    tree = pod_tree()
    tree["topology"]["cooling"]["heat_reuse"] = {"power": "500 kW", "temperature": "36 degC"}
    site = compile_site(load_tree(tree, tmp_path).spec.topology)
    state, loop = resting(site), site.loops[0]
    maps = plant_maps(site, HOT, setpoint.chosen(site.topology))
    heat_w = np.array([300e3, 900e3])
    for hour in (0, 1):
        load = heat_w[hour] / (loop.units * loop.unit_w)
        state.loops.supply_c[0] = np.interp(load, LOAD_FRAC, maps.supply_c[0, hour])
        given_w = cooling.deliver(0, state.loops, maps.reuse, heat_w[hour], 0, float(hour), 60.0)
        assert given_w == pytest.approx(float(_reused_w(maps, 0, loop, heat_w)[hour]), rel=1e-9)
        assert 0.0 < given_w < heat_w[hour]
    assert state.loops.reused_j[0] == state.loops.rejected_j[0] == state.loops.received_j[0]
