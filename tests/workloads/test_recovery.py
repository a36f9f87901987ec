"""Jobs that are hit at known times, against closed forms: what is lost, how long it takes, how fast they
go on."""

import math

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.engine.alarm import Alarm
from simulator.metrics import balance
from simulator.metrics.kpis import kpis
from simulator.performance.checkpoint import HOST_LINK
from simulator.simulation import simulate
from simulator.workloads import training_run

RACKS, HOUR_S = 4, 3600.0
STALL_S, INTERVAL_S = 10.0, 590.0
SAVES = {"policy": "fixed", "interval": f"{INTERVAL_S} s", "stall": f"{STALL_S} s"}
SHARE = INTERVAL_S / (INTERVAL_S + STALL_S)
RESTART = {"policy": "restart"}


def tree_of(checkpoint, recovery=None, racks=RACKS, incidents=(), **job):
    """Return a job of 4 racks on a hall of `racks`, struck by nothing but the incidents."""
    tree = pod_tree()
    tree["topology"]["halls"][0] |= {"blocks": 2, "racks_per_block": (racks + 1) // 2}
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank]["rating"] = "4 MVA"
    work = {
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
        "accelerators": 72 * RACKS, "tokens": 1e15, "checkpoint": checkpoint,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
    }
    tree["workloads"] = [work | ({"recovery": recovery} if recovery else {}) | job]
    tree["reliability"] = {"rate_scale": 0}
    tree["incidents"] = list(incidents)
    return tree


def ran(tree, folder):
    results = simulate(load_tree(tree, folder))
    assert max(balance.checks(results).values()) <= 1e-9
    return results, results.tables["jobs"].iloc[0]


def hours(results):
    """Return hours of the whole job by category."""
    table = results.tables["hours"].query("load == 'job'")
    return table.groupby("category")["accelerator_hours"].sum() / (72 * RACKS)


def strike(cause, at, lasts):
    return {"cause": cause, "element": "pod/r0001", "at": at, "lasts": lasts}


def during(monkeypatch, *acts):
    """Call acts on the run at times: (seconds, act)."""
    started = training_run.TrainingRun.run

    def run_with(self):
        for at_s, act in acts:
            self.world.env.timeout(at_s).callbacks.append(lambda _, act=act: act(self))
        yield from started(self)

    monkeypatch.setattr(training_run.TrainingRun, "run", run_with)


def alarm(**told):
    return lambda run: run.interrupt(Alarm("test", **told))


def useful_s(row, results):
    step_s, planned = row["planned_step_time_s"], results.tables["phases"]["seconds"].sum()
    assert step_s == pytest.approx(planned)
    return row["tokens"] / (288 * 8192) * step_s


def test_a_restart_takes_the_sum_of_its_parts(tmp_path, monkeypatch):
    recovery = {"policy": "restart", "diagnosis": "2 min", "processes": "50 s", "communicators": "100 ms"}
    during(monkeypatch, (HOUR_S, alarm(unnoticed_s=30.0)))
    results, row = ran(tree_of(SAVES | {"local": {}}, recovery), tmp_path)
    each = 14.0 * 70.6e9 / 288
    parts_s = 30.0 + 120.0 + 50.0 + 28.8 + each / HOST_LINK
    assert row["stalled_mean_s"] == pytest.approx(parts_s, rel=1e-4)
    assert hours(results)["lost_restart"] * HOUR_S == pytest.approx(parts_s + 78.8, rel=1e-4)
    assert row["from_local"] == 1


@pytest.mark.parametrize(
    ("policy", "spares", "swap_s", "start_s"),
    [("restart", 1, 600.0, 90.0), ("warm_spares", 1, 30.0, 0.0), ("warm_spares", 0, 600.0, 90.0)])
def test_warm_spares_save_the_wait_for_the_scheduler(policy, spares, swap_s, start_s, tmp_path):
    """A rack is lost for good with another one idle: only a reserved one is warm."""
    tree = tree_of(
        SAVES | {"peer": {"apart": "rack"}}, {"policy": policy}, 6,
        [strike("scale_up_switch", "1 h", "20 h")], spares=spares)
    _, row = ran(tree, tmp_path)
    load_s = 14.0 * 70.6e9 / 288 * (1.0 / 1e11 + 1.0 / HOST_LINK)
    assert row["stalled_mean_s"] == pytest.approx(180.0 + swap_s + start_s + 0.864 + load_s, rel=1e-3)
    assert row["from_peer"] == row["interruptions"] == 1


def test_a_document_that_says_how_long_a_restart_takes_is_believed(tmp_path):
    tree = tree_of(SAVES | {"restart": "7 min"}, None, 6, [strike("scale_up_switch", "1 h", "9 h")])
    _, row = ran(tree, tmp_path)
    assert row["stalled_mean_s"] == pytest.approx(420.0)
    assert row["from_save"] == 1


@pytest.mark.parametrize(
    ("tiers", "lost", "source"),
    [({"local": {}}, True, "from_start"), ({"local": {}, "remote": {}}, True, "from_remote"),
     ({"local": {}, "peer": {"apart": "rack"}}, True, "from_peer"), ({"local": {}, "remote": {}}, False, "from_local")])
def test_what_a_lost_rack_leaves(tiers, lost, source, tmp_path, monkeypatch):
    hit = strike("scale_up_switch", "5 h", "9 h")
    if not lost:
        during(monkeypatch, (5 * HOUR_S, alarm()))
    results, row = ran(tree_of(SAVES | tiers, RESTART, 6, [hit] if lost else []), tmp_path)
    assert row[source] == row["interruptions"] == 1
    rework_s = hours(results)["lost_rework"] * HOUR_S
    start_s = 90.0 + 0.003 * 288
    most = 5 * HOUR_S * SHARE if source == "from_start" else INTERVAL_S + 1.0
    assert rework_s <= most
    assert row["lost_work_mean_s"] == pytest.approx(rework_s)
    if source == "from_start":
        assert rework_s == pytest.approx((5 * HOUR_S - start_s) * SHARE, rel=1e-6)


def test_two_racks_of_a_block_leave_the_copies_in_the_other_block(tmp_path):
    for apart, source in (("block", "from_peer"), ("rack", "from_remote")):
        tree = tree_of(
            SAVES | {"peer": {"apart": apart}, "remote": {}}, RESTART, 4,
            [{"cause": "busway", "element": "pod/b01", "at": "5 h", "lasts": "1 h"}])
        _, row = ran(tree, tmp_path)
        assert row[source] == row["interruptions"] == 1


def test_a_save_on_its_way_to_storage_does_not_count(tmp_path, monkeypatch):
    """A transfer of 300 s: at 200 s after a snapshot the one before it is loaded."""
    each = 14.0 * 70.6e9 / 288
    tiers = {"remote": {"bandwidth": f"{each / 300.0 / 1e6} MB/s"}}
    begun_s = 90.0 + 0.003 * 288
    for after_s, kept in ((200.0, 2), (301.0, 3)):
        with monkeypatch.context() as patch:
            during(patch, (begun_s + 3 * 600.0 + after_s, alarm()))
            results, row = ran(tree_of(SAVES | tiers, RESTART), tmp_path)
        done_s = (3 * 600.0 + after_s) * SHARE
        rework_s = hours(results)["lost_rework"] * HOUR_S
        assert rework_s == pytest.approx(done_s - kept * INTERVAL_S, rel=1e-3)
        assert row["saves_cut_short"] == 3 - kept


def test_corruption_costs_all_work_since_it_began(tmp_path, monkeypatch):
    begun_s = 90.0 + 0.003 * 288
    at_s, silent_s = begun_s + 20_010.0, 5000.0
    during(monkeypatch, (at_s, alarm(silent_s=silent_s)))
    results, row = ran(tree_of(SAVES | {"remote": {}}, RESTART), tmp_path)
    clean = math.floor((20_010.0 - silent_s) / 600.0)
    rework_s = hours(results)["lost_rework"] * HOUR_S
    assert rework_s == pytest.approx(20_010.0 * SHARE - clean * INTERVAL_S, rel=1e-6)
    assert row["from_remote"] == 1


def test_announced_outages_lose_no_work(tmp_path, monkeypatch):
    during(monkeypatch, (5 * HOUR_S + 333.0, alarm(planned=True)))
    results, _ = ran(tree_of(SAVES | {"remote": {}}, RESTART), tmp_path)
    assert hours(results).get("lost_rework", 0.0) == pytest.approx(0.0, abs=1e-12)


def test_elastic_takes_back_what_there_is(tmp_path):
    """Two racks of four out from hour 6, one back at hour 9, one at hour 12: half, then three quarters."""
    hits = [strike("scale_up_switch", "6 h", "3 h"),
            strike("scale_up_switch", "6 h", "6 h") | {"element": "pod/r0002"}]
    tree = tree_of(SAVES | {"restart": "0 s"}, {"policy": "elastic"}, 4, hits)
    tree["workloads"][0]["plan"]["sharding"] = "none"
    results, row = ran(tree, tmp_path)
    assert hours(results)["useful"] * HOUR_S == pytest.approx((18 + 1.5 + 2.25) * HOUR_S * SHARE, rel=1e-6)
    assert row["lost_work_mean_s"] == 0.0


@pytest.mark.parametrize("sharding", ["none", "optimizer"])
def test_elastic_goes_on_at_the_share_of_its_replicas(sharding, tmp_path):
    """One rack of four out from hour 6 to hour 9 and none to replace it: 27 of 36 replicas."""
    tree = tree_of(
        SAVES | {"restart": "2 min"}, {"policy": "elastic"}, 4,
        [strike("scale_up_switch", "6 h", "3 h")])
    tree["workloads"][0]["plan"]["sharding"] = sharding
    results, row = ran(tree, tmp_path)
    spent = hours(results)
    rework_s = spent.get("lost_rework", 0.0) * HOUR_S
    whole_s, part_s = 21.0 * HOUR_S - 240.0, 3.0 * HOUR_S - 120.0
    assert spent["useful"] * HOUR_S == pytest.approx(
        (whole_s + 0.75 * part_s) * SHARE - rework_s, rel=1e-9)
    assert useful_s(row, results) == pytest.approx(spent["useful"] * HOUR_S, rel=1e-9)
    assert spent.get("lost_degraded", 0.0) == pytest.approx(0.0, abs=1e-12)  # the rest is a rack away
    assert row["from_running" if sharding == "none" else "from_save"] == 1
    assert rework_s == pytest.approx(0.0 if sharding == "none" else ((6 * HOUR_S - 120.0) % 600.0) * SHARE)


@pytest.mark.parametrize(("placement", "goes_on"), [("aligned", True), ("packed", False), ("spread", False)])
def test_replicas_inside_one_block_outlive_the_loss_of_another(placement, goes_on, tmp_path):
    """Two replicas of two racks on two blocks of three: aligned, a lost block takes one of them."""
    tree = tree_of(
        SAVES | {"restart": "0 s"}, {"policy": "elastic"}, 6,
        [{"cause": "busway", "element": "pod/b01", "at": "6 h", "lasts": "6 h"}], placement=placement)
    tree["workloads"][0]["plan"] |= {"tp": 8, "pp": 2, "cp": 9, "sequence_length": 9216, "sharding": "none"}
    results, _ = ran(tree, tmp_path)
    useful_h = hours(results)["useful"] / SHARE
    if goes_on:  # at half pace, also while the racks of the other block boot
        boot_h = load_tree(tree, tmp_path).spec.topology.ride_through.boot / HOUR_S
        assert useful_h == pytest.approx(18.0 + 3.0 - 0.5 * boot_h, rel=1e-6)
    else:
        assert useful_h == pytest.approx(18.0, abs=600.0 / HOUR_S)


def test_degraded_tensor_goes_on_with_the_chips_that_are_left(tmp_path):
    """A tray of 4 of 72 chips out for 3 hours: 9 of 36 replicas at 68/72."""
    tree = tree_of(
        SAVES | {"restart": "2 min"}, {"policy": "degraded_tensor"}, 4, [strike("host", "6 h", "3 h")])
    results, row = ran(tree, tmp_path)
    spent, pace = hours(results), 1.0 - 0.25 * 4.0 / 72.0
    rework_s = spent["lost_rework"] * HOUR_S
    whole_s, part_s = 21.0 * HOUR_S - 240.0, 3.0 * HOUR_S - 120.0
    assert spent["useful"] * HOUR_S == pytest.approx((whole_s + pace * part_s) * SHARE - rework_s, rel=1e-9)
    assert row["interruptions"] == 1


def test_redundant_pipeline_reworks_nothing(tmp_path):
    tree = tree_of(
        SAVES | {"remote": {}}, {"policy": "redundant_pipeline", "redundancy": "20 %"}, 4,
        [strike("scale_up_switch", "6 h", "3 h")])
    results, row = ran(tree, tmp_path)
    spent = hours(results)
    assert spent.get("lost_rework", 0.0) == 0.0
    assert (row["from_running"], row["interruptions"]) == (1, 1)
    start_s = 0.003 * 288
    join_s = start_s + 14.0 * 70.6e9 / 288 * (1.0 / 1e11 + 1.0 / HOST_LINK)
    whole_s, part_s = 21.0 * HOUR_S - 90.0 - start_s - join_s, 3.0 * HOUR_S - 5.0
    pace = 1.0 - 0.5 * 9 / 36
    assert spent["useful"] * HOUR_S == pytest.approx(0.8 * (whole_s + pace * part_s) * SHARE, rel=1e-5)
    assert spent["lost_degraded"] * HOUR_S == pytest.approx(
        (0.2 * whole_s + (0.75 - 0.8 * pace) * part_s) * SHARE, rel=1e-5)


def test_hot_spares_swap_a_tray_without_a_rack(tmp_path):
    """64 of 72 chips compute; a tray of 4 lost for good is replaced by the reserve of its rack."""
    tree = tree_of(
        SAVES | {"peer": {"apart": "rack"}}, {"policy": "hot_spares", "active_per_rack": 64}, 4,
        [strike("host", "6 h", "10 h")], accelerators=256)
    tree["workloads"][0]["plan"]["global_batch_sequences"] = 256
    results, row = ran(tree, tmp_path)
    load_s = 14.0 * 70.6e9 / 256 * (1.0 / 1e11 + 1.0 / HOST_LINK)
    assert row["stalled_mean_s"] == pytest.approx(180.0 + 5.0 + 0.003 * 256 + load_s, rel=1e-3)
    table = results.tables["hours"].query("load == 'job'").groupby("category")["accelerator_hours"].sum()
    kept_s = row["tokens"] / (256 * 8192) * row["planned_step_time_s"]
    assert table["useful"] * HOUR_S == pytest.approx(256 * kept_s, rel=1e-9)
    assert table["idle"] > 0.9 * (32 * 24 - 4 * 10)
    assert "lost_queue" not in table or table["lost_queue"] == 0.0


def test_what_is_lost_is_a_partition_of_what_is_held(tmp_path):
    tree = tree_of(
        SAVES | {"local": {}, "peer": {"apart": "rack"}, "remote": {}}, {"policy": "elastic"}, 6, [], spares=1)
    tree["reliability"] = {"rate_scale": 100}
    tree["period"]["duration"] = "60 d"
    results, row = ran(tree, tmp_path)
    held = results.tables["hours"].query("load == 'job'").groupby("category")["accelerator_hours"].sum()
    assert row["interruptions"] >= 10
    assert held["useful"] * HOUR_S == pytest.approx(useful_s(row, results) * 288, rel=1e-9)
    assert (held >= -1e-9).all()
    sources = [row[f"from_{name}"] for name in ("local", "peer", "remote", "start", "running")]
    assert abs(sum(sources) - row["interruptions"]) <= 1
    assert np.isfinite(row["lost_work_mean_s"])


def test_planned_work_and_false_alarms_are_no_failures(tmp_path, monkeypatch):
    """One stop of each kind: the time between failures knows the failure, means know all three."""
    during(
        monkeypatch, (20_000.0, alarm()), (40_000.0, alarm(planned=True)),
        (60_000.0, lambda run: run.interrupt(Alarm("false_alarm"))),
    )
    results, row = ran(tree_of(SAVES | {"restart": "300 s"}), tmp_path)
    assert [row[kind] for kind in ("interruptions", "planned_stops", "false_alarms")] == [1, 1, 1]
    assert row["mttf_h"] == row["running_h"]
    assert row["running_h"] == pytest.approx(hours(results).drop("lost_restart").sum())
    assert row["stalled_mean_s"] == pytest.approx(300.0)
    rework_s = hours(results)["lost_rework"] * HOUR_S
    assert row["lost_work_mean_s"] == pytest.approx(rework_s / 3.0)
    told = results.events.query("kind == 'interruption'")["detail"].astype(str).tolist()
    assert told == ["", "planned", ""]


def test_a_job_that_only_maintenance_stops_never_fails(tmp_path):
    """Four racks in turn, one every four hours: at 13, 17 and 21 h of the day."""
    tree = tree_of(SAVES | {"restart": "300 s"})
    tree["operations"] = {
        "practice": "hyperscale", "monitoring": {"false_alarms": "0 /year"},
        "maintenance": [{"name": "firmware", "on": "rack", "every": "16 h", "lasts": "30 min",
                         "first": "13 h"}],
    }
    results, row = ran(tree, tmp_path)
    assert [row[kind] for kind in ("interruptions", "planned_stops", "false_alarms")] == [0, 3, 0]
    assert np.isnan(row["mttf_h"])
    told = kpis(results).set_index("kpi")["value"]
    assert told["training.job.interruptions"] == 0.0
    assert told["training.job.planned_stops"] == 3.0
    assert told["training.job.mttf"] is None or np.isnan(told["training.job.mttf"])
    assert row["lost_work_mean_s"] == 0.0


def test_false_alarms_stop_the_job_without_a_failure(tmp_path):
    tree = tree_of(SAVES | {"restart": "300 s"}, racks=6, spares=1)
    tree["reliability"] = {"fleet": "llama3-405b", "rate_scale": 0}
    tree["operations"] = {"practice": "hyperscale", "monitoring": {"false_alarms": "0.05 /day"}}
    _, row = ran(tree, tmp_path)
    assert (row["interruptions"], row["planned_stops"]) == (0, 0)
    assert row["false_alarms"] > 0
    assert np.isnan(row["mttf_h"])
