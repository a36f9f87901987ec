"""Every accelerator-hour out of service has one cause and one stage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Bench, Load, load_tree, pod, pod_site, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import downtime, effects, outage
from simulator.engine.outage_log import OWN, SHARED, STAGES, Outages, Repair, of_one_stage
from simulator.kernels import columns as c
from simulator.metrics.balance import checks
from simulator.simulation import simulate

SITE = pod_site()
END_S = 86_400.0
STAGED = Repair((0, 1, 2, 3, 4, 5), (60.0, 120.0, 120.0, 600.0, 1000.0, 1800.0))


def note(outages, rack, start_s, lasts_s, cause, servers=np.inf, reach=OWN, repair=None):
    told = repair or of_one_stage("repair", start_s + lasts_s)
    outages.note(np.array([rack]), np.array([servers]), start_s, lasts_s, cause, reach, told)


def hours_of(outages, by="cause", end_s=END_S):
    table = downtime.table(SITE, outages, end_s)
    return table.groupby(by)["accelerator_hours"].sum().to_dict()


def test_one_outage_is_cut_into_its_stages():
    outages = Outages()
    note(outages, 2, 0.0, 1800.0, "gpu", servers=1.0, repair=STAGED)
    per_s = SITE.rack_accelerators[2] / SITE.rack_servers[2] / 3600.0
    seconds = {"unnoticed": 60, "diagnosis": 60, "waiting_crew": 480, "repair": 400, "burn_in": 800}
    expected = {stage: s * per_s for stage, s in seconds.items()}
    assert hours_of(outages, "stage") == pytest.approx(expected)


def test_overlap_goes_to_the_earliest_that_still_stands():
    outages = Outages()
    note(outages, 1, 0.0, 7200.0, "first")
    note(outages, 1, 3600.0, 7200.0, "second")
    chips = SITE.rack_accelerators[1]
    assert hours_of(outages) == pytest.approx({"first": 2 * chips, "second": chips})


def test_a_broken_server_keeps_its_part_when_the_whole_rack_goes():
    outages = Outages()
    note(outages, 1, 0.0, 7200.0, "server", servers=1.0)
    note(outages, 1, 3600.0, 7200.0, "rack")
    chips, servers = SITE.rack_accelerators[1], SITE.rack_servers[1]
    found = hours_of(outages)
    assert found["server"] == pytest.approx(2 * chips / servers)
    assert found["rack"] == pytest.approx(chips * (1 - 1 / servers) + chips)


def test_more_servers_than_there_are_take_the_rack_once():
    outages = Outages()
    for k in range(25):
        note(outages, 0, float(k), 3600.0, f"s{k:02d}", servers=1.0)
    total = sum(hours_of(outages).values())
    # 18 of 25 are out from second 17 on; from second 3600 on one returns each second, down to none
    full, servers = SITE.rack_accelerators[0] / 3600.0, SITE.rack_servers[0]
    seconds = [min(sum(k <= t < k + 3600 for k in range(25)), servers) for t in range(3700)]
    assert total == pytest.approx(full * sum(seconds) / servers)


def test_nothing_counts_after_the_end_or_before_it_begins():
    outages = Outages()
    note(outages, 0, END_S - 1800.0, 1e6, "late")
    note(outages, 0, END_S + 5.0, 100.0, "never")
    assert hours_of(outages) == pytest.approx({"late": 0.5 * SITE.rack_accelerators[0]})
    assert downtime.table(SITE, Outages(), END_S).empty


outage_rows = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 500), st.integers(1, 300), st.sampled_from([1, 2, 18, None])
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@given(rows=outage_rows)
@settings(max_examples=80, deadline=None)
def test_causes_add_up_to_what_is_out_second_by_second(rows):
    outages = Outages()
    rows = sorted(rows, key=lambda row: row[1])
    for k, (rack, start, lasts, servers) in enumerate(rows):
        count = np.inf if servers is None else float(servers)
        note(outages, rack, float(start), float(lasts), f"c{k}", servers=count)
    expected_s = dict.fromkeys((f"c{k}" for k in range(len(rows))), 0.0)
    for second in range(801):
        left = dict.fromkeys(range(3), 1.0)
        for k, (rack, start, lasts, servers) in enumerate(rows):
            if start <= second < start + lasts:
                share = 1.0 if servers is None else servers / SITE.rack_servers[rack]
                taken = min(share, left[rack])
                left[rack] -= taken
                expected_s[f"c{k}"] += taken * SITE.rack_accelerators[rack]
    found = hours_of(outages)
    for cause, accelerator_s in expected_s.items():
        assert found.get(cause, 0.0) * 3600.0 == pytest.approx(accelerator_s, abs=1e-6)


def test_effects_note_what_they_take_out():
    bench = Bench(pod(), (Load("job", "training", 0, synchronous=True),))
    cls = FailureClass(name="break", per="rack", rate="1 /year", effect="server", repair="1 h")
    rack = cls.model_copy(update={"effect": "rack", "name": "rack"})
    block = cls.model_copy(update={"effect": "block", "name": "block"})
    for at_s, struck in ((90.0, cls), (200.0, rack), (300.0, block)):
        repair = of_one_stage("repair", at_s + 600.0)
        bench.at(at_s, lambda s=struck, r=repair: effects.inflict(bench.world, s, 0, 0, r))
    bench.run(1800.0)
    table = downtime.table(bench.site, bench.world.outages, 1800.0)
    down_h = bench.state.loads.hours[:, c.DOWN].sum() / 3600.0
    assert table["accelerator_hours"].sum() == pytest.approx(down_h, rel=1e-12)
    assert dict(zip(table["cause"], table["reach"], strict=True)) == {
        "break": OWN, "rack": OWN, "block": SHARED}


@pytest.mark.parametrize(("effect", "cured", "transient"), [
    ("server", True, True), ("server", False, False), ("rack", True, False),
    ("interrupt", True, True), ("interrupt", False, True)])
def test_an_alarm_says_how_what_is_inflicted_shows_itself(effect, cured, transient):
    """Chips of a rack that is out forget, reset or not; those under an interruption never do."""
    bench, told = Bench(pod(), (Load("job", "training", 0, synchronous=True),)), []
    job = bench.work("job", np.arange(4), 0.7)
    bench.world.alarms[job] = told.append
    cls = FailureClass(name="break", per="rack", rate="1 /year", effect=effect, repair="1 h")
    repair = Repair((0, 1, 4), (40.0, 100.0, 9000.0), cured, 40.0, 60.0)
    effects.inflict(bench.world, cls, 1, 0, repair)
    (alarm,) = told
    assert (alarm.unnoticed_s, alarm.diagnosis_s) == (40.0, 60.0)
    assert (alarm.transient, alarm.planned) == (transient, False)
    assert bench.world.inflicted is None


def test_a_trip_for_want_of_coolant_waits_for_the_repair_of_what_stopped_it():
    bench = Bench(pod(), (Load("fill", "batch", 0),))
    bench.work("fill", np.arange(8), 0.7)
    cls = FailureClass(name="cdu", per="coolant_unit", rate="1 /year", effect="flow", repair="1 h")
    repair = Repair((0, 4), (1260.0, 4800.0))
    bench.at(1200.0, lambda: effects.inflict(bench.world, cls, 0, 0, repair))
    bench.run(7200.0)
    assert "trip" in bench.kinds()
    table = downtime.table(bench.site, bench.world.outages, 7200.0)
    assert set(table["stage"]) <= {"unnoticed", "repair", "boot"}
    down_h = bench.state.loads.hours[:, c.DOWN].sum() / 3600.0
    assert table["accelerator_hours"].sum() == pytest.approx(down_h, rel=1e-12)


def test_a_rack_that_nobody_says_more_of_is_under_repair():
    bench = Bench(pod())
    outage.take_out(bench.world, np.array([0]), "x", 600.0)
    assert [STAGES[s] for s in bench.world.outages.repair[0].stages] == ["repair"]


@pytest.mark.parametrize("operations", [None, {"practice": "hyperscale"}])
def test_downtime_closes_over_a_run_in_which_much_fails(tmp_path, operations):
    tree = pod_tree() | {"reliability": {"rate_scale": 60}}
    tree |= {"operations": operations} if operations else {}
    results = simulate(load_tree(tree, tmp_path))
    assert results.tables["downtime"]["accelerator_hours"].sum() > 0.0
    for name, value in checks(results).items():
        assert abs(value) <= 1e-9, name


def test_an_outage_that_is_not_noted_shows(tmp_path, monkeypatch):
    for way in ("note", "note_own"):
        monkeypatch.setattr(Outages, way, lambda self, *row: None)
    tree = pod_tree() | {"reliability": {"rate_scale": 60}}
    assert checks(simulate(load_tree(tree, tmp_path)))["downtime_rel"] > 1e-6
