"""Windows at 10 ms: inside the period, apart from each other, of jobs and masks that there are."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from simulator import catalog
from simulator.components.power.smoothing.battery_plant import BatteryPlant
from simulator.components.topology import Topology
from simulator.errors import nearest
from simulator.kernels.site_step import STEP_S
from simulator.scenario.parts import Parts
from simulator.scenario.spec import Period
from simulator.scenario.wording import Trouble
from simulator.workloads import SynchronousJob
from simulator.workloads.waveform import Waveform

PATH = ("verify", "waveform")


def windows(parts: Parts) -> Iterator[Trouble]:
    """Windows that the run does not go through, jobs and masks that do not exist."""
    if parts.verify is None:
        return
    asked = parts.verify.waveform
    jobs = [w.name for w in parts.workloads.values() if isinstance(w, SynchronousJob)]
    if parts.period is not None and asked.windows:
        yield from _times(asked, parts.period)
    yield from names(asked, jobs)
    if parts.topology is not None:
        yield from _batteries(asked, parts.topology)


def _batteries(asked: Waveform, topology: Topology) -> Iterator[Trouble]:
    """Batteries without power or energy on a site that has none."""
    for i, smoother in enumerate(asked.smoothing):
        if isinstance(smoother, BatteryPlant):
            try:
                smoother.of_site(topology.battery)
            except ValueError as error:
                yield (*PATH, "smoothing", i), f"battery_plant: {error}"


def names(asked: Waveform, jobs: Iterable[str]) -> Iterator[Trouble]:
    """Jobs and masks that there are not."""
    known = list(jobs)
    if asked.job is not None and asked.job not in known:
        cure = nearest(asked.job, known) or f"; there are {', '.join(known) or 'none'}"
        yield (*PATH, "job"), f"no synchronous job '{asked.job}'{cure}"
    for i, mask in enumerate(asked.masks):
        try:
            catalog.load("masks", mask)
        except KeyError as error:
            yield (*PATH, "masks", i), str(error.args[0])


def _times(asked: Waveform, period: Period) -> Iterator[Trouble]:
    if asked.length % STEP_S:
        yield (*PATH, "length"), f"{asked.length:g} s is not a whole number of minutes"
    for i, at in enumerate(asked.windows):
        into_s = (at - period.start).total_seconds()
        place = (*PATH, "windows", i)
        if into_s % STEP_S:
            yield place, f"'{at.isoformat()}' is no whole minute of the run"
        if into_s < 0.0 or into_s + asked.length > period.duration:
            yield place, f"'{at.isoformat()}' and {asked.length:g} s are not inside the period"
    for before, after in pairwise(sorted(asked.windows)):
        if (after - before).total_seconds() < asked.length:
            yield (*PATH, "windows"), f"the windows at {before.isoformat()} and {after.isoformat()} overlap"
