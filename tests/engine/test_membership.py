"""Racks between loads: whatever happens, counts by load are those of a recount."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Bench, Load, pod

from simulator.engine import membership
from simulator.kernels import strikes

LOADS = (Load("a", "batch", 0), Load("b", "batch", 0))
RACKS = st.lists(st.integers(0, 7), min_size=1, max_size=5, unique=True).map(np.array)
MOVES = st.lists(
    st.tuples(st.sampled_from(["assign", "release", "server", "rack"]), RACKS,
              st.integers(2, 3), st.floats(0.1, 200.0)),
    max_size=15,
)


PART = {"server": strikes.SERVER, "rack": strikes.RACK}


def act(bench, what, racks, load, lasts_s=150.0):
    if what == "assign":
        membership.assign(bench.world, racks, load)
    elif what == "release":
        membership.release(bench.world, racks)
    else:
        membership.lose(bench.world, racks, np.full(racks.size, PART[what]), lasts_s)


def recount(bench):
    state, chips = bench.state, bench.site.rack_accelerators
    up = state.racks.up_frac
    counts = np.bincount(state.racks.load, chips * up, len(state.names))
    np.add.at(counts, state.down_load, chips * (1.0 - up))
    return counts


@settings(max_examples=25, deadline=None)
@given(MOVES)
def test_counts_are_those_of_a_recount(moves):
    bench = Bench(pod(), LOADS)
    for what, racks, load, later_s in moves:
        act(bench, what, racks, load)
        np.testing.assert_allclose(bench.state.loads.count, recount(bench), atol=1e-9)
        assert bench.state.loads.count.sum() == pytest.approx(bench.site.accelerators)
        bench.run(bench.env.now + later_s)
        bench.env.run(until=bench.env.now + later_s)
    end_s = (bench.env.now // 60.0 + 1.0) * 60.0
    bench.run(end_s)
    assert bench.state.loads.hours.sum() == pytest.approx(bench.site.accelerators * end_s, rel=1e-12)
    whole = bench.state.racks.up_frac == 1.0
    out = (bench.state.out > 0) | (bench.state.servers_down > 0)
    np.testing.assert_array_equal(whole, ~out)


def test_healthy_and_usable_racks():
    bench = Bench(pod(), LOADS)
    act(bench, "server", np.array([0]), 0)
    act(bench, "rack", np.array([1]), 0)
    act(bench, "assign", np.array([7]), 2)
    np.testing.assert_array_equal(membership.healthy(bench.world, 0, ("idle",)), [2, 3, 4, 5, 6])
    np.testing.assert_array_equal(membership.usable(bench.world, 0, ("idle",)), [0, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(membership.usable(bench.world, 0, ("idle", "batch")), [0, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(membership.members(bench.world, 2), [7])
    servers = bench.site.rack_servers[0]
    assert bench.state.racks.up_frac[0] == pytest.approx(1.0 - 1.0 / servers)


def test_released_racks_wake_who_waits():
    bench, woken = Bench(pod(), LOADS), []
    membership.assign(bench.world, np.arange(8), 2)
    bench.world.wait_for_racks().callbacks.append(lambda _: woken.append(bench.env.now))
    bench.at(90.0, lambda: membership.release(bench.world, np.array([3])))
    bench.run(180.0)
    assert woken == [90.0]
