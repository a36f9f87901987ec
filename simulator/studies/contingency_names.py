"""What a row of a contingency study is called: what is out, and all that it stands for."""

from simulator.engine import network_parts
from simulator.engine.populations import ON_RACKS
from simulator.simulation import Run
from simulator.studies.contingency_cases import Case

NAMED = 2
"""Elements of a case that are named one by one."""


def name(case: Case) -> str:
    """Return the elements, a large group by its first and last."""
    if len(case.hits) <= NAMED:
        return case.name
    return f"{case.hits[0].element} to {case.hits[-1].element}, all {len(case.hits)}"


def stands_for(run: Run, case: Case) -> str:
    """Return what the elements alike of a row are; blank where it is one element's own."""
    if case.count == 1:
        return ""
    hit = case.hits[0]
    if hit.cls.per in ON_RACKS:
        return f"{case.count:,} {_racks(run, hit.target)}"
    if hit.cls.per in network_parts.POPULATIONS:
        return f"{case.count:,} {_parts(run, hit.cls.per, hit.target, hit.unit)}"
    return f"{case.count:,} like {hit.element}"


def _racks(run: Run, rack: int) -> str:
    """Return the type of a rack, the group of halls it stands in and what it works for."""
    site, state = run.world.site, run.world.state
    kind = site.rack_types[int(site.rack_type[rack])].name
    halls = site.hall_spec[int(site.rack_hall[rack])].name
    part = "" if state.racks.up_frac[rack] == 1.0 else ", in part out"
    return f"{kind} racks of {halls}, {state.names[int(state.racks.load[rack])]}{part}"


def _parts(run: Run, per: str, fabric: int, unit: int) -> str:
    """Return the tier and the fabric of switches or uplinks."""
    laid = run.world.site.fabrics[fabric]
    tier = network_parts.TIER_OF.get(per)
    at = int(laid.graph.tier[int(laid.graph.trunks[unit])]) if tier is None else tier
    what = f"{laid.graph.tiers[at]} uplinks" if tier is None else f"{laid.graph.tiers[at]} switches"
    return f"{what} of {laid.name}"
