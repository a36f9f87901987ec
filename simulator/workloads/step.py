"""One step of a job as planned: its phases, each with its time, its power and what slows it."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import inf

import numpy as np

from simulator.engine.work import DONE_S
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

    @cached_property
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

    def told_against(self, after: "JobStep") -> str:
        """Return in words what another step changes: time, MFU and power; nothing where the times
        read alike."""
        was, now = f"{self.step_time_s:.4g} s", f"{after.step_time_s:.4g} s"
        if was == now:
            return ""
        mfu = f"{100.0 * self.mfu:.1f} % to {100.0 * after.mfu:.1f} %"
        powers = (self.dynamic_power_frac, after.dynamic_power_frac)
        power = " to ".join(f"{100.0 * frac:.1f} %" for frac in powers)
        return f"step from {was} to {now}, MFU {mfu}, dynamic power {power}"

    def share(self, *names: str) -> float:
        """Return the share of the step that the named phases take."""
        return sum(p.seconds for p in self.phases if p.name in names) / self.step_time_s

    def _mean(self, values: list[float]) -> float:
        weighted = sum(p.seconds * v for p, v in zip(self.phases, values, strict=True))
        return weighted / self.step_time_s


class Levels:
    """The parts of a step as far as a resolution lets them be seen."""

    def __init__(self, step: JobStep, least_s: float) -> None:
        """Take each part together with those after it until they last at least `least_s`; what is
        left at the end goes to the last."""
        parts = [_together(list(phases)) for _, phases in groupby(step.phases, lambda p: p.part)]
        groups: list[list[Phase]] = [[]]
        for part in parts:
            if sum(p.seconds for p in groups[-1]) >= least_s:
                groups.append([])
            groups[-1].append(part)
        if len(groups) > 1 and sum(p.seconds for p in groups[-1]) < least_s:
            groups[-2:] = [groups[-2] + groups[-1]]
        self.phases = tuple(_together(group) for group in groups)
        self._ends = np.cumsum([phase.seconds for phase in self.phases]) / step.step_time_s

    def at(self, progress_s: float, step_s: float) -> tuple[int, float]:
        """Return which level is reached after `progress_s` of work in steps of `step_s`, and the
        work left in it; without end where there is only one."""
        if len(self.phases) == 1:
            return 0, inf
        place_s, ends_s = progress_s % step_s, self._ends * step_s
        level = int(np.searchsorted(ends_s, place_s + DONE_S, side="right"))
        if level == ends_s.size:  # the next step begins
            return 0, float(ends_s[0]) + step_s - place_s
        return level, float(ends_s[level]) - place_s


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


def steps_over(step: TrainingStep, tokens: float) -> JobStep:
    """Return an optimizer step taken again and again until `tokens` are trained on."""
    return JobStep(
        phases=phases_of(step),
        tokens_per_step=step.tokens_per_step,
        steps=tokens / step.tokens_per_step,
        mfu=step.mfu,
        checkpoint_bytes=step.checkpoint_bytes,
    )


def scaled(phases: tuple[Phase, ...], factor: float) -> tuple[Phase, ...]:
    """Return the phases that last `factor` times as long."""
    return tuple(replace(phase, seconds=phase.seconds * factor) for phase in phases)
