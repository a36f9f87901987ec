"""How long things take: `make bench` prints the table.

Each figure is the wall time on one core with the machine code cached; budgets are in the design.
"""

import os
import subprocess
import sys

import pytest
from campus import CAMPUS, ROOT, scaled

from simulator import scenario
from simulator.simulation import simulate
from simulator.studies import designs, sweep

POD = ROOT / "scenarios" / "pod.yaml"


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


def test_pod_day(benchmark):
    given = scenario.load(POD)
    simulate(given)
    timed(benchmark, simulate, given, rounds=10)


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


@pytest.mark.parametrize(
    "words", [("--help",), ("check", str(CAMPUS)), ("check", str(POD))], ids=["help", "check", "pod"]
)
def test_command(benchmark, words):
    def command():
        run = [sys.executable, "-m", "simulator", *words]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, env=os.environ)

    timed(benchmark, command, rounds=3)
