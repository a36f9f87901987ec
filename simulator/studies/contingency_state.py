"""How much of a year what is under maintenance is out: what a state of the site weighs in a year."""

from collections.abc import Iterable

from simulator.engine import maintenance
from simulator.engine.elements import elements
from simulator.engine.rates import YEAR_S
from simulator.simulation import Run
from simulator.studies import contingency_alike as alike
from simulator.studies.contingency_cases import Hit, same, striking
from simulator.studies.contingency_costs import mean_out_s

PLANNED, FAILED = "planned work", "failures and repairs"


def share(run: Run, out: Iterable[Hit], at_s: float) -> tuple[float, str]:
    """Return the share of a year in which all of some elements are out, and what takes them out.

    Each is out for its turn of the scenario's planned maintenance, where a plan names it: length over time
    between two turns; else by its own failures: rate times mean time out, of all classes that take it out,
    with the crews and parts that are free at the moment. Several are out independently of each other.
    """
    found, why = 1.0, []
    for hit in out:
        planned = _planned(run, hit)
        found *= _failed(run, hit, at_s) if planned is None else planned
        why.append(FAILED if planned is None else PLANNED)
    return found, " and ".join(dict.fromkeys(why))


def _planned(run: Run, hit: Hit) -> float | None:
    """Return the share of the time in which planned work has an element out; None where no plan names it."""
    operations = run.scenario.spec.operations
    shares = []
    for plan in operations.maintenance if operations is not None else ():
        cls = maintenance.class_of(plan)
        there = elements(run.world.site, cls).values()
        if same(hit.cls, hit.target, hit.unit) in {same(cls, *where) for where in there}:
            lasts_s = maintenance.drain_of(plan, operations.drain) + plan.lasts  # type: ignore[union-attr]
            shares.append(lasts_s / plan.every)
    return sum(shares) if shares else None


def _failed(run: Run, hit: Hit, at_s: float) -> float:
    """Return the share of the time in which failures have an element out, its breakers' among them."""
    mine = striking(run, hit)
    repairs = alike.repairs(run, mine, at_s)
    return sum(
        rate * mean_out_s(cls, repair_s) / YEAR_S
        for case, told in zip(mine, repairs, strict=True)
        for cls, rate, repair_s in zip(case.classes, case.rates_year, told.by_class_s, strict=True)
    )
