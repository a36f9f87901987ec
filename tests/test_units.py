"""Text to SI and back: values, refusals with their cures, bounds, exact round trips."""

import contextlib
import subprocess
import sys
from fractions import Fraction as Exact
from typing import Annotated, Any

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from simulator.units import (
    QUANTITIES,
    Duration,
    Fraction,
    NonNegative,
    Positive,
    Power,
    Temperature,
    Within,
    parse,
    quantity_of,
    text,
    vocabulary,
)


@pytest.mark.parametrize(
    ("given", "unit", "si"),
    [
        ("132 kW", "W", 132e3),
        ("132kW", "W", 132e3),
        ("1.2e3 MW", "W", 1.2e9),
        ("3 megawatts", "W", 3e6),
        ("100 TR", "W", 351685.28420667),
        ("300 MVA", "VA", 3e8),
        ("50 Mvar", "var", 5e7),
        ("5 kWh", "J", 18e6),
        ("5 ms", "s", 0.005),
        ("2 h", "s", 7200),
        ("1.5 days", "s", 129600),
        ("1 week", "s", 604800),
        ("12 months", "s", 365.25 * 86400),
        ("1 year", "s", 365.25 * 86400),
        ("45 degC", "degC", 45),
        ("45 °C", "degC", 45),
        ("318.15 K", "degC", 45),
        ("104 degF", "degC", 40),
        ("-10 degC", "degC", -10),
        ("10 K", "K", 10),
        ("10 delta_degC", "K", 10),
        ("18 delta_degF", "K", 10),
        ("2 degC/min", "K/s", 2 / 60),
        ("2 celsius/min", "K/s", 2 / 60),
        ("345 kV", "V", 345e3),
        ("4 kA", "A", 4000),
        ("5 %", "1", 0.05),
        ("0.05", "1", 0.05),
        ("1.6 t", "kg", 1600),
        ("2.5 kg/s", "kg/s", 2.5),
        ("60 L", "m3", 0.06),
        ("5 m^3", "m3", 5),
        ("5 m³", "m3", 5),
        ("150 L/min", "m3/s", 0.0025),
        ("1 gpm", "m3/s", 0.003785411784 / 60),
        ("1.5 bar", "Pa", 150e3),
        ("40 psi", "Pa", 275790.29172672),
        ("1 ft", "m", 0.3048),
        ("288 GB", "B", 288e9),
        ("1 GiB", "B", 2**30),
        ("400 Gb/s", "B/s", 50e9),
        ("400 Gbps", "B/s", 50e9),
        ("50 GB/s", "B/s", 50e9),
        ("989 TFLOPS", "FLOP/s", 989e12),
        ("989 TFLOP/s", "FLOP/s", 989e12),
        ("4500 TOPS", "FLOP/s", 4500e12),
        ("0.03 K/W", "K/W", 0.03),
        ("0.03 degC/W", "K/W", 0.03),
        ("500 J/K", "J/K", 500),
        ("3.98 kJ/kg/K", "J/kg/K", 3980),
        ("0.05 /year", "1/s", 0.05 / 31557600),
        ("0.05 per year", "1/s", 0.05 / 31557600),
        ("2 %/year", "1/s", 0.02 / 31557600),
        ("6.5 per 1000 day", "1/s", 6.5 / 86400e3),
        ("1 per 50000 h", "1/s", 1 / 180e6),
        ("100 FIT", "1/s", 1e-7 / 3600),
        ("120 requests/s", "1/s", 120),
        ("60 Hz", "Hz", 60),
        ("20 MW/min", "W/s", 20e6 / 60),
        ("1.5 L/min/kW", "m3/J", 2.5e-8),
        ("0.3 L/kWh", "m3/J", 0.3e-3 / 3.6e6),
        ("3.5 MUSD", "USD", 3.5e6),
        ("65 USD/MWh", "USD/J", 65 / 3.6e9),
        ("12 USD/kW/month", "USD/W/s", 12 / 1e3 / 2629800),
        ("11 MUSD/MW", "USD/W", 11),
        ("350 kg/MWh", "kg/J", 350 / 3.6e9),
        ("350 gCO2e/kWh", "kg/J", 350 / 3.6e9),
        ("3 W*s", "J", 3),
    ],
)
def test_parse(given: str, unit: str, si: float) -> None:
    assert parse(given, unit) == pytest.approx(si, rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("given", "unit", "cure"),
    [
        ("132", "W", "a bare number has no unit; write e.g. '132 kW'"),
        (132, "W", "a bare number has no unit; write e.g. '132 kW'"),
        ("132 kVA", "W", "kVA is apparent power; this field is real power in W; multiply by the"),
        ("5 kWh", "W", "kWh is energy; this field is real power in W;.*write kW, not kWh"),
        ("5 kW", "J", "write kWh, not kW"),
        ("5 MW", "VA", "divide by the power factor"),
        ("5 Gb", "B", "bits, not bytes"),
        ("5 Gbit", "B", "bits, not bytes"),
        ("5 GB", "B/s", "add the time"),
        ("5 GB/s", "B", "leave out the time"),
        ("10 degC", "K", "point on a scale.*'10 K'"),
        ("10 delta_degC", "degC", "is a temperature difference"),
        ("20 MW", "W/s", "add the time"),
        ("5 TFLOP", "FLOP/s", "write TFLOPS or TFLOP/s"),
        ("5 TFLOPs", "FLOP/s", "unknown unit 'TFLOPs' .did you mean 'TFLOPS'"),
        ("5 USD/MWh", "USD/W/s", "is a price of energy"),
        ("12 USD/kW/month", "USD/J", "is a price of power"),
        ("5 kg/s", "m3/s", "divide by the density"),
        ("50 h", "1/s", "a mean time is not a rate"),
        ("5 tokens", "1", "is a count"),
        ("5 kg", "W", "kg is a mass; this field is real power in W; write e.g. '132 kW'"),
        ("5 m*Pa", "W", "is something else"),
        ("5 KW", "W", "unknown unit 'KW' .did you mean 'kW'"),
        ("5 Ws", "J", "unknown unit 'Ws'"),
        ("5 barn", "m2", "unknown unit 'barn'"),
        ("5 import", "W", "unknown unit 'import'"),
        ("1,000 kW", "W", "without a comma"),
        ("1 h 30 min", "s", "is not a unit"),
        ("5 W/", "W", "is not a unit"),
        ("5 $", "USD", "is not a unit"),
        ("abc", "W", "does not start with a number"),
        ("", "W", "does not start with a number"),
        ("nan W", "W", "does not start with a number"),
        ("inf", "1", "does not start with a number"),
        ("1e999 W", "W", "out of range"),
        ("1e308 TW", "W", "not a finite number"),
        ("9" * 99 + " W", "W", "too long"),
        (float("nan"), "1", "not a finite number"),
        (float("inf"), "1", "not a finite number"),
        (10**400, "1", "not a finite number"),
        (True, "1", "True is not a plain fraction"),
        (None, "W", "None is not real power"),
        ([1], "W", "is not real power"),
    ],
)
def test_refusals_say_the_cure(given: str, unit: str, cure: str) -> None:
    with pytest.raises(ValueError, match=cure):
        parse(given, unit)


@given(st.from_regex(r"\A-?\d{1,3} ?[\^%°\w/*. ()-]{0,12}\Z"), st.sampled_from(sorted(QUANTITIES)))
def test_any_text_is_a_number_or_a_plain_refusal(given: str, unit: str) -> None:
    with contextlib.suppress(ValueError):  # the only exception allowed
        assert isinstance(parse(given, unit), float)


@pytest.mark.parametrize("unit", sorted(QUANTITIES))
def test_every_quantity_reads_its_own_examples(unit: str) -> None:
    for example in QUANTITIES[unit].examples:
        assert parse(text(parse(example, unit), unit), unit) == parse(example, unit)


@pytest.mark.parametrize("unit", sorted(QUANTITIES))
@given(value=st.floats(min_value=-1e20, max_value=1e20))
def test_text_reads_back_exactly(unit: str, value: float) -> None:
    assert parse(text(value, unit), unit) == value


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (132e3, "W", "132 kW"),
        (0.0, "W", "0 W"),
        (3600.0, "s", "1 h"),
        (90.0, "s", "90 s"),
        (45.0, "degC", "45 degC"),
        (0.05, "1", "0.05"),
        (65 / 3.6e9, "USD/J", "65 USD/MWh"),
        (20e6 / 60, "W/s", "20 MW/min"),
        (50e9, "B/s", "50 GB/s"),
        (parse("0.05 /year", "1/s"), "1/s", "0.05 /year"),
        (7.0, "kg*m", "7 kg*m"),
    ],
)
def test_text_is_readable(value: float, unit: str, written: str) -> None:
    assert text(value, unit) == written


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry[Any]:
    """The same definitions as pint reads them, with exact fractions as its numbers."""
    made: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Exact)
    for symbol, (name, factor) in vocabulary._PREFIXES.items():
        made.define(f"{name}- = {factor} = {symbol}-")
    for line in vocabulary._DEFINITIONS.strip().splitlines():
        made.define(line)
    return made


def test_every_word_is_worth_what_pint_makes_of_it(registry: pint.UnitRegistry[Any]) -> None:
    for word in vocabulary.vocabulary():
        ours = vocabulary._words()[word]
        one, nothing = (registry.Quantity(Exact(n), word).to_base_units() for n in (1, 0))
        assert (one - nothing).magnitude == ours.factor, word
        assert nothing.magnitude == ours.offset, word
        assert {d.strip("[]"): n for d, n in one.dimensionality.items()} == dict(ours.powers), word


@pytest.mark.parametrize(
    ("unit", "target", "as_pint_reads_it"),
    [
        ("/1000 day", "1/s", "1/(1000*day)"),
        ("USD/kW/month", "USD/W/s", "USD/kW/month"),
        ("L/min/kW", "m3/J", "L/min/kW"),
        ("W/degC", "W/K", "W/delta_degC"),
        ("BTU/lb/degF", "J/kg/K", "BTU/lb/delta_degF"),
        ("kg*m^2/s^2", "J", "kg*m**2/s**2"),
        ("m*s^-1*h", "m", "m*s**-1*h"),
        ("percent/2.5e2 us", "1/s", "percent/(2.5e2*us)"),
        ("J/2.5 m^2*1000 m^2", "J", "J/(2.5*m**2)*1000*m**2"),
        ("W*2 s^-1", "W/s", "W*2*s**-1"),
        ("W/s", "W", "W/s"),
    ],
)
def test_products_are_worth_what_pint_makes_of_them(
    registry: pint.UnitRegistry[Any], unit: str, target: str, as_pint_reads_it: str
) -> None:
    try:
        theirs = registry.parse_expression(as_pint_reads_it).to(registry.parse_units(target)).magnitude
    except pint.DimensionalityError:
        assert vocabulary.convert(unit, target) is None
        return
    assert vocabulary.convert(unit, target) == (theirs, 0)


def test_differences_of_temperature_are_no_temperatures() -> None:
    assert vocabulary.convert("delta_degF", "degC") is None
    assert vocabulary.convert("degF", "degC") == (Exact(5, 9), Exact(-160, 9))
    assert vocabulary.convert("K", "degC") == (1, Exact("-273.15"))


def test_no_text_needs_pint() -> None:
    code = "import sys, simulator.units as u; u.parse('1 W', 'W'); assert 'pint' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


class Chiller(BaseModel):
    """A tiny spec with bounded fields."""

    rating: Annotated[Power, Positive()]
    supply: Annotated[Temperature, Within("10 degC", "60 degC")] = 30.0
    glycol: Annotated[Fraction, Within(0, 1)] = 0.25
    standby: Annotated[Power | None, NonNegative()] = None
    wait: Duration = 60.0
    pumps: Annotated[int, Positive()] = 1


def test_specs_hold_si_floats_and_go_round() -> None:
    chiller = Chiller.model_validate({"rating": "2 MW", "standby": "0 W", "glycol": "30 %"})
    assert (chiller.rating, chiller.standby, chiller.glycol) == (2e6, 0.0, 0.3)
    assert chiller.model_dump()["rating"] == 2e6
    written = chiller.model_dump(mode="json")
    assert (written["rating"], written["supply"], written["glycol"]) == ("2 MW", "30 degC", 0.3)
    assert Chiller.model_validate(written) == chiller
    assert Chiller.model_validate(chiller.model_dump(), context={"si": True}) == chiller


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rating": 5}, "a bare number has no unit; write e.g. '5 kW'"),
        ({"rating": "-1 kW"}, "'-1 kW' is out of range: must be more than 0"),
        ({"supply": "80 degC"}, "'80 degC' is out of range: must be from 10 degC to 60 degC"),
        ({"glycol": "120 %"}, "'120 %' is out of range: must be from 0 to 1"),
        ({"standby": "-5 kW"}, "'-5 kW' is out of range: must be 0 or more"),
        ({"pumps": 0}, "'0' is out of range: must be more than 0"),
    ],
)
def test_messages_of_specs_quote_what_was_written(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Chiller.model_validate({"rating": "1 MW"} | change)
    assert [error["msg"] for error in caught.value.errors()] == [told]


def test_trusted_values_must_still_be_finite_and_in_range() -> None:
    for rating, told in ((float("nan"), "not a finite"), (True, "not real"), (-5.0, "'-5 W'")):
        with pytest.raises(ValidationError, match=told):
            Chiller.model_validate({"rating": rating}, context={"si": True})


@pytest.mark.parametrize(
    ("bound", "told"),
    [
        (Within(low="1 kW"), "1 kW or more"),
        (Within(high="1 kW"), "1 kW or less"),
        (Within(0, "2 kW", above=True), "above 0 up to 2 kW"),
    ],
)
def test_ranges_in_words(bound: Within, told: str) -> None:
    assert bound.range_text() == told


def test_quantity_of_annotations_and_fields() -> None:
    assert quantity_of(Power) == "W"
    assert quantity_of(Power | None) == "W"
    assert quantity_of(float) is None
    found = {name: quantity_of(field) for name, field in Chiller.model_fields.items()}
    assert found["rating"] == found["standby"] == "W"
    assert found["pumps"] is None


def test_json_schema_is_text_with_examples() -> None:
    properties = Chiller.model_json_schema()["properties"]
    assert properties["rating"]["type"] == "string"
    assert "132 kW" in properties["rating"]["examples"]
    assert properties["glycol"]["type"] == ["number", "string"]
