"""Which single failures leave everything as it is, and which are another's mirror image: by the engine's
own rules, at the moment from which a study tells.

A pump that others replace exactly, a server that nobody waits for and a link or switch that no job uses and no rack
hangs on change nothing that the hour looks at, whichever it is; with both sides of a block of support
racks whole, which of them fails is in its name only.
"""

from collections.abc import Callable, Hashable

from simulator.components.failure_class import FailureClass
from simulator.engine import coolant, plant_power, sides
from simulator.engine.network_parts import TIER_OF
from simulator.simulation import Run
from simulator.site import Site
from simulator.studies.contingency_cases import Case, Hit

Spares = Callable[[Run, Hit, bool], bool]


def what(run: Run, case: Case, network_rests: bool) -> Hashable:
    """Return what is out: of a single failure no more than what the hour can tell of it.

    Parameters
    ----------
    network_rests : bool
        Whether no job takes or leaves racks in the hour of the intact site.
    """
    if len(case.hits) > 1:
        return case.alike
    hit = case.hits[0]
    spares = SPARES.get(hit.cls.effect)
    if spares is not None and spares(run, hit, network_rests):
        return "nothing", hit.cls.effect
    if hit.cls.effect == "support" and not run.work.preparations:
        return hit.cls.effect, run.world.site.support[hit.target].rack.name
    block = _of_sides(run.world.site, hit.cls, hit.target)
    if block is not None and sides.whole(run.world, block):
        return case.alike[:3] + case.alike[4:]
    return case.alike


def _of_sides(site: Site, cls: FailureClass, target: int) -> int | None:
    """Return the block of support racks of which one side is struck; None: no side is."""
    if cls.effect == "ups" and site.nodes[target].serves == "support":
        return sides.of_ups(site, target)
    if cls.effect == "feed" and all(group[0] != target for group in site.stand_ins):
        target = int(site.own_block[target])
    elif cls.effect != "block":
        return None
    return target if site.block_support_w[target] > 0.0 else None


def _pump(run: Run, hit: Hit, network_rests: bool) -> bool:
    return coolant.spares_pump(run.world, hit.target, hit.unit)


def _loop_pump(run: Run, hit: Hit, network_rests: bool) -> bool:
    return plant_power.spares_pump(run.world, hit.target)


def _uplink(run: Run, hit: Hit, network_rests: bool) -> bool:
    return network_rests and not run.world.network.uses(hit.target)


def _switch(run: Run, hit: Hit, network_rests: bool) -> bool:
    graph = run.world.site.fabrics[hit.target].graph
    node = graph.node_of(TIER_OF[hit.cls.per], hit.unit)
    return _uplink(run, hit, network_rests) and not graph.ports[node]


SPARES: dict[str, Spares] = {
    "pump": _pump, "loop_pump": _loop_pump, "uplink": _uplink, "switch": _switch,
}
"""By effect: whether what is struck changes nothing, beyond what its repair may wake within the window."""
