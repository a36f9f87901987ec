"""Single failures from one moment: by hand on a pod, against scripted incidents, for any workers."""

import copy
import math
import os

import numpy as np
import pandas as pd
import pytest
from small import load_tree, pod_tree

from simulator.kernels import columns as c
from simulator.results import SERIES
from simulator.simulation import build, simulate
from simulator.studies import StudyError, contingency, forked, peak_hour
from simulator.studies import contingency_cases as cases_
from simulator.studies import contingency_moment as moments
from simulator.studies.contingency_cases import Wanted
from simulator.studies.contingency_watch import Watch

AT_S = 2 * 3600.0


def tree(**topology):
    """Return the pod with batch work only, for three hours, without draws."""
    given = pod_tree()
    given["workloads"] = [w for w in given["workloads"] if w["kind"] == "batch"]
    given["period"]["duration"] = "3 h"
    given["reliability"] = {"rate_scale": 0}
    given["topology"] |= {"generators": None} | topology
    given["topology"]["ups"]["ride_through"] = "1 s"
    return given


def pod(folder, **topology):
    return load_tree(tree(**topology), folder)


def bank(count, rating):
    return {"count": count, "rating": rating, "loss": {"load": "0.7 %"}}


def study(given, workers=2, order=1, maintenance=(), minutes=60, **wanted):
    asked = contingency.Asked(order, "2 h", minutes, Wanted(**wanted), maintenance)
    return contingency.study(given, asked, workers)


def row(found, name, cause=None):
    mine = found.table[found.table["case"] == name]
    return mine[mine["class"] == cause].iloc[0] if cause else mine.iloc[0]


def grid(**banks):
    return pod_tree()["topology"]["grid"] | banks


# By hand


def test_a_transformer_that_the_other_can_replace_sheds_nothing(tmp_path):
    given = pod(tmp_path, grid=grid(transformers=bank(2, "2 MVA")))
    found = row(study(given, patterns=("main transformers/*",)), "main transformers/1")
    assert found["shed_mw"] == 0.0 and found["capped_mw"] == 0.0 and found["severity"] == "none"
    assert found["hours_per_year"] == 0.0 and found["recovery_s"] == 0.0
    assert found["tightest"] in ("main transformers", "point of interconnection")
    assert found["post_loading"] == pytest.approx(2.0 * found["pre_loading"], rel=1e-2)  # and the losses


def test_both_transformers_take_everything(tmp_path):
    given = pod(tmp_path)
    base = moments.bring(given, "2 h", 60).run
    batch = np.array([kind == "batch" for kind in base.world.state.kinds])
    racks = base.world.state.racks
    drawn_w = float(racks.power_w[batch[racks.load]].sum())
    found = row(study(given, order=2, patterns=("main transformers/*",)),
                "main transformers/1 + main transformers/2")  # fmt: skip
    assert found["severity"] == "site lost" and found["accelerators_lost"] == 8 * 72
    assert found["shed_batch_mw"] == pytest.approx(drawn_w / 1e6, rel=1e-12)
    assert not found["recovered"] and found["recovery_s"] == 200 * 3600.0


def test_a_block_loses_exactly_its_racks(tmp_path):
    given = pod(tmp_path)
    base = moments.bring(given, "2 h", 60).run
    world = base.world
    mine = world.site.rack_block == world.site.block_names.index("pod/b02")
    busy = np.array([kind == "batch" for kind in world.state.kinds])[world.state.racks.load]
    found = row(study(given, patterns=("pod/b02",)), "pod/b02", "busway")
    assert found["shed_mw"] == pytest.approx(world.state.racks.power_w[mine & busy].sum() / 1e6)
    assert found["accelerators_lost"] == world.site.rack_accelerators[mine].sum()
    chips = float(world.site.rack_accelerators[mine & busy].sum())
    assert found["lost_hours"] == pytest.approx(chips, rel=1e-9)  # an hour of each
    repair_h = 7.3 * math.exp(0.5 * 0.5**2)
    assert found["hours_per_failure"] == pytest.approx(chips * repair_h, rel=1e-9)


def test_coolant_that_stands_still_trips_when_heat_says_so(tmp_path):
    given = pod(tmp_path)
    found = row(study(given, patterns=("pod/b02/cdu 1",)), "pod/b02/cdu 1")
    assert 0.0 < found["throttle_s"] < found["trip_s"] < 60.0
    assert found["tripped"] == "pod/b02" and found["limit"] == "temperature"


def test_row_0_is_the_intact_site(tmp_path):
    found = study(pod(tmp_path), patterns=("lines/*",)).table
    assert list(found["case"]) == ["N-0", "lines/1", "lines/2"]
    assert list(found["rank"]) == [0, 1, 2]
    assert found["shed_mw"].iloc[0] == 0.0 and found["severity"].iloc[0] == "none"


# Against scripted incidents


STRUCK = ("busway", "coolant_unit", "coolant_pump", "leaf_switch", "uplink", "line", "transformer",
          "feeder", "ups_module", "generator", "chiller_unit", "dry_cooler_fan", "scale_up_switch",
          "accelerator", "support_server")  # fmt: skip


def test_a_case_is_what_the_engine_does_with_that_incident(tmp_path):
    served = pod_tree()
    served["period"]["duration"] = "3 h"
    served["reliability"] = {"rate_scale": 0}
    given = load_tree(served, tmp_path)
    moment = moments.bring(given, "2 h", 60)
    hits = [hit for cls in moment.run.fleet if cls.name in STRUCK for hit in first_hit(moment.run, cls)]
    watch = Watch(moment.run)

    def future(i):
        contingency._respond(moment, watch, 60, (hits[i],))
        world = moment.run.world
        return moment.run.records.site, world.state.loads.hours, [e[:4] for e in world.events]

    found = dict(forked.each(len(hits), future, 2))
    for i, hit in enumerate(hits):
        scripted = copy.deepcopy(served)
        scripted["incidents"] = [{"cause": hit.cls.name, "element": hit.element, "at": "2 h"}]
        theirs = simulate(load_tree(scripted, tmp_path))
        site, hours, events = found[i].value
        np.testing.assert_array_equal(theirs.timeseries["site"][list(SERIES["site"])].to_numpy(), site)
        mine = theirs.tables["hours"]["accelerator_hours"].to_numpy() * 3600.0
        np.testing.assert_allclose(mine, hours.ravel(), rtol=1e-12)
        assert len(theirs.events) == len(events), hit.element


def first_hit(run, cls):
    named = cases_.elements(run.world.site, cls)
    return [cases_.Hit(name, cls, *where) for name, where in list(named.items())[:1]]


# For any number of workers, and for units that are alike


def test_any_number_of_workers_gives_the_same_rows(tmp_path):
    given = pod(tmp_path)
    one, three = (study(given, workers).table for workers in (1, 3))
    assert one.to_csv() == three.to_csv()


def test_units_that_share_a_simulation_are_the_same(tmp_path):
    given = load_tree(tree(), tmp_path)
    kinds = ("electrical", "cooling")
    shared, each = (study(given, kinds=kinds, each=e).table for e in (False, True))
    key = ["case", "class"]
    pd.testing.assert_frame_equal(
        shared.sort_values(key, ignore_index=True).drop(columns="rank"),
        each.sort_values(key, ignore_index=True).drop(columns="rank"),
    )


def test_racks_and_switches_stand_for_those_like_them(tmp_path):
    given = pod(tmp_path)
    grouped, each = (
        study(given, kinds=("rack", "network"), each=e).table for e in (False, True)
    )
    assert grouped["count"].sum() == len(each)
    lost = {(r["class"], r["case"]): r["accelerators_lost"] for r in each.to_dict("records")}
    for r in grouped.to_dict("records"):
        assert lost[r["class"], r["case"]] == r["accelerators_lost"]


# Several at once


def test_pairs_hold_the_double_failure_that_takes_the_site(tmp_path):
    found = study(pod(tmp_path), order=2, kinds=("electrical",))
    pair = row(found, "main transformers/1 + main transformers/2")
    assert pair["rule"] == "one group" and pair["severity"] == "site lost"
    ones = found.table[found.table["order"] == 1]
    every = len(ones) * (len(ones) - 1) // 2
    tried = found.table[(found.table["order"] == 2)]
    assert found.told["pairs_left_out"] == every - len(tried)
    assert set(tried["rule"]) <= {"one group", "one path", "worst singles"}


def test_a_pair_comes_as_often_as_one_fails_while_the_other_is_out(tmp_path):
    given = tree()
    given["reliability"] = {}
    found = study(load_tree(given, tmp_path), order=2, patterns=("lines/*",))
    pair = row(found, "lines/1 + lines/2")
    rate, beta = 0.5, 0.05
    out_h = 0.8 * 1 / 60 + 0.2 * 4.0 * math.exp(0.5 * 0.8**2)
    together = rate**2 * 2 * out_h / 8766.0 + beta * rate
    assert pair["rate_per_year"] == pytest.approx(together, rel=1e-6)


def test_a_larger_group_fails_by_common_cause(tmp_path):
    given = tree(grid=grid(lines=bank(3, "2 MVA")))
    given["reliability"] = {}
    found = study(load_tree(given, tmp_path), order=2, patterns=("lines/*",))
    whole = row(found, "lines/1 + lines/2 + lines/3")
    assert whole["rule"] == "common cause" and whole["order"] == 3
    assert whole["rate_per_year"] == pytest.approx(0.05 * 0.5)
    assert whole["severity"] == "site lost"


def test_during_maintenance_the_next_failure_is_the_last(tmp_path):
    given = pod(tmp_path)
    found = study(
        given, maintenance=("main transformers/2",), patterns=("main transformers/*",)
    )
    assert list(found.table["case"]) == ["N-0", "main transformers/1"]
    assert row(found, "main transformers/1")["severity"] == "site lost"
    assert found.told["maintenance"] == ["main transformers/2"]
    with pytest.raises(StudyError, match=r"no such element \(did you mean 'main transformers/2'"):
        study(given, maintenance=("main transformer/2",))


# What is asked, and when


def test_filters_choose_elements(tmp_path):
    given = pod(tmp_path)
    found = study(given, patterns=("pod/b0?/cdu 1", "lines/1")).table
    assert set(found["case"]) == {"N-0", "pod/b01/cdu 1", "pod/b02/cdu 1", "lines/1"}
    cooling = study(given, kinds=("cooling",)).table
    assert set(cooling["kind"].iloc[1:]) == {"cooling"}
    with pytest.raises(StudyError, match=r"is called lines/9 \(did you mean 'lines/"):
        study(given, patterns=("lines/9",))


def test_every_element_of_the_plant_is_tried(tmp_path):
    given = pod(tmp_path)
    base = build(given, disturbed=False)
    found = study(given, each=True).table
    for cls in base.fleet:
        if cls.effect not in ("interrupt", "corrupt", "push"):
            assert set(cases_.elements(base.world.site, cls)) <= set(found["case"]), cls.name


def test_the_moment_is_the_hour_with_the_largest_demand(tmp_path):
    served = pod_tree()
    served["period"]["duration"] = "2 d"
    given = load_tree(served, tmp_path)
    moment = moments.bring(given, None, 60)
    whole = build(given, disturbed=False)
    whole.advance(whole.world.end_s)
    site = whole.records.site
    demand_w = site[:, [c.IT_W, c.COOLING_W, c.HOUSE_W, c.LOSSES_W]].sum(axis=1)
    hourly = demand_w.reshape(-1, 60).mean(axis=1)
    assert moment.at_s / 3600.0 == moments.SETTLED_H + hourly[moments.SETTLED_H :].argmax()


def test_late_moments_begin_shortly_before(tmp_path):
    served = pod_tree()
    served["period"]["duration"] = "60 d"
    served["workloads"][0]["demand"]["growth"] = "50 %"
    given = load_tree(served, tmp_path)
    moment = moments.bring(given, "50 d", 60)
    assert moment.at_s == moments.LEAD_H * 3600.0
    assert moment.clock.isoformat() == "2027-09-03T00:00:00-04:00"
    shifted = peak_hour.beginning_at(given, 8766, 3600.0).spec
    assert shifted.workloads[0].demand.rate == pytest.approx(1.5 * 60.0)
    assert moments.seconds_in(given, "2027-07-16T06:30") == 30.5 * 3600.0


@pytest.mark.parametrize("at", ["soon", "2026-01-01T00:00", "90 d", "3 m"])
def test_other_times_are_refused(tmp_path, at):
    with pytest.raises(StudyError, match=f"--at {at} is"):
        moments.seconds_in(pod(tmp_path), at)


def test_a_case_that_dies_is_a_row(tmp_path, monkeypatch):
    def strike(world, cls, target, unit, repair):
        raise RuntimeError("cannot be")

    monkeypatch.setattr(contingency.effects, "inflict", strike)
    monkeypatch.setattr(moments, "rehearse", lambda run: None)
    found = study(pod(tmp_path), patterns=("lines/*",)).table
    assert list(found["error"]) == ["", *["RuntimeError: cannot be"] * 2]
    assert list(found["hours_per_year"]) == [0.0] * 3


def test_an_interruption_leaves_the_rows_that_are_done(tmp_path):
    def stop(what, done, total):
        if done == 2:
            raise KeyboardInterrupt

    asked = contingency.Asked(at="2 h", wanted=Wanted(kinds=("cooling",), each=True))
    found = contingency.study(pod(tmp_path), asked, 1, stop)
    assert not found.finished and len(found.table) == 3


def test_without_fork_the_study_is_refused(tmp_path, monkeypatch):
    given = pod(tmp_path)
    monkeypatch.delattr(os, "fork")
    with pytest.raises(StudyError, match="operating system cannot"):
        contingency.study(given)
