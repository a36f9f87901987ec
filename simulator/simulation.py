"""The main loop: a scenario in, the tables of one replicate out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
import simpy

from simulator import __version__, rng
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine import (
    clock,
    downtime,
    incidents,
    limit_tables,
    maintenance,
    rates,
    recorder,
    shop_tables,
    state,
    support,
)
from simulator.engine.failures import Front
from simulator.engine.physics import Physics
from simulator.engine.repair import Practice, Shop, as_practised
from simulator.engine.world import World
from simulator.kernels.columns import Records
from simulator.policies import setpoint
from simulator.policies.capping import CAPPINGS
from simulator.results import Results, empty
from simulator.scenario import Assumption, Scenario, ScenarioSpec, assumptions
from simulator.scenario.hourly import market_table
from simulator.site import Site, compile_site
from simulator.weather import Weather, for_period, read_once
from simulator.workloads import (
    BatchWork,
    DataPreparation,
    Distillation,
    ModelTest,
    ServedDiffusion,
    ServedModel,
    SynchronousJob,
    Traffic,
    batch,
    data_preparation,
    distillation,
    distillation_tables,
    jobs,
    model_test,
    pool_tables,
    route_plan,
    route_tables,
    routing_run,
    synchronous,
    verification,
    waveform_power,
    waveform_tables,
)
from simulator.workloads import pools as pools_of_any
from simulator.workloads.data_preparation import DataPreparationRun
from simulator.workloads.exposure import Exposure, exposure_of
from simulator.workloads.fleet import Fleet
from simulator.workloads.model_test_run import ModelTestRun
from simulator.workloads.pools import AnyPool
from simulator.workloads.routing_run import RoutingRun
from simulator.workloads.training_run import TrainingRun
from simulator.workloads.waveform import Waveform
from simulator.workloads.waveform_power import Drawn
from simulator.workloads.waveform_probe import Probe, Seen

Progress = Callable[[float], None]
W = TypeVar("W")


def simulate(
    scenario: Scenario, replicate: int = 0, progress: Progress | None = None
) -> Results:
    """Run one replicate.

    Parameters
    ----------
    replicate : int
        With the seed, the key of every random stream.
    progress : callable, optional
        Told the simulated seconds done, once a simulated day.
    """
    results = outcome(scenario, replicate, progress)
    results.tables["assumptions"] = _assumptions(scenario)
    return results


def outcome(
    scenario: Scenario, replicate: int = 0, progress: Progress | None = None
) -> Results:
    """Run one replicate and leave out the register of assumptions: all that indicators are made of."""
    run = build(scenario, replicate)
    windows = scenario.spec.verify.waveform
    watch = _watched(run, windows)
    run.advance(run.world.end_s, progress)
    results = finish(run)
    watch.finish()
    made = _drawn(run, windows, watch.seen)
    results.tables.update(waveform_tables.tables(made, windows, scenario.spec.period.start))
    return results


def observe(
    scenario: Scenario, windows: Waveform, replicate: int = 0, progress: Progress | None = None
) -> tuple[tuple[Drawn, ...], list[Seen]]:
    """Run one replicate up to the end of the last window; return the windows as power, and as the
    run itself saw them.

    The run up to there is the one that `simulate` makes.
    """
    run = build(scenario, replicate)
    watch = _watched(run, windows)
    run.advance(max(_offset_s(run, at) for at in windows.windows) + windows.length, progress)
    watch.finish()
    return _drawn(run, windows, watch.seen), watch.seen


@dataclass(frozen=True)
class Work:
    """What is trained, tested and prepared."""

    jobs: list[TrainingRun]
    tests: list[ModelTestRun]
    preparations: list[DataPreparationRun]


@dataclass(frozen=True)
class Run:
    """One replicate that has begun: it stands at time zero until it is advanced."""

    scenario: Scenario
    world: World
    front: Front
    physics: Physics
    records: Records
    weather: Weather
    work: Work
    pools: list[AnyPool]
    router: RoutingRun | None
    fleet: tuple[FailureClass, ...]
    """The failure classes at the catalog's rates, whatever this replicate drew."""

    def advance(self, to_s: float, progress: Progress | None = None) -> None:
        """Go on to `to_s` of the run; what is to happen at that very moment is still to come."""
        clock.run(self.world.env, self.physics, to_s, progress)


def build(scenario: Scenario, replicate: int = 0, disturbed: bool = True) -> Run:
    """Return a replicate at time zero, everything that starts with the run on its racks.

    Parameters
    ----------
    disturbed : bool
        Whether failures are drawn and planned work is done; scripted incidents happen anyway.
    """
    spec = scenario.spec
    site, weather, pools = compile_site(spec.topology), weather_of(scenario), _pools_of(spec)
    world, router = world_at_rest(scenario, site, replicate)
    records = recorder.allocate(
        site, world.state, spec.period.duration, spec.record.racks
    )
    outdoors = for_period(weather, spec.period.start.astimezone(UTC), records.hall.shape[0])

    fleet = _failure_classes(scenario)
    classes = rates.of_replicate(fleet, spec.reliability.rates, spec.seed, replicate)
    practice = None
    if spec.operations is not None:
        fleet, classes = (as_practised(spec.operations, known) for known in (fleet, classes))
        practice = Practice(spec.operations, fleet, spec.period.start)
    front = Front(world, classes, spec.reliability.age, practice)
    physics = Physics(
        world, outdoors, records, CAPPINGS[spec.topology.control.policy], setpoint.chosen(spec.topology),
        spec.period.start.hour,
    )
    work = _begin(spec, world, front, router)
    env = world.env
    if router:
        env.process(router.run())
    if pools:
        env.process(Fleet(pools, world, spec.period.start).run())
    reserves = [(run.load, run.job.spares) for run in work.jobs]
    for backlog in _of_kind(spec, BatchWork):
        env.process(batch.fill(backlog, world, reserves))
    if disturbed:
        env.process(front.run())
    incidents.schedule(world, classes, spec.incidents, front.shop)
    if disturbed and spec.operations is not None:
        maintenance.schedule(world, spec.operations)
    while env.peek() == 0.0:  # everything that starts with the run takes its racks
        env.step()
    support.follow_storage(world)
    physics.start()
    return Run(scenario, world, front, physics, records, weather, work, pools, router, fleet)


def finish(run: Run) -> Results:
    """Return the tables of a run that has come to its end."""
    world, spec = run.world, run.scenario.spec
    run.front.tell()
    run.physics.finish()
    tables = {
        "downtime": downtime.table(world.site, world.outages, world.end_s),
        "rates": rates.table(world, run.front, run.fleet),
    }
    return _results(run, tables | _shop_tables(spec, run.front))


def weather_of(scenario: Scenario) -> Weather:
    """Return the weather of a scenario; a file is read once as long as it does not change."""
    return read_once(scenario.spec.weather, scenario.weather_folder)


def _of_kind(spec: ScenarioSpec, kind: type[W]) -> list[W]:
    return [work for work in spec.workloads if isinstance(work, kind)]


def _pools_of(spec: ScenarioSpec) -> list[AnyPool]:
    """Return what is served, in the order of the document."""
    return [work for work in spec.workloads if isinstance(work, ServedModel | ServedDiffusion)]


def world_at_rest(
    scenario: Scenario, site: Site, replicate: int
) -> tuple[World, RoutingRun | None]:
    """Return the world at rest, with a load for everything that runs on accelerators, and the router
    if there is traffic."""
    spec, env = scenario.spec, simpy.Environment()
    trained = {job.name: job for job in _of_kind(spec, SynchronousJob)}
    pools = _pools_of(spec)
    loads = [synchronous.load_of(job, site) for job in trained.values()]
    loads += [pools_of_any.load_of(pool, site) for pool in pools]
    loads += [load for work in _of_kind(spec, BatchWork) for load in batch.loads_of(work, site)]
    loads += [model_test.load_of(t, trained[t.job], site) for t in _of_kind(spec, ModelTest)]
    end_s = spec.period.duration
    hours = -int(-end_s // 3600.0)
    world = World(env, site, None, spec.seed, replicate, end_s)  # type: ignore[arg-type]
    columns = [
        pools_of_any.columns_of(
            pool, spec.period.start, hours, world.stream(f"demand/{pool.name}"), pools,
            scenario.trace_folder(pool.name),
        )
        for pool in pools
    ]
    traffic = _of_kind(spec, Traffic)
    if not traffic:
        world.state = state.build(site, loads, columns, spec.seed, replicate)
        return world, None
    taken = [job.takes_over for job in _of_kind(spec, Distillation) if job.takes_over]
    plan = route_plan.plan_of(traffic, pools, {t.request_class: t.pool for t in taken})
    rates = routing_run.rates_of(plan, world, spec.period.start, hours)
    streams = plan.columns(rates)
    world.state = state.build(site, loads, columns, spec.seed, replicate, streams)
    router = RoutingRun(plan, world, rates)
    router.begin()
    return world, router


def _begin(
    spec: ScenarioSpec, world: World, front: Front, router: RoutingRun | None
) -> Work:
    """Start every job, the tests of their models, data preparation, and what distilled models take
    over."""
    site = world.site
    runs = {
        job.name: TrainingRun(
            job, world, jobs.step_of(job, site), _exposure(world, front, job),
            partial(jobs.step_on, job),
        )
        for job in _of_kind(spec, SynchronousJob)
    }
    tests = [
        ModelTestRun(test, runs[test.job], model_test.test_of(test, runs[test.job].job))
        for test in _of_kind(spec, ModelTest)
    ]
    preparations = [
        DataPreparationRun(work, world, data_preparation.throughput_of(work, site))
        for work in _of_kind(spec, DataPreparation)
    ]
    for run in runs.values():
        done = world.env.process(run.run())
        if router and isinstance(run.job, Distillation) and run.job.takes_over:
            world.env.process(distillation.deploy(run, done, router))
    processes = [run.run() for run in preparations]
    for process in processes + [test.beside() for test in tests if not test.pauses]:
        world.env.process(process)
    return Work(list(runs.values()), tests, preparations)


def _failure_classes(scenario: Scenario) -> tuple[FailureClass, ...]:
    reliability = scenario.spec.reliability
    return tuple(
        cls.model_copy(update={"rate": cls.rate * reliability.rate_scale})
        for cls in from_catalog.failure_classes(reliability.fleet)
    )


def _exposure(world: World, front: Front, job: SynchronousJob) -> Exposure:
    """Return how often a job is to be interrupted, on any of the racks that it may use."""
    site = world.site
    named = [not job.halls or hall.name in job.halls for hall in site.hall_spec]
    chip = world.state.chips[world.state.load(job.name)]
    racks = np.flatnonzero(np.array(named)[site.rack_hall] & (site.rack_chip == chip))
    active = job.practice.active_per_rack or float(site.rack_accelerators[racks[0]])
    wanted = math.ceil(job.accelerators / active)
    return exposure_of(site, front.classes, front.fleet, racks, wanted)


def _results(run: Run, more: dict[str, pd.DataFrame]) -> Results:
    """Return the tables of the finished run."""
    scenario, world, records, work = run.scenario, run.world, run.records, run.work
    pools, router, weather = run.pools, run.router, run.weather
    spec = scenario.spec
    start = spec.period.start.astimezone(UTC)
    tables = recorder.tables(world, records) | limit_tables.tables(world, records) | more
    trained = [run for run in work.jobs if not isinstance(run.job, Distillation)]
    tables["jobs"] = jobs.jobs_table(trained, start)
    tables["distillations"] = distillation_tables.distillations_table(work.jobs, router, start)
    tables["tests"] = jobs.tests_table(work.tests)
    tables["preparations"] = jobs.preparations_table(work.preparations, start)
    tables["steps"] = jobs.steps_table(trained, start)
    tables["phases"] = jobs.phases_table(trained)
    tables["pools"] = pool_tables.pools_table(pools, world) if pools else empty("pools")
    tables["latency"] = pool_tables.latency_table(pools, world) if pools else empty("latency")
    tables["routes"] = (
        route_tables.routes_table(router, records, start) if router else empty("routes")
    )
    tables["streams"] = route_tables.streams_table(router) if router else empty("streams")
    tables["classes"] = route_tables.classes_table(router) if router else empty("classes")
    tables["verify"] = empty("verify")
    series = recorder.series(world, records, start)
    if pools:
        tables["verify"] = verification.table(
            pools, world, series["pool"], spec.verify, start,
            {pool.name: scenario.trace_folder(pool.name) for pool in pools},
            router.plan if router else None,
        )
    tables["market"] = market_table(scenario)
    economics, grid = spec.economics, spec.topology.grid
    info = {
        "name": spec.name, "question": spec.question, "start": start.isoformat(),
        "version": __version__, "duration_s": spec.period.duration, "seed": spec.seed, "replicate": world.replicate,
        "fidelity": "plan", "weather": f"{weather.name}: {weather.label}",
        "weather_typical": weather.typical, "weather_kind": weather.kind, "firm_w": world.site.firm_w,
        "connection_w": grid.equipment_w(), "connection_firm_w": grid.equipment_w(out=1),
        "firm_limit": world.site.firm_limit, "energy_price_usd_j": economics.energy_price,
        "demand_charge_usd_w_s": economics.demand_charge,
        "carbon_kg_j": economics.carbon_intensity, "series": sorted(scenario.series),
        "config_hash": scenario.config_hash,
        "utc_offset_h": spec.period.start.utcoffset().total_seconds() / 3600.0,  # type: ignore[union-attr]
    }
    return Results(info, series, recorder.events(world, start), tables)


def _watched(run: Run, windows: Waveform) -> Probe:
    """Have the windows watched while the run goes through them."""
    chosen = [one for one in run.work.jobs if windows.job in (None, one.job.name)]
    probe = Probe(run.world, chosen, run.work.tests, run.records)
    starts_s = sorted(_offset_s(run, at) for at in windows.windows)
    if starts_s:
        run.world.env.process(probe.watch_all(starts_s, windows.length))
    return probe


def _offset_s(run: Run, at: datetime) -> float:
    return (at - run.scenario.spec.period.start).total_seconds()


def _drawn(run: Run, windows: Waveform, seen: list[Seen]) -> tuple[Drawn, ...]:
    """Return the windows as power."""
    key = rng.key(run.scenario.spec.seed, run.world.replicate, "waveform")
    return tuple(waveform_power.drawn(one, run.world.site, windows, key) for one in seen)


def _shop_tables(spec: ScenarioSpec, front: Front) -> dict[str, pd.DataFrame]:
    """Return what was repaired, by whom and with what; empty where nothing is said of operations."""
    shop = front.shop
    if spec.operations is None or not isinstance(shop, Shop):
        return {name: empty(name) for name in ("repairs", "crews", "spares")}
    return {
        "repairs": shop_tables.repairs(shop.columns, front.classes),
        "crews": shop_tables.crews(shop.columns, spec.operations, spec.period.duration),
        "spares": shop_tables.spares(shop.columns, spec.operations),
    }


def _assumptions(scenario: Scenario) -> pd.DataFrame:
    """Return every figure of the document and of the catalog entries it uses, with its source."""
    return pd.DataFrame(assumptions(scenario), columns=Assumption._fields)
