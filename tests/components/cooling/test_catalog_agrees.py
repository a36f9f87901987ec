"""The catalog's equipment and the defaults of the kinds it stands for are one set of figures."""

import pytest

from simulator import catalog, units
from simulator.components.cooling.adiabatic_dry_cooler import AdiabaticDryCooler
from simulator.components.cooling.air_chiller import AirChiller
from simulator.components.cooling.coil import AIR_EXPONENT, WATER_EXPONENT
from simulator.components.cooling.coolant_unit import CoolantUnit
from simulator.components.cooling.tower import Tower


def figure(name, key, unit=None):
    value = catalog.load("facility", name)[key]["value"]
    return units.parse(value, unit) if unit else float(value)


def default(kind, field):
    return kind.model_fields[field].default


@pytest.mark.parametrize(("told", "kind", "field"), [
    (figure("water", "cycles_of_concentration"), Tower, "cycles_of_concentration"),
    (figure("water", "cycles_of_concentration"), AdiabaticDryCooler, "cycles_of_concentration"),
    (figure("water", "drift"), Tower, "drift"),
    (figure("cooling-tower", "wet_bulb", "degC"), Tower, "design_wet_bulb"),
    (figure("cooling-tower", "water_out", "degC") - figure("cooling-tower", "wet_bulb", "degC"), Tower,
     "tower_approach"),
    (figure("cooling-tower", "water_in", "degC") - figure("cooling-tower", "water_out", "degC"), Tower, "tower_range"),
    (figure("dry-cooler", "air", "degC"), AdiabaticDryCooler, "design_air"),
    (figure("dry-cooler", "water_out", "degC") - figure("dry-cooler", "air", "degC"), AdiabaticDryCooler, "approach"),
    (figure("dry-cooler", "fan_power", "W") / figure("dry-cooler", "rating", "W"), AdiabaticDryCooler, "fan"),
    (figure("coolant-unit", "approach", "K"), CoolantUnit, "approach"),
    (figure("coolant-unit", "pump_share"), CoolantUnit, "pump"),
    (figure("air-chiller", "cop"), AirChiller, "rated_cop"),
    (figure("air-chiller", "air", "degC"), AirChiller, "design_air"),
])
def test_a_default_is_the_catalogs(told, kind, field):
    assert default(kind, field) == pytest.approx(told, rel=2e-4)


def test_coils_follow_the_catalogs_exponents():
    assert figure("dry-cooler", "exponent_air") == AIR_EXPONENT
    assert figure("dry-cooler", "exponent_water") == WATER_EXPONENT
