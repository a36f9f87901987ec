"""How long things take: `make bench` prints the table.

Each figure is the wall time on one core with the machine code cached; budgets are in the design.
"""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from campus import CAMPUS, ROOT, scaled
from numba import njit

from simulator import rng, scenario
from simulator.components import from_catalog
from simulator.components.fabric import Ends
from simulator.components.fabric.clos import Clos
from simulator.components.parallel_plan import ParallelPlan
from simulator.engine import state
from simulator.engine.world import Stream
from simulator.kernels import serving
from simulator.performance import collectives, memory, plan_search, training
from simulator.performance.collectives import fabric_of
from simulator.simulation import observe, simulate
from simulator.site import compile_site
from simulator.studies import designs, sweep
from simulator.workloads import ServedModel, pools, waveform_power
from simulator.workloads.waveform import Waveform

POD = ROOT / "scenarios" / "pod.yaml"
LLAMA = ROOT / "scenarios" / "llama3-54-days.yaml"


@pytest.fixture(scope="session", autouse=True)
def compiled():
    """Have every kernel in the cache before anything is timed."""
    simulate(scenario.load(POD))
    simulate(scaled(0.25, **{"period.duration": "1 d"}))


def timed(benchmark, call, *arguments, rounds=1):
    benchmark.pedantic(call, args=arguments, rounds=rounds, iterations=1)


@pytest.mark.parametrize("gigawatts", [0.25, 1, 4])
def test_site_year(benchmark, gigawatts):
    given = scaled(gigawatts)
    timed(benchmark, simulate, given)


def test_site_year_without_failures(benchmark):
    """What `test_site_year[1]` takes longer is the price of a year of failures, repairs, restarts."""
    timed(benchmark, simulate, scaled(1, **{"reliability.rate_scale": "0"}))


def test_54_days_on_2048_nodes(benchmark):
    """One replicate; 200 on two cores take a hundred times this."""
    given = scenario.load(LLAMA)
    simulate(given)
    timed(benchmark, simulate, given, rounds=5)


def test_pod_day(benchmark):
    given = scenario.load(POD)
    simulate(given)
    timed(benchmark, simulate, given, rounds=10)


@njit
def serving_day(pools, loads):
    for minute in range(1440):
        serving.prepare(pools, loads, minute // 60, (minute % 60 + 0.5) / 60, 60.0)


def test_serving_day_of_the_campus(benchmark):
    spec = scaled(1).spec
    site = compile_site(spec.topology)
    served = [work for work in spec.workloads if isinstance(work, ServedModel)]
    demand = Stream(*rng.key(1, 0, "demand"))
    columns = [pools.columns_of(pool, spec.period.start, 24, demand) for pool in served]
    loads = [pools.load_of(pool, site) for pool in served]
    resting = state.build(site, loads, columns, 1, 0)
    serving_day(resting.pools, resting.loads)
    timed(benchmark, serving_day, resting.pools, resting.loads, rounds=20)


def test_pod_load(benchmark):
    timed(benchmark, scenario.load, POD, rounds=10)


@pytest.mark.parametrize("workers", [1, 2])
def test_sweep_of_100_pod_days(benchmark, workers):
    def loader(sets):
        return scenario.load(POD, sets)

    axes = {"topology.cooling.supply": [f"{30 + 0.1 * k:.1f} degC" for k in range(100)]}
    plan = designs.make("pod", loader, axes)
    list(sweep.execute(plan, plan.tasks[: 2 * workers], workers))  # start the workers
    timed(benchmark, lambda: list(sweep.execute(plan, plan.tasks, workers)))


TRILLION = {"global_batch_sequences": 6300, "sequence_length": 8192}
"""Batch of a model with 10^12 parameters on 100,800 accelerators."""


def test_collective_on_400_000_endpoints(benchmark):
    """The fabric is laid, counted and cut into tiers each time; then the whole of it sums 1 GB."""
    chip = from_catalog.accelerator("GB300")
    clos = Clos(radix=144, rails=4, port_bandwidth="800 Gb/s", hop_latency="600 ns",
                switch_power="2.5 kW", optic_power="15 W")  # fmt: skip
    ends = Ends(400_032, 400_032, chip.scaleout_bandwidth, chip.scaleup_domain)

    def laid_and_summed():
        clos.counts(ends)
        return collectives.all_reduce_s(fabric_of(chip, clos.tiers(ends)), 400_032, 1e9)

    timed(benchmark, laid_and_summed, rounds=20)


def test_step_of_a_plan(benchmark):
    model, chip = from_catalog.language_model("kimi-k2"), from_catalog.accelerator("GB300")
    plan = ParallelPlan(tp=4, pp=7, ep=96, precision="fp8", **TRILLION, cp=4)
    timed(benchmark, training.estimate, model, chip, 100_800, plan, rounds=200)


def test_footprint_of_a_plan(benchmark):
    model = from_catalog.language_model("deepseek-v3")
    plan = ParallelPlan(tp=1, pp=16, ep=64, global_batch_sequences=25_600, sequence_length=4096)
    timed(benchmark, memory.footprint, model, plan, 6_400, rounds=1_000)


def test_all_plans_of_a_trillion_parameters_on_100800(benchmark):
    model, chip = from_catalog.language_model("kimi-k2"), from_catalog.accelerator("GB300")
    timed(benchmark, plan_search.search, model, chip, 100_800, TRILLION, rounds=3)


@pytest.mark.parametrize(
    "words", [("--help",), ("check", str(CAMPUS)), ("check", str(POD))], ids=["help", "check", "pod"]
)
def test_command(benchmark, words):
    def command():
        run = [sys.executable, "-m", "simulator", *words]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, env=os.environ)

    timed(benchmark, command, rounds=3)


def test_minute_of_100800_accelerators_at_10_ms(benchmark):
    """All samples of one minute, from 1,400 racks; the run up to it is not in it."""
    given = scaled(1, **{"period.duration": "2 h"})
    at = given.spec.period.start + timedelta(hours=1)
    windows = Waveform.model_validate({"windows": [at], "job": "frontier"})
    _, seen = observe(given, windows)
    site, key = compile_site(given.spec.topology), rng.key(1, 0, "waveform")
    waveform_power.drawn(seen[0], site, windows, key)
    timed(benchmark, waveform_power.drawn, seen[0], site, windows, key, rounds=3)
