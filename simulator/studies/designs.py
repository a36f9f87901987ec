"""What a sweep runs: designs made of axes, every one loaded and valid before the first run."""

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from simulator.components.kinds import Spec
from simulator.documents import Document, read
from simulator.errors import Problem, ScenarioError
from simulator.scenario import Scenario, load
from simulator.studies import StudyError, provenance

Sets = list[tuple[str, Any]]
Kind = Literal["grid", "list"]
MOST_RUNS = 1_000_000
_SET = "--set"
_FILES = ("weather.epw", "weather.tmy3", "weather.csv")


class SweepSpec(Spec):
    """Designs and replicates of one scenario."""

    scenario: str
    """The scenario's file, relative to this one."""
    design: Kind = "grid"
    """`grid`: every combination of the axes' values, the last axis fastest; `list`: the first
    values of all axes together, then the second, and so on."""
    axes: Annotated[dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]], Field(min_length=1)]
    """Values by dotted key of the scenario's document."""
    replicates: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Runs of each design, with other draws; the same draws in every design."""


@dataclass(frozen=True)
class Design:
    """One set of values, and the scenario they make."""

    values: dict[str, Any]
    scenario: Scenario


@dataclass(frozen=True)
class Task:
    """One run of a sweep."""

    design: int
    replicate: int
    identity: str


@dataclass(frozen=True)
class Plan:
    """Everything a sweep will run, in order."""

    name: str
    designs: tuple[Design, ...]
    replicates: int

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Every run, replicates of a design together."""
        return tuple(
            Task(i, k, provenance.identity(design.scenario, k))
            for i, design in enumerate(self.designs)
            for k in range(self.replicates)
        )

    @cached_property
    def identity(self) -> str:
        """Hash of the inputs of every run, and of the code."""
        text = json.dumps([task.identity for task in self.tasks])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def axes(self) -> tuple[str, ...]:
        """The dotted keys that vary."""
        return tuple(self.designs[0].values)


def from_file(path: Path) -> Plan:
    """Return the plan of a sweep file; ScenarioError holds every problem of every design."""
    document = read(path)
    try:
        spec = SweepSpec.model_validate(document.tree)
    except ValidationError as error:
        problems = [document.problem(tuple(e["loc"]), e["msg"]) for e in error.errors()]
        raise ScenarioError(problems) from None
    file = document.folder_of(("scenario",)) / spec.scenario
    if not file.is_file():
        raise ScenarioError([document.problem(("scenario",), f"no file {spec.scenario}")])
    folder = document.folder_of(("axes",))
    axes = {key: [_placed(key, v, folder) for v in values] for key, values in spec.axes.items()}
    name, count = path.stem, spec.replicates
    return make(name, lambda sets: load(file, sets), axes, spec.design, count, document)


def make(
    name: str,
    loader: Callable[[Sets], Scenario],
    axes: Mapping[str, Sequence[Any]],
    kind: Kind = "grid",
    replicates: int = 1,
    document: Document | None = None,
    laid: int = 0,
) -> Plan:
    """Return the plan of axes over a scenario.

    Parameters
    ----------
    loader : callable
        Returns the scenario with (dotted key, value) pairs laid on.
    document : Document, optional
        Where the axes were written, so that problems name the place.
    laid : int
        How many values the loader lays on before those of a design.
    """
    _check_axes(axes, kind, replicates)
    problems: list[Problem] = []
    designs = []
    for places in _places(axes, kind):
        values = {key: axes[key][i] for key, i in places.items()}
        try:
            designs.append(Design(values, loader(list(values.items()))))
        except ScenarioError as error:
            problems += [_told(p, places, document, laid) for p in error.problems]
    if problems:
        raise ScenarioError(problems)
    return Plan(name, tuple(designs), replicates)


def _check_axes(axes: Mapping[str, Sequence[Any]], kind: Kind, replicates: int) -> None:
    lengths = {key: len(values) for key, values in axes.items()}
    if not lengths or not all(lengths.values()):
        raise StudyError("a sweep needs axes, and every axis at least one value")
    if kind == "list" and len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {n}" for key, n in lengths.items())
        raise StudyError(f"axes of 'design: list' have equally many values; {told}")
    designs = math.prod(lengths.values()) if kind == "grid" else max(lengths.values())
    if designs * replicates > MOST_RUNS:
        raise StudyError(f"{designs} designs x {replicates} replicates exceed {MOST_RUNS} runs")


def _places(axes: Mapping[str, Sequence[Any]], kind: Kind) -> Iterable[dict[str, int]]:
    """Return for each design which value of each axis it takes."""
    counts = [range(len(values)) for values in axes.values()]
    combined = itertools.product(*counts) if kind == "grid" else zip(*counts, strict=True)
    return (dict(zip(axes, chosen, strict=True)) for chosen in combined)


def _told(
    problem: Problem, places: dict[str, int], document: Document | None, laid: int
) -> Problem:
    """Return a problem of a laid-on value at the place of the axis that laid it on."""
    number = problem.line - laid - 1
    if problem.file != _SET or number < 0:
        return problem
    key = list(places)[number]
    if document is None:
        return replace(problem, file="axes", line=number + 1)
    place = document.place_of(("axes", key, places[key]))
    return replace(problem, file=place.file, line=place.line, column=place.column)


def _placed(key: str, value: Any, folder: Path) -> Any:
    """Return a value of an axis; names of files in a sweep are relative to the sweep."""
    return str(folder.absolute() / value) if key in _FILES and isinstance(value, str) else value
