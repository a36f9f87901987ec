"""One hall, one sag and one loss of its supply: the run, both studies, the contingency and the air of its
time to limit tell the same course of the way back."""

from pathlib import Path

import numpy as np
import pytest

from simulator import scenario
from simulator.components.failure_class import FailureClass
from simulator.components.power import sag as physics
from simulator.engine import effects
from simulator.engine.outage_log import of_one_stage
from simulator.kernels import columns as c
from simulator.simulation import build
from simulator.studies import cold_restart, contingency, ride_through
from simulator.studies.contingency_cases import Wanted
from simulator.studies.time_to_limit_cases import SAG_S, SAG_VOLTAGE, cases
from simulator.studies.time_to_limit_halls import places

HALL = Path(__file__).parents[2] / "scenarios" / "hall.yaml"
SETS = (
    "period.duration=6 h", "reliability.rate_scale=0", "topology.generators=null",
    "topology.ride_through.boot_draw=60 %",
)
BOOT_S, RESTART_S, JOB_S = 480.0, 600.0, 360.0
SAG_AT_S, LOST_AT_S, LOST_S = 3600.0, 7200.0, 7200.0
AT_ONCE_W_S = 1e15


@pytest.fixture(scope="module")
def hall():
    return scenario.load(HALL, SETS)


@pytest.fixture(scope="module")
def before(hall):
    """Return what stands at the moment of the sag: the loads of the studies, and the case of time to limit."""
    run = build(hall, disturbed=False)
    run.advance(SAG_AT_S)
    tried = {case.name: case for place in places(run) for case in cases(run, place)}
    return ride_through.loads_of(run), tried["voltage sag"]


@pytest.fixture(scope="module")
def told(hall):
    """Return the events of a run with both, s after each began, and the minutes of its racks' draw."""
    run = build(hall, disturbed=False)
    _inflict(run, "sag", "connection", SAG_AT_S, SAG_S, (0,), {"voltage": f"{100 * SAG_VOLTAGE:g} %"})
    _inflict(run, "line", "line", LOST_AT_S, LOST_S, range(run.world.site.nodes[0].count), {})
    run.advance(LOST_AT_S + LOST_S + 1800.0)
    found = {"sag": {}, "loss": {}}
    for at_s, kind, element, *_ in run.world.events:
        which, since_s = ("sag", SAG_AT_S) if at_s < LOST_AT_S else ("loss", LOST_AT_S + LOST_S)
        found[which].setdefault((kind, element), at_s - since_s)
    support_w = float(run.world.state.blocks.support_w.sum())
    return found, run.records.site[:, c.IT_W] - support_w, run.world.starts.rest_w.sum()


def _inflict(run, effect, per, at_s, lasts_s, units, given):
    world = run.world
    cls = FailureClass.model_validate(
        {"name": effect, "per": per, "rate": "0 /year", "effect": effect, "repair": "2 h"} | given,
        context={"si": True})
    begin = world.env.timeout(at_s - world.env.now)
    repair = of_one_stage("repair", at_s + lasts_s)
    begin.callbacks.append(lambda _: [effects.inflict(world, cls, 0, unit, repair) for unit in units])


@pytest.fixture(scope="module")
def contingencies(hall):
    wanted = Wanted(patterns=("lines/*", "point of interconnection"))
    table = contingency.study(hall, contingency.Asked(2, "1 h", 30, wanted, ()), 1).table
    return table.set_index("case")


def test_after_a_sag_all_tell_when_racks_idle_and_when_they_work(before, told, contingencies):
    loads, case = before
    found = ride_through.study(loads, physics.sags(SAG_VOLTAGE, SAG_S), scenario.load(HALL, SETS).spec.topology)
    works_s = found.loads[found.loads["work"] != ""].groupby("work")["whole_s"].max()
    events, it_w, rest_w = told
    run = events["sag"]
    assert works_s["pretrain"] == pytest.approx(BOOT_S + JOB_S)
    assert run["job_back", "pretrain"] == pytest.approx(SAG_S + works_s["pretrain"])
    others_s = works_s.drop("pretrain")
    assert set(others_s) == {BOOT_S + RESTART_S}
    assert run["racks_back", "hall"] == pytest.approx(SAG_S + others_s.max())
    assert case.dark_s == pytest.approx(SAG_S + works_s.max())
    last = contingencies.loc["point of interconnection", "recovery_s"]
    assert 0.0 <= last - (SAG_S + works_s.max()) <= 60.0  # told in whole minutes
    first = int(SAG_AT_S // 60)
    boots, idles = it_w[first + 2 : first + 7] / rest_w, it_w[first + 9 : first + 13] / rest_w
    assert boots == pytest.approx(np.full(5, 0.6))
    assert np.all((idles > 0.99) & (idles < 1.1))  # a job that restarts draws a tenth of its dynamic power
    racks = found.course[["training", "inference", "batch"]].sum(axis=1).to_numpy()
    drawn = [np.interp(t, found.course["time_s"], racks) for t in (300.0, 660.0)]
    assert drawn[0] / drawn[1] == pytest.approx(0.6)


def test_after_two_hours_without_supply_they_do_too(before, told, contingencies):
    loads, _ = before
    hall = scenario.load(HALL, SETS).spec.topology
    dark = cold_restart.study(loads, AT_ONCE_W_S, hall.ride_through).loads
    works_s = dark[dark["work"] != ""].groupby("work")["back_s"].max()
    run = told[0]["loss"]
    assert run["job_back", "pretrain"] == pytest.approx(works_s["pretrain"], abs=1e-3)
    assert run["racks_back", "hall"] == pytest.approx(works_s.drop("pretrain").max(), abs=1e-3)
    assert dict(works_s) == pytest.approx({name: BOOT_S + (JOB_S if name == "pretrain" else RESTART_S)
                                           for name in works_s.index}, abs=1e-3)  # fmt: skip
    pair = contingencies.loc["lines/1 + lines/2"]
    assert not pair["recovered"]
    assert pair["recovery_s"] - pair["repair_s"] == pytest.approx(works_s.max(), abs=1e-3)
