"""`gigawatt size --vary 'KEY=LOW..HIGH'`: a few inputs sized together."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.cli.exits import INFEASIBLE, INTERRUPTED
from simulator.cli.run import Given
from simulator.cli.size import (
    Asked,
    folder_of,
    in_closed_form,
    not_shown,
    percent,
    shown,
    tell_candidate,
)
from simulator.cli.text import table
from simulator.errors import display_name, nearest
from simulator.scenario import Scenario
from simulator.scenario.replicates import most_of
from simulator.studies import StudyError, inverse, joint_axis, joint_prices, limits
from simulator.studies.joint import Joint, JointSearch
from simulator.studies.progress import say
from simulator.studies.size_folder import SizeFolder

MOST_INPUTS = 4
"""Neighbours of a combination grow by three with each input."""


def size_joint(
    given: Given, asked: Asked, vary: tuple[str, ...], over: tuple[str, ...], output: Path | None, as_json: bool
) -> None:
    """Carry out the command."""
    if over or asked.step or asked.least or asked.most:
        raise StudyError("--vary says range and step of each input; leave out --over, --step, --from and --to")
    folder = SizeFolder(folder_of(given, output))
    search = _search(given, asked, vary, folder)
    folder.open()
    try:
        answer = search.answer()
    except KeyboardInterrupt:
        say("interrupted; finished runs are kept: the same command goes on from there")
        raise SystemExit(INTERRUPTED) from None
    prices, explained = joint_prices.limit_prices(answer, search.requirements)
    units = joint_prices.next_units(answer, search.requirements)
    folder.write_joint(_tried(answer), prices, units)
    if as_json:
        print(json.dumps(_as_dict(answer, prices, units, explained), indent=1))
    else:
        print("\n".join(_told(answer, prices, units, explained, folder)))
    if answer.best is None:
        raise SystemExit(INFEASIBLE)


def _search(given: Given, asked: Asked, vary: tuple[str, ...], folder: SizeFolder) -> JointSearch:
    """Return the search that the command line asks for."""
    goal, direction = asked.key
    scenario = given.load()
    keys = [joint_axis.key_of(text) for text in vary]
    if len(keys) > MOST_INPUTS or len(set(keys)) < len(keys):
        raise StudyError(f"--vary takes one to {MOST_INPUTS} different inputs")
    required, known = asked.required, [*limits.expected(scenario.spec), *keys]
    limits.refuse((one.limit for one in required), scenario.spec)
    if goal not in known:
        raise StudyError(f"'{goal}' is neither an input of --vary nor a KPI of the run{nearest(goal, known)}")
    axes = tuple(
        joint_axis.read(text, inverse.present(scenario, key)) for text, key in zip(vary, keys, strict=True)
    )

    def load(values: dict[str, str]) -> Scenario:
        sets = tuple(f"{key}={value}" for key, value in values.items())
        return Given(given.path, (*given.sets, *sets), given.chosen, given.seed).load()

    def run(candidate: Scenario, replicates: Iterable[int]) -> list[dict[str, Any]]:
        return folder.run(candidate, replicates, asked.jobs)

    return JointSearch(
        goal, direction, axes, required, load, run,
        asked.replicates or most_of(scenario.spec.replicates), in_closed_form,
        lambda point: tell_candidate(point.candidate),
    )


def _tried(answer: Joint) -> pd.DataFrame:
    """Return every combination that was tried, in the order of its inputs."""
    ordered = sorted(answer.points.values(), key=lambda point: point.place)
    return pd.DataFrame([
        {
            **point.values, "feasible": point.candidate.feasible, "refused": point.candidate.refused,
            "replicates": point.candidate.replicates, "broken": "; ".join(point.candidate.broken),
            "objective": point.objective, "slack": point.slack,
            **{name: sum(v for v, _ in pairs) / len(pairs) for name, pairs in point.candidate.found.items()},
        }
        for point in ordered
    ])  # fmt: skip


def _as_dict(answer: Joint, prices: pd.DataFrame, units: pd.DataFrame, explained: float) -> dict[str, Any]:
    return {
        "goal": answer.goal, "direction": answer.direction, "unit": answer.unit,
        "values": answer.best.values if answer.best else None,
        "objective": answer.best.objective if answer.best else None,
        "stopped_by": list(joint_prices.stops(answer)),
        "replicates": answer.best.candidate.replicates if answer.best else 0,
        "explained": None if math.isnan(explained) else explained,
        "requirements": _rows(prices), "next_units": _rows(units), "tried": _rows(_tried(answer)),
    }  # fmt: skip


def _rows(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as JSON would have it, null for what is not a finite number."""
    kept = found.astype(object).where(found.notna() & (found != -math.inf), None)
    return [dict(row) for row in kept.to_dict("records")]


def _told(
    answer: Joint, prices: pd.DataFrame, units: pd.DataFrame, explained: float, folder: SizeFolder
) -> Iterator[str]:
    tables = f"tables: {display_name(str(folder.path))}"
    if answer.best is None:
        near = answer.nearest.candidate
        yield f"no combination found that keeps the limits; nearest, {near.value}:"
        yield f"{near.refused or '; '.join(near.broken) or f'{answer.goal} has no value'}\n\n{tables}"
        return
    word = "largest" if answer.direction == "max" else "smallest"
    yield f"{word} {answer.goal}: {_amount(answer.best.objective, answer.unit)} with {answer.best.candidate.value}"
    stops = joint_prices.stops(answer)
    no_limit = "no limit is met one step away: there the ranges end, or a step does not better the goal"
    yield f"stopped by {' and '.join(stops)}" if stops else no_limit
    yield f"({len(answer.points)} combinations tried; no neighbour one step away is better)\n"
    header = ["requirement", "binding", "limit", "at value", "price", "kept", "shown (95 %)"]
    rows = [
        [r.requirement, "yes" if r.binding else "no", shown(r.limit), shown(r.at_best),
         shown(r.shadow_price), percent(r.share_kept), percent(r.share_shown)]
        for r in prices.itertuples()
    ]  # fmt: skip
    yield from table(header, rows, right=range(2, len(header)))
    yield f"price: how much better {answer.goal} gets for one unit more of the limit; slopes over one step"
    yield f"explain {percent(explained)} of it\n"
    header = ["next unit", "to", "keeps", "stopped by", "gain", "per unit"]
    rows = [
        [r.input, r.value if isinstance(r.value, str) else "-", "yes" if r.keeps else "no",
         r.stopped_by, shown(r.gain), shown(r.gain_per_unit)]
        for r in units.itertuples()
    ]  # fmt: skip
    yield from table(header, rows, right=(4, 5))
    cautions = not_shown(prices, answer.best.candidate.replicates)
    yield from ["", *cautions] if cautions else []
    yield f"\n{tables}"


def _amount(number: float, unit: str) -> str:
    return f"{number:.6g}" if unit in ("", "1") else f"{number:.6g} {unit}"
