"""Whole sites that published figures of facilities are of, and their year in the steady state."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import documents
from simulator.components.cooling import HourlyWeather
from simulator.components.topology import Topology
from simulator.site import Site, compile_site
from simulator.studies.calibrate.models.facility_power import plants_of, settled
from simulator.weather import WeatherSource, read

Array = NDArray[np.float64]
GOLDEN = Path(__file__).with_name("golden_hours.csv")
"""Hours of a typical year by classes of dry bulb (3 K) and wet bulb (1.5 K), with their means: made of
NREL's TMY3 of Aurora-Buckley, Colorado (1,726 m), 40 km from Golden."""
WARM_WATER = Path(__file__).with_name("warm_water_site.yaml")
"""The site that published figures of ESIF are compared with. Its racks stand for heat alone."""
PER_KWH = 3.6e6

ESIF_IT_W = 1.0e6
"""Mean of the year ("approaching an hourly average of 1 megawatt", NREL 2018)."""
REUSED = 0.105
"""Of IT heat, over the year, to the building and the campus: PUE of 1.034 less an energy reuse
effectiveness of 0.929 (NREL, year to August 2017; from memory, so assumed: 0-0.3). Water is told with
it and without."""
HEATED_BELOW_C = 15.0
"""Outdoor air below which buildings take heat, in proportion to what it lacks (13-18, assumed)."""
MOST_REUSED = 0.9
"""Of the heat of any hour."""

SWITCHES: dict[str, dict[str, Any]] = {
    "stages 1": {"stages": 1}, "house 2.5 kW": {"house": "2.5 kW"}, "house 10 kW": {"house": "10 kW"},
    "loop pump 0.6 %": {"pump": "0.6 %"}, "loop pump 1.5 %": {"pump": "1.5 %"},
}  # fmt: skip
"""Ends of what is assumed there: spare towers that always run (the default of their kind), and the
ranges of house loads and of the warm loop's pumps."""


_UNIT_SUBSTATION = {"rating": "750 kVA", "substation": {"no_load": "0.08 %", "load": "0.7 %"},
                    "busway": {"load": "0.6 %"}}  # fmt: skip
AIR_HALL: dict[str, Any] = {
    "name": "Hyperscale hall",
    "grid": {
        "voltage": "13.8 kV", "power_factor": 0.98,
        "lines": {"count": 2, "rating": "6 MVA", "loss": {"load": "0.4 %"}},
        "transformers": {"count": 2, "rating": "6 MVA", "loss": {"no_load": "0.08 %", "load": "0.7 %"}},
    },
    "mechanical": _UNIT_SUBSTATION | {"rating": "1 MVA"},
    "cooling": {
        "supply": "35 degC",
        "warm": {"kind": "dry_cooler", "unit": "1 MW", "range": "10 K", "tank": "5 min", "pump": "1 %"},
        "coolant_unit": {"unit": "1.3 MW"},
        "chilled_supply": "23 degC",
        "chilled": {"kind": "chiller_tower", "unit": "1 MW", "range": "8 K", "tank": "5 min", "pump": "2 %"},
        "fan_wall": {"approach": "4 K", "fan": "3 %"},
    },
    "halls": [{
        "name": "hall", "rack": "HGX-H100-4", "blocks": 4, "racks_per_block": 17, "block": _UNIT_SUBSTATION,
        "feeders": {"count": 2, "rating": "6 MVA", "loss": {"load": "0.3 %"}}, "house": "30 kW",
    }],
}  # fmt: skip
"""What a hall of air-cooled servers has otherwise than the warm-water site: the electrical chain of
`topologies/h100-hall.yaml` without a central UPS (Google and Meta state batteries in the racks), chillers with a
water-side economiser on towers, and cold aisles of 27 degC (Google: 80 degF)."""
OUTDOOR_AIR = {"kind": "crah", "approach": "4 K", "economiser": {}}
"""Outdoor air wherever its dew point and temperature allow, as Meta states; its wetted pads are not
modelled, chillers take their place."""
HALL_LOAD = 0.7
"""IT power over what the blocks can feed (0.5-0.9, assumed)."""


@dataclass(frozen=True)
class Year:
    """Sums and means of a year."""

    cooling: float
    """Energy of plants, pumps and fans over IT energy."""
    house: float
    """Lights, controls and offices over IT energy."""
    imported: float
    """Imported energy over IT energy."""
    water_l_kwh: float
    """Evaporation and drift per IT energy."""


def golden() -> tuple[HourlyWeather, Array]:
    """Return the classes of air at Golden, and the hours of each."""
    with GOLDEN.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    dry, wet, pressure, hours = (
        np.array([float(row[key]) for row in rows])
        for key in ("dry_bulb_c", "wet_bulb_c", "pressure_pa", "hours")
    )
    return HourlyWeather(dry, wet, pressure), hours


@cache
def warm_water_topology() -> dict[str, Any]:
    """Return the keys and values of the warm-water site's topology, as written."""
    topology: dict[str, Any] = documents.read(WARM_WATER).tree["topology"]
    return topology


@cache
def warm_water(
    kind: str = "tower", *, stages: int | None = None, pump: str | None = None, house: str | None = None,
    reuse: bool = True,
) -> Year:
    """Return the year of a site like ESIF, its racks' heat rejected by a kind of plant on towers; what
    is not given is as in `WARM_WATER`.

    `stages` is that of both loops' towers, `pump` that of the warm loop.
    """
    air, hours = golden()
    given, told = {"kind": kind, "pump": pump}, warm_water_topology()
    warm = told["cooling"]["warm"] | {key: value for key, value in given.items() if value is not None}
    both = {} if stages is None else {"stages": stages}
    chilled = told["cooling"]["chilled"] | both
    tree = told | {"cooling": told["cooling"] | {"warm": warm | both, "chilled": chilled}}
    if house is not None:
        tree |= {"halls": [told["halls"][0] | {"house": house}]}
    site = compile_site(Topology.model_validate(tree))
    return year(site, air, hours, ESIF_IT_W, reused(air.dry_bulb_c, hours) if reuse else np.zeros(len(hours)))


def warm_water_range() -> dict[str, Year]:
    """Return the same years with one assumption at a time at an end of its range."""
    return {words: warm_water(**change) for words, change in SWITCHES.items()}


@cache
def carolina(outdoor_air: bool) -> Year:
    """Return the year of a hyperscale hall in Greensboro, North Carolina, where both Google (Lenoir) and
    Meta (Forest City) stand near by."""
    cooling = AIR_HALL["cooling"] | ({"fan_wall": OUTDOOR_AIR} if outdoor_air else {})
    site = compile_site(Topology.model_validate(warm_water_topology() | AIR_HALL | {"cooling": cooling}))
    found = read(WeatherSource(station="greensboro"), Path())
    air = HourlyWeather(found.dry_bulb_c, found.wet_bulb_c, found.pressure_pa)
    none = np.zeros(len(air))
    return year(site, air, none + 1.0, HALL_LOAD * float(site.block_limit_w.sum()), none)


def year(site: Site, air: HourlyWeather, hours: Array, it_w: float, reuse: Array) -> Year:
    """Return the year of a site under constant IT power.

    Parameters
    ----------
    hours : of each class of air, (classes,)
    reuse : share of the heat that others take in each class, before the plants
    """
    share = site.block_limit_w / site.block_limit_w.sum()
    plants = plants_of(site, air)
    blocks_w = it_w * share[:, None] * np.ones(len(hours))
    whole = settled(site, blocks_w, plants)
    left = settled(site, blocks_w * (1.0 - reuse), plants) if reuse.any() else whole
    house_w = float(site.halls.house_w.sum())
    water = left.evaporation_kg_s.sum(axis=0)
    return Year(
        cooling=_mean(left.cooling_w.sum(axis=0), hours) / it_w,
        house=house_w / it_w,
        imported=_mean(whole.poi_w, hours) / it_w,
        water_l_kwh=_mean(water, hours) * PER_KWH / it_w,
    )


def reused(dry_bulb_c: Array, hours: Array) -> Array:
    """Return the share of heat that buildings take in each class of air: `REUSED` over the year."""
    wanted = np.maximum(HEATED_BELOW_C - dry_bulb_c, 0.0)
    low, high = 0.0, 1.0
    for _ in range(60):
        per_k = 0.5 * (low + high)
        enough = _mean(np.minimum(per_k * wanted, MOST_REUSED), hours) >= REUSED
        low, high = (low, per_k) if enough else (per_k, high)
    return np.minimum(high * wanted, MOST_REUSED)


def _mean(values: Array, hours: Array) -> float:
    return float((values * hours).sum() / hours.sum())


