"""The main loop: a scenario in, the tables of one replicate out."""

from collections.abc import Callable
from datetime import UTC, timedelta

import pandas as pd
import simpy

from simulator import __version__
from simulator.components import from_catalog
from simulator.engine import clock, incidents, recorder, state
from simulator.engine.failures import Front
from simulator.engine.physics import Physics
from simulator.engine.world import World
from simulator.kernels.columns import Records
from simulator.policies import capping
from simulator.results import Results, empty
from simulator.scenario import Assumption, Scenario, assumptions
from simulator.site import Site, compile_site
from simulator.weather import Weather, for_period, read_once
from simulator.workloads import BatchWork, ServedModel, TrainingJob, batch, inference, training

Progress = Callable[[float], None]


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
    spec = scenario.spec
    site = compile_site(spec.topology)
    weather = weather_of(scenario)
    jobs = [w for w in spec.workloads if isinstance(w, TrainingJob)]
    pools = [w for w in spec.workloads if isinstance(w, ServedModel)]
    backlogs = [w for w in spec.workloads if isinstance(w, BatchWork)]

    world = _world(scenario, site, replicate, jobs, pools, backlogs)
    records = recorder.allocate(
        site, world.state, spec.period.duration, spec.record.racks
    )
    start = spec.period.start.astimezone(UTC)
    outdoors = for_period(weather, start, records.hall.shape[0])
    physics = Physics(world, outdoors, records, capping.decide)

    classes = _failure_classes(scenario)
    front = Front(world, classes, spec.reliability.age)
    runs = [
        training.TrainingRun(job, world, training.step_of(job, site), _mttf_s(world, front, job))
        for job in jobs
    ]
    env = world.env
    for run in runs:
        env.process(run.run())
    for index, pool in enumerate(pools):
        env.process(inference.scale(pool, world, index))
    reserves = [(world.state.load(job.name), job.spares) for job in jobs]
    for work in backlogs:
        env.process(batch.fill(work, world, reserves))
    env.process(front.run())
    incidents.schedule(world, classes, spec.incidents)
    while env.peek() == 0.0:  # everything that starts with the run takes its racks
        env.step()
    physics.start()

    clock.run(env, physics, world.end_s, progress)
    return _results(scenario, world, records, weather, runs, pools, replicate)


def weather_of(scenario: Scenario) -> Weather:
    """Return the weather of a scenario; a file is read once as long as it does not change."""
    return read_once(scenario.spec.weather, scenario.weather_folder)


def _world(
    scenario: Scenario, site: Site, replicate: int, jobs: list[TrainingJob],
    pools: list[ServedModel], backlogs: list[BatchWork],
) -> World:
    """Return the world at rest, with a load for everything that runs."""
    spec, env = scenario.spec, simpy.Environment()
    loads = [training.load_of(job, site) for job in jobs]
    loads += [inference.load_of(pool, site) for pool in pools]
    loads += [load for work in backlogs for load in batch.loads_of(work, site)]
    end_s = spec.period.duration
    hours = -int(-end_s // 3600.0)
    world = World(env, site, None, spec.seed, replicate, end_s)  # type: ignore[arg-type]
    columns = [
        inference.columns_of(pool, spec.period.start, hours, world.stream(f"demand/{pool.name}"))
        for pool in pools
    ]
    world.state = state.build(site, loads, columns, spec.seed, replicate)
    return world


def _failure_classes(scenario: Scenario):  # type: ignore[no-untyped-def]
    reliability = scenario.spec.reliability
    return tuple(
        cls.model_copy(update={"rate": cls.rate * reliability.rate_scale})
        for cls in from_catalog.failure_classes(reliability.fleet)
    )


def _mttf_s(world: World, front: Front, job: TrainingJob) -> float:
    """Return the mean time between interruptions that the reference rates imply for a job."""
    site, fleet = world.site, front.fleet.hazards
    chip = world.state.chips[world.state.load(job.name)]
    racks = site.rack_chip == chip
    on_chip = (fleet.rack >= 0) & racks[fleet.rack]
    installed = float(site.rack_accelerators[racks].sum())
    rate_s = float(fleet.rate_s[on_chip].sum()) * job.accelerators / installed
    return 1.0 / rate_s if rate_s > 0.0 else float("inf")


def _results(
    scenario: Scenario, world: World, records: Records, weather: Weather,
    runs: list[training.TrainingRun], pools: list[ServedModel], replicate: int,
) -> Results:
    """Return the tables of the finished run."""
    spec = scenario.spec
    start = spec.period.start.astimezone(UTC)
    tables = recorder.tables(world, records)
    finish = [
        None if r.finish_s is None else (start + timedelta(seconds=round(r.finish_s))).isoformat()
        for r in runs
    ]
    tables["jobs"] = training.jobs_table(runs, finish) if runs else empty("jobs")
    tables["pools"] = inference.pools_table(pools, world) if pools else empty("pools")
    tables["latency"] = inference.latency_table(pools, world) if pools else empty("latency")
    tables["assumptions"] = _assumptions(scenario)
    economics = spec.economics
    info = {
        "name": spec.name, "question": spec.question, "start": start.isoformat(),
        "version": __version__,
        "duration_s": spec.period.duration, "seed": spec.seed, "replicate": replicate,
        "fidelity": "plan", "weather": f"{weather.name}: {weather.label}",
        "weather_typical": weather.typical, "firm_w": world.site.firm_w,
        "firm_limit": world.site.firm_limit, "energy_price_usd_j": economics.energy_price,
        "demand_charge_usd_w_s": economics.demand_charge,
        "carbon_kg_j": economics.carbon_intensity, "config_hash": scenario.config_hash,
        "utc_offset_h": spec.period.start.utcoffset().total_seconds() / 3600.0,  # type: ignore[union-attr]
    }
    return Results(info, recorder.series(world, records, start), recorder.events(world, start), tables)


def _assumptions(scenario: Scenario) -> pd.DataFrame:
    """Return every figure of the document and of the catalog entries it uses, with its source."""
    return pd.DataFrame(assumptions(scenario), columns=Assumption._fields)
