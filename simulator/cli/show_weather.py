"""The weather part of `gigawatt show`: its hottest hours, and what the place reaches once in many years."""

from simulator.cli.text import MISSING, number, table
from simulator.scenario import Scenario
from simulator.simulation import weather_of
from simulator.weather import read_once
from simulator.weather.rare import once_in

YEARS = 20.0
DIGITS = 3


def air(scenario: Scenario) -> list[str]:
    """Return the weather by name, and its dry and wet bulb without a heat wave on them."""
    source = scenario.spec.weather.model_copy(update={"extreme": None})
    told, plain = weather_of(scenario), read_once(source, scenario.weather_folder)
    rows = [
        [r.quantity, number(r.hottest_c, DIGITS), MISSING if r.rare_c is None else number(r.rare_c, DIGITS), r.source]
        for r in once_in(plain, YEARS)
    ]
    header = ["outdoor air, degC", "hottest hour", f"once in {YEARS:g} years", "from"]
    return [f"{told.name}: {told.label}", *table(header, rows, right=(1, 2))]
