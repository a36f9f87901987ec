"""A pod for a day with each kind of warm plant: water and energy order as physics says."""

import pytest
from small import load_tree, pod_tree

from simulator.metrics import balance, power, thermal
from simulator.simulation import simulate

DAYS = {
    "miami": "2027-07-15T00:00:00-05:00",
    "sand_point": "2027-01-15T00:00:00-09:00",
}
KINDS = ("dry_cooler", "adiabatic_dry_cooler", "tower", "air_chiller")


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Return the results of a station's day by kind of warm plant."""
    found = {}
    for station, start in DAYS.items():
        for kind in KINDS:
            tree = pod_tree()
            tree["topology"]["cooling"]["warm"]["kind"] = kind
            tree["weather"] = {"station": station}
            tree["period"]["start"] = start
            tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h"}]
            scenario = load_tree(tree, tmp_path_factory.mktemp(f"{station}-{kind}"))
            found[station, kind] = simulate(scenario)
    return found


def water_m3(results):
    by_loop = thermal.water(results, by="element").set_index("element")
    return float(by_loop.loc["pod/warm", "consumed_m3"])


def pue(results):
    return next(kpi.value for kpi in power.kpis(results) if kpi.name == "power.pue_mean")


def test_in_heat_a_tower_takes_more_water_than_pads_and_dry_plants_none(day):
    water = {kind: water_m3(day["miami", kind]) for kind in KINDS}
    assert water["tower"] > 2.0 * water["adiabatic_dry_cooler"] > 0.0
    assert water["dry_cooler"] == water["air_chiller"] == 0.0


def test_in_cold_air_pads_stay_dry_and_the_tower_takes_less_than_in_heat(day):
    water = {kind: water_m3(day["sand_point", kind]) for kind in KINDS}
    assert water["adiabatic_dry_cooler"] == water["dry_cooler"] == water["air_chiller"] == 0.0
    assert 0.0 < water["tower"] < water_m3(day["miami", "tower"])


def test_in_heat_chillers_take_more_energy_than_dry_coolers(day):
    assert pue(day["miami", "air_chiller"]) > pue(day["miami", "dry_cooler"]) + 0.002


@pytest.mark.parametrize("kind", KINDS)
def test_heat_takes_no_less_energy_than_cold(kind, day):
    assert pue(day["miami", kind]) > pue(day["sand_point", kind])


def test_everything_closes(day):
    assert max(max(balance.checks(results).values()) for results in day.values()) <= 1e-9
