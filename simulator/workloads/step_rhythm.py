"""The order of work and waits inside a step: what a rack does when, from the phases of the step and
the parallel plan that made them."""

from itertools import groupby

import numpy as np

from simulator.components.parallel_plan import ParallelPlan
from simulator.kernels.waveform import Slots
from simulator.performance import plan_faults
from simulator.workloads.step import JobStep, Phase

TRAINING = "training"
# Time of a micro-batch's backward pass over that of its forward pass: two products for each of forward,
# and the forward pass again where activations are computed again. Counted. Derived.
BACKWARD, RECOMPUTED = 2.0, 3.0

Slot = tuple[float, float, float, float]
"""Seconds of work, its level, seconds of the wait behind it, its level."""


def rhythm(step: JobStep, plan: ParallelPlan, trainers: int, once_frac: float) -> Slots:
    """Return the slots of every pipeline stage; each stage's add up to the phases of the step.

    Parameters
    ----------
    once_frac : float
        Share of the exposed communication that comes once a step (gradients and weights among the
        data-parallel ranks); the rest follows every pass of every micro-batch. Collectives of single
        layers are shorter than a sample and are in the mean of their pass.
    """
    parts = [list(found) for _, found in groupby(step.phases, lambda phase: phase.part)]
    stages = plan.pp
    slots: list[Slot] = []
    first = [0]
    for stage in range(stages):
        for part in parts:
            if part[0].part == TRAINING:
                slots += _trained(part, plan, trainers, stage, once_frac)
            else:
                slots += [(p.seconds, p.dynamic_power_frac, 0.0, 0.0) for p in part]
        first.append(len(slots))
    table = np.array(slots).reshape(-1, 4).T.copy()
    return Slots(np.array(first, np.int64), *table)


def _trained(
    part: list[Phase], plan: ParallelPlan, trainers: int, stage: int, once_frac: float
) -> list[Slot]:
    """Return the slots of one stage in an optimizer step (of several in a row, as if of one).

    One forward, one backward (Narayanan et al., SC21): a stage waits for its first micro-batch, runs
    forwards until the first backward reaches it, alternates, and waits for the stages before it. Its
    three waits add up to the bubble. Interleaved stages wait less, in the same places.
    """
    seconds = {phase.name: phase.seconds for phase in part}
    levels = {phase.name: phase.dynamic_power_frac for phase in part}
    batches = _micro_batches(plan, trainers)
    back = RECOMPUTED if plan.recompute == "full" else BACKWARD
    waits_s, resting = seconds.get("communication", 0.0), levels.get("communication", 0.0)
    each_s = seconds["compute"] / batches / (1.0 + back)
    wait_s = (1.0 - once_frac) * waits_s / batches / (1.0 + back)
    forward = (each_s, levels["compute"], wait_s, resting)
    backward = (back * each_s, levels["compute"], back * wait_s, resting)
    idle_s = seconds.get("bubble", 0.0) / max(plan.pp - 1, 1) / (1.0 + back)
    empty = levels.get("bubble", 0.0)
    ahead = min(plan.pp - stage, batches)

    def idle(passes: float) -> Slot:
        return 0.0, 0.0, passes * idle_s, empty

    steady = [slot for _ in range(batches - ahead) for slot in (backward, forward)]
    return [
        idle(stage), *[forward] * ahead, idle((plan.pp - 1 - stage) * (1.0 + back)), *steady,
        *[backward] * ahead, idle(stage * back), (0.0, 0.0, once_frac * waits_s, resting),
    ]  # fmt: skip


def _micro_batches(plan: ParallelPlan, trainers: int) -> int:
    ranks = max(plan_faults.ranks(trainers, plan), 1)
    return max(plan.global_batch_sequences // (ranks * plan.micro_batch), 1)
