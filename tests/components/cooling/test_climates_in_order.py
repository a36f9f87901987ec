"""Seven climates must order as physics says: every kind of plant over whole typical years."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.components.cooling.adiabatic_dry_cooler import AdiabaticDryCooler
from simulator.components.cooling.air_chiller import AirChiller
from simulator.components.cooling.chiller_tower import ChillerTower
from simulator.components.cooling.dry_cooler import DryCooler
from simulator.components.cooling.tower import Tower
from simulator.weather import WeatherSource, read

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "weather"
CLIMATES = {
    name: next((p for p in sorted(SHARED.glob("*.epw")) if name in p.name), None)
    for name in ("Helsinki", "Stockholm", "Seattle", "Chicago", "Atlanta", "Dallas", "Phoenix")
}
LOOP = {"range": "10 K", "tank": "5 min", "pump": "1 %", "unit": "1 MW"}
KINDS = {
    "dry": (DryCooler, 36.0), "adiabatic": (AdiabaticDryCooler, 36.0), "tower": (Tower, 32.0),
    "chiller_tower": (ChillerTower, 20.0), "air_chiller": (AirChiller, 20.0),
}  # fmt: skip
SHOWN = [int(np.abs(LOAD_FRAC - x).argmin()) for x in (0.7, 1.0)]
"""Loads that are looked at, as places in the grid: 70 % and 100 %."""
HOURS = 8760


@cache
def air(name):
    path = CLIMATES.get(name)
    found = read(WeatherSource(epw=str(path)) if path else WeatherSource(station=name), Path())
    return HourlyWeather(found.dry_bulb_c, found.wet_bulb_c, found.pressure_pa)


@cache
def year(kind, name):
    """Return means over the year at 70 % and 100 % load: power, evaporation, supply over its set point,
    and the share of heat moved by compressors."""
    spec, set_c = KINDS[kind]
    plant = spec.model_validate({"kind": spec.model_fields["kind"].default, **LOOP}).sized_for(set_c)
    found = plant.plant_map(set_c, air(name))
    over = np.maximum(found.supply_c - set_c, 0.0)
    tables = (found.power_frac, found.evaporation_kg_j, over, found.mechanical_frac)
    for table in tables:
        assert np.isfinite(table).all() and (table >= 0.0).all()
    return [float(table[:, SHOWN].mean()) for table in tables]


def by_heat():
    """Return the climates with whole years here, coolest first."""
    if all(CLIMATES.values()):
        return list(CLIMATES)
    return ["sand_point", "greensboro", "miami"]


def ordered(values, slack=0.0):
    return all(b >= a - slack for a, b in pairwise(values))


def warmth(name, quantity, above_c):
    """Return the degrees above a temperature, mean of the year."""
    return float(np.maximum(getattr(air(name), quantity) - above_c, 0.0).mean())


@pytest.mark.parametrize(("kind", "free_below_c"), [("dry", 18.0), ("air_chiller", 10.0)])
def test_power_of_plants_in_dry_air_follows_the_dry_bulb(kind, free_below_c):
    """Up to air 10 to 18 K below the set water a coil needs little of its fans, and no compressor."""
    names = sorted(by_heat(), key=lambda name: warmth(name, "dry_bulb_c", free_below_c))
    power = [year(kind, name)[0] for name in names]
    assert ordered(power) and power[0] < power[-1]
    assert all(year(kind, name)[1] == 0.0 for name in names)


@pytest.mark.parametrize(("kind", "free_below_c"), [("tower", 18.0), ("chiller_tower", 12.0)])
def test_power_of_plants_on_towers_follows_the_wet_bulb(kind, free_below_c):
    names = sorted(by_heat(), key=lambda name: warmth(name, "wet_bulb_c", free_below_c))
    power = [year(kind, name)[0] for name in names]
    assert ordered(power, 0.01 * power[-1]) and power[0] < power[-1]
    if kind == "chiller_tower":
        assert ordered([year(kind, name)[3] for name in names], 0.02)


def test_what_floats_above_its_set_point_does_so_where_air_is_hottest():
    hottest = sorted(by_heat(), key=lambda name: float(np.quantile(air(name).dry_bulb_c, 0.99)))
    over = [year("dry", name)[2] for name in hottest]
    assert ordered(over, 1e-3) and over[-1] > 0.0
    assert year("adiabatic", hottest[-1])[2] < over[-1]


def test_pads_drink_where_air_is_hot_and_dry():
    drunk = {name: year("adiabatic", name)[1] for name in by_heat()}
    work = {name: float(np.maximum(air(name).dry_bulb_c - 28.0, 0.0).mean()) for name in drunk}
    names = sorted(drunk, key=work.__getitem__)
    assert ordered([drunk[name] for name in names], 0.05 * max(drunk.values()))
    if len(drunk) == 7:
        assert names[-1] == "Phoenix" and drunk["Helsinki"] < 0.02 * drunk["Phoenix"]


def test_towers_evaporate_more_where_air_is_warm_and_dry():
    """Per heat: at most all of it latent, the least where cold air takes some as warmth."""
    drunk = {name: year("tower", name)[1] / 0.85 for name in by_heat()}
    coldest = min(drunk, key=lambda name: float(air(name).dry_bulb_c.mean()))
    assert min(drunk, key=drunk.__getitem__) == coldest
    assert all(0.6 * 1.48 < 3.6e6 * value < 1.15 * 1.48 for value in drunk.values())
    if len(drunk) == 7:
        assert max(drunk, key=drunk.__getitem__) == "Phoenix"


def test_plants_order_in_every_climate():
    """Compressors cost more than fans; pads spare fans, and water is what they pay with."""
    for name in by_heat():
        power = {kind: year(kind, name)[0] for kind in KINDS}
        assert max(power["dry"], power["adiabatic"]) < power["air_chiller"]
        if year("air_chiller", name)[3] > 0.15:  # where compressors matter more than condenser pumps
            assert power["tower"] < power["chiller_tower"] < power["air_chiller"]
        assert year("tower", name)[1] > year("adiabatic", name)[1] >= year("dry", name)[1] == 0.0
        assert year("chiller_tower", name)[1] >= 0.9 * year("tower", name)[1]
