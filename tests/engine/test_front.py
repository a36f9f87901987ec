"""The failure front: what the kernel applies by itself is what the engine would have done."""

from datetime import UTC

import numpy as np
import pytest
from small import Bench, Load, pod

from simulator.components import from_catalog
from simulator.components.operations import Operations
from simulator.engine import downtime, effects
from simulator.engine.failures import Front
from simulator.engine.outage_log import OWN
from simulator.engine.physics import Physics
from simulator.engine.repair import Practice
from simulator.kernels import columns as c
from simulator.policies import setpoint
from simulator.policies.capping import CAPPINGS
from simulator.simulation import weather_of
from simulator.weather import for_period

LOADS = (Load("a", "batch", 0), Load("b", "batch", 0))
DAY_S = 86_400.0
QUICK = {
    "practice": "hyperscale", "diagnosis": {"over_eviction": 0.0}, "burn_in": "10 min",
}
"""Neighbours leave only where a load is told of failures, so they stay here."""


def classes(scale):
    """Return the catalog's classes, much more often and repaired much faster."""
    return tuple(
        cls.model_copy(update={
            "rate": cls.rate * scale, "repair": cls.repair / 100.0, "hands_on": cls.repair / 500.0
        })
        for cls in from_catalog.failure_classes("hyperscale")
    )


class Stormy:
    """A pod with two loads at work and a failure front."""

    def __init__(self, told, scale=500.0, operations=None, days=1.0):
        given = pod()
        self.bench = bench = Bench(given, LOADS)
        every = classes(scale)
        practice = None
        if operations is not None:
            start = given.spec.period.start
            practice = Practice(Operations.model_validate(operations), every, start)
        self.front = Front(bench.world, every, DAY_S, practice)
        hours = bench.records.hall.shape[0]
        outdoors = for_period(weather_of(given), given.spec.period.start.astimezone(UTC), hours)
        bench.physics = Physics(bench.world, outdoors, bench.records, CAPPINGS["priority"],
                                setpoint.chosen(bench.world.site.topology), 0)
        for name, racks in (("a", np.arange(4)), ("b", np.arange(4, 7))):
            bench.work(name, racks)
        if told:
            for load in range(len(bench.state.names)):
                bench.world.alarms[load] = lambda alarm: None
        bench.env.process(self.front.run())
        bench.run(days * DAY_S)
        self.front.tell()

    @property
    def events(self):
        return sorted(self.bench.world.events)

    def downtime(self):
        bench = self.bench
        return downtime.table(bench.site, bench.world.outages, bench.physics.step * 60.0)


@pytest.fixture(scope="module", params=[None, QUICK], ids=["all in", "shop"])
def both(request):
    return Stormy(False, operations=request.param), Stormy(True, operations=request.param)


def test_a_failure_leaves_the_same_whoever_applies_it(both):
    alone, told = both
    assert len(alone.events) > 300
    assert alone.events == told.events
    for columns in ("racks", "loads", "blocks", "loops"):
        mine, other = (getattr(it.bench.state, columns) for it in both)
        for name, column in mine._asdict().items():
            np.testing.assert_array_equal(column, getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(alone.bench.records.site, told.bench.records.site)
    np.testing.assert_array_equal(alone.bench.records.hall, told.bench.records.hall)


def test_downtime_and_the_shop_are_the_same_too(both):
    alone, told = both
    down_s = alone.bench.state.loads.hours[:, c.DOWN].sum()
    assert alone.downtime()["accelerator_hours"].sum() == pytest.approx(down_s / 3600.0, rel=1e-9)
    assert alone.downtime().equals(told.downtime())
    for name, column in alone.bench.world.shop._asdict().items():
        np.testing.assert_array_equal(column, getattr(told.bench.world.shop, name), err_msg=name)


def test_units_that_come_new_are_the_same(both):
    alone, told = both
    for name, column in alone.front.fleet.hazards._asdict().items():
        np.testing.assert_array_equal(column, getattr(told.front.fleet.hazards, name), err_msg=name)
    assert alone.front.replaced == told.front.replaced


def test_failures_of_racks_that_nobody_watches_make_no_event_of_the_clock(both):
    """The engine sleeps through a window but for what is no rack's own."""
    alone, told = both
    kinds = {cls.name for cls in alone.front.classes if cls.effect in effects.IN_KERNEL}
    own = sum(1 for event in alone.events if event[1] == "failure" and event[3] in kinds)
    assert own > 250
    # SimPy numbers its events as they are made.
    assert next(told.bench.env._eid) - next(alone.bench.env._eid) >= own


def test_the_log_of_outages_is_that_of_the_events(both):
    alone, _ = both
    outages = alone.bench.world.outages
    noted = sorted(
        (at_s, cause) for at_s, cause, reach in zip(
            outages.start_s, outages.cause, outages.reach, strict=True) if reach == OWN
    )  # fmt: skip
    took = {cls.name for cls in alone.front.classes if cls.effect in ("server", "rack")}
    logged = [(e[0], e[3]) for e in alone.events if e[1] == "failure" and e[3] in took]
    assert [pair for pair in noted if pair[1] in took] == logged


def test_telling_twice_tells_once():
    it = Stormy(False, days=0.2)
    before = list(it.bench.world.events)
    assert before
    it.front.tell()
    assert it.bench.world.events == before


def test_more_failures_than_a_window_has_room_for_are_refused():
    with pytest.raises(RuntimeError, match="check the failure rates"):
        Stormy(False, scale=1e7, days=0.1)


def test_the_queue_ends_with_the_run():
    it = Stormy(False, days=1.0)
    queue = it.bench.state.queue
    assert queue.drawn[0] == queue.drawn[1]
    assert queue.due_s[0] > DAY_S
    assert np.all(queue.back_s[: queue.under_way[0]] > DAY_S)
