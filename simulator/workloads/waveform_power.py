"""Windows of a run as power at 10 ms: the jobs from their steps, everything else from its minutes."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulator import rng
from simulator.components.power.smoothing import OFF
from simulator.components.power.smoothing.battery_plant import BatteryPlant, Followed
from simulator.components.power.smoothing.power_floor import PowerFloor
from simulator.kernels import philox
from simulator.kernels import waveform as kernel
from simulator.kernels.columns import POI_W
from simulator.kernels.site_step import STEP_S
from simulator.kernels.waveform import Lags, Members, Spans, Tools
from simulator.performance.stragglers import SPEED_SPREAD
from simulator.site import Site
from simulator.workloads import jobs
from simulator.workloads.step import JobStep
from simulator.workloads.step_rhythm import rhythm
from simulator.workloads.waveform import SAMPLE_S, Waveform
from simulator.workloads.waveform_probe import JobSeen, Racks, Seen
from simulator.workloads.waveform_spans import spans_of

Floats = NDArray[np.float64]

# First-order lag from what a chip's units do to the draw of its rack: regulators, the bulk capacitors
# of power supplies, firmware that averages over 50 ms (arXiv:2508.14318, section 4). A swing of half
# of rated power then rises at 2 pu/s over 250 ms; NERC saw 1.9 pu/s. Assumed, 20-100 ms.
CHIP_LAG_S = 0.05

# The same for the rest of a server: fans, processors, regulators of memory. Assumed, 1-30 s.
HOST_LAG_S = 5.0

# Length of a step from one to the next, one sigma of its mean: data, garbage collection, routing of
# tokens. It widens the lines of the spectrum. Assumed, 0.1-2 %.
STEP_SPREAD = 0.005

LAGS = Lags(CHIP_LAG_S, HOST_LAG_S)
SAMPLES = round(STEP_S / SAMPLE_S)
"""In a minute."""


@dataclass(frozen=True)
class JobDrawn:
    """Power into the racks of one job; arrays (samples,)."""

    name: str
    it_w: Floats
    smooth_w: Floats
    """With what smooths inside its racks."""
    account: Floats
    deviation: Floats
    """(minutes,) what the phases gave over the plan engine's mean, less one; taken off again."""
    step_s: float
    chips: float


@dataclass(frozen=True)
class Drawn:
    """One window; arrays (samples,). Powers at the point of interconnection include losses and
    cooling."""

    start_s: float
    jobs: tuple[JobDrawn, ...]
    others_w: Floats
    """Into all other racks."""
    poi_w: Floats
    smooth_w: Floats
    """With what smooths inside the racks."""
    grid_w: Floats
    """With the battery as well."""
    batteries: tuple[tuple[BatteryPlant, Followed], ...]

    @property
    def it_w(self) -> Floats:
        """Into all racks, as it is."""
        total: Floats = self.others_w + sum(job.it_w for job in self.jobs)
        return total


def drawn(seen: Seen, site: Site, spec: Waveform, key: tuple[int, int]) -> Drawn:
    """Return one window as power.

    Parameters
    ----------
    key : key of the draws that set racks and steps apart, before the name of the job is mixed in
    """
    made = tuple(
        _job(job, seen, site, spec, key) for job in seen.jobs if job.racks is not None
    )
    resolved = sum((job.it_w for job in made), np.zeros(_size(seen)))
    named = {job.name for job in made}
    minutes = sum(
        (np.array(job.minute_w) for job in seen.jobs if job.name in named),
        np.zeros(len(seen.site_w)),
    )
    swings_w = resolved - even(minutes)
    poi_w = even(seen.site_w[:, POI_W]) + seen.gain * swings_w
    smooth_w = poi_w + seen.gain * sum((job.smooth_w - job.it_w for job in made), 0.0)
    grid_w, batteries = smooth_w, []
    for smoother in spec.smoothing:
        if isinstance(smoother, BatteryPlant):
            battery = smoother.of_site(site.topology.battery)
            followed = battery.behind(grid_w, SAMPLE_S)
            batteries.append((battery, followed))
            grid_w = followed.grid_w
    return Drawn(
        seen.start_s, made, even(seen.others_w), poi_w, smooth_w, grid_w, tuple(batteries)
    )


def even(minutes: Floats) -> Floats:
    """Return samples without steps whose mean over each minute is as given: straight lines from the
    middle of two minutes' means to the value that makes the mean, and on."""
    edges = np.concatenate((minutes[:1], 0.5 * (minutes[1:] + minutes[:-1]), minutes[-1:]))
    middle = 2.0 * minutes - 0.5 * (edges[1:] + edges[:-1])
    at = (np.arange(minutes.size * SAMPLES) + 0.5) / SAMPLES
    knots = np.arange(2 * minutes.size + 1) / 2.0
    values = np.empty(2 * minutes.size + 1)
    values[::2], values[1::2] = edges, middle
    found: Floats = np.interp(at, knots, values)
    return found


def _size(seen: Seen) -> int:
    return len(seen.site_w) * SAMPLES


def _job(
    job: JobSeen, seen: Seen, site: Site, spec: Waveform, key: tuple[int, int]
) -> JobDrawn:
    """Return one job: its racks through the kernel, then laid on the minutes of the plan."""
    assert job.racks is not None
    plain, chip = job.run.job, site.chips[int(site.rack_chip[job.racks.rack[0]])]
    tools, hold_s = OFF, 0.0
    for smoother in spec.smoothing:
        tools = smoother.fit(tools, chip)
        if isinstance(smoother, PowerFloor):
            hold_s = smoother.hold
    draw = partial(_normal, key, rng.word(job.name))
    spans = spans_of(
        job, seen.start_s, seen.length_s, hold_s, lambda n: 1.0 + STEP_SPREAD * draw(1, n)
    )
    step = next((doing.step for doing in job.doing if doing.step), job.run.planned)
    slots = rhythm(step, plain.plan, plain.trainers, once_frac_of(job))
    pace = SPEED_SPREAD * np.array([draw(2, int(rack)) for rack in job.racks.rack])
    weight = site.rack_accelerators[job.racks.rack] * job.racks.up_frac
    pace -= (pace * weight).sum() / weight.sum()
    members = members_of(site, job.racks, plain.plan.pp, 1.0 + pace, mean_level(spans, step))
    it_w, smooth_w, account = synthesised(spans, slots, members, tools, _size(seen))
    wanted_w, found_w = np.array(job.minute_w), it_w.reshape(-1, SAMPLES).mean(axis=1)
    laid_w = even(wanted_w - found_w)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.where(wanted_w > 0.0, found_w / wanted_w - 1.0, 0.0)
    return JobDrawn(
        job.name, it_w + laid_w, smooth_w + laid_w, account, deviation, step.step_time_s,
        float(members.chips.sum()),
    )


def synthesised(
    spans: Spans, slots: kernel.Slots, members: Members, tools: Tools, samples: int,
    lags: Lags = LAGS,
) -> tuple[Floats, Floats, Floats]:
    """Return the power of racks in W without and with the tools, and the account of the tools."""
    it_w, smooth_w, account = np.empty(samples), np.empty(samples), np.empty(kernel.ACCOUNTS)
    kernel.draw(SAMPLE_S, spans, slots, members, tools, lags, it_w, smooth_w, account)
    return it_w, smooth_w, account


def once_frac_of(job: JobSeen) -> float:
    """Return the share of the exposed communication that comes once a step."""
    step = jobs.optimizer_step(job.run.job)
    waits_s = step.exposed_communication_s
    return min(step.data_parallel_s / waits_s, 1.0) if waits_s > 0.0 else 0.0


def mean_level(spans: Spans, step: JobStep) -> float:
    """Return the mean dynamic power of the spans, before caps."""
    levels = np.where(spans.stepping == 1, step.dynamic_power_frac * spans.scale, spans.level)
    lengths_s = spans.stop_s - spans.start_s
    return float((levels * lengths_s).sum() / lengths_s.sum())


def members_of(
    site: Site, racks: Racks, stages: int, pace: Floats, level: float
) -> Members:
    """Return racks as the kernel takes them; pipeline stages are runs of racks in a row, and their
    coolant is what holds their junctions where the plan has them at their mean power."""
    rows, row = site.rows, racks.row
    leak = rows.leakage_w_k[row]
    static_w = rows.chip_idle_w[row] - leak * rows.leakage_ref_c[row]
    dynamic_w = rows.chip_dynamic_w[row]
    chips = rows.accelerators[row] * racks.up_frac
    before = np.cumsum(chips) - 0.5 * chips
    stage = np.minimum((before / chips.sum() * stages).astype(np.int64), stages - 1)
    chip_w = static_w + leak * racks.junction_c + level * racks.cap * dynamic_w
    rating_w = rows.shelf_rating_w[row]
    return Members(
        stage=stage, pace=pace, cap=racks.cap, chips=chips, junction_c=racks.junction_c,
        coolant_c=racks.junction_c - racks.resistance_k_w * chip_w,
        resistance_k_w=racks.resistance_k_w, heat_capacity_j_k=rows.heat_capacity_j_k[row],
        static_w=static_w, leakage_w_k=leak, dynamic_w=dynamic_w,
        host_idle_w=rows.host_idle_w[row] * racks.up_frac,
        host_dynamic_w=rows.host_dynamic_w[row] * racks.up_frac,
        shelf_fixed_w=rating_w * rows.shelf_no_load[row], shelf_linear=1.0 + rows.shelf_linear[row],
        shelf_load_per_w=rows.shelf_load[row] / rating_w,
    )  # fmt: skip


def _normal(key: tuple[int, int], word: int, purpose: int, number: int) -> float:
    """Return a standard normal draw."""
    return float(philox.normal(*key, word, purpose, number, 0))
