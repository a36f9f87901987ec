"""The network of a plan, out of a YAML file: a scenario, a topology, or a fabric alone."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.fabric.clos import Clos
from simulator.components.topology import Topology
from simulator.documents import Document, TreePath, read
from simulator.errors import ScenarioError
from simulator.performance.collectives import Fabric, fabric_of
from simulator.scenario import wording
from simulator.studies import StudyError

NAMED = ("fabric",)
BUILT = ("topology",)


def network(path: Path, chip: Accelerator, endpoints: int) -> tuple[Fabric, str]:
    """Return the network that a file gives `endpoints` chips, and which one it is, in words."""
    document = read(path)
    spec, where = _spec(document, chip, path)
    return fabric_of(chip, oversubscription=spec.oversubscription), f"{spec.kind} of {where}"


def _spec(document: Document, chip: Accelerator, path: Path) -> tuple[Clos, str]:
    tree = document.tree
    if "topology" in tree:
        return _of_topology(_valid(Topology, document, BUILT), chip, path)
    if "fabric" in tree:
        return _valid(Clos, document, NAMED), str(path)
    if "kind" in tree:
        return _valid(Clos, document, ()), str(path)
    raise StudyError(f"{path}: neither a topology nor a fabric (a mapping with its 'kind') in it")


def _of_topology(topology: Topology, chip: Accelerator, path: Path) -> tuple[Clos, str]:
    """Return the fabric of the first halls that have the chip."""
    own = {rack.name: rack.accelerator for rack in topology.racks}
    held: list[str] = []
    for hall in topology.halls:
        name = own.get(hall.rack) or from_catalog.rack(hall.rack).accelerator
        held.append(from_catalog.accelerator(name).name)
        if held[-1] == chip.name:
            return hall.fabric or topology.fabric, f"hall '{hall.name}' in {path}"
    raise StudyError(f"{path}: no hall has {chip.name}; the halls have {', '.join(held)}")


def _valid(kind: Any, document: Document, path: TreePath) -> Any:
    """Return the spec at a path of the document; ScenarioError with every problem and its place."""
    tree: Any = document.tree
    for part in path:
        tree = tree[part]
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        found = wording.problems(kind, error)
        raise ScenarioError(document.problem((*path, *at), told) for at, told in found) from None
