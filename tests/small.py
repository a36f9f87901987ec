"""Small plants to test on: the pod as plain values to change, and a world whose clock a test runs."""

import copy
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import simpy
import yaml
from numba import config

from simulator import scenario
from simulator.engine import clock, limit_tables, recorder, state
from simulator.engine.physics import Physics
from simulator.engine.state import Load, Pool
from simulator.engine.world import World
from simulator.policies import setpoint
from simulator.policies.capping import CAPPINGS
from simulator.results import Results
from simulator.scenario import Scenario
from simulator.simulation import weather_of
from simulator.site import Site, compile_site
from simulator.weather import for_period

ROOT = Path(__file__).parents[1]


def examples(count: int) -> int:
    """Return how many examples to try: a sixth where kernels are interpreted, which takes a hundred times
    as long and only has to show that the same lines run."""
    return count // 6 if config.DISABLE_JIT else count


@cache
def _pod() -> dict[str, Any]:
    plain = yaml.safe_load((ROOT / "scenarios" / "pod.yaml").read_text())
    plain.pop("import")
    return plain | yaml.safe_load((ROOT / "topologies" / "pod.yaml").read_text())


def pod_tree() -> dict[str, Any]:
    """Return the pod's document as plain values, free to change."""
    return copy.deepcopy(_pod())


def load_tree(tree: dict[str, Any], folder: Path) -> Scenario:
    """Return the scenario of a changed document, written into `folder`."""
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return scenario.load(path)


@cache
def pod() -> Scenario:
    """Return the pod as it is in the repository."""
    return scenario.load(ROOT / "scenarios" / "pod.yaml")


@cache
def empty_pod() -> Scenario:
    """Return the pod without its workloads, whose checks serve thousands of requests."""
    return scenario.load(ROOT / "scenarios" / "pod.yaml", [("workloads", [])])


def pod_site() -> Site:
    """Return the compiled pod."""
    return compile_site(empty_pod().spec.topology)


def resting(site: Site, loads: tuple[Load, ...] = (), pools: tuple[Pool, ...] = ()):
    """Return the state of a site at rest."""
    return state.build(site, list(loads), list(pools), seed=1, replicate=0)


class Bench:
    """A world with its clock and physics; a test sets loads, breaks things and runs on."""

    def __init__(
        self, given: Scenario, loads: tuple[Load, ...] = (), pools: tuple[Pool, ...] = ()
    ) -> None:
        spec = given.spec
        self.site = compile_site(spec.topology)
        self.state = resting(self.site, loads, pools)
        self.env = simpy.Environment()
        end_s = spec.period.duration
        self.world = World(self.env, self.site, self.state, spec.seed, 0, end_s)
        self.records = recorder.allocate(self.site, self.state, end_s)
        start = spec.period.start.astimezone(UTC)
        outdoors = for_period(weather_of(given), start, self.records.hall.shape[0])
        decide = CAPPINGS[spec.topology.control.policy]
        self.physics = Physics(
            self.world, outdoors, self.records, decide, setpoint.chosen(spec.topology),
            spec.period.start.hour,
        )
        self.physics.start()

    def work(self, name: str, racks: np.ndarray, dynamic_frac: float = 0.7) -> int:
        """Put racks to steady, useful work under a load of that name; return the load."""
        from simulator.engine import membership

        load = self.state.load(name)
        share = np.zeros(self.state.loads.share.shape[1])
        share[0] = 1.0
        self.world.set_load(load, dynamic_frac=dynamic_frac, share=share, running=1.0)
        membership.assign(self.world, racks, load)
        return load

    def at(self, at_s: float, act) -> None:
        """Call `act` at a time."""
        self.env.timeout(at_s - self.env.now).callbacks.append(lambda _: act())

    def run(self, to_s: float) -> None:
        """Run the clock on to a time."""
        clock.run(self.env, self.physics, to_s)

    def minutes(self, column: int) -> np.ndarray:
        """Return a column of the minute record up to now."""
        return self.records.site[: self.physics.step, column]

    def kinds(self) -> list[str]:
        """Return the kinds of the events logged so far."""
        return [kind for _, kind, *_ in self.world.events]

    def results(self) -> Results:
        """Return the tables so far, with what the balances need."""
        info = {"duration_s": self.physics.step * 60.0}
        tables = recorder.tables(self.world, self.records)
        tables |= limit_tables.tables(self.world, self.records)
        return Results(info, {}, None, tables)  # type: ignore[arg-type]
