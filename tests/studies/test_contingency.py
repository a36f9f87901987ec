"""Single failures from one moment: by hand on a pod, against scripted incidents, for any workers."""

import copy
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import load_tree, pod_tree
from synthetic_contingency import row, study, tree

from simulator.components.power.ride_through import RideThrough
from simulator.kernels import columns as c
from simulator.results import SERIES
from simulator.scenario import load
from simulator.simulation import build, simulate
from simulator.studies import StudyError, contingency, forked, peak_hour
from simulator.studies import contingency_alike as alike
from simulator.studies import contingency_cases as cases_
from simulator.studies import contingency_moment as moments
from simulator.studies import contingency_together as together
from simulator.studies.contingency_cases import Wanted
from simulator.studies.contingency_watch import Watch

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return load_tree(tree(), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def base(plain):
    """Return the pod at the moment of all studies here."""
    return moments.bring(plain, "2 h", 60).run


@pytest.fixture(scope="module")
def found(plain):
    return study(plain, order=2)


@pytest.fixture(scope="module")
def each(plain):
    return study(plain, each=True)


def busy(run):
    """Return which racks have work."""
    kinds = np.array([kind == "batch" for kind in run.world.state.kinds])
    return kinds[run.world.state.racks.load]


# By hand


def test_a_transformer_that_the_other_can_replace_sheds_nothing(found):
    one = row(found, "main transformers/1")
    assert one["shed_mw"] == 0.0 and one["capped_mw"] == 0.0 and one["severity"] == "none"
    assert one["hours_per_failure"] == 0.0 and one["recovery_s"] == 0.0
    assert one["tightest"] in ("main transformers", "point of interconnection")
    assert one["post_loading"] == pytest.approx(2.0 * one["pre_loading"], rel=1e-2)  # and the losses


def test_both_transformers_take_everything(found, base):
    pair = row(found, "main transformers/1 + main transformers/2")
    drawn_w = float(base.world.state.racks.power_w[busy(base)].sum())
    assert pair["rule"] == "one group"
    assert pair["severity"] == "site lost" and pair["accelerators_lost"] == 8 * 72
    assert pair["shed_batch_mw"] == pytest.approx(drawn_w / 1e6, rel=1e-12)
    told = RideThrough()  # racks boot, batch work restarts
    assert not pair["recovered"] and pair["recovery_s"] == 200 * 3600.0 + told.boot + told.restart


def test_a_block_loses_exactly_its_racks(found, base):
    site, racks = base.world.site, base.world.state.racks
    mine = site.rack_block == site.block_names.index("pod/b02")
    one = row(found, "pod/b02", "busway")
    assert one["shed_mw"] == pytest.approx(racks.power_w[mine & busy(base)].sum() / 1e6)
    assert one["accelerators_lost"] == site.rack_accelerators[mine].sum()
    chips = float(site.rack_accelerators[mine & busy(base)].sum())
    assert one["lost_hours"] == pytest.approx(chips, rel=1e-9)  # an hour of each
    out_h = 7.3 * math.exp(0.5 * 0.5**2) + (RideThrough().boot + RideThrough().restart) / 3600.0
    assert one["hours_per_failure"] == pytest.approx(chips * out_h, rel=1e-9)


def test_coolant_that_stands_still_trips_when_heat_says_so(found):
    one = row(found, "pod/b02/cdu 1")
    assert 0.0 < one["throttle_s"] < one["trip_s"] < 60.0
    assert one["tripped"] == "pod/b02" and one["limit"] == "temperature"


def test_support_racks_without_both_sides_are_shed(found, base):
    both = row(found, "pod/support/side 1 + pod/support/side 2", "busway, busway")
    support_w = float(base.world.state.blocks.support_w.sum())
    assert support_w > 0.0 and both["shed_support_mw"] == pytest.approx(support_w / 1e6, rel=1e-12)
    assert row(found, "pod/support/side 1", "busway")["shed_support_mw"] == 0.0


def test_air_that_nothing_cools_is_the_limit_before_racks_slow(plain):
    chilled = study(plain, order=2, patterns=("pod/chilled/unit *",)).table
    every = chilled[chilled["order"] == chilled["order"].max()].iloc[0]
    assert every["first_limit"] == every["tightest"] == "pod air" and every["limit"] == "temperature"
    assert every["pre_loading"] < 1.0 < every["post_loading"]
    assert every["first_minute"] > 0 and math.isnan(every["trip_s"])  # network racks slow: racks stay on for the hour
    assert every["shed_support_mw"] > 0.0


@pytest.mark.parametrize("control", [{}, {"telemetry": "1 s", "actuation": "1 s"}])
def test_an_overload_is_told_as_the_engine_foresaw_it_however_fast_the_control(control, found, tmp_path):
    pre, grid = row(found, "main transformers/1")["pre_loading"], pod_tree()["topology"]["grid"]
    rating_va = float(grid["transformers"]["rating"].split()[0]) * 2.0 * pre / 1.15
    given = tree(grid=grid | {"transformers": grid["transformers"] | {"rating": f"{rating_va:.4f} MVA"}},
                 control=control)  # fmt: skip
    one = row(study(load_tree(given, tmp_path), patterns=("main transformers/1",)), "main transformers/1")
    given["incidents"] = [{"cause": "transformer", "element": "main transformers/1", "at": "2 h"}]
    events = simulate(load_tree(given, tmp_path)).events
    begun, ended = (events[events["kind"] == kind].iloc[0] for kind in ("overload", "overload_end"))
    assert begun["detail"] == f"{one['post_loading']:.1%} of its rating" and one["post_loading"] > 1.1
    assert one["limit"] == "tolerance" and one["first_minute"] == 1 and one["tightest"] == "main transformers"
    assert one["seconds_over"] == pytest.approx(ended["duration_s"])
    assert ended["detail"] == f"{one['tolerance_used']:.0%} of its tolerance used"


def test_row_0_is_the_intact_site(found):
    table = found.table
    assert list(table["rank"]) == list(range(len(table))) and table["case"].iloc[0] == "N-0"
    assert table["shed_mw"].iloc[0] == 0.0 and table["severity"].iloc[0] == "none"
    assert not (table["error"] != "").any()


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
    ones = [case for cls in moment.run.fleet if cls.name in STRUCK for case in first_case(moment.run, cls)]
    repairs = alike.repairs(moment.run, ones, moment.at_s)
    watch = Watch(moment.run)

    def future(i):
        contingency._respond(moment, watch, 60, ones[i].hits, repairs[i].by_hit)
        world = moment.run.world
        return moment.run.records.site, world.state.loads.hours, [e[:4] for e in world.events]

    found = dict(forked.each(len(ones), future, 2))
    for i, (hit,) in enumerate(case.hits for case in ones):
        scripted = copy.deepcopy(served)
        scripted["incidents"] = [{"cause": hit.cls.name, "element": hit.element, "at": "2 h"}]
        theirs = simulate(load_tree(scripted, tmp_path))
        site, hours, events = found[i].value
        np.testing.assert_array_equal(theirs.timeseries["site"][list(SERIES["site"])].to_numpy(), site)
        mine = theirs.tables["hours"]["accelerator_hours"].to_numpy() * 3600.0
        np.testing.assert_allclose(mine, hours.ravel(), rtol=1e-12)
        assert len(theirs.events) == len(events), hit.element


def first_case(run, cls):
    named = cases_.elements(run.world.site, cls)
    hits = [cases_.Hit(name, cls, *where) for name, where in list(named.items())[:1]]
    return [cases_.Case((hit,), "", "", (cls,), (0.0,)) for hit in hits]


# For any number of workers, and for units that are alike


def test_any_number_of_workers_gives_the_same_rows(plain):
    one, three = (
        study(plain, workers, patterns=("lines/*", "pod/b0?/cdu 1", "pod/leaf *")).table
        for workers in (1, 3)
    )
    assert one.to_csv() == three.to_csv()


def test_units_that_share_a_simulation_are_the_same(found, each):
    shared, alone = (
        t[t["kind"].isin(["electrical", "cooling"]) & (t["order"] == 1)]
        .sort_values(["case", "class"], ignore_index=True).drop(columns="rank")
        for t in (found.table, each.table)
    )  # fmt: skip
    pd.testing.assert_frame_equal(shared, alone)


def test_breakers_and_pumps_share_what_they_take_out(plain, base, each):
    ones = cases_.singles(base, Wanted(kinds=("electrical", "cooling")))
    repairs = alike.repairs(base, ones, 7200.0)
    shared = [{ones[i].classes[0].name for i in group}
              for group in alike.groups(base, ones, repairs, 7200.0 + 3600.0, True)]  # fmt: skip
    assert shared.count({"busway", "busway_breaker"}) == 3  # two blocks, and either side of support
    assert shared.count({"substation", "substation_breaker"}) == 3
    assert shared.count({"coolant_pump"}) == 1  # of all four: each unit has one to spare
    within = alike.groups(base, ones, repairs, 7200.0 + 5 * 3600.0, True)  # a busway's breaker is back then
    assert len(within) == len(shared) + 3
    assert each.told["simulations"] == len(each.table) - 1


def test_transformers_on_buses_of_their_own_are_simulated_each():
    ring = build(load(SCENARIOS / "ring-hall.yaml", ["period.duration=12 h"]), disturbed=False)
    for run, apart in ((ring, True), (build(load(SCENARIOS / "pod.yaml"), disturbed=False), False)):
        banks = cases_.singles(run, Wanted(("lines/*", "main transformers/*")))
        assert len({case.alike for case in banks}) == (4 if apart else 2)


def test_the_class_that_strikes_an_element_most_leads(tmp_path):
    run = build(load_tree(pod_tree(), tmp_path), disturbed=False)
    on_servers = next(case for case in cases_.singles(run, Wanted(kinds=("rack",)))
                      if case.hits[0].cls.effect == "server")  # fmt: skip
    assert list(on_servers.rates_year) == sorted(on_servers.rates_year, reverse=True)
    assert on_servers.hits[0].cls.name == "accelerator"  # 72 in a rack, and 18 servers
    by_class_s = alike.repairs(run, [on_servers], 7200.0)[0].by_class_s
    assert list(by_class_s) == [cls.repair for cls in on_servers.classes]  # nobody waits: no operations


def test_racks_and_switches_stand_for_those_like_them(found, each):
    ones = found.table[found.table["order"] == 1]
    assert ones["count"].sum() == len(each.table) - 1
    many = ones["count"] > 1
    told = [f"{r['count']:,} " for r in ones[many].to_dict("records")]
    assert many.any() and all(map(str.startswith, ones["stands_for"][many], told))
    assert (ones["stands_for"][~many] == "").all()
    lost = {(r["class"], r["case"]): r["accelerators_lost"] for r in each.table.to_dict("records")}
    for r in ones.to_dict("records"):
        assert lost[r["class"], r["case"]] == r["accelerators_lost"]


def test_every_element_of_the_plant_is_tried(base, each):
    for cls in base.fleet:
        if cls.effect not in ("interrupt", "corrupt", "push"):
            there = set(cases_.elements(base.world.site, cls))
            assert there <= set(each.table["case"]), cls.name


# Several at once


def test_what_is_left_out_is_counted(found):
    ones, pairs = (found.table[found.table["order"] == n] for n in (1, 2))
    assert found.told["pairs_left_out"] == len(ones) * (len(ones) - 1) // 2 - len(pairs)
    assert set(pairs["rule"]) == {"one group", "one path", "worst singles"}
    assert not pairs["kind"][pairs["rule"] == "one path"].str.contains("rack").any()
    assert not pairs.duplicated(["case", "class"]).any()  # a busway and its substation share a name


def test_a_group_fails_by_common_cause(tmp_path):
    given = tree(grid=pod_tree()["topology"]["grid"] | {"lines": {"count": 3, "rating": "2 MVA"}})
    given["reliability"] = {}
    several = study(load_tree(given, tmp_path), order=2, patterns=("lines/*",))
    pair, whole = row(several, "lines/1 + lines/2"), row(several, "lines/1 to lines/3, all 3")
    rate, out_h = 0.5, 0.8 / 60 + 0.2 * 4.0 * math.exp(0.5 * 0.8**2)
    assert pair["rate_per_year"] == pytest.approx(rate**2 * 2 * out_h / 8766.0, rel=1e-6)
    assert whole["rule"] == "common cause" and whole["order"] == 3
    assert whole["rate_per_year"] == pytest.approx(0.05 * rate)
    assert whole["severity"] == "site lost"


def test_a_pair_that_is_a_whole_group_fails_by_common_cause_too(tmp_path):
    given = tree()
    given["reliability"] = {}
    run = build(load_tree(given, tmp_path), disturbed=False)
    ones = cases_.singles(run, Wanted(("lines/*", "main transformers/*")))
    pairs, left_out = together.together(run, ones, range(len(ones)), 0)
    common = {case.name: case.common_year for case in pairs if case.rule == "one group"}
    assert common == pytest.approx({
        "lines/1 + lines/2": 0.05 * 0.5, "main transformers/1 + main transformers/2": 0.05 * 0.0153,
    })  # fmt: skip
    assert len(pairs) == 3 and left_out == 3  # and one path: the first line, the first transformer


def test_what_is_under_maintenance_cannot_fail_by_its_breaker_either(plain):
    found = study(plain, maintenance=("pod/feeders/1",), patterns=("pod/feeders/*",)).table
    assert sorted(found["case"]) == ["N-0", "pod/feeders/2", "pod/feeders/2/breaker"]
    assert set(found["severity"][1:]) == {"site lost"}


def test_pairs_of_what_costs_nothing_are_not_tried(found):
    dearest = found.table[found.table["rule"] == "worst singles"]["case"].str.split(" + ", regex=False)
    ones = found.table[found.table["order"] == 1].groupby("case")["hours_per_failure"].max()
    assert len(dearest) and all(ones[name] > 0.0 for pair in dearest for name in pair)


def test_during_maintenance_the_next_failure_is_the_last(plain):
    under_work = study(
        plain, maintenance=("main transformers/2",), patterns=("main transformers/*",)
    )
    assert list(under_work.table["case"]) == ["N-0", "main transformers/1"]
    assert row(under_work, "main transformers/1")["severity"] == "site lost"
    assert under_work.told["maintenance"] == ["main transformers/2"]
    with pytest.raises(StudyError, match=r"no such element \(did you mean 'main transformers/2'"):
        study(plain, maintenance=("main transformer/2",))


# What is asked, and when


def test_filters_choose_elements(base):
    ones = cases_.singles(base, Wanted(("pod/b0?/cdu 1", "lines/1")))
    assert {case.name for case in ones} == {"pod/b01/cdu 1", "pod/b02/cdu 1", "lines/1"}
    assert {case.kind for case in cases_.singles(base, Wanted(kinds=("cooling",)))} == {"cooling"}
    with pytest.raises(StudyError, match=r"is called lines/9 \(did you mean 'lines/"):
        cases_.singles(base, Wanted(("lines/9",)))


def test_what_matches_nothing_is_refused_before_anything_is_simulated(plain, monkeypatch):
    monkeypatch.setattr(contingency, "bring", lambda *given: pytest.fail("simulated"))
    with pytest.raises(StudyError, match=r"called nothing/\*; the nearest names are .+, .+, .+"):
        study(plain, patterns=("nothing/*",))


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
def test_other_times_are_refused(plain, at):
    with pytest.raises(StudyError, match=f"--at {at} is"):
        moments.seconds_in(plain, at)


def test_a_case_that_dies_is_a_row(plain, monkeypatch):
    def strike(*given):
        raise RuntimeError("cannot be")

    monkeypatch.setattr(contingency.effects, "inflict", strike)
    monkeypatch.setattr(moments, "rehearse", lambda run: None)
    found = study(plain, patterns=("lines/*",)).table
    assert list(found["error"]) == ["", *["RuntimeError: cannot be"] * 2]
    assert list(found["hours_per_year"]) == [0.0] * 3


def test_an_interruption_leaves_the_rows_that_are_done(plain):
    def stop(what, done, total):
        if done == 2:
            raise KeyboardInterrupt

    asked = contingency.Asked(at="2 h", wanted=Wanted(kinds=("cooling",), each=True))
    stopped = contingency.study(plain, asked, 1, stop)
    assert not stopped.finished and len(stopped.table) == 3


def test_without_fork_the_study_is_refused(plain, monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(StudyError, match="operating system cannot"):
        contingency.study(plain)
