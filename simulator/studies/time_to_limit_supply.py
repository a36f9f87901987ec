"""What a campus does without import, told by the engine itself: which blocks go dark, and when plants
are fed again."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.components.failure_class import FailureClass
from simulator.components.power.node import LINES
from simulator.engine import effects
from simulator.engine.outage_log import of_one_stage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S
from simulator.simulation import Run
from simulator.studies import StudyError, forked

NO_LINE = FailureClass.model_validate(
    {"name": "supply", "per": "line", "rate": "0 /year", "effect": "line", "repair": "1 h"}
)
"""All lines are lost at once; for longer than is looked at."""


@dataclass(frozen=True)
class Unsupplied:
    """What happens once nothing is imported, in s since then."""

    dark_s: dict[int, float]
    """When blocks first go dark, of those that do within the time looked at."""
    stopped: frozenset[int]
    """Halls whose plants lose power."""
    fed_s: dict[int, float]
    """When plants of these have power again; none: not within the time looked at."""


def without_import(run: Run, minutes: int) -> Unsupplied:
    """Return what the engine does in so many minutes without import from the moment at which a run
    stands, in a fork: the run itself stays as it is.

    Raises
    ------
    StudyError
        Where processes cannot be forked, or the one that was forked failed.
    """
    _, answer = next(forked.each(1, lambda _: _follow(run, minutes), 1))
    if answer.error:
        raise StudyError(f"the whole supply: {answer.error}")
    found: Unsupplied = answer.value
    return found


def _follow(run: Run, minutes: int) -> Unsupplied:
    world, began_s = run.world, STEP_S * run.physics.step
    first_event, lasts_s = len(world.events), STEP_S * (minutes + 1)
    # The clock of events stands at the last of them.
    begin = world.env.timeout(began_s - world.env.now)
    begin.callbacks.append(lambda _: _lose_lines(world, lasts_s))
    dark_s: dict[int, float] = {}
    for minute in range(1, minutes + 1):
        run.advance(began_s + STEP_S * minute)
        for block in world.dark.keys() - dark_s.keys():
            dark_s[block] = _last_dark_s(world, block) - began_s
    stopped: set[int] = set()
    fed_s: dict[int, float] = {}
    halls = {name: h for h, name in enumerate(world.site.hall_names)}
    for at_s, kind, element, *_ in world.events[first_event:]:
        if kind == "plants_lost":
            stopped.add(halls[element])
        elif kind == "plants_fed":
            fed_s.setdefault(halls[element], at_s - began_s)
    return Unsupplied(dark_s, frozenset(stopped), fed_s)


def _lose_lines(world: World, lasts_s: float) -> None:
    """Take every line out, as an incident would."""
    repair = of_one_stage("repair", world.env.now + lasts_s)
    for unit in range(world.site.nodes[LINES].count):
        effects.inflict(world, NO_LINE, LINES, unit, repair)


def _last_dark_s(world: World, block: int) -> float:
    """Return when it was last told that a block, alone or with others of its hall, is dark."""
    site = world.site
    names = site.block_names[block], site.hall_names[site.block_hall[block]]
    return next(at_s for at_s, kind, element, *_ in reversed(world.events) if kind == "dark" and element in names)
