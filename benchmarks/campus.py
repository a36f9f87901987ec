"""The gigawatt campus at other sizes: halls, supply and work all times a share."""

from pathlib import Path
from typing import Any

from simulator import scenario
from simulator.scenario import Scenario
from simulator.workloads import BatchWork, ServedModel, TrainingJob

ROOT = Path(__file__).parent.parent
CAMPUS = ROOT / "scenarios" / "gigawatt-campus.yaml"


def scaled(share: float, **more: Any) -> Scenario:
    """Return the campus with everything that has a count or a rating times `share`."""
    spec = scenario.load(CAMPUS).spec
    topology, sets = spec.topology, dict(more)
    for hall in topology.halls:
        count = max(1, round(hall.count * share))
        sets[f"topology.halls.{hall.name}.count"] = count
        sets[f"topology.halls.{hall.name}.blocks"] = round(hall.count * hall.blocks * share / count)
    for bank in ("lines", "transformers"):
        rating_va = getattr(topology.grid, bank).rating * share
        sets[f"topology.grid.{bank}.rating"] = f"{rating_va / 1e6} MVA"
    if topology.generators is not None:
        sets["topology.generators.count"] = round(topology.generators.count * share)
    if topology.battery is not None:
        sets["topology.battery.power"] = f"{topology.battery.power * share} W"
        sets["topology.battery.energy"] = f"{topology.battery.energy * share} J"
    for work in spec.workloads:
        sets |= {f"workloads.{work.name}.{k}": v for k, v in _work(work, share).items()}
    return scenario.load(CAMPUS, list(sets.items()))


def _work(work: TrainingJob | ServedModel | BatchWork, share: float) -> dict[str, Any]:
    if isinstance(work, TrainingJob):
        return {
            "accelerators": round(work.accelerators * share),
            "plan.global_batch_sequences": round(work.plan.global_batch_sequences * share),
            "spares": round(work.spares * share),
        }
    if isinstance(work, ServedModel):
        return {
            "most_accelerators": round(work.most_accelerators * share),
            "demand.rate": f"{work.demand.rate * share} /s",
        }
    return {}
