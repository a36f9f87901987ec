"""How a job goes on, decision by decision; and where its racks stand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.policies.placement import PLACEMENTS
from simulator.policies.recovery import RECOVERIES, Damage, View

NOBODY = np.zeros(0, np.int64)


def view(share=(1.0, 1.0, 1.0, 1.0), lacking=(0, 0, 0, 0), warm=0, sharded=True):
    return View(lambda: (np.array(share, float), np.array(lacking)), lambda: warm, sharded)


def decide(policy, seen=None, racks=0, within=False):
    return RECOVERIES[policy](seen or view(), Damage(racks, within))


ONE_GONE = {"share": (1.0, 0.0, 1.0, 1.0), "lacking": (0, 1, 0, 0)}
TWO_GONE = {"share": (0.0, 0.0, 1.0, 1.0), "lacking": (1, 1, 0, 0)}


@pytest.mark.parametrize("policy", RECOVERIES)
def test_a_crash_that_takes_nothing_restarts_the_processes_of_a_whole_job(policy):
    found = decide(policy)
    assert (found.pace, found.replacement, found.rolls_back, found.starts) == (1.0, "none", True, "processes")


@pytest.mark.parametrize("policy", RECOVERIES)
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.5, 1.0)), min_size=2, max_size=8), st.integers(0, 3))
def test_no_policy_goes_faster_than_what_is_left(policy, units, warm):
    lacking = np.array([n for n, _ in units])
    share = np.where(lacking > 0, 0.0, [s for _, s in units])
    racks = int(lacking.sum())
    found = decide(policy, View(lambda: (share, lacking), lambda: warm, True), racks, bool((share < 1.0).any()))
    assert 0.0 < found.pace <= 1.0
    if not found.waits:
        assert found.pace < 1.0 or (share >= 1.0).all()


def test_restart_finds_racks_through_the_scheduler():
    found = decide("restart", view(**ONE_GONE, warm=5), 1)
    assert (found.replacement, found.waits, found.starts) == ("cold", True, "processes")


@pytest.mark.parametrize(("warm", "replacement"), [(1, "cold"), (2, "warm"), (9, "warm")])
def test_warm_spares_swap_in_while_they_last(warm, replacement):
    assert decide("warm_spares", view(**TWO_GONE, warm=warm), 2).replacement == replacement


def test_hot_spares_swap_inside_the_rack_and_call_for_racks_where_one_is_gone():
    assert decide("hot_spares", within=True).replacement == "hot"
    assert decide("hot_spares", view(**ONE_GONE, warm=1), 1, True).replacement == "warm"


@pytest.mark.parametrize("sharded", [True, False])
def test_elastic_drops_the_units_that_are_hit(sharded):
    found = decide("elastic", view(**ONE_GONE, sharded=sharded), 1)
    assert (found.pace, found.waits, found.rolls_back) == (0.75, False, sharded)
    mostly_gone = view((0.0, 0.0, 0.0, 1.0), (1, 1, 1, 0))
    assert decide("elastic", mostly_gone, 3).waits


def test_degraded_tensor_goes_on_with_fewer_chips_and_remembers_them():
    partial = view((1.0, 0.9, 1.0, 1.0))
    assert decide("degraded_tensor", partial, 0, True).pace == pytest.approx(0.975)
    refilled = view((0.0, 0.9, 1.0, 1.0), (1, 0, 0, 0))
    found = decide("degraded_tensor", refilled, 1, True)
    assert (found.pace, found.waits) == (pytest.approx(0.975), True)


def test_redundant_pipeline_loses_nothing_until_a_neighbour_is_lost_too():
    found = decide("redundant_pipeline", view(**TWO_GONE), 2)
    assert (found.pace, found.rolls_back, found.waits) == (0.75, False, False)
    assert decide("redundant_pipeline", view((0.0, 1.0, 1.0, 1.0), (2, 0, 0, 0)), 2).rolls_back


DOMAINS = np.repeat(np.arange(4), [5, 6, 5, 7])


@pytest.mark.parametrize("policy", PLACEMENTS)
@given(st.sets(st.integers(0, 22)), st.integers(0, 24), st.sets(st.integers(0, 22), max_size=4), st.integers(1, 5))
def test_every_placement_gives_as_many_as_wanted_or_none(policy, free, wanted, held, group):
    candidates = np.array(sorted(free - held), np.int64)
    favoured = np.array(sorted(held), np.int64)
    found = PLACEMENTS[policy].choose(candidates, DOMAINS, wanted, favoured, group)
    assert found.size == (wanted if wanted <= candidates.size else 0)
    assert set(found) <= set(candidates)
    assert len(set(found)) == found.size


def test_spread_puts_as_few_as_can_be_in_one_domain():
    found = PLACEMENTS["spread"].choose(np.arange(23), DOMAINS, 12, NOBODY)
    assert np.bincount(DOMAINS[found]).tolist() == [3, 3, 3, 3]
    more = PLACEMENTS["spread"].choose(np.arange(12, 23), DOMAINS, 2, np.array([0, 1, 2, 5]))
    assert DOMAINS[more].tolist() == [2, 3]  # those of which it holds none


def test_aligned_keeps_groups_in_one_domain_while_there_is_room():
    found = PLACEMENTS["aligned"].choose(np.arange(23), DOMAINS, 12, NOBODY, group=3)
    groups = DOMAINS[found].reshape(4, 3)
    assert (groups == groups[:, :1]).all()
    left_over = PLACEMENTS["aligned"].choose(np.arange(23), DOMAINS, 23, NOBODY, group=3)
    assert sorted(left_over) == list(range(23))


@given(st.sets(st.integers(0, 22), min_size=1), st.sets(st.integers(0, 22), max_size=5))
def test_one_rack_is_the_first_of_many_that_packed_would_take(free, held):
    candidates, favoured = np.array(sorted(free)), np.array(sorted(held), np.int64)
    choose = PLACEMENTS["packed"].choose
    one = choose(candidates, DOMAINS, 1, favoured)
    assert one[0] == choose(candidates, DOMAINS, candidates.size, favoured)[0]
