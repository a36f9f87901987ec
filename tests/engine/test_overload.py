"""Elements above their rating: seen at once, relieved in time, tripped when they outlast their
tolerance, never silently."""

import copy

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.components.power.transformer import LARGE, emergency_s
from simulator.engine import effects
from simulator.engine.elements import elements
from simulator.engine.outage_log import of_one_stage
from simulator.kernels import columns as c

LOADS = (
    Load("job", "training", 0, synchronous=True, priority=30),
    Load("pool", "inference", 0, priority=40),
    Load("backlog", "batch", 0, priority=0),
)
TWO_HALLS = {"count": 2, "blocks": 2}


def hall_of(**changed):
    halls = copy.deepcopy(pod_tree()["topology"]["halls"])
    halls[0] |= changed
    return halls


def bench_of(folder, control=None, **topology):
    """Return the pod with a job, a pool and batch work on its first, middle and last racks."""
    tree = pod_tree()
    bold = {"oversubscription": {"feeders": "200 %"}}
    tree["topology"] |= topology | {"control": bold | (control or {})}
    bench = Bench(load_tree(tree, folder), LOADS)
    racks = np.arange(bench.site.rack_row.size)
    job, pool = racks.size // 2, racks.size // 4
    bench.work("job", racks[:job], 0.9)
    bench.work("pool", racks[job : job + pool], 0.8)
    bench.work("backlog", racks[job + pool :], 0.8)
    return bench


def break_(bench, effect, target, unit=0, at_s=600.0, lasts_s=3600.0):
    cls = FailureClass(name="break", per="block", rate="1 /year", effect=effect, repair="1 h")

    def strike():
        effects.inflict(bench.world, cls, target, unit, of_one_stage("repair", at_s + lasts_s))

    bench.at(at_s, strike)


def events(bench, *kinds):
    return [(t, kind, element) for t, kind, element, *_ in bench.world.events if kind in kinds]


def feeders_of(bench, hall=0):
    return int(bench.site.halls.feeder_node[hall])


def tight(units=3, rating="520 kVA", **more):
    return hall_of(feeders={"count": units, "rating": rating}, **more)


def test_caps_hold_after_telemetry_and_actuation_to_the_second(tmp_path):
    bench = bench_of(tmp_path, halls=tight())
    node = feeders_of(bench)
    break_(bench, "feeder", node, at_s=1815.0)
    bench.run(3000.0)
    told = events(bench, "overload", "cap", "overload_end")
    assert told[0] == (1815.0, "overload", "pod/feeders")
    assert (1815.0 + 42.0, "cap", "pod/feeders") in told
    assert told[-1] == (1815.0 + 42.0, "overload_end", "pod/feeders")
    limit_w = bench.site.nodes[node].rating_w * 2 / 3
    assert bench.state.tree.output_w[node] <= limit_w


def test_a_minute_in_which_caps_take_hold_draws_the_mean_of_before_and_after(tmp_path):
    """The loss at 3 s, the caps at 45 s of the minute."""
    bench = bench_of(tmp_path, halls=tight())
    break_(bench, "feeder", feeders_of(bench), at_s=1800.0 + 3.0)
    bench.run(1800.0)
    before_w = bench.minutes(c.IT_W)[-1]
    bench.run(1920.0)
    during_w, after_w = bench.minutes(c.IT_W)[-2:]
    share = 45.0 / 60.0
    assert during_w == pytest.approx(share * before_w + (1.0 - share) * after_w, rel=2e-3)


def test_the_lowest_priority_gives_way_below_the_element_and_only_there(tmp_path):
    bench = bench_of(tmp_path, halls=tight(2, "950 kVA", **TWO_HALLS),
                     grid=wide())
    state, last = bench.state, feeders_of(bench, 1)
    break_(bench, "feeder", last)
    bench.run(900.0)
    pool, backlog = (state.load(name) for name in ("pool", "backlog"))
    cut = state.blocks.load_cap < 1.0
    assert cut[:, backlog].any()
    assert not cut[:, pool].any()
    assert not cut[:2].any()  # the blocks of the other hall
    assert state.loads.cap[state.load("job")] == 1.0


def test_members_of_a_synchronous_job_are_capped_alike_wherever_they_are(tmp_path):
    bench = bench_of(tmp_path, halls=tight(2, "1.9 MVA", **TWO_HALLS), grid=wide())
    state = bench.state
    job = bench.work("job", np.arange(16), 0.9)  # both halls
    bench.run(600.0)
    limit_w = 0.8 * float(state.tree.output_w[feeders_of(bench, 1)])
    bench.state.limits.share[feeders_of(bench, 1)] = limit_w / bench.site.nodes[feeders_of(bench, 1)].rating_w
    bench.run(1800.0)
    assert 0.0 < state.loads.cap[job] < 1.0
    first, second = (float(state.blocks.it_w[b : b + 2].sum()) for b in (0, 3))
    assert first == pytest.approx(second, rel=0.02)
    assert state.tree.output_w[feeders_of(bench, 1)] <= limit_w


def wide():
    return pod_tree()["topology"]["grid"] | {
        "lines": {"count": 2, "rating": "4 MVA"}, "transformers": {"count": 2, "rating": "4 MVA"}}


def test_an_element_that_cannot_be_relieved_trips_when_its_tolerance_is_used_up(tmp_path):
    """No caps within the day: a feeder at twice its rating lasts 7 min, then the other one goes too
    and the hall is dark."""
    slow = {"actuation": "1 d", "brake": None, "reset": "1 h"}
    bench = bench_of(tmp_path, slow, halls=tight(2, "600 kVA"))
    bench.run(600.0)
    x = float(bench.state.tree.output_w[feeders_of(bench)]) / (600e3 * 0.98)
    break_(bench, "feeder", feeders_of(bench), at_s=600.0, lasts_s=7200.0)
    bench.run(1800.0)
    allowed_s = stands_s(bench, bench.site.nodes[feeders_of(bench)], x)
    exceeded, tripped = events(bench, "tolerance_exceeded", "trip")
    assert exceeded[1:] == ("tolerance_exceeded", "pod/feeders")
    assert exceeded[0] == pytest.approx(600.0 + allowed_s, rel=0.02)
    assert tripped[:2] == (exceeded[0], "trip")
    assert np.all(bench.state.racks.up_frac == 0.0)
    start = bench.site.topology.ride_through
    bench.run(exceeded[0] + 3600.0 + start.boot + start.restart + 60.0)  # reset, and all loads are back
    assert np.all(bench.state.racks.up_frac == 1.0)


def stands_s(bench, node, x):
    """Return how long an element stands a loading, or its breaker lets it."""
    topology = bench.site.topology
    return min(topology.tolerances.of(node.tolerance).seconds_at(x), topology.protection.opens_s(node.kind, 1.0, x))


@pytest.mark.parametrize(("kind", "rated", "opens_s"), [
    ("substation", 1.0, lambda x: 12.0 * (6.0 * 1.25 / x) ** 2),
    ("busway", 1.0, lambda x: 12.0 * (6.0 / x) ** 2),
    ("busway", 0.8, lambda x: 12.0 * (6.0 / x) ** 2),
])  # fmt: skip
def test_the_breaker_opens_before_the_element_is_hurt(tmp_path, kind, rated, opens_s):
    """Listed for 100 % or not: at 140 % a breaker leaves minutes where what it stands for has many."""
    slow = {"actuation": "1 d", "brake": None}
    bench = bench_of(tmp_path, slow, halls=hall_of(block=pod_tree()["topology"]["halls"][0]["block"] | {
        "continuous": rated, "rating": f"{1.3 / rated} MVA"}))
    node = next(i for i, of in enumerate(bench.site.nodes)
                if of.serves == "racks" and of.name.endswith(kind))  # fmt: skip
    bench.run(600.0)
    assert not bench.kinds()
    bench.state.tree.rating_w[node] = float(bench.state.tree.output_w[node]) / 1.4
    bench.run(1500.0)
    told = events(bench, "tolerance_exceeded")
    assert told[0][2] == bench.site.nodes[node].name
    assert told[0][0] == pytest.approx(600.0 + opens_s(1.4), rel=0.01)


def test_what_was_used_of_a_tolerance_fades_and_is_not_forgotten(tmp_path):
    """45 min of an hour, a minute below, and again: it does not stand another hour."""
    flat = {"feeder": {"loading": ["500 %"], "time": ["1 h"], "recovery": "20 min"}}
    slow = {"actuation": "1 d", "brake": None}
    bench = bench_of(tmp_path, slow, halls=tight(2, "600 kVA"), tolerances=flat,
                     protection={"feeder": {"pickup": "600 %"}})
    node = feeders_of(bench)
    break_(bench, "feeder", node, at_s=600.0, lasts_s=2700.0)
    break_(bench, "feeder", node, at_s=3360.0, lasts_s=7200.0)
    bench.run(9000.0)
    (at_s, _, name), *_ = events(bench, "tolerance_exceeded")
    assert name == "pod/feeders"
    assert at_s == pytest.approx(3360.0 + 3600.0 * (1.0 - 0.75 * np.exp(-60.0 / 1200.0)), abs=1e-3)


def test_a_main_transformer_stands_what_its_own_load_and_weather_left_it(tmp_path):
    slow = {"actuation": "1 d", "brake": None}
    bench = bench_of(tmp_path, slow, grid=wide() | {"transformers": {"count": 2, "rating": "1 MVA"}})
    node = next(i for i, of in enumerate(bench.site.nodes) if of.kind == "transformer_main")
    break_(bench, "transformer", node, at_s=600.0)
    bench.run(600.0)
    preload = float(bench.state.tree.output_w[node]) / bench.site.nodes[node].rating_w
    bench.run(601.0)
    found, air_c = bench.world.watch.over[node], float(bench.minutes(c.DRY_BULB_C)[-1])
    assert 0.5 < preload < 0.75 and found.loading == pytest.approx(2.0 * preload, rel=0.01)
    assert found.before.preload == pytest.approx(preload, rel=1e-9)
    assert found.before.ambient_c == pytest.approx(air_c, abs=0.1)
    assert found.allowed_s == emergency_s(LARGE, found.loading, found.before.ambient_c, preload)
    assert found.allowed_s > bench.site.topology.tolerances.of("transformer_main").seconds_at(found.loading)


def test_the_brake_bridges_what_caps_are_too_slow_for(tmp_path):
    slow = {"actuation": "10 min"}
    bench = bench_of(tmp_path, slow, halls=tight(2, "600 kVA"))
    break_(bench, "feeder", feeders_of(bench))
    bench.run(2400.0)
    kinds = [kind for _, kind, _ in events(bench, "brake", "cap", "trip", "overload_end")]
    assert kinds[:2] == ["brake", "overload_end"]
    assert "trip" not in kinds
    assert events(bench, "brake")[0][0] == pytest.approx(607.0)


def test_the_brake_is_pulled_for_lines_too(tmp_path):
    bench = bench_of(tmp_path, {"actuation": "10 min"}, halls=tight(2, "2 MVA"), grid=wide() | {
        "lines": {"count": 2, "rating": "620 kVA"}})
    break_(bench, "line", 0)
    bench.run(1500.0)
    assert events(bench, "brake")[0][1:] == ("brake", "lines")
    assert events(bench, "brake")[0][0] == pytest.approx(607.0)
    assert not events(bench, "trip")


def held_long_then_short():
    """Feeders that stand mild overloads for hours and strong ones for 20 s."""
    return {"feeder": {"loading": ["130 %", "140 %", "400 %"], "time": ["4 h", "20 s", "10 s"]}}


def test_the_brake_is_pulled_for_a_second_loss_while_caps_are_on_their_way(tmp_path):
    """The first loss leaves hours, the second does not last until the caps that the first one ordered hold."""
    bench = bench_of(tmp_path, {"actuation": "10 min"}, tolerances=held_long_then_short(),
                     halls=tight(3, "520 kVA"))
    node = feeders_of(bench)
    break_(bench, "feeder", node)
    break_(bench, "feeder", node, unit=1, at_s=630.0)
    bench.run(1500.0)
    assert events(bench, "brake") == [(637.0, "brake", "pod/feeders")]
    assert not events(bench, "trip")


def test_the_brake_for_one_hall_does_not_wait_for_that_of_another_nor_come_before_it_is_seen(tmp_path):
    bench = bench_of(tmp_path, {"actuation": "10 min"}, tolerances=held_long_then_short(),
                     halls=tight(2, "700 kVA", **TWO_HALLS), grid=wide())
    first, second = feeders_of(bench), feeders_of(bench, 1)
    bench.run(600.0)
    for node in (first, second):
        bench.state.tree.rating_w[node] = 2.0 / 1.5 * bench.state.tree.output_w[node]
    break_(bench, "feeder", first)
    break_(bench, "feeder", second, at_s=605.0)
    bench.run(1500.0)
    assert [(t, name) for t, _, name in events(bench, "brake")] == [
        (607.0, bench.site.nodes[first].name), (612.0, bench.site.nodes[second].name)]
    assert not events(bench, "trip")


def test_the_brake_is_pulled_for_what_grows_while_caps_are_on_their_way(tmp_path):
    """Nothing fails in the minute in which a mild overload becomes one that does not last."""
    own = {"feeder": {"loading": ["130 %", "140 %", "400 %"], "time": ["4 h", "3 min", "100 s"]}}
    bench = bench_of(tmp_path, {"actuation": "1 h"}, tolerances=own, halls=tight(2, "600 kVA"))
    node, names = feeders_of(bench), ("job", "pool", "backlog")
    bench.run(600.0)
    bench.state.tree.rating_w[node] = 2.0 / 1.1 * bench.state.tree.output_w[node]
    break_(bench, "feeder", node)
    bench.at(900.0, lambda: [bench.world.set_load(bench.state.load(n), dynamic_frac=1.6) for n in names])
    bench.run(2400.0)
    assert (960.0, "brake", "pod/feeders") in events(bench, "brake")
    assert not events(bench, "trip")


def test_an_overload_that_the_repair_ends_trips_nothing(tmp_path):
    """The other feeder is back before the tolerance is used up, and long before caps would hold."""
    slow = {"actuation": "2 h", "brake": None}
    bench = bench_of(tmp_path, slow, halls=tight(2, "600 kVA"))
    break_(bench, "feeder", feeders_of(bench), at_s=630.0, lasts_s=60.0)
    bench.run(3600.0)
    assert events(bench, "overload", "overload_end", "trip") == [
        (630.0, "overload", "pod/feeders"), (690.0, "overload_end", "pod/feeders")]


@pytest.mark.parametrize(("policy", "cut", "spared"), [
    ("priority", "backlog", "job"), ("training_first", "job", "backlog"), ("proportional", "job", None),
])  # fmt: skip
def test_a_block_gives_way_as_the_policy_says(tmp_path, policy, cut, spared):
    """A block above what it feeds: its racks hold themselves, lowest rank first."""
    bench = bench_of(tmp_path, {"policy": policy})
    state, block = bench.state, int(bench.site.rack_block[0])
    mine = np.flatnonzero(bench.site.rack_block == block)
    bench.work("job", mine[: mine.size // 2], 0.9)
    bench.work("backlog", mine[mine.size // 2 :], 0.9)
    bench.run(600.0)
    state.blocks.limit_w[block] = limit_w = 0.9 * float(state.blocks.it_w[block])
    bench.run(1200.0)
    caps = dict(zip(state.names, state.blocks.cap[block], strict=True))
    assert state.blocks.it_w[block] <= limit_w * (1.0 + 2e-3)
    assert caps[cut] < 1.0
    if spared is None:
        assert caps["job"] == caps["backlog"]
    else:
        assert caps[spared] == 1.0


def shrink(bench, block, limit_w):
    """Give a block, and all that feeds it alone, another limit; return the names of those elements."""
    state, site = bench.state, bench.site
    alone = [n for n, of in site.own_block.items() if of == block]
    state.blocks.limit_w[block] = limit_w
    state.tree.rating_w[alone] = limit_w
    return {site.nodes[n].name for n in alone}


def test_racks_of_a_block_that_its_caps_cannot_save_go_off_within_its_tolerance(tmp_path):
    """At rest they draw more than what feeds them may carry; only they go, and nothing trips."""
    bench = bench_of(tmp_path, {"hold": "5 min"}, halls=hall_of(blocks=2))
    block = bench.site.rack_block
    for name in ("job", "pool", "backlog"):
        bench.world.set_load(bench.state.load(name), dynamic_frac=0.05)
    bench.run(600.0)
    limit_w = 0.85 * float(bench.state.blocks.it_w[block[-1]])
    names = shrink(bench, int(block[-1]), limit_w)
    bench.run(1200.0)
    assert bench.state.blocks.it_w[block[-1]] <= limit_w
    dark = bench.state.racks.up_frac == 0.0
    assert dark.any() and not dark[block != block[-1]].any() and not dark[block == block[-1]].all()
    assert {element for _, _, element in events(bench, "overload")} <= names
    assert not events(bench, "trip")
    bench.run(4200.0)
    assert len(events(bench, "shed")) <= 2  # they do not blink


def test_the_brake_is_pulled_for_a_block_whose_load_grows(tmp_path):
    """Its busway would not last until caps hold; it is seen at the end of the minute."""
    bench = bench_of(tmp_path, {"actuation": "10 min"}, halls=hall_of(blocks=2))
    block = int(bench.site.rack_block[-1])
    bench.run(600.0)
    names = shrink(bench, block, float(bench.state.blocks.it_w[block]) / 1.45)
    bench.run(1500.0)
    (at_s, _, element), *others = events(bench, "brake")
    assert at_s == 660.0 and element in names and {name for _, _, name in others} <= names
    assert not events(bench, "trip")
    assert bench.state.blocks.it_w[block] <= bench.state.blocks.limit_w[block]


def test_racks_that_caps_cannot_save_go_off_and_stay_off_until_there_is_room(tmp_path):
    """Without blinking: each rack is switched off once, and comes back after the feeder."""
    bench = bench_of(tmp_path, {"hold": "5 min"}, halls=tight(2, "420 kVA", house="100 kW"))
    for name in ("job", "pool", "backlog"):
        bench.world.set_load(bench.state.load(name), dynamic_frac=0.05)
    break_(bench, "feeder", feeders_of(bench), lasts_s=7200.0)
    bench.run(900.0)
    dark = int((bench.state.racks.up_frac == 0.0).sum())
    assert dark > 0
    bench.run(7000.0)
    assert int((bench.state.racks.up_frac == 0.0).sum()) >= dark
    assert len(events(bench, "shed")) <= 2
    bench.run(600.0 + 7200.0 + 660.0)
    told = bench.site.topology.ride_through
    bench.run(bench.env.now + told.boot + told.restart)  # they were switched off: they boot
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert not events(bench, "trip")


def test_what_is_held_back_and_for_whom_is_in_the_table(tmp_path):
    """A feeder out for an hour: an hour less the delays of caps, and the energy between the two
    courses of the hall."""
    bench = bench_of(tmp_path, halls=tight())
    break_(bench, "feeder", feeders_of(bench), at_s=1800.0, lasts_s=3600.0)
    bench.run(1800.0)
    free_w = float(bench.state.tree.output_w[feeders_of(bench)])
    bench.run(7200.0)
    row = bench.results().tables["limits"].set_index("element").loc["pod/feeders"]
    assert row["capped_s"] == pytest.approx(3600.0 - 42.0, abs=60.0)
    limit_w = 0.99 * 2 / 3 * bench.site.nodes[feeders_of(bench)].rating_w
    assert row["held_j"] == pytest.approx((free_w - limit_w) * row["capped_s"], rel=0.1)


SITES = st.fixed_dictionaries({
    "feeders": st.sampled_from(["500 kVA", "700 kVA", "1.1 MVA", "2 MVA"]),
    "lines": st.sampled_from(["1 MVA", "1.4 MVA", "2 MVA"]),
    "actuation": st.sampled_from(["0 s", "40 s", "10 min", "2 h"]),
    "policy": st.sampled_from(
        ["priority", "proportional", "training_first", "inference_first", "emergency_brake"]),
})


def single_failures(site):
    for effect, per in (("line", "line"), ("transformer", "transformer"), ("feeder", "feeder"),
                        ("ups", "ups_module"), ("block", "block")):
        cls = FailureClass(name=effect, per=per, rate="1 /year", effect=effect, repair="1 h")
        for name, where in elements(site, cls).items():
            yield cls, name, where


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SITES, st.integers(0, 10_000), st.floats(605.0, 655.0))
def test_nothing_outlasts_its_tolerance_without_an_event(tmp_path, site, pick, at_s):
    """After any single failure and the response: what stood above its rating for longer than its
    tolerance allows has told so, with its name."""
    bench = bench_of(
        tmp_path, {"policy": site["policy"], "actuation": site["actuation"]},
        halls=tight(2, site["feeders"]),
        grid=pod_tree()["topology"]["grid"] | {
            "lines": {"count": 2, "rating": site["lines"]},
            "transformers": {"count": 2, "rating": site["lines"]}})
    every = list(single_failures(bench.site))
    cls, _, where = every[pick % len(every)]
    bench.run(600.0)
    over_s = np.zeros(len(bench.site.nodes))
    used = np.zeros(over_s.size)
    bench.at(at_s, lambda: effects.inflict(bench.world, cls, *where, of_one_stage("repair", at_s + 3600.0)))
    told = set()
    for end_s in np.arange(660.0, 600.0 + 3600.0, 60.0):
        bench.run(float(end_s))
        tree, relief_w = bench.state.tree, _relief_w(bench)
        told |= {element for _, kind, element, *_ in bench.world.events
                 if kind in ("tolerance_exceeded", "trip")}
        for node, of in enumerate(bench.site.nodes):
            rating_w = of.rating_w * tree.in_service[node]
            carried_w = tree.output_w[node] - (relief_w if node < 2 else 0.0)
            x = carried_w / rating_w if rating_w > 0.0 else 0.0
            allowed_s = stands_s(bench, of, x)
            used[node] = used[node] + 60.0 / max(allowed_s, 1e-9) if x > 1.0 + 1e-9 else 0.0
            # the minute of the failure itself is a mean of before and after
            if used[node] > 1.0 and x > 1.0 + 1e-9 and end_s > 720.0:
                assert of.name in told, (of.name, x, used[node], bench.world.events)


def _relief_w(bench):
    demand_w = float(bench.state.tree.input_w[0])
    return max(demand_w - float(bench.minutes(c.POI_W)[-1]), 0.0)
