"""How much load leaves in voltage sags, and how it comes back.

The loads are those of a run of the plan engine at a time; what each does in a sag is
`components/power/sag.py`. The voltage is the same at every load: no impedance between them, three
phases alike.
"""

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from simulator import catalog, simulation
from simulator.components import from_catalog
from simulator.components.power import sag as physics
from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.ride_through import NOTICE_S, GridRule, RideThrough
from simulator.components.power.sag import Answer, Sag
from simulator.components.power.ups import Ups
from simulator.components.topology import Topology
from simulator.engine.starts import at_rest_w
from simulator.kernels import columns as c
from simulator.scenario import Scenario
from simulator.studies.come_back import in_line, restarts_s

FIRST = {"support": 0, "pumps": 1, "machines": 2, "house": 3}
"""Order in which what is not racks takes a ramp; those come after, the highest priority first."""
BACK_SHARE = 0.9
DEPTHS = np.arange(0.0, 0.975, 0.025)
DURATIONS_S = np.geomspace(0.004, 20.0, 45)
"""Grid of the map: voltage that is left, and how long."""


@dataclass(frozen=True)
class Load:
    """What behaves alike in one hall."""

    element: str
    kind: str
    """racks, support, pumps, machines, house."""
    work: str
    """Job, pool or batch; blank where racks do not work."""
    group: str
    """training, inference, batch, idle, support, cooling, house."""
    power_w: float
    """At the point of interconnection, its part of all losses included."""
    idle_share: float = 1.0
    accelerators: float = 0.0
    priority: int = 0
    ups: Ups | None = None
    backup: BatteryBackup | None = None
    rack_w: float = 0.0
    restart_s: float | None = None
    """From when its racks have booted until its work runs; None: as the topology says."""

    @property
    def like(self) -> tuple[object, ...]:
        """What its answer to a sag depends on."""
        machines = self.kind in ("machines", "house")
        return machines, self.idle_share, self.ups, self.backup, self.rack_w, self.restart_s


@dataclass(frozen=True)
class Found:
    """The tables of the study."""

    loads: pd.DataFrame
    course: pd.DataFrame
    rules: pd.DataFrame


def settled(scenario: Scenario, at_s: float) -> list[Load]:
    """Return the loads of a scenario at a time, simulated from its start without failures."""
    run = simulation.build(scenario, disturbed=False)
    run.advance(at_s)
    return loads_of(run)


def loads_of(run: simulation.Run) -> list[Load]:
    """Return what the campus of a run draws in its last minute, by hall, kind and work."""
    site, state = run.world.site, run.world.state
    if run.physics.step == 0:
        raise ValueError("no minute has been simulated yet: choose a later time")
    row = run.records.site[run.physics.step - 1]
    used_w = float(row[c.IT_W] + row[c.COOLING_W] + row[c.HOUSE_W])
    gross = float(row[c.POI_W] + row[c.ONSITE_W] - row[c.BATTERY_W]) / used_w
    found = _racks(run, gross)
    ups = site.topology.ups
    for h, name in enumerate(site.hall_names):
        support = (site.block_hall == h) & (site.block_support_w > 0.0)
        parts = (
            ("support", "support", state.blocks.it_w[support].sum(), ups),
            ("pumps", "cooling", state.plant_w[h, 1], ups),
            ("machines", "cooling", state.plant_w[h, 0], None),
            ("house", "house", site.halls.house_w[h], None),
        )
        found += [
            Load(name, kind, "", group, float(w) * gross, ups=supply)
            for kind, group, w, supply in parts
            if w > 0.0
        ]
    return found


def _racks(run: simulation.Run, gross: float) -> list[Load]:
    """Return accelerator racks by hall and work."""
    site, state = run.world.site, run.world.state
    loads, idle_w, waits_s = state.racks.load.astype(np.int64), at_rest_w(site), restarts_s(run)
    key = site.rack_hall * len(state.names) + loads
    found = []
    for k in np.unique(key):
        racks = np.flatnonzero((key == k) & (state.racks.power_w > 0.0))
        hall, load = divmod(int(k), len(state.names))
        power_w = float(state.racks.power_w[racks].sum())
        if state.kinds[load] == "down" or power_w <= 0.0:
            continue
        idle = float((idle_w * state.racks.up_frac)[racks].sum())
        spec = site.hall_spec[hall].distribution
        resting = state.kinds[load] == "idle"
        found.append(Load(
            site.hall_names[hall], "racks", "" if resting else state.names[load], state.kinds[load],
            power_w * gross, min(idle / power_w, 1.0),
            float((site.rack_accelerators * state.racks.up_frac)[racks].sum()),
            int(state.priority[load]), None if spec is None else spec.ups,
            site.rack_types[site.rack_type[racks[0]]].battery_backup, power_w / racks.size,
            float(waits_s[load]),
        ))  # fmt: skip
    return found


def answer(load: Load, row: list[Sag], topology: Topology, generators_s: float) -> Answer:
    """Return what a load does in a row of sags; generators carry what is behind UPS after a time."""
    told = topology.ride_through
    if load.ups is not None:
        return physics.through_ups(row, load.ups, generators_s, told.supplies.holds_s(0.0))
    if load.kind == "racks":
        return physics.through_supplies(row, told, load.idle_share, load.backup, load.rack_w, load.restart_s)
    return physics.through_machines(row, told)


def parts_of(load: Load, told: RideThrough) -> list[tuple[float, float]]:
    """Return in what steps a load comes back, each in W and so long after the one before: racks as they boot,
    at rest, and at work."""
    if load.kind != "racks":
        return [(0.0, load.power_w)]
    rest_w = load.idle_share * load.power_w
    (off_s, boots_w), (boots_s, _) = told.boots(rest_w)
    restart_s = told.restart if load.restart_s is None else load.restart_s
    return [(off_s, boots_w), (boots_s, rest_w - boots_w), (restart_s, load.power_w - rest_w)]


def rank(load: Load) -> tuple[int, int, str, str]:
    """Return by what loads that wait for a ramp are ordered."""
    return FIRST.get(load.kind, len(FIRST)), -load.priority, load.element, load.work


def study(
    loads: list[Load], row: list[Sag], topology: Topology, ramp_w_s: float | None = None
) -> Found:
    """Return what every load does in a row of sags, the campus's power over time, and which grids'
    rules that keeps; racks that went dark come back within a ramp where one is given."""
    answers = _answers(loads, row, topology)
    if ramp_w_s is not None:
        answers = _within(ramp_w_s, loads, answers, topology.ride_through)
    end_s = row[-1].end_s
    table = pd.DataFrame([_told(load, a, end_s) for load, a in zip(loads, answers, strict=True)])
    course = _course(loads, answers, row)
    return Found(table, course, rules(course, row, any(_counts(load) for load in loads)))


def _answers(loads: list[Load], row: list[Sag], topology: Topology) -> list[Answer]:
    generators_s = generators_carry_s(loads, topology)
    known: dict[tuple[object, ...], Answer] = {}
    for load in loads:
        if load.like not in known:
            known[load.like] = answer(load, row, topology, generators_s)
    return [known[load.like] for load in loads]


def _within(ramp_w_s: float, loads: list[Load], answers: list[Answer], told: RideThrough) -> list[Answer]:
    """Return answers in which the racks that boot take a ramp one after another; what never went dark, or
    walks in or starts by itself, does not wait for it."""
    dark = [i for i, found in enumerate(answers) if math.isfinite(found.dark_s)]
    if not dark:
        return answers
    dark.sort(key=lambda i: rank(loads[i]))
    parts = [parts_of(loads[i], told) for i in dark]
    spans, _ = in_line(parts, [answers[i].dark_s for i in dark], ramp_w_s)
    ramped = list(answers)
    for i, steps, rises in zip(dark, parts, spans, strict=True):
        shares = np.cumsum([0.0, *(w / loads[i].power_w for _, w in steps)]).tolist()
        points = [(t, shares[k + e]) for k, span in enumerate(rises) for e, t in enumerate(span)]
        course = copy.deepcopy(answers[i].course)
        course.go(answers[i].dark_s, (answers[i].dark_s, 0.0), *points)
        ramped[i] = answers[i]._replace(course=course)
    return ramped


def generators_carry_s(loads: Iterable[Load], topology: Topology) -> float:
    """Return after how long generators carry what stands behind UPS, infinite if they cannot."""
    plant = topology.generators
    behind_w = sum(load.power_w for load in loads if load.ups is not None)
    if plant is None or plant.sets * plant.rating < behind_w:
        return math.inf
    return plant.start + plant.synchronise


def _told(load: Load, found: Answer, end_s: float) -> dict[str, object]:
    course = found.course
    back_s = course.back_s(BACK_SHARE) - end_s
    return {
        "element": load.element, "kind": load.kind, "work": load.work, "class": load.group,
        "power_w": load.power_w, "outcome": found.outcome, "served": found.served,
        "lost_w": load.power_w * (1.0 - course.at(end_s + NOTICE_S)),
        "back_s": max(back_s, 0.0), "whole_s": max(course.back_s() - end_s, 0.0),
        "not_drawn_j": load.power_w * course.missing_s(course.time_s[-1] + 1.0),
        "accelerators_stopped": 0.0 if found.served else load.accelerators,
    }  # fmt: skip


def _counts(load: Load) -> bool:
    return load.ups is not None and load.ups.sag_counter is not None


def _course(loads: list[Load], answers: list[Answer], row: list[Sag]) -> pd.DataFrame:
    """Return the power of each class at every corner of its course: two rows where it jumps."""
    ends = {t for a in answers for t in a.course.time_s} | {sag.end_s for sag in row}
    last_s = max(ends)
    times = sorted({*ends, -1.0, 0.0, last_s + max(0.05 * last_s, 1.0)})
    groups = list(dict.fromkeys(load.group for load in loads))
    power = {g: np.zeros(2 * len(times)) for g in groups}
    shares: dict[int, np.ndarray] = {}
    for load, found in zip(loads, answers, strict=True):
        course = found.course
        if id(course) not in shares:
            shares[id(course)] = np.array([[course.at(t, True), course.at(t)] for t in times]).ravel()
        power[load.group] += load.power_w * shares[id(course)]
    table = pd.DataFrame({"time_s": np.repeat(times, 2)} | power)
    return table.assign(total=table[groups].sum(axis=1))


def rules(course: pd.DataFrame, row: list[Sag], counted: bool) -> pd.DataFrame:
    """Return one row per grid rule of the catalog: whether it asks for ride-through, and is kept."""
    named = [from_catalog.grid_rule(name) for name in catalog.names("grid_rules")]
    return pd.DataFrame([_verdict(rule, course, row, counted) for rule in named])


def _verdict(
    rule: GridRule, course: pd.DataFrame, row: list[Sag], counted: bool
) -> dict[str, object]:
    asked = all(rule.asks(sag.voltage, sag.lasts_s) for sag in row)
    before_w = float(course["total"].iloc[0])
    later = [s.start_s for s in row[1:]] + [math.inf]
    ends = [s.end_s + rule.recovery for s in row]
    due = [t for t, following in zip(ends, later, strict=True) if t < following]
    share = min(power_at(course, t) for t in due) / before_w
    breach = counted and not rule.counting
    kept = share >= rule.recovery_share - 1e-9 and not breach
    verdict = "kept" if kept else "broken" if asked or breach else "not asked"
    why = f"{100 * share:.1f} % after {rule.recovery:g} s, {100 * rule.recovery_share:g} % wanted"
    if not asked:
        why += "; the sag lasts longer than the curve"
    if breach:
        why += "; sags are counted, which is forbidden"
    return {
        "rule": rule.name, "asked": asked, "verdict": verdict, "share_back": share,
        "share_wanted": rule.recovery_share, "recovery_s": rule.recovery, "reason": why,
    }  # fmt: skip


def power_at(course: pd.DataFrame, time_s: float) -> float:
    """Return the power of the campus just before a time."""
    times = course["time_s"].to_numpy()
    i = int(np.searchsorted(times, time_s, "left"))
    if i < times.size and times[i] == time_s:
        return float(course["total"].iloc[i])
    return float(np.interp(time_s, times, course["total"]))


def sensitivity(loads: list[Load], topology: Topology) -> pd.DataFrame:
    """Return the load lost by a single sag of every depth and duration of the map."""
    lost = partial(_lost_w, loads, topology)
    rows = [(v, d, lost(float(v), float(d))) for v in DEPTHS for d in DURATIONS_S]
    return pd.DataFrame(rows, columns=["voltage", "duration_s", "lost_w"])


def _lost_w(loads: list[Load], topology: Topology, voltage: float, lasts_s: float) -> float:
    row = physics.sags(voltage, lasts_s)
    found = _answers(loads, row, topology)
    late_s = lasts_s + NOTICE_S
    shares = {id(a): a.course.at(late_s) for a in found}
    return sum(x.power_w * (1.0 - shares[id(a)]) for x, a in zip(loads, found, strict=True))
