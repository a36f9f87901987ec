"""Topic `facility`: power and water of whole sites, flows of coolant, chillers of a known campus.

Configurations are in words, so a row is known by its id. A site's figures are its year hour by hour in
the steady state (`facility_sites`); what cannot be simulated is told apart with the reason.
"""

from collections.abc import Callable
from functools import cache

from simulator.components.cooling.air_chiller import AirChiller
from simulator.components.cooling.fluids import flow_m3_j
from simulator.components.cooling.psychrometrics import LATENT_HEAT_J_KG
from simulator.components.power.loss import LossCurve
from simulator.components.power.ups import Ups
from simulator.studies.validate import facility_sites as sites
from simulator.studies.validate.topic import Cells, Simulated, given

QUANTITY = "annual PUE"

LITRES_PER_GALLON = 3.785411784
HOURS = 8760.0
J_PER_KWH = 3.6e6
RISE_K = 10.0
"""Of the coolant through a rack, as the rows of flow state it."""
COLOSSUS_HEAT_W, COLOSSUS_UNIT_W = 200e6, 1.7e6
"""Heat of xAI's Colossus 2 and of one of its chillers (Epoch AI; SemiAnalysis)."""
HALF_LOADED = 0.5
"""Load of a UPS of a redundant pair (derived)."""
CONVERTERS = LossCurve.model_validate({"no_load": "0.75 %", "linear": "0.73 %", "load": "1.72 %"})
"""Double conversion of 96.0/97.0/97.1/96.9 % at 25/50/75/100 % load (`topologies/hall.yaml`)."""

FLEET = (
    "mean of a fleet whose sites, climates and designs are not told; the plants of this catalog span what "
    "docs/models/validation.md lists"
)
WORDS = "figures in words, not one number"
UNTOLD = {
    "AWS-PUE": FLEET, "AWS-WUE": FLEET, "MSFT-PUE": FLEET, "MSFT-WUE": FLEET,
    "META-WATER": f"{WORDS}; {FLEET}",
    "GOOG-WATER": "the energy that goes with it is not in the row",
    "GEM-CI": "a market-based figure of contracts; carbon here is that of the grid",
    "FRONTIER-FLOW": "flow follows from heat and the water's rise, and neither is published with it: 28.3 MW "
    "of cabinets (topic power) would warm it by 18 K",
    "ASHRAE-W": "a classification, not a measurement",
    "UPS-EFF": f"{WORDS}; the catalog's curve is fitted to such vendors' figures",
    "XFMR": "the catalog's own source of that figure: it would check itself",
    "CHAIN-FRONTIER": "the catalog's own source of that figure: it would check itself",
    "CHAIN-LENOVO": f"{WORDS}, declared and not measured",
    "EP-WISC": f"{WORDS}; a closed loop under dry coolers evaporates nothing, and water of people and "
    "gardens is not modelled",
    "EP-RAINIER": "a permit for a peak day, not a measurement",
    "CHILLERS": "a table of products, not a measurement",
    "ESIF-RETURN": "an input: the warming of the water is set by the design",
    "PSU-ORV3": "the catalog's own source of that figure: it would check itself",
    "LRZ": "an inlet and a PUE in one row; the site's meters are not told",
}  # fmt: skip
"""Why a row is not simulated."""

Figure = Callable[[str], tuple[float, str]]
"""From the row's unit to a value in it, and what was chosen."""


def simulate(row: Cells) -> Simulated:
    """Return a figure in the row's unit; ValueError says why one is not simulated."""
    name = given(row, "id")
    found = _figures().get(name)
    if found is None:
        raise ValueError(UNTOLD.get(name, f"'{row.get('quantity', '')}' is of no facility that is described here"))
    value, note = found(row.get("unit", ""))
    return Simulated(value, note=note)


@cache
def _figures() -> dict[str, Figure]:
    return {
        "ESIF-PUE": lambda unit: (esif_pue(), f"{WARM_WATER}; {esif_range()}"),
        "ESIF-PUE-1": lambda unit: (esif_pue() - 1.0, f"{WARM_WATER}; {esif_range()}"),
        "ESIF-WATER": lambda unit: (esif_water(unit), f"{WARM_WATER}; {esif_reuse(unit)}"),
        "ESIF-THERMO": lambda unit: (esif_saved(unit), THERMOSYPHON),
        **dict.fromkeys(("GOOG-PUE", "GEM-PUE"), lambda unit: (sites.carolina(False).imported, ECONOMISER)),
        "META-PUE": lambda unit: (sites.carolina(True).imported, AIR),
        "GEM-WUE": lambda unit: (
            sites.carolina(False).water_l_kwh / sites.carolina(False).imported, ECONOMISER,
        ),
        "GB200-FLOW": lambda unit: (
            flow_m3_j("pg25", RISE_K) * 1e3 * 60e3, "PG25 at 40 degC",
        ),
        "GB200-FLOW-WATER": lambda unit: (flow_m3_j("water", RISE_K) * 1e3 * 60e3, "water"),
        "EVAP": lambda unit: (J_PER_KWH / LATENT_HEAT_J_KG, "all heat latent, at 30 degC"),
        "UPS-ECO": lambda unit: (100.0 * eco_saving(), "half loaded"),
        "COL2-CHILL": lambda unit: (
            colossus_chillers(), "arithmetic, no simulation: heat over unit, one spare",
        ),
    }  # fmt: skip


WARM_WATER = (
    "towers behind a plate exchanger at Aurora-Buckley's typical year; meters as NREL's data set has them: IT, "
    "pumps, towers, fans, lights, no distribution losses"
)


THERMOSYPHON = f"dry coolers of the kind's defaults in series before the racks' towers; {WARM_WATER}"
ECONOMISER = (
    "against one site for a fleet: chillers behind a water-side economiser on towers, cold aisles of 27 degC, "
    "losses from the grid on, Greensboro NC"
)
AIR = (
    "against one site for a fleet: outdoor air by its dew point, chillers for the rest, cold aisles of 27 degC, "
    "losses from the grid on, Greensboro NC"
)


def esif_pue() -> float:
    """Return PUE as ESIF's meters have it: IT, pumps, cooling, HVAC, plugs and lights over IT."""
    found = sites.warm_water()
    return 1.0 + found.cooling + found.house


def esif_range() -> str:
    """Return how far PUE - 1 moves as one assumption at a time goes to an end of its range."""
    found = {words: year.cooling + year.house for words, year in sites.warm_water_range().items()}
    told = ", ".join(f"{words} {value:.4f}" for words, value in found.items())
    return f"PUE - 1 by what is assumed: {min(found.values()):.4f}-{max(found.values()):.4f} ({told})"


def esif_reuse(unit: str) -> str:
    """Return the water with nothing reused, in the row's unit: the share that is, is from memory."""
    none = _water(sites.warm_water(reuse=False).water_l_kwh, unit)
    return f"{100.0 * sites.REUSED:.3g} % of the heat reused (from memory); {none:.3g} {unit} with none"


def esif_water(unit: str) -> float:
    """Return the water that ESIF's towers evaporate: per IT energy, or a year in the row's unit."""
    return _water(sites.warm_water().water_l_kwh, unit)


def esif_saved(unit: str) -> float:
    """Return the water that thermosyphon coolers before the racks' towers spare."""
    spared = sites.warm_water().water_l_kwh - sites.warm_water("thermosyphon").water_l_kwh
    return _water(spared, unit)


def _water(l_kwh: float, unit: str) -> float:
    """Return litres per kWh of IT in that, or in the row's unit of a year at ESIF's load."""
    year_l = l_kwh * sites.ESIF_IT_W / 1e3 * HOURS
    scale = {"L/kWh": l_kwh, "Mgal/yr": year_l / LITRES_PER_GALLON / 1e6,
        "Mgal": year_l / LITRES_PER_GALLON / 1e6, "m3": year_l / 1e3}
    if unit not in scale:
        raise ValueError(f"unit '{unit}' is none of {', '.join(scale)}")
    return scale[unit]


def eco_saving() -> float:
    """Return what eco mode saves, of the load: losses in double conversion less those on the bypass."""
    converters = CONVERTERS.loss_w(HALF_LOADED, 1.0)
    bypass = Ups.model_fields["eco_loss"].default.loss_w(HALF_LOADED, 1.0)
    return float(converters - bypass) / HALF_LOADED


def colossus_chillers() -> float:
    """Return the chillers that carry a campus' heat, with the spare one of the kind's default."""
    plant = AirChiller.model_validate(
        {"kind": "air_chiller", "unit": f"{COLOSSUS_UNIT_W} W", "range": "10 K", "tank": "5 min", "pump": "1 %"}
    )
    return float(plant.duty_units(COLOSSUS_HEAT_W) + plant.spare_units)
