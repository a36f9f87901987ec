"""What a job does between an interruption and its next step: what it goes on with, what it loads, how
long that takes."""

from collections import Counter
from collections.abc import Generator
from functools import partial
from math import inf
from typing import Any

import numpy as np

from simulator.engine.alarm import Alarm
from simulator.kernels import columns as c
from simulator.policies.recovery import RECOVERIES, Damage, Decision, View
from simulator.workloads.cadence import Saving
from simulator.workloads.job_pace import JobPace
from simulator.workloads.job_racks import WHOLE, JobRacks
from simulator.workloads.saves import Saves, partners
from simulator.workloads.synchronous import SynchronousJob

BEGIN = Decision(rolls_back=False)
"""How a job starts for the first time."""
NOWHERE = np.zeros(0, np.int64)


class Recovering:
    """The recovery of one job."""

    def __init__(
        self, job: SynchronousJob, racks: JobRacks, pace: JobPace, saving: Saving, saves: Saves
    ) -> None:
        self.job, self.racks, self.pace = job, racks, pace
        self.saving, self.saves = saving, saves
        self.world = pace.world
        self.from_: Counter[str] = Counter()
        """Stops by what the job went on from: a tier, `start` or `running`."""
        self._decide = RECOVERIES[job.practice.policy]
        self._in_memory = job.checkpoint.local is not None or job.checkpoint.peer is not None
        self._told: Alarm | None = None
        self._clean_s = inf
        self._replaced_s = inf

    def strike(self, alarm: Alarm) -> None:
        """Take from the saves what a failure takes."""
        now_s, work_s = self.world.env.now, self.pace.position_s
        self.saves.settle(now_s, work_s)
        if alarm.planned:
            self.saves.save_all(now_s, work_s, at_once=True)
        dark = self.racks.load in self.world.restored
        self.saves.hit(now_s, self._forgotten(alarm), self._copies, dark)
        if alarm.silent_s is not None:
            self._clean_s = min(self._clean_s, now_s - alarm.silent_s)

    def tell(self, alarm: Alarm) -> None:
        """Say which failure the job recovers from now."""
        self._told = alarm

    def gather(self, first: bool) -> Generator[Any, Any, Decision]:
        """Wait for supply and for the racks that the policy wants, in the order of priority of all that lost
        some; return its decision."""
        world, racks = self.world, self.racks
        while True:
            yield world.turn(self.job.priority)
            off = world.restored.get(racks.load)
            if off is None:
                racks.drop()
                decision = BEGIN if first else self.decision()
                lacks = racks.lacking
                if (not decision.waits or racks.fill()) and racks.join():
                    self.expect(decision, lacks)
                    return decision
            self.pace.stand(c.QUEUE if off is None else c.POWER_CAP)
            yield world.wait_for_racks() if off is None else off

    def decision(self) -> Decision:
        """Return how the policy goes on with the racks that are left."""
        racks = self.racks
        sharded = self.job.plan.sharding != "none"
        view = View(racks.unit_shares, partial(racks.warm, self.job.spares), sharded)
        return self._decide(view, Damage(racks.lacking, self._within()))

    def _within(self) -> bool:
        """Return whether chips are out in racks that were hit and are kept."""
        if self._told is None or self.racks.least_up > WHOLE:
            return False
        slots = self.racks.slots_of(self._told.racks)
        return bool((self.world.state.racks.up_frac[self.racks.slots[slots]] < WHOLE).any())

    def expect(self, decision: Decision, lacks: int) -> None:
        """Say when replacements are ready, where the job does not wait for them."""
        self._replaced_s = inf
        if not decision.waits and lacks:
            spec, warm = self.job.practice, lacks <= self.racks.warm(self.job.spares)
            self._replaced_s = self.world.env.now + (spec.warm if warm else spec.cold)

    def fall_back(self, decision: Decision) -> str | None:
        """Lose what no save holds, unless the live state is still there; return what is loaded."""
        if not decision.rolls_back and self._clean_s == inf:
            self.from_["running"] += 1
            return None
        tier, work_s = self.saves.best(self.world.env.now, self._clean_s)
        self._clean_s = inf
        self.pace.lose(self.pace.position_s - work_s)
        self.from_[tier.name if tier is not None else "start"] += 1
        return tier.name if tier is not None else None

    def pause_s(self, decision: Decision, loads: str | None) -> float:
        """Return the time from here to the first step: what the document says, or its parts."""
        if self.job.checkpoint.restart is not None:
            return self.job.checkpoint.restart
        spec, told = self.job.practice, self._told
        load_s = self.saving.load_s(loads, self.pace.planned)
        pause_s = spec.start_s(decision.starts, self.pace.used) + load_s
        if told is None:
            return pause_s
        known = told.planned or decision.starts == "nothing"
        looking_s = 0.0 if known else told.diagnosis_s or spec.diagnosis
        return told.unnoticed_s + looking_s + spec.replace_s(decision) + pause_s

    def after_power_loss_s(self) -> float:
        """Return the time from when racks of a job that lost power have booted, all of them, to its next step:
        what is stored away from them is all that is left."""
        if self.job.checkpoint.restart is not None:
            return self.job.checkpoint.restart
        spec, racks = self.job.practice, self.racks
        none_left = np.zeros(racks.units), np.full(racks.units, -(-racks.wanted // racks.units))
        view = View(lambda: none_left, lambda: 0, self.job.plan.sharding != "none")
        decision = self._decide(view, Damage(racks.wanted, False))
        load_s = self.saving.load_s("remote", self.pace.planned)
        return spec.diagnosis + spec.replace_s(decision) + spec.start_s(decision.starts, self.pace.used) + load_s

    def joining_s(self) -> float:
        """Return the time in which what is back joins what went on without it."""
        if self.job.checkpoint.restart is not None:
            return self.job.checkpoint.restart
        start_s = self.job.practice.start_s("communicators", self.pace.used)
        return start_s + self.saving.live_s(self.pace.planned)

    def ready_in_s(self) -> float:
        """Return the time until a replacement is ready, endless where none is on its way."""
        return self._replaced_s - self.world.env.now

    def misses(self) -> bool:
        """Return whether the job computes without parts that may come back."""
        return self.racks.lacking > 0 or self.pace.members < self.racks.wanted * self.racks.per_rack

    def has_back(self) -> bool:
        """Return whether a job that goes on without parts can have more of them now."""
        pace = self.pace
        members = float(self.world.state.loads.count[pace.load])
        grown = members > pace.members
        if members != pace.members:
            pace.go()
        if self.racks.lacking:
            return self.ready_in_s() <= 0.0 and self.racks.any_free()
        return grown and pace.parts < 1.0 - self.job.practice.overhead

    def _forgotten(self, alarm: Alarm) -> np.ndarray:
        """Return the slots whose memory a failure takes, where a tier keeps saves in it."""
        if not self._in_memory or not alarm.racks.size:
            return NOWHERE
        up_frac = self.world.state.racks.up_frac[alarm.racks]
        return self.racks.slots_of(alarm.racks[(up_frac < WHOLE) | (not alarm.transient)])

    def _copies(self) -> np.ndarray | None:
        """Return the slot that holds the copy of each in memory; None where no tier has any."""
        peer = self.job.checkpoint.peer
        return None if peer is None else partners(self.racks.domains(peer.apart))
