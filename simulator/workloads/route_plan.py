"""The streams of a campus's traffic: every stage of every class, and the pools each may send to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from simulator.engine.state import Streams
from simulator.kernels.streams import USER
from simulator.policies.route import Request, RoutingPolicy
from simulator.workloads.inference import ServedModel, held, work_frac
from simulator.workloads.pools import AnyPool
from simulator.workloads.routed_requests import (
    image_frac_of,
    quality_of,
    request_of,
    thought_of,
    written_tokens,
)
from simulator.workloads.traffic import RequestClass, Traffic

BEFORE, AFTER = "moderation before", "moderation after"
Role = Literal["first", "spill", "escalation", "student", "moderation"]
"""Why a stream reaches its pool: the policy's first choice, the next in order, passed on by another
model, taken over by a distilled one, or for a verdict."""


@dataclass(frozen=True)
class RoutedClass:
    """One class with what its policy sees of it."""

    traffic: Traffic
    spec: RequestClass
    request: Request
    candidates: tuple[tuple[str, ...], ...]
    """Pools of each answering stage, by name."""

    @property
    def policy(self) -> RoutingPolicy:
        """Policy that routes it."""
        policy: RoutingPolicy = self.spec.router or self.traffic.router
        return policy


@dataclass(frozen=True)
class StageOf:
    """One stage of one class."""

    cls: int
    label: str
    answering: int | None = None
    """Which of the policy's stages it is; None for moderation."""
    begins: bool = False
    """Requests of the class begin here."""


@dataclass(frozen=True)
class StreamOf:
    """What one stage sends to one pool, and what a request is there, if replicas can hold it."""

    stage: int
    pool: int
    asked: tuple[float, float]
    """Mean prompt and answer, those too long included."""
    held_frac: float
    """Of the requests, those that replicas can hold; the others are rejected."""
    input_tokens: float
    output_tokens: float
    image_frac: float
    """Of the input, tokens of images."""
    work: float
    role: Role
    quality: float | None = None
    """Of the answers it keeps."""
    cut_frac: float = 0.0
    """Of its answers, those whose chain of thought met the budget."""


@dataclass
class RoutePlan:
    """All streams; classes stand in the order in which they are routed."""

    pools: Sequence[AnyPool]
    classes: tuple[RoutedClass, ...]
    stages: list[StageOf] = field(default_factory=list)
    streams: list[StreamOf] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = tuple(pool.name for pool in self.pools)

    def model(self, place: int) -> ServedModel:
        """Return a pool that requests are routed to."""
        pool = self.pools[place]
        assert isinstance(pool, ServedModel)
        return pool

    def of_class(self, cls: int) -> list[int]:
        """Return the stages of a class in order."""
        return [g for g, stage in enumerate(self.stages) if stage.cls == cls]

    def columns(self, rates_per_s: np.ndarray) -> Streams:
        """Return the streams as the kernel needs them; `rates_per_s` is (classes, hours + 1)."""
        begins = np.array([stage.begins for stage in self.stages])
        classes = np.array([stage.cls for stage in self.stages], np.int64)
        amounts = [
            tuple(s.held_frac * each for each in (1.0, s.work, s.input_tokens, s.output_tokens))
            for s in self.streams
        ]
        return Streams(
            pool=np.array([s.pool for s in self.streams], np.int64),
            stage=np.array([s.stage for s in self.streams], np.int64),
            amounts=np.array(amounts),
            rate_per_s=np.where(begins[:, None], rates_per_s[classes], 0.0),
            after=np.array(self.after, np.int64),
            kept=np.array(self.kept, np.int64),
        )


def routed_classes(
    traffics: Sequence[Traffic], pools: Sequence[AnyPool]
) -> tuple[RoutedClass, ...]:
    """Return every class in the order of routing: by priority, then as written."""
    names, found = tuple(pool.name for pool in pools), []
    for traffic in traffics:
        for spec in traffic.classes:
            request = request_of(traffic, spec, pools)
            policy: RoutingPolicy = spec.router or traffic.router
            candidates = policy.candidates(request, names)
            found.append(RoutedClass(traffic, spec, request, candidates))
    return tuple(sorted(found, key=lambda c: -c.spec.priority))


def plan_of(
    traffics: Sequence[Traffic],
    pools: Sequence[AnyPool],
    students: Mapping[str, str] | None = None,
) -> RoutePlan:
    """Return the streams; `students` names, by class, a pool that takes over a part of it later."""
    plan = RoutePlan(pools, routed_classes(traffics, pools))
    for index, cls in enumerate(plan.classes):
        _lay_class(plan, index, cls, (students or {}).get(cls.spec.name))
    return plan


def _lay_class(plan: RoutePlan, index: int, cls: RoutedClass, student: str | None) -> None:
    """Add moderation, the answering stages and moderation of a class, each leading to the next."""
    moderation, answering = cls.spec.moderation, len(cls.candidates)
    first = len(plan.stages)
    if moderation and moderation.before:
        _stage(plan, StageOf(index, BEFORE, begins=True), after=first + 1, kept=USER)
        _moderate(plan, cls, 0.0)
    answer = len(plan.stages)
    last = answer + answering if moderation and moderation.after else USER
    for k, names in enumerate(cls.candidates):
        onward = answer + k + 1 if k + 1 < answering else USER
        label = "answer" if answering == 1 else f"answer {k + 1}"
        stage = StageOf(index, label, answering=k, begins=answer + k == first)
        _stage(plan, stage, onward, last)
        taken = (*names, student) if student and k == 0 and student not in names else names
        for name in taken:
            plan.streams.append(_answer(plan, cls, len(plan.stages) - 1, name))
    if moderation and moderation.after:
        _stage(plan, StageOf(index, AFTER), USER, USER)
        written = [s.output_tokens for s in plan.streams if s.stage >= answer]
        _moderate(plan, cls, sum(written) / len(written))


def _stage(plan: RoutePlan, stage: StageOf, after: int, kept: int) -> None:
    plan.stages.append(stage)
    plan.after.append(after)
    plan.kept.append(kept)


def _moderate(plan: RoutePlan, cls: RoutedClass, answer_tokens: float) -> None:
    """Add the stream of a pass that reads the prompt and so many tokens of an answer."""
    moderation = cls.spec.moderation
    assert moderation is not None
    place = plan.names.index(moderation.pool)
    read, verdict = cls.spec.input_tokens + answer_tokens, moderation.verdict_tokens
    stage = len(plan.stages) - 1
    plan.streams.append(StreamOf(stage, place, *_length(plan, place, read, verdict), "moderation"))


def _answer(plan: RoutePlan, cls: RoutedClass, stage: int, name: str) -> StreamOf:
    place = plan.names.index(name)
    pool, spec = plan.model(place), cls.spec
    shown = image_frac_of(spec, pool)
    length = _length(plan, place, spec.input_tokens, written_tokens(spec, pool), shown)
    return StreamOf(
        stage, place, *length, _role(plan, cls, stage, name), _quality(plan, cls, stage, pool),
        thought_of(spec, pool)[1],
    )  # fmt: skip


def _length(
    plan: RoutePlan, place: int, read: float, written: float, shown: float = 0.0
) -> tuple[tuple[float, float], float, float, float, float, float]:
    """Return a stream's lengths as asked, the share that its pool holds, their lengths, the share of
    images in the input, and the work."""
    pool = plan.model(place)
    work = work_frac(pool, read, written, shown)
    return (read, written), *held(pool, read, written), shown, work


def _role(plan: RoutePlan, cls: RoutedClass, stage: int, name: str) -> Role:
    k = plan.stages[stage].answering or 0
    if name not in cls.candidates[k]:
        return "student"
    return "escalation" if k else "first" if name == cls.candidates[k][0] else "spill"


def _quality(plan: RoutePlan, cls: RoutedClass, stage: int, pool: ServedModel) -> float | None:
    """Return the quality of what a pool keeps: in a cascade what the user's table says of answers
    kept, and in its last stage of those passed on."""
    traffic, spec, k = cls.traffic, cls.spec, plan.stages[stage].answering or 0
    table = traffic.escalation.get(spec.task, {})
    stages = cls.candidates
    if len(stages) > 1 and pool.name in stages[k]:
        passes = k + 1 < len(stages)
        entry = table[pool.name] if passes else table[stages[k - 1][0]]
        return quality_of(traffic, spec, pool, entry.kept if passes else entry.passed)
    return quality_of(traffic, spec, pool)
