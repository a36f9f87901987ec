"""The network of a plan, out of a YAML file: a scenario, a topology, or a fabric alone."""

import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.components import fabric as fabrics
from simulator.components.accelerator import Accelerator
from simulator.components.fabric import Ends, FabricSpec
from simulator.components.fabric.tier import Tier
from simulator.components.kinds import Spec
from simulator.components.topology import Topology
from simulator.documents import Document, read
from simulator.errors import ScenarioError
from simulator.performance.collectives import Fabric, fabric_of
from simulator.scenario import wording
from simulator.site import compile_site
from simulator.studies import StudyError

BYTES_PER_GB = 1e9


class NetworkFile(Spec):
    """A file with a fabric of its own."""

    fabric: fabrics.Fabric  # type: ignore[valid-type]


class SiteFile(Spec):
    """What matters here of a topology's or scenario's file."""

    topology: Topology


def network(path: Path, chip: Accelerator, accelerators: int) -> tuple[Fabric, str]:
    """Return the network that a file gives so many accelerators, and what it is, in words.

    A fabric alone is laid out for them. A topology has its own: that of the fastest group of halls
    that holds them, or of several groups with what joins them; StudyError if they are too small.
    """
    document = read(path)
    try:
        tiers = _tiers(document, chip, accelerators)
    except ScenarioError:
        raise
    except ValueError as error:
        raise StudyError(f"{path}: {error}") from None
    return fabric_of(chip, tiers), f"{path}: {', '.join(map(_worded, tiers)) or 'no network'}"


def _tiers(document: Document, chip: Accelerator, accelerators: int) -> tuple[Tier, ...]:
    """Return the tiers of what a document describes."""
    tree = document.tree
    if "topology" in tree:
        site = _valid(SiteFile, {"topology": tree["topology"]}, document)
        return _of_topology(site.topology, chip, accelerators)
    if "fabric" in tree or "kind" in tree:
        named = "fabric" in tree
        made = _valid(NetworkFile, tree if named else {"fabric": tree}, document, 0 if named else 1)
        return _of_fabric(made.fabric, chip, accelerators)
    raise ValueError("neither a topology nor a fabric (a mapping with its 'kind') in it")


def _of_topology(topology: Topology, chip: Accelerator, accelerators: int) -> tuple[Tier, ...]:
    """Return the network of the fastest group of halls that holds them, or else of several."""
    site = compile_site(topology)
    mine = [f for f in site.fabrics if site.chips[site.rack_chip[f.racks[0]]] == chip]
    held = sum(f.ends.accelerators for f in mine)
    if held < accelerators:
        raise ValueError(f"its halls have {held} {chip.name} on a network, not {accelerators}")
    alone = [f.tiers for f in mine if f.ends.accelerators >= accelerators]
    several = () if alone else site.network((), chip, accelerators) or ()
    return max(alone, key=lambda tiers: tiers[-1].bytes_s if tiers else math.inf, default=several)


def _of_fabric(spec: FabricSpec, chip: Accelerator, accelerators: int) -> tuple[Tier, ...]:
    """Return the tiers of a fabric with just these accelerators on it, all their ports taken."""
    each = max(1, round(chip.scaleout_bandwidth / spec.port_bandwidth))
    ports = spec.attached(accelerators, each * accelerators)
    return spec.tiers(Ends(accelerators, ports, chip.scaleout_bandwidth, chip.scaleup_domain))


def _valid(kind: type[Spec], tree: dict[str, Any], document: Document, skip: int = 0) -> Any:
    """Return the tree as a spec; ScenarioError with every problem and its place.

    `skip` keys lead the tree that the document does not have.
    """
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        found = wording.problems(kind, error)
        raise ScenarioError(document.problem(at[skip:], told) for at, told in found) from None


def _worded(tier: Tier) -> str:
    rate = f"{tier.bytes_s / BYTES_PER_GB:.4g} GB/s"
    return f"{tier.name} of {tier.reach} at {rate}"
