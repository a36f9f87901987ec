"""How fast a synchronous job goes, what its time counts as, and the power it draws meanwhile."""

from dataclasses import dataclass

import numpy as np

from simulator.engine import work
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.site_step import STEP_S
from simulator.workloads.step import JobStep, Levels

CHECKPOINT_POWER = 0.10
"""Dynamic power fraction of a chip that waits for a save, a restart or its peers (assumed)."""


@dataclass(frozen=True)
class Running:
    """How a job computes: shares of its time and of its accelerators."""

    computing_frac: float
    """Share of the time that is not spent on saves."""
    network_pace: float
    """Of the planned step, what the network leaves."""
    parts_pace: float
    """Of full speed, what missing parts and redundant work leave."""
    whole: float
    """Accelerators of the whole job over those it holds in service, reserve included."""

    @property
    def rate(self) -> float:
        """Seconds of planned work per second, at full clock."""
        return self.computing_frac * self.network_pace * self.parts

    @property
    def full_frac(self) -> float:
        """Share of the time that computes on all parts: saves and missing parts taken off."""
        return self.computing_frac * self.parts

    def shares(self) -> np.ndarray:
        """Return what an accelerator-second of a member counts as.

        Useful is the work done, in accelerators of the whole job: a step less is the same loss
        whoever still holds racks. What members beyond those used do is idle.
        """
        share = np.zeros(len(c.CATEGORIES))
        active, full = min(self.whole, 1.0), self.full_frac * self.whole
        share[c.IDLE] = 1.0 - active
        share[c.CHECKPOINT] = active * (1.0 - self.computing_frac)
        share[c.USEFUL] = full * min(self.network_pace, 1.0)
        share[c.NETWORK] = full - share[c.USEFUL]
        share[c.DEGRADED] = active * self.computing_frac - full
        return share

    def dynamic_frac(self, at_work: float) -> float:
        """Return the mean dynamic power of the members; those without work wait, a reserve idles."""
        busy = self.full_frac * self.whole
        return busy * at_work + (min(self.whole, 1.0) - busy) * CHECKPOINT_POWER

    @property
    def parts(self) -> float:
        """No more work than the accelerators in service can do."""
        return min(self.parts_pace, 1.0 / self.whole if self.whole > 1.0 else 1.0)


class JobPace:
    """The pace of one job. Work is counted in seconds of the planned step at full speed."""

    def __init__(self, world: World, load: int, planned: JobStep, used: float) -> None:
        self.world, self.load, self.planned, self.used = world, load, planned, used
        self.parts = 1.0
        """Of full speed, with what is there."""
        self.computing_frac = 1.0
        self.reworked_s = 0.0
        self.members = 0.0
        """Accelerators in service when it was last looked at."""
        self._ran_s = (0.0, 0.0)
        self._since_s: float | None = None
        self._full_frac = 0.0
        self.plan(planned)

    def plan(self, step: JobStep) -> None:
        """Take a step as what is done from now on; its phases are followed as far as the engine's
        resolution lets them be seen."""
        self.step = step
        self._levels = Levels(step, STEP_S)
        self._level = 0

    @property
    def network(self) -> float:
        """Planned time of a step over its present one, at full clock."""
        return self.planned.step_time_s / self.step.step_time_s

    @property
    def position_s(self) -> float:
        """Work done and not lost."""
        return self.work_s() - self.reworked_s

    def work_s(self) -> float:
        """Return seconds of planned full-speed work computed so far, up to now."""
        return work.done_s(self.world, self.load)

    def lose(self, lost_s: float) -> None:
        """Count work as rework, of all accelerators that did it."""
        self.reworked_s += lost_s
        hours = self.world.state.loads.hours[self.load]
        hours[c.USEFUL] -= lost_s * self.used
        hours[c.REWORK] += lost_s * self.used

    def go(self) -> None:
        """Compute from now on, as things are now."""
        now_s = self.world.env.now
        self._ran_s, self._since_s = self.ran_s(now_s), now_s
        self.members = float(self.world.state.loads.count[self.load])
        running, phase = self.running, self._levels.phases[self._level]
        self._full_frac = running.full_frac
        self._set(running.dynamic_frac(phase.dynamic_power_frac), running.shares(), running.rate)

    def halt(self) -> None:
        """Note the end of computing; `stand` says what comes after."""
        self._ran_s, self._since_s = self.ran_s(self.world.env.now), None

    def stand(self, category: int) -> None:
        """Compute nothing from now on."""
        share = np.zeros(len(c.CATEGORIES))
        share[category] = 1.0
        self._set(CHECKPOINT_POWER, share, 0.0)

    def ran_s(self, now_s: float) -> tuple[float, float]:
        """Return the time run up to now, and what of it was computing on all parts."""
        if self._since_s is None:
            return self._ran_s
        since_s = now_s - self._since_s
        return self._ran_s[0] + since_s, self._ran_s[1] + self._full_frac * since_s

    def look(self) -> None:
        """Find the level of the step that is reached, at the start of computing."""
        self._level, _ = self._levels.at(self.position_s, self.planned.step_time_s)

    def follow(self, progress_s: float) -> float:
        """Draw the power of the level that is reached; return the work until the next one."""
        level, ahead_s = self._levels.at(progress_s, self.planned.step_time_s)
        if level != self._level:
            self._level = level
            self.go()
        return ahead_s

    def wait_s(self, ahead_s: float) -> float:
        """Return how long to compute before looking again at work that is so far ahead."""
        at_best = self.computing_frac * self.parts * max(1.0, self.network)
        now = self.running.rate * work.pace(self.world, self.load)
        return work.wait_s(ahead_s, at_best, now)

    @property
    def running(self) -> Running:
        """How it computes with the members it had when it was last looked at."""
        whole = self.used / self.members if self.members > 0.0 else 1.0
        return Running(self.computing_frac, self.network, self.parts, whole)

    def _set(self, dynamic_frac: float, share: np.ndarray, running: float) -> None:
        on = 0.0 if self.load in self.world.restored else 1.0
        self.world.set_load(
            self.load, on=on, dynamic_frac=dynamic_frac, share=share, running=running,
            clock_bound_frac=self._levels.phases[self._level].clock_bound_frac,
        )
