"""`gigawatt check`: validate everything, say how big the scenario is and what a run will take."""

import json
from pathlib import Path

from simulator import scenario as documents
from simulator.cli.exits import INVALID
from simulator.errors import ScenarioError
from simulator.studies import run as study
from simulator.studies.progress import say
from simulator.studies.size import Size, as_dict, size


def check(path: Path, sets: tuple[str, ...], chosen: str | None, as_json: bool) -> None:
    """Carry out the command."""
    try:
        scenario = documents.load(path, sets, chosen)
        found, warned = size(scenario), study.warnings_of(scenario)
    except ScenarioError as error:
        if not as_json:
            raise
        problems = [vars(p) | {"text": str(p)} for p in error.problems]
        print(json.dumps({"valid": False, "problems": problems}, indent=1))
        raise SystemExit(INVALID) from None
    for line in warned:
        say(f"warning: {line}")
    if as_json:
        document = {"valid": True, "problems": [], "warnings": warned, **as_dict(found)}
        print(json.dumps(document, indent=1))
    else:
        print("\n".join(_lines(path, found)))


def _lines(path: Path, found: Size) -> list[str]:
    again = f", {found.replicates} replicates" if found.replicates > 1 else ""
    return [
        f"{path}: valid: {found.name}",
        f"halls         {found.halls}",
        f"blocks        {found.blocks}",
        f"racks         {found.racks}",
        f"accelerators  {found.accelerators}",
        f"firm import   {found.firm_import_mw:.6g} MW",
        f"entities      {found.entities}",
        f"workloads     {found.workloads}",
        f"period        {found.simulated_days:.6g} d{again}",
        f"weather       {found.weather}",
        f"estimated     {found.estimated_s:.0f} s and {found.estimated_bytes / 1e9:.1f} GB "
        "per replicate on one core",
    ]
