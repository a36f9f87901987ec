"""What a scenario says, as specs, and the valid scenario itself."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from simulator.components.incident import Incident
from simulator.components.kinds import Spec
from simulator.components.operations import Operations
from simulator.components.topology import Topology
from simulator.documents import Document
from simulator.market import CarbonSeries, PriceSeries
from simulator.scenario.replicates import Replicates
from simulator.units import CarbonIntensity, Duration, EnergyPrice, PowerPrice, Within
from simulator.weather import WeatherSource
from simulator.workloads import Workload
from simulator.workloads.verification import Verify

WEATHER_FILES = ("epw", "tmy3", "csv")
"""Keys of `weather` that name a file."""
SERIES = ("prices", "emissions")
"""Keys of `economics` that name a file of hourly figures."""


class Period(Spec):
    """When the run starts and how long it lasts."""

    start: AwareDatetime
    """ISO date and time with its offset from UTC, which is also the campus's clock."""
    duration: Annotated[Duration, Within("1 min", "20 years")]
    """A whole number of minutes."""


class Reliability(Spec):
    """How the fleet fails."""

    fleet: str = "hyperscale"
    """Failure classes, from the catalog."""
    age: Annotated[Duration, Within("0 s", "50 years")] = 31_557_600.0
    """Age of the fleet at the start."""
    rates: Literal["fixed", "drawn"] = "fixed"
    """`fixed`: every replicate fails at the fleet's rates; `drawn`: each draws rates of its own, as
    far apart as published fleets are (`engine/rates.py`)."""
    rate_scale: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Multiplies every failure rate; published fleets differ by a factor of three."""


class Economics(Spec):
    """Prices and emissions of energy: one figure for all hours, or a series of an actual year."""

    energy_price: Annotated[EnergyPrice, Within("0 USD/MWh", "10000 USD/MWh")]
    demand_charge: Annotated[PowerPrice, Within("0 USD/kW/month", "1000 USD/kW/month")] = 0.0
    """On the largest 15-minute mean import of each month."""
    carbon_intensity: Annotated[CarbonIntensity, Within("0 kg/MWh", "2000 kg/MWh")]
    """Of imported energy, location-based."""
    prices: PriceSeries | None = None
    """Price of every hour, in place of `energy_price`."""
    emissions: CarbonSeries | None = None
    """Intensity of every hour, in place of `carbon_intensity`."""


class Record(Spec):
    """What the time series keep beside site, halls, loops, pools and jobs."""

    racks: tuple[str, ...] = ()
    """Halls whose racks are recorded hourly: names of groups (`train`) or of single halls
    (`train-03`)."""


class ScenarioSpec(Spec):
    """A campus, what runs on it, its weather and its period."""

    name: Annotated[str, Field(min_length=1)]
    question: str = ""
    """What the author wants to know; printed on the decision page."""
    topology: Topology
    workloads: tuple[Workload, ...] = ()
    weather: WeatherSource
    period: Period
    reliability: Reliability = Reliability()
    operations: Operations | None = None
    """How failures are noticed, diagnosed and repaired, and what is planned. Blank: repairs last what
    their classes say, all in all, and nothing is planned."""
    incidents: tuple[Incident, ...] = ()
    """Failures that happen whatever the draws say."""
    economics: Economics
    record: Record = Record()
    verify: Verify = Verify()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    replicates: Replicates = 1
    """How often, with other draws: a number, or a rule that says when it is enough."""


@dataclass(frozen=True)
class Scenario:
    """A valid scenario and the document it came from."""

    spec: ScenarioSpec
    document: Document

    @property
    def weather_folder(self) -> Path:
        """Return the folder that weather file names are relative to."""
        return weather_folder(self.spec.weather, self.document)

    def trace_folder(self, pool: str) -> Path:
        """Return the folder that the name of a pool's trace is relative to."""
        index = [work.name for work in self.spec.workloads].index(pool)
        return self.document.folder_of(("workloads", index, "requests", "trace"))

    @property
    def traces(self) -> dict[str, Path]:
        """Return the files of requests by the pool that serves them."""
        asked = {work.name: getattr(work, "requests", None) for work in self.spec.workloads}
        return {
            name: self.trace_folder(name) / requests.trace
            for name, requests in asked.items()
            if requests and requests.trace
        }

    def series_folder(self, key: str) -> Path:
        """Return the folder that the name of a file of hourly figures is relative to."""
        return self.document.folder_of(("economics", key, "file"))

    @property
    def series(self) -> dict[str, PriceSeries | CarbonSeries]:
        """Return the hourly figures that are given, by their key in `economics`."""
        found = {key: getattr(self.spec.economics, key) for key in SERIES}
        return {key: series for key, series in found.items() if series is not None}

    @cached_property
    def config_hash(self) -> str:
        """Return the hash of everything that decides the result, without names of files."""
        plain: dict[str, Any] = self.spec.model_dump(mode="json")
        for key in WEATHER_FILES:
            plain["weather"][key] = plain["weather"][key] is not None
        for key in SERIES:
            if plain["economics"][key] is not None:
                plain["economics"][key]["file"] = True
        for work in plain["workloads"]:
            if (work.get("requests") or {}).get("trace"):
                work["requests"]["trace"] = True
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def weather_folder(source: WeatherSource, document: Document) -> Path:
    """Return the folder of the document that names the weather file."""
    named = next((key for key in WEATHER_FILES if getattr(source, key)), None)
    return document.folder_of(("weather", named) if named else ("weather",))
