"""One step of a job as planned: its phases, each with its time, its power and what slows it."""

from dataclasses import dataclass, replace
from itertools import groupby

from simulator.performance.training import WAITING_POWER, TrainingStep


@dataclass(frozen=True)
class Phase:
    """A part of the step, on all accelerators of the job."""

    name: str
    seconds: float
    dynamic_power_frac: float
    """Chip power between idle and TDP, mean of the job's accelerators."""
    clock_bound_frac: float
    """Share of its time that follows the core clock; memory and network keep theirs."""
    part: str
    """Phases of one part (`training`) take turns in it many times; parts follow each other."""


@dataclass(frozen=True)
class JobStep:
    """What a job does again and again: an optimizer step, or an iteration of post-training."""

    phases: tuple[Phase, ...]
    tokens_per_step: float
    steps: float
    """To the end of the job."""
    mfu: float
    """Model FLOPs of all phases per peak of the plan's precision."""
    checkpoint_bytes: float

    @property
    def step_time_s(self) -> float:
        """Time of one step at full clock."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def dynamic_power_frac(self) -> float:
        """Mean over the step."""
        return self._mean([phase.dynamic_power_frac for phase in self.phases])

    @property
    def clock_bound_frac(self) -> float:
        """Share of the step that follows the clock."""
        return self._mean([phase.clock_bound_frac for phase in self.phases])

    def share(self, *names: str) -> float:
        """Return the share of the step that the named phases take."""
        return sum(p.seconds for p in self.phases if p.name in names) / self.step_time_s

    def _mean(self, values: list[float]) -> float:
        weighted = sum(p.seconds * v for p, v in zip(self.phases, values, strict=True))
        return weighted / self.step_time_s


def levels(step: JobStep, least_s: float) -> tuple[Phase, ...]:
    """Return the parts of a step as seen at a resolution: each together with those after it until
    they last at least `least_s`; what is left at the end goes to the last."""
    parts = [_together(list(phases)) for _, phases in groupby(step.phases, lambda p: p.part)]
    groups: list[list[Phase]] = [[]]
    for part in parts:
        if sum(p.seconds for p in groups[-1]) >= least_s:
            groups.append([])
        groups[-1].append(part)
    if len(groups) > 1 and sum(p.seconds for p in groups[-1]) < least_s:
        groups[-2:] = [groups[-2] + groups[-1]]
    return tuple(_together(group) for group in groups)


def _together(phases: list[Phase]) -> Phase:
    """Return phases as one, powers and clock-bound shares weighted with time."""
    whole = JobStep(tuple(phases), 0.0, 0.0, 0.0, 0.0)
    name = " + ".join(phase.name for phase in phases)
    power, bound = whole.dynamic_power_frac, whole.clock_bound_frac
    return Phase(name, whole.step_time_s, power, bound, phases[0].part)


def phases_of(step: TrainingStep) -> tuple[Phase, ...]:
    """Return the phases of an optimizer step: products and memory, pipeline bubble, and what
    communication leaves exposed. A stage in the bubble waits for another one's compute."""
    bubble_s = step.bubble_frac * step.step_time_s
    bound = min(step.clock_bound_frac * step.step_time_s / step.compute_s, 1.0)
    found = (
        Phase("compute", step.compute_s, step.compute_power_frac, bound, "training"),
        Phase("bubble", bubble_s, WAITING_POWER, bound, "training"),
        Phase(
            "communication", step.exposed_communication_s, WAITING_POWER, 0.0, "training"
        ),
    )
    return tuple(phase for phase in found if phase.seconds > 0.0)


def scaled(phases: tuple[Phase, ...], factor: float) -> tuple[Phase, ...]:
    """Return the phases that last `factor` times as long."""
    return tuple(replace(phase, seconds=phase.seconds * factor) for phase in phases)
