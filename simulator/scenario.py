"""The document: scenario.yaml to a frozen Scenario, or every problem with its file and line."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AwareDatetime, Field, ValidationError

from simulator.components.kinds import Spec
from simulator.components.topology import Topology
from simulator.documents import Document, read
from simulator.errors import ScenarioError
from simulator.units import (
    CarbonIntensity,
    Duration,
    EnergyPrice,
    NonNegative,
    Positive,
    PowerPrice,
)
from simulator.weather import WeatherSource
from simulator.workloads import Workload


class Period(Spec):
    """When the run starts and how long it lasts."""

    start: AwareDatetime
    duration: Annotated[Duration, Positive()]


class Reliability(Spec):
    """How the fleet fails."""

    fleet: str = "hyperscale"
    """Failure classes, from the catalog."""
    age: Annotated[Duration, NonNegative()] = 31_557_600.0
    """Age of the fleet at the start."""
    rate_scale: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Multiplies every failure rate; published fleets differ by a factor of three."""


class Economics(Spec):
    """Prices and emissions of energy."""

    energy_price: Annotated[EnergyPrice, NonNegative()]
    demand_charge: Annotated[PowerPrice, NonNegative()] = 0.0
    """On the largest 15-minute mean import of each month."""
    carbon_intensity: Annotated[CarbonIntensity, NonNegative()]
    """Of imported energy, location-based."""


class ScenarioSpec(Spec):
    """A campus, what runs on it, its weather and its period."""

    name: str
    question: str = ""
    """What the author wants to know; printed on the decision page."""
    topology: Topology
    workloads: tuple[Workload, ...] = ()
    weather: WeatherSource
    period: Period
    reliability: Reliability = Reliability()
    economics: Economics
    seed: Annotated[int, Field(ge=0)] = 1
    replicates: Annotated[int, Field(ge=1, le=100_000)] = 1


@dataclass(frozen=True)
class Scenario:
    """A valid scenario and the document it came from."""

    spec: ScenarioSpec
    document: Document

    @property
    def weather_folder(self) -> Path:
        """Return the folder that weather file names are relative to."""
        return self.document.folder_of(("weather",))

    @property
    def config_hash(self) -> str:
        """Return the hash of everything that decides the result, without names of files."""
        text = json.dumps(self.document.tree, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def load(
    path: str | Path, sets: Iterable[str | tuple[str, Any]] = (), scenario: str | None = None
) -> Scenario:
    """Return the scenario of a file; ScenarioError lists every problem."""
    document = read(path, sets, scenario)
    try:
        return Scenario(ScenarioSpec.model_validate(document.tree), document)
    except ValidationError as error:
        raise ScenarioError(
            [document.problem(tuple(e["loc"]), e["msg"]) for e in error.errors()]
        ) from None


def resolved(scenario: Scenario) -> str:
    """Return the whole document as YAML: imports, templates, overrides and `--set` laid on."""
    return yaml.safe_dump(scenario.document.tree, sort_keys=False, allow_unicode=True, width=100)
