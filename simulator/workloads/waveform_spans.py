"""What a job does in a window, one span after the other: steps, saves, stops."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from simulator.kernels.waveform import Spans
from simulator.workloads.waveform_probe import Doing, JobSeen, Rhythm

LEAST_S = 1e-9


class Span(NamedTuple):
    """One row of `kernels.waveform.Spans`, by the same names."""

    start_s: float
    stop_s: float
    stepping: int
    place_s: float
    stretch: float
    scale: float
    level: float
    on: float
    held: float = 0.0


def spans_of(
    job: JobSeen, start_s: float, length_s: float, hold_s: float, jitter: Callable[[int], float]
) -> Spans:
    """Return the spans of a job from the start of a window.

    Parameters
    ----------
    hold_s : float
        A power floor holds in steps, and for so long after the last one.
    jitter : callable
        Returns the length of the n-th step of the window over its planned one.
    """
    end_s = start_s + length_s
    found = list(_walk(job, start_s, end_s, jitter))
    rows = list(_held(found, hold_s)) or [Span(0.0, length_s, 0, 0.0, 1.0, 1.0, 0.0, 0.0)]
    return as_spans(rows)


def as_spans(rows: list[Span]) -> Spans:
    """Return rows as the kernel takes them."""
    return Spans(*(
        np.array(column, np.int64 if name == "stepping" else np.float64)
        for name, column in zip(Spans._fields, zip(*rows, strict=True), strict=True)
    ))  # fmt: skip


def _walk(
    job: JobSeen, start_s: float, end_s: float, jitter: Callable[[int], float]
) -> Iterator[Span]:
    """Yield the spans between the moments at which the job was seen to change."""
    ends = [doing.at_s for doing in job.doing[1:]] + [end_s]
    steps, done, stepped = 0, 0.0, False
    saved_s = -np.inf
    for doing, until_s in zip(job.doing, ends, strict=True):
        at_s = doing.at_s
        if doing.step is None:
            level = doing.level * doing.scale
            yield Span(at_s - start_s, until_s - start_s, 0, 0.0, 1.0, 1.0, level, doing.on)
            stepped = False
            continue
        if not stepped:
            done, stepped = doing.done, True
        while until_s - at_s > LEAST_S:
            rhythm = _rhythm(job, at_s)
            if done == 0.0 and rhythm is not None:
                due_s = _due_s(rhythm, at_s)
                if max(saved_s, at_s - doing.wall_s) < due_s <= at_s:
                    saved_s, stop_s = due_s, min(at_s + rhythm.stall_s, until_s)
                    level = doing.level * doing.scale
                    yield Span(at_s - start_s, stop_s - start_s, 0, 0.0, 1.0, 1.0, level, doing.on)
                    at_s = stop_s
                    continue
            span, done = _step(doing, rhythm, at_s, until_s, done, jitter(steps))
            yield span._replace(start_s=at_s - start_s, stop_s=span.stop_s - start_s)
            at_s = span.stop_s
            steps += done == 0.0


def _step(
    doing: Doing, rhythm: Rhythm | None, at_s: float, until_s: float, done: float, jitter: float
) -> tuple[Span, float]:
    """Return what is left of a step, and the share done when it stops; 0 when the next one begins."""
    assert doing.step is not None
    slowed = 1.0
    if rhythm is not None:
        useful_s = rhythm.cycle_s - rhythm.stall_s - rhythm.contention_s
        slowed += rhythm.contention_s / useful_s
    wall_s = doing.wall_s * slowed * jitter
    duty = doing.duty / slowed
    nominal_s = doing.step.step_time_s
    stretch = wall_s * duty / nominal_s
    stop_s = min(at_s + (1.0 - done) * wall_s, until_s)
    place_s = done * wall_s / stretch
    after = done + (stop_s - at_s) / wall_s
    if after > 1.0 - LEAST_S:
        after = 0.0
    tail = doing.level * doing.scale
    return Span(at_s, stop_s, 1, place_s, stretch, doing.scale, tail, doing.on), after


def _rhythm(job: JobSeen, at_s: float) -> Rhythm | None:
    """Return the rhythm of saves at a moment."""
    known = [rhythm for since_s, rhythm in job.rhythms if since_s <= at_s]
    return known[-1] if known else None


def _due_s(rhythm: Rhythm, at_s: float) -> float:
    """Return when the save of the present cycle fell due, or that of the one before."""
    cycles = np.floor((at_s - rhythm.since_s + rhythm.stall_s) / rhythm.cycle_s)
    if cycles < 1.0:
        return float(np.inf)
    return float(rhythm.since_s + cycles * rhythm.cycle_s - rhythm.stall_s)


def _held(spans: list[Span], hold_s: float) -> Iterator[Span]:
    """Yield the spans with the hold of a floor marked, those cut in which it ends."""
    last_s = -np.inf
    for span in spans:
        if span.stepping:
            last_s = span.stop_s
            yield span._replace(held=1.0)
            continue
        ends_s = last_s + hold_s if span.on > 0.0 else -np.inf
        if ends_s <= span.start_s:
            yield span
        elif ends_s >= span.stop_s:
            yield span._replace(held=1.0)
        else:
            yield span._replace(stop_s=ends_s, held=1.0)
            yield span._replace(start_s=ends_s)
