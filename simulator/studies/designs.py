"""What a sweep runs: designs made of axes, every one loaded and valid before the first run."""

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError

from simulator.components.kinds import Spec
from simulator.documents import Document, of_another_kind, read
from simulator.errors import Problem, ScenarioError
from simulator.scenario import Scenario, load, wording
from simulator.scenario.replicates import ReplicateRule, Replicates, most_of
from simulator.studies import StudyError, provenance, sequential
from simulator.studies.assumed import Assumed, ranged
from simulator.studies.distributions import Distribution
from simulator.studies.unknown import Unknown
from simulator.units import Duration, Positive

Sets = list[tuple[str, Any]]
Kind = Literal["grid", "list", "lhs", "sobol", "tornado", "morris", "saltelli"]
SAMPLED = ("lhs", "sobol", "tornado", "morris", "saltelli")
MOST_RUNS = 1_000_000
_SET = "--set"
NAMED = "scenario"
"""Axis whose values are names under `scenarios:` of the scenario's file."""
_FILES = (
    "weather.epw", "weather.tmy3", "weather.csv",
    "economics.prices.file", "economics.emissions.file",
)  # fmt: skip


def _listed_or_drawn(value: Any) -> str:
    return "<distribution>" if isinstance(value, Mapping | Distribution) else "<list>"


Axis = Annotated[
    Annotated[tuple[Any, ...], Field(min_length=1), Tag("<list>")]
    | Annotated[Distribution, Tag("<distribution>")],
    Discriminator(_listed_or_drawn),
]


def _named_or_given(value: Any) -> str:
    return "<name>" if isinstance(value, str) else "<axes>"


Axes = Annotated[
    Annotated[Literal["assumptions"], Tag("<name>")]
    | Annotated[dict[str, Axis], Field(min_length=1), Tag("<axes>")],
    Discriminator(_named_or_given),
]


class SweepSpec(Spec):
    """Designs and replicates of one scenario."""

    scenario: str
    """The scenario's file, relative to this one."""
    fixed: dict[str, Any] = Field(default_factory=dict)
    """Values by dotted key that every design shares, laid on the scenario."""
    design: Kind = "grid"
    """`grid`: every combination of the axes' values, the last axis fastest; `list`: the first
    values of all axes together, then the second, and so on; `lhs`, `sobol`: `samples` points that
    fill the axes' distributions evenly; `tornado`, `morris`, `saltelli`: what sensitivity to each
    axis asks for."""
    axes: Axes
    """By dotted key of the scenario's document: values to take, or for sampled designs a
    distribution; by `scenario`: names of its `scenarios`, whose overrides are laid on first.
    `assumptions`: every figure of the document that gives a range, from one end to the other, most
    likely at its value."""
    samples: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """Designs of `lhs` and `sobol`, trajectories of `morris`, base points of `saltelli`; of `sobol`
    and `saltelli` a power of two."""
    uncertain: dict[str, Distribution] = Field(default_factory=dict)
    """Inputs that nobody knows, by dotted key: drawn once per replicate, the same in every
    design."""
    correlation: tuple[tuple[str, str, Annotated[float, Field(gt=-1, lt=1)]], ...] = ()
    """Pairs of keys of `uncertain`, or of sampled axes, with the correlation of their ranks' normal
    scores."""
    replicates: Replicates = 1
    """Runs of each design, with other draws; the same draws in every design. A number, or a rule
    that says for each design when it is enough."""
    screen: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Further replicates of each design at the screen level, in closed form: they narrow the intervals
    of means that both levels have (`multifidelity.parquet`)."""
    timeout: Annotated[Duration, Positive()] | None = None
    """Longest time of one run on the clock of who runs it, looked at once per simulated day."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Of the sampled designs and of what is uncertain; the runs' own draws follow the scenario's."""


@dataclass(frozen=True)
class Design:
    """One set of values, and what loads the scenarios they make: one for each replicate, or one for all
    where nothing is uncertain."""

    values: dict[str, Any]
    loaders: tuple[Callable[[], Scenario], ...]

    def scenario(self, replicate: int = 0) -> Scenario:
        """Return the scenario of a replicate."""
        return self.loaders[replicate % len(self.loaders)]()

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """Every scenario, one for each replicate or one for all."""
        return tuple(load_it() for load_it in self.loaders)


@dataclass(frozen=True)
class Task:
    """One run of a sweep."""

    design: int
    replicate: int
    identity: str
    seed: int = 1


@dataclass(frozen=True)
class Plan:
    """Everything a sweep will run, in order."""

    name: str
    designs: tuple[Design, ...]
    replicates: int
    """Of each design; with a rule the most."""
    kind: Kind = "grid"
    unknown: Unknown = field(default_factory=Unknown)
    uncertain: tuple[dict[str, Any], ...] = ({},)
    """What is drawn of the uncertain inputs, for each replicate or once for all."""
    timeout_s: float | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    """Class of evidence of each axis that is an assumption of the document."""
    rule: ReplicateRule | None = None
    """When a design has enough replicates."""
    loader: Callable[[Sets], Scenario] | None = None
    """Makes the scenario of a design and of what is drawn."""
    screen: int = 0
    """Further replicates of each design at the screen level."""
    known: tuple[Task, ...] = ()
    """The runs, where they are known from before and no design needs to be loaded for them."""

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Every run, replicates of a design together."""
        return self.known or tuple(
            Task(i, k, provenance.identity(made, k), made.spec.seed)
            for i, design in enumerate(self.designs)
            for k, made in enumerate(map(design.scenario, range(self.replicates)))
        )

    @property
    def files(self) -> set[Path]:
        """Every file that the scenarios were read from, and the weather and traces they name."""
        found: set[Path] = set()
        for made in (one for design in self.designs for one in design.scenarios):
            found.update(made.document.files, made.traces.values())
            found.add(made.spec.weather.path(made.weather_folder))
        return found

    def scenario(self, task: Task) -> Scenario:
        """Return what a task runs."""
        return self.designs[task.design].scenario(task.replicate)

    def drawn(self, replicate: int) -> dict[str, Any]:
        """Return the uncertain inputs of a replicate."""
        return self.uncertain[replicate % len(self.uncertain)]

    def further(self, design: int, replicate: int) -> Scenario:
        """Return the scenario of a design for a replicate beyond those of the sweep."""
        if not self.unknown.uncertain or self.loader is None:
            return self.designs[design].scenario()
        drawn = self.unknown.of_replicate(replicate)
        return self.loader([*self.designs[design].values.items(), *drawn.items()])

    @cached_property
    def identity(self) -> str:
        """Hash of the inputs of every run, and of the code; how many replicates a rule takes is left
        out, so that a sweep may go on under another rule."""
        runs = [t.identity for t in self.tasks if self.rule is None or t.replicate == 0]
        text = json.dumps(runs)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def axes(self) -> tuple[str, ...]:
        """The dotted keys that vary."""
        return tuple(self.designs[0].values)


def from_file(
    path: Path, until: Sequence[str] = (), known: Sequence[Task] = (), sets: Sequence[str] = ()
) -> Plan:
    """Return the plan of a sweep file; ScenarioError holds every problem of every design.

    `until` are half-widths as on the command line; the file's number of replicates is then the most.
    `sets` are `a.b=3 MW` as on the command line, laid on every design after what the file has `fixed`.
    With the runs `known` from the same inputs, designs are loaded when they are needed, not before.
    """
    document = read(path)
    other = of_another_kind(document, "sweep")
    if other:
        raise ScenarioError(other)
    tree = _with_rule(document.tree, until)
    try:
        spec = SweepSpec.model_validate(tree)
    except ValidationError as error:
        found = wording.problems(SweepSpec, error)
        raise ScenarioError([document.problem(place, told) for place, told in found]) from None
    file = document.folder_of(("scenario",)) / spec.scenario
    if not file.is_file():
        raise ScenarioError([document.problem(("scenario",), f"no file {spec.scenario}")])
    unknown = Unknown(spec.uncertain, spec.correlation, spec.samples, spec.seed)
    given, listed = (document.folder_of((part,)) for part in ("fixed", "axes"))
    fixed: list[str | tuple[str, Any]] = [(key, _placed(key, v, given)) for key, v in spec.fixed.items()]
    fixed += sets
    _not_varied(spec, sets)
    assumed: dict[str, Assumed] = {}
    if spec.axes == "assumptions":
        assumed = ranged(load(file, fixed))
        axes: dict[str, Any] = {key: one.distribution for key, one in assumed.items()}
    else:
        axes = {
            key: axis if isinstance(axis, Distribution) else [_placed(key, v, listed) for v in axis]
            for key, axis in spec.axes.items()
        }

    def loader(sets: Sets) -> Scenario:
        more = [
            (p, round(v) if k in assumed and assumed[k].whole else v)
            for k, v in sets for p in (assumed[k].paths if k in assumed else (k,))
        ]  # fmt: skip
        named = [v for k, v in more if k == NAMED]
        return load(file, [*fixed, *(one for one in more if one[0] != NAMED)], *named)

    made = make(
        path.stem, loader, axes, spec.design, spec.replicates, document, len(fixed), unknown,
        checked=not known,
    )
    evidence = {key: one.evidence for key, one in assumed.items()}
    return replace(
        made, timeout_s=spec.timeout, evidence=evidence, screen=spec.screen, known=tuple(known)
    )


def _not_varied(spec: SweepSpec, sets: Sequence[str]) -> None:
    """Refuse to set what every design takes a value of its own for."""
    varied = {*spec.uncertain, *(spec.axes if isinstance(spec.axes, dict) else ())}
    for key in (text.partition("=")[0].strip() for text in sets):
        if key in varied:
            raise StudyError(f"--set {key}: the sweep varies it")


def _with_rule(tree: dict[str, Any], until: Sequence[str]) -> dict[str, Any]:
    """Return a sweep's tree with half-widths of the command line laid on."""
    if not until:
        return tree
    given = tree.get("replicates")
    most = given if isinstance(given, int) and given > 1 else None
    kept = given if isinstance(given, dict) else {}
    return {**tree, "replicates": {**kept, **sequential.asked(until, most)}}


def make(
    name: str,
    loader: Callable[[Sets], Scenario],
    axes: Mapping[str, Sequence[Any] | Distribution],
    kind: Kind = "grid",
    replicates: int | ReplicateRule = 1,
    document: Document | None = None,
    laid: int = 0,
    unknown: Unknown | None = None,
    checked: bool = True,
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
    unknown : Unknown, optional
        Inputs that are drawn, and how many designs are sampled.
    checked : bool
        Whether every design is loaded at once, so that problems are told before any run.
    """
    unknown = unknown or Unknown()
    rule = replicates if isinstance(replicates, ReplicateRule) else None
    most = most_of(replicates)
    _check(axes, kind, most, unknown)
    listed: Mapping[str, Any] = axes
    if kind in SAMPLED:
        listed = unknown.sampled(axes, kind)  # type: ignore[arg-type]
    drawn = unknown.of_replicates(most)
    problems: list[Problem] = []
    designs = []
    for places in _places(listed, kind):
        values = {key: listed[key][i] for key, i in places.items()}
        sets = ([*values.items(), *more.items()] for more in drawn)
        designs.append(Design(values, tuple(cache(partial(loader, one)) for one in sets)))
        try:
            _ = designs[-1].scenarios if checked else ()
        except ScenarioError as error:
            at = dict.fromkeys(places) if kind in SAMPLED else places
            problems += [_told(p, at, unknown, document, laid) for p in error.problems]
    if problems:
        raise ScenarioError(problems)
    return Plan(name, tuple(designs), most, kind, unknown, drawn, rule=rule, loader=loader)


def _check(
    axes: Mapping[str, Any], kind: Kind, replicates: int, unknown: Unknown
) -> None:
    """Refuse axes and draws that do not make a sweep."""
    for key, axis in axes.items():
        if isinstance(axis, Distribution) != (kind in SAMPLED):
            needs = "a distribution" if kind in SAMPLED else "a list of values"
            raise StudyError(f"design '{kind}' needs {needs} on every axis; {key} has another")
    unknown.check_pairs(axes, kind)
    designs = unknown.count(kind, len(axes)) if kind in SAMPLED else _count(axes, kind)
    if kind not in SAMPLED and unknown.samples is not None:
        raise StudyError(f"'samples' is for sampled designs, not for '{kind}'")
    if designs * replicates > MOST_RUNS:
        raise StudyError(f"{designs} designs x {replicates} replicates exceed {MOST_RUNS} runs")


def _count(axes: Mapping[str, Any], kind: Kind) -> int:
    """Return the number of designs of listed axes."""
    lengths = {key: len(values) for key, values in axes.items()}
    if not lengths or not all(lengths.values()):
        raise StudyError("a sweep needs axes, and every axis at least one value")
    if kind == "list" and len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {n}" for key, n in lengths.items())
        raise StudyError(f"axes of 'design: list' have equally many values; {told}")
    return math.prod(lengths.values()) if kind == "grid" else max(lengths.values())


def _places(axes: Mapping[str, Any], kind: Kind) -> Iterable[dict[str, int]]:
    """Return for each design which value of each axis it takes."""
    counts = [range(len(values)) for values in axes.values()]
    combined = itertools.product(*counts) if kind == "grid" else zip(*counts, strict=True)
    return (dict(zip(axes, chosen, strict=True)) for chosen in combined)


def _told(
    problem: Problem,
    places: Mapping[str, int] | Mapping[str, None],
    unknown: Unknown,
    document: Document | None,
    laid: int,
) -> Problem:
    """Return a problem of a laid-on value at the place of what laid it on."""
    number = problem.line - laid - 1
    if problem.file != _SET or number < 0:
        return problem
    if document is None:
        return replace(problem, file="axes", line=number + 1)
    key = [*places, *unknown.uncertain][number]
    path = ("axes", key, places[key]) if key in places else ("uncertain", key)
    place = document.place_of(tuple(part for part in path if part is not None))
    return replace(problem, file=place.file, line=place.line, column=place.column)


def _placed(key: str, value: Any, folder: Path) -> Any:
    """Return a value of an axis; names of files in a sweep are relative to the sweep."""
    return str(folder.absolute() / value) if key in _FILES and isinstance(value, str) else value
