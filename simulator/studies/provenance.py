"""Where a result comes from: versions, inputs with their hashes, the machine's share."""

import hashlib
import json
import platform
import resource
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.sizing import rack_named
from simulator.errors import display_name
from simulator.scenario import Scenario
from simulator.scenario.hourly import market_of
from simulator.simulation import weather_of
from simulator.studies.stamp import code_version
from simulator.workloads import models_of

PACKAGES = (
    "numpy", "numba", "scipy", "pandas", "pyarrow", "simpy", "pydantic", "pint", "pvlib",
    "psychrolib", "networkx", "joblib", "matplotlib", "typst",
)  # fmt: skip
BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


def packages() -> dict[str, str]:
    """Return the versions of the packages a result depends on."""
    return {name: metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, str]:
    """Return what is known of the host without naming it."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
    }


def inputs(scenario: Scenario) -> list[dict[str, str]]:
    """Return every file that decided the result, with its hash."""
    files = [_file("document", path) for path in scenario.document.files]
    weather = weather_of(scenario)
    files.append({"kind": "weather", "path": display_name(weather.path), "sha256": weather.sha256})
    files += [
        {"kind": "market", "path": display_name(found.path), "sha256": found.sha256}
        for found in market_of(scenario).values()
    ]
    files += [_file("trace", path) for path in scenario.traces.values()]
    files += [_file(f"catalog/{kind}", _path(kind, name)) for kind, name in entries(scenario)]
    return files


def entries(scenario: Scenario) -> list[tuple[str, str]]:
    """Return the catalog entries a scenario uses, as (kind, name as the file is called)."""
    used = {(kind, str(catalog.load(kind, name)["name"])) for kind, name in _named(scenario)}
    return sorted(used)


def identity(scenario: Scenario, replicate: int) -> str:
    """Return the hash of everything that decides one replicate's result."""
    weather = weather_of(scenario)
    traces = [_file("trace", path)["sha256"] for path in scenario.traces.values()]
    market = [found.sha256 for found in market_of(scenario).values()]
    decided = [code_version(), scenario.config_hash, weather.sha256, traces, replicate]
    decided += [market] if market else []
    return hashlib.sha256(json.dumps(decided).encode()).hexdigest()


def peak_memory_bytes() -> int:
    """Return the largest resident size so far of this process or of any finished child."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(w).ru_maxrss for w in who) * BYTES_PER_MAXRSS


def _named(scenario: Scenario) -> Iterator[tuple[str, str]]:
    topology = scenario.spec.topology
    own = {rack.name for rack in topology.racks}
    racks = {h.rack for h in topology.halls} | {s.rack for h in topology.halls for s in h.support}
    for name in racks:
        chip = rack_named(topology, name).accelerator
        if name not in own:
            yield "racks", from_catalog.rack(name).name
        if chip is not None:
            yield "accelerators", chip
    for work in scenario.spec.workloads:
        for name in models_of(work):
            yield "models", from_catalog.language_model(name).name
    for name in from_catalog.failure_entries(scenario.spec.reliability.fleet):
        yield "failures", name


def _path(kind: str, name: str) -> Path:
    return Path(catalog.FOLDER) / kind / f"{name}.yaml"


def _file(kind: str, path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    shown = path.relative_to(catalog.FOLDER.parent.parent) if kind[:7] == "catalog" else path
    return {"kind": kind, "path": display_name(str(shown)), "sha256": digest}
