"""`gigawatt size`: the largest or smallest value of one input that keeps limits on indicators."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.cli.exits import INFEASIBLE, INTERRUPTED
from simulator.cli.run import Given
from simulator.cli.text import number, table
from simulator.errors import display_name
from simulator.scenario import Scenario
from simulator.scenario.replicates import most_of
from simulator.studies import StudyError, inverse, limits, requirements
from simulator.studies.inverse import Answer, Search
from simulator.studies.progress import say
from simulator.studies.requirements import Candidate, Requirement
from simulator.studies.screen import screen
from simulator.studies.size_folder import SizeFolder


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    largest: str | None
    smallest: str | None
    limits: tuple[str, ...]
    step: str | None
    least: str | None
    most: str | None
    replicates: int | None
    jobs: int | None

    @property
    def key(self) -> tuple[str, inverse.Direction]:
        """The input that is searched, and where to."""
        if (self.largest is None) == (self.smallest is None):
            raise StudyError("say one of --max KEY and --min KEY")
        return (self.largest, "max") if self.largest else (str(self.smallest), "min")

    @property
    def required(self) -> tuple[Requirement, ...]:
        """What is to be kept."""
        if not self.limits:
            raise StudyError("say at least one --subject-to 'KPI <= X'")
        return tuple(requirements.read(text) for text in self.limits)


def size(given: Given, asked: Asked, output: Path | None, as_json: bool) -> None:
    """Carry out the command."""
    folder = SizeFolder(folder_of(given, output))
    answer, prices = searched(given, asked, folder)
    folder.write(answer, prices)
    print(json.dumps(as_dict(answer, prices), indent=1) if as_json else _told(answer, prices, folder))
    if answer.best is None:
        raise SystemExit(INFEASIBLE)


def folder_of(given: Given, output: Path | None) -> Path:
    """Return where a search keeps its runs."""
    return output or given.folder.with_name(f"{given.folder.name}-size")


def searched(given: Given, asked: Asked, folder: SizeFolder) -> tuple[Answer, Any]:
    """Return what a search finds, and the prices of its requirements."""
    key, direction = asked.key
    required = asked.required
    scenario = given.load()
    limits.refuse((one.limit for one in required), scenario.spec)
    folder.open()

    def load(value: str) -> Scenario:
        return Given(given.path, (*given.sets, f"{key}={value}"), given.chosen, given.seed).load()

    def run(candidate: Scenario, replicates: Iterable[int]) -> list[dict[str, Any]]:
        return folder.run(candidate, replicates, asked.jobs)

    search = Search(
        key, direction, required, load, run,
        asked.replicates or most_of(scenario.spec.replicates), inverse.present(scenario, key),
        asked.step, asked.least, asked.most, tell_candidate, in_closed_form,
    )
    try:
        answer = search.answer()
    except KeyboardInterrupt:
        say("interrupted; finished runs are kept: the same command goes on from there")
        raise SystemExit(INTERRUPTED) from None
    return answer, inverse.shadow_prices(answer, required)


def in_closed_form(scenario: Scenario) -> dict[str, float]:
    """Return indicators at the screen level; none for a plant that has no closed form."""
    try:
        return screen(scenario, 0)
    except (StudyError, ArithmeticError):
        return {}


def as_dict(answer: Answer, prices: Any) -> dict[str, Any]:
    """Return the answer as JSON would have it."""
    rows = prices.astype(object).where(prices.notna(), None).to_dict("records")
    return {
        "key": answer.key,
        "direction": answer.direction,
        "value": answer.best.value if answer.best else None,
        "next": answer.beyond.value if answer.beyond else None,
        "stopped_by": stopped_by(answer),
        "replicates": answer.best.replicates if answer.best else 0,
        "monotone": answer.monotone,
        "requirements": rows,
        "tried": [
            {"value": c.value, "feasible": c.feasible, "replicates": c.replicates,
             "refused": c.refused, "broken": list(c.broken)}
            for c in sorted(answer.tried, key=lambda c: c.place)
        ],
    }  # fmt: skip


def tell_candidate(candidate: Candidate) -> None:
    """Say on stderr what became of a value."""
    why = candidate.refused or "; ".join(candidate.broken)
    verdict = "keeps every limit" if candidate.feasible else f"does not: {why}"
    runs = f" ({candidate.replicates} runs)" if candidate.replicates else ""
    say(f"{candidate.value} {verdict}{runs}")


def _told(answer: Answer, prices: Any, folder: SizeFolder) -> str:
    word = "largest" if answer.direction == "max" else "smallest"
    if answer.best is None:
        head = f"no value of {answer.key} keeps the limits: {stopped_by(answer)}"
        return f"{head}\n\ntable: {display_name(str(folder.path / 'tried.parquet'))}"
    lines = [f"{word} {answer.key}: {answer.best.value}"]
    stopped = stopped_by(answer)
    ends = f"the next, {answer.beyond.value}, breaks {stopped}" if answer.beyond else stopped
    lines += [ends, ""]
    header = ["requirement", "binding", "limit", "at value", "at next", "price", "kept", "shown (95 %)"]
    rows = [
        [r.requirement, "yes" if r.binding else "no", shown(r.limit), shown(r.at_best),
         shown(r.at_next), shown(r.shadow_price), percent(r.share_kept), percent(r.share_shown)]
        for r in prices.itertuples()
    ]  # fmt: skip
    lines += table(header, rows, right=range(2, len(header)))
    lines += ["", f"price: how far {answer.key} moves for one unit more of the limit"]
    lines += _cautions(answer, prices)
    return "\n".join([*lines, "", f"table: {display_name(str(folder.path / 'tried.parquet'))}"])


def _cautions(answer: Answer, prices: Any) -> list[str]:
    """Return what a reader must know before believing the value."""
    told = []
    if not answer.monotone:
        told.append("caution: a value beyond one that failed passed; look at the table of values")
    told += not_shown(prices, answer.best.replicates if answer.best else 0)
    return ["", *told] if told else []


def not_shown(prices: Any, replicates: int) -> list[str]:
    """Return a caution for each share that so many replicates cannot show."""
    asked = ((row, requirements.read(row.requirement).share) for row in prices.itertuples())
    return [
        f"caution: {row.requirement} is kept by {percent(row.share_kept)} of {replicates} replicates; "
        f"that shows {percent(row.share_shown)} with 95 % confidence, not {percent(share)}"
        for row, share in asked
        if share is not None and row.share_shown < share
    ]


def stopped_by(answer: Answer) -> str:
    """Return what the next value breaks, in words."""
    if answer.beyond is None:
        return "nothing up to the end of the range"
    return answer.beyond.refused or "; ".join(answer.beyond.broken)


def shown(value: float) -> str:
    """Return a number as text, a dash for none."""
    return number(None if math.isnan(value) else value)


def percent(share: float) -> str:
    """Return a share as text, a dash for none."""
    return "-" if math.isnan(share) else f"{100 * share:.4g} %"
