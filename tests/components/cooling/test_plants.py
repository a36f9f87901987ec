"""What every kind of plant promises, whatever it is; a new kind is covered without an edit."""

import inspect

import numpy as np
import pytest

from simulator.components.cooling import LOAD_FRAC, PLANT_KINDS, HourlyWeather, Plant, Staged
from simulator.components.cooling.dry_cooler import DryCooler
from simulator.components.cooling.psychrometrics import wet_bulb_c
from simulator.kernels.cooling import pump_frac

HOURS = 600
SET_C = (18.0, 22.0, 30.0, 37.0)
COMMON = {"unit": "3 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"}
DRY_FIRST = ("FluidCooler", "Thermosyphon")
"""Kinds whose dry fans give way to water in heat and under load: less power then takes more water."""
every_kind = pytest.mark.parametrize("kind", PLANT_KINDS, ids=lambda kind: kind.__name__)


def make(kind, **changes):
    return kind.model_validate({**COMMON, **changes})


@pytest.fixture(scope="module")
def hotter_and_hotter():
    """Air from -35 to 48 degC with the water it can hold: both bulbs rise from row to row."""
    dry = np.linspace(-35.0, 48.0, HOURS)
    pressure = np.full(HOURS, 100_000.0)
    wet = wet_bulb_c(dry, np.interp(dry, [-35, 48], [0.9, 0.3]), pressure)
    return HourlyWeather(dry, np.maximum.accumulate(wet), pressure)


def takes_no_less(kind, plant, axis, room):
    """Return whether power rises along an axis, but for `room`, or else water does."""
    no_less = np.diff(plant.power_frac, axis=axis) > -room
    if kind.__name__ in DRY_FIRST:
        no_less |= np.diff(plant.evaporation_kg_j, axis=axis) > 0.0
    return bool(no_less.all())


@every_kind
def test_kind_is_the_name_of_its_file(kind):
    name = kind.model_fields["kind"].default
    assert inspect.getfile(kind).endswith(f"/{name}.py")


def test_the_document_picks_the_kind():
    from pydantic import TypeAdapter

    plant = TypeAdapter(Plant).validate_python({"kind": "dry_cooler", **COMMON})
    assert type(plant).__name__ == "DryCooler"


@every_kind
@pytest.mark.parametrize("set_c", SET_C)
def test_map_is_complete_finite_and_in_bounds(kind, set_c, hotter_and_hotter):
    plant = make(kind).plant_map(set_c, hotter_and_hotter)
    np.testing.assert_allclose(plant.load_frac, np.maximum(np.arange(71) / 50.0, 1e-6), atol=1e-15)
    for values in (
        plant.supply_c,
        plant.power_frac,
        plant.evaporation_kg_j,
        plant.blowdown_kg_j,
    ):
        assert values.shape == (HOURS, 71)
        assert np.isfinite(values).all()
    assert (plant.supply_c >= set_c - 1e-9).all()
    assert (plant.power_frac >= 0.0).all() and (plant.power_frac < 0.5).all()
    assert (plant.evaporation_kg_j >= 0.0).all() and (plant.blowdown_kg_j >= 0.0).all()
    assert plant.mechanical_frac.shape == (HOURS, 71)
    assert (plant.mechanical_frac >= 0.0).all() and (plant.mechanical_frac <= 1.0).all()


@every_kind
def test_an_array_of_set_temperatures_is_each_of_them(kind, hotter_and_hotter):
    plant, hours = make(kind).sized_for(20.0), len(hotter_and_hotter)
    by_hour_c = np.where(np.arange(hours) % 2, 22.0, 37.0)[:, None]
    mixed = plant.plant_map(by_hour_c, hotter_and_hotter)
    full = plant.plant_map(np.broadcast_to(by_hour_c, (hours, 71)), hotter_and_hotter)
    for name in ("supply_c", "power_frac", "evaporation_kg_j", "blowdown_kg_j", "mechanical_frac"):
        each = [getattr(plant.plant_map(c, hotter_and_hotter), name) for c in (22.0, 37.0)]
        expected = np.where(by_hour_c == 22.0, *each)
        np.testing.assert_allclose(getattr(mixed, name), expected, atol=1e-12)
        np.testing.assert_array_equal(getattr(mixed, name), getattr(full, name))


@every_kind
@pytest.mark.parametrize("set_c", SET_C)
def test_hotter_weather_gives_neither_colder_water_nor_less_power(kind, set_c, hotter_and_hotter):
    plant = make(kind).plant_map(set_c, hotter_and_hotter)
    assert np.diff(plant.supply_c, axis=0).min() > -1e-9
    # Tower fans near standstill may stop a little late: below 0.01 % of capacity.
    assert takes_no_less(kind, plant, 0, 1e-4)


@every_kind
@pytest.mark.parametrize("set_c", SET_C)
def test_more_heat_gives_neither_colder_water_nor_less_power(kind, set_c, hotter_and_hotter):
    plant = make(kind).plant_map(set_c, hotter_and_hotter)
    assert np.diff(plant.supply_c, axis=1).min() > -1e-9
    assert takes_no_less(kind, plant, 1, 1e-6)


@pytest.mark.parametrize("kind", [k for k in PLANT_KINDS if issubclass(k, Staged)], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("set_c", [*SET_C, "by load"])
def test_no_group_rests_while_the_water_is_warmer_than_told(kind, set_c, hotter_and_hotter):
    told_c = 30.0 - 4.0 * np.minimum(LOAD_FRAC, 1.0)[None, :] if set_c == "by load" else set_c
    whole, staged = (make(kind, stages=n).sized_for(26.0).plant_map(told_c, hotter_and_hotter) for n in (1, 4))
    np.testing.assert_allclose(staged.supply_c, whole.supply_c, atol=1e-4)
    cold, tenth = 0, int(np.abs(LOAD_FRAC - 0.1).argmin())
    assert staged.asked_frac[cold, tenth] <= 0.25 or kind.__name__ == "FluidCooler"  # its dry coil is all of them


@every_kind
def test_next_to_no_heat_takes_constant_pumps_at_most_and_no_fans(kind, hotter_and_hotter):
    plant = make(kind).plant_map(30.0, hotter_and_hotter)
    cool = make(kind).sink_c(hotter_and_hotter) < 29.0
    assert plant.power_frac[cool, 0].max() < 0.0131  # condenser pumps of `chiller_tower`
    assert plant.evaporation_kg_j[cool, 0].max() < 1e-8  # drift of what circulates
    np.testing.assert_allclose(plant.supply_c[cool, 0], 30.0)


@every_kind
def test_warmer_set_point_takes_less_power_over_a_year(kind, hotter_and_hotter):
    power = [make(kind).plant_map(c, hotter_and_hotter).power_frac.mean() for c in SET_C]
    assert power == sorted(power, reverse=True)


@every_kind
def test_units_and_thermal_mass(kind):
    plant = make(kind, margin="10 %")
    assert plant.duty_units(30e6) == 11
    assert plant.duty_units(1.0) == 1
    assert plant.heat_capacity_rate_w_k(33e6) == pytest.approx(33e6 / 8.0)
    assert plant.thermal_mass_j_k(33e6) == pytest.approx(60.0 * 33e6 / 8.0)


def test_the_load_grid_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        LOAD_FRAC[0] = 1.0


def test_pumps_with_drives_draw_what_flow_and_held_head_ask_and_those_without_always_the_same():
    driven, plain = (make(DryCooler, pump_speed=speed) for speed in ("variable", "constant"))
    law = driven.slowest, driven.held_head
    assert pump_frac(1.0, *law) == 1.0 == pump_frac(1.3, *law)
    assert pump_frac(0.5, *law) == pytest.approx(0.30, abs=0.002)  # the most ASHRAE 90.1 allows
    assert pump_frac(0.0, *law) == pump_frac(0.3, *law) > 0.0  # the lowest flow
    assert pump_frac(0.5, 0.0, 0.0) == 0.5**3  # affinity laws alone
    assert [pump_frac(x, plain.slowest, plain.held_head) for x in (0.0, 0.5, 1.0)] == [1.0, 1.0, 1.0]
