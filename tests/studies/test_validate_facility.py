"""The topic of facilities: a small warm-water site from public facts, flows, and why other rows say nothing."""

from pathlib import Path

import numpy as np
import pytest

from simulator.components.cooling import HourlyWeather
from simulator.components.topology import Topology
from simulator.site import compile_site
from simulator.studies.validate import facility, published, study
from simulator.studies.validate import facility_sites as sites
from simulator.studies.validate.table import read

REFERENCE = Path(__file__).parents[3] / "shared" / "validation" / "reference" / "facility.csv"
BUCKLEY = REFERENCE.parents[2] / "data" / "weather" / "USA_CO_Aurora-Buckley_TMY3.epw"


def value(name, unit):
    return facility.simulate({"id": name, "unit": unit}).value


def test_the_published_rows_of_the_warm_water_site_are_met():
    """The acceptance that the issue states: PUE - 1 within 20 %, water within 25 %."""
    assert value("ESIF-PUE-1", "1") == pytest.approx(0.036, rel=0.20)
    assert 0.86 * 0.75 <= value("ESIF-WATER", "L/kWh") <= 1.08 * 1.25
    assert value("ESIF-PUE", "-") == pytest.approx(1.0 + value("ESIF-PUE-1", "1"))
    per_year = value("ESIF-WATER", "L/kWh") * 8.76e6 / 3.785411784 / 1e6
    assert value("ESIF-WATER", "Mgal/yr") == pytest.approx(per_year)


def test_what_is_assumed_is_told_with_the_figure():
    """The house's range is 2.5 kW less and 5 kW more of 1 MW, and up to a tenth of that to cool it; pumps
    and towers that run show alike."""
    found, base = sites.warm_water_range(), value("ESIF-PUE-1", "1")
    moved = {words: year.cooling + year.house - base for words, year in found.items()}
    assert 1.0 < moved["house 2.5 kW"] / -0.0025 < 1.1 and 1.0 < moved["house 10 kW"] / 0.005 < 1.1
    # less 0.4 % of design heat for its pump, which warms the water, more 0.5 % of it: by drives some six tenths
    assert -0.0035 < moved["loop pump 0.6 %"] < -0.002 and 0.0025 < moved["loop pump 1.5 %"] < 0.0045
    assert moved["stages 1"] > 0.005
    note = facility.simulate({"id": "ESIF-PUE-1", "unit": "1"}).note
    assert all(f"{words} {base + by:.4f}" in note for words, by in moved.items())


def test_water_is_told_with_and_without_what_is_reused():
    none = sites.warm_water(reuse=False).water_l_kwh
    assert none > value("ESIF-WATER", "L/kWh")
    assert f"{none:.3g} L/kWh with none" in facility.simulate({"id": "ESIF-WATER", "unit": "L/kWh"}).note


def test_heat_that_buildings_take_is_water_saved():
    air, hours = sites.golden()
    assert hours.sum() == 8760 and np.all(air.wet_bulb_c <= air.dry_bulb_c + 0.01)
    taken = sites.reused(air.dry_bulb_c, hours)
    assert (taken * hours).sum() / 8760 == pytest.approx(sites.REUSED, rel=1e-6)
    assert np.all(taken[air.dry_bulb_c >= sites.HEATED_BELOW_C] == 0.0) and taken.max() <= sites.MOST_REUSED
    saved = 1.0 - sites.warm_water().water_l_kwh / sites.warm_water(reuse=False).water_l_kwh
    assert saved == pytest.approx(sites.REUSED, rel=0.35)  # less than its share: cold hours evaporate less


@pytest.mark.skipif(not BUCKLEY.exists(), reason="the weather of Aurora is not here")
def test_classes_of_air_stand_for_the_hours_they_are_made_of():
    from simulator.weather import WeatherSource
    from simulator.weather import read as read_weather

    found = read_weather(WeatherSource(epw=str(BUCKLEY)), Path())
    air = HourlyWeather(found.dry_bulb_c, found.wet_bulb_c, found.pressure_pa)
    site = compile_site(Topology.model_validate(sites.warm_water_topology()))
    none = np.zeros(len(air))
    hourly = sites.year(site, air, none + 1.0, sites.ESIF_IT_W, sites.reused(air.dry_bulb_c, none + 1.0))
    assert sites.warm_water().cooling == pytest.approx(hourly.cooling, rel=2e-3)
    assert sites.warm_water().water_l_kwh == pytest.approx(hourly.water_l_kwh, rel=2e-3)


def test_outdoor_air_spares_power_and_water():
    closed, opened = sites.carolina(False), sites.carolina(True)
    assert opened.imported < closed.imported and opened.water_l_kwh < closed.water_l_kwh
    assert 1.05 < opened.imported < 1.25 and 0.2 < opened.water_l_kwh < closed.water_l_kwh < 2.0


def test_flow_by_hand():
    assert value("GB200-FLOW-WATER", "L/min/kW") == pytest.approx(60.0 / (0.992 * 4.18 * 10.0))
    assert value("GB200-FLOW", "L/min/kW") == pytest.approx(1.5, abs=0.01)


def test_every_published_row_is_simulated_or_says_why():
    rows = [row for path in published.tables() if path.stem == "facility" for row in read([path])]
    table = study.validate(rows)
    told = table[table["simulated"].isna()]
    assert not told["reason"].str.contains("defect").any() and (told["reason"].str.len() > 20).all()
    assert table["simulated"].notna().sum() >= 7


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference tables are not here")
def test_no_row_of_the_reference_is_dropped():
    table = study.validate(read([REFERENCE]))
    assert len(table) == 30
    assert not table["reason"].dropna().str.contains("defect|described here").any()
