"""Router policies by themselves: plain values in, routes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simulator.policies.route import PoolRoom, Request
from simulator.policies.routing import ROUTING_KINDS, Router

NAMES = ("small", "middle", "large")
ROUTER = TypeAdapter(Router)


def policy(**options):
    return ROUTER.validate_python(options)


def rooms(*capacity, sent=(0.0, 0.0, 0.0)):
    return tuple(map(PoolRoom, NAMES, capacity or (100.0, 100.0, 100.0), sent))


def request(**changes):
    plain = Request(
        name="ask", task="chat", modality="text", latency_class="interactive", rate_per_s=50.0,
        open=(True, True, True), work=(1.0, 1.0, 1.0), accelerator_s=(1.0, 2.0, 8.0),
        energy_j=(500.0, 400.0, 9000.0), latency_s=(1.0, 2.0, 6.0), quality=(0.6, 0.75, 0.9),
        passed_on=(0.3, 0.2, 0.0),
    )  # fmt: skip
    return plain._replace(**changes)


POLICIES = (
    {"kind": "by_task", "pools": {"chat": "middle"}},
    {"kind": "by_latency", "pools": {"interactive": "small"}},
    {"kind": "by_cost"},
    {"kind": "cascade", "order": ["small", "middle", "large"]},
    {"kind": "spill", "order": ["small", "large"]},
)


def test_every_policy_is_tried_here():
    tried = {options["kind"] for options in POLICIES}
    assert tried == {kind.model_fields["kind"].annotation.__args__[0] for kind in ROUTING_KINDS}


@pytest.mark.parametrize("options", POLICIES, ids=lambda o: o["kind"])
def test_a_route_has_the_stages_and_pools_it_names(options):
    chosen = policy(**options)
    stages = chosen.candidates(request(), NAMES)
    route = chosen.route(rooms(), request())
    assert len(route) == len(stages)
    for stage, names in zip(route, stages, strict=True):
        assert sum(stage.shares) == pytest.approx(1.0)
        assert {NAMES[k] for k, share in enumerate(stage.shares) if share > 0.0} <= set(names)
    assert not any(route[-1].onward)
    assert set(chosen.named()) <= set(NAMES)


@pytest.mark.parametrize(
    ("task", "modality", "pool"),
    [("code", "text", 2), ("chat", "speech", 0), ("code", "speech", 2), ("chat", "text", None)])
def test_by_task_goes_by_the_task_then_by_the_modality(task, modality, pool):
    chosen = policy(kind="by_task", pools={"code": "large", "speech": "small"})
    asked = request(task=task, modality=modality)
    if pool is None:
        assert chosen.candidates(asked, NAMES) == ()
    else:
        assert chosen.route(rooms(), asked)[0].shares[pool] == 1.0


def test_by_latency_goes_by_the_class_of_latency():
    chosen = policy(kind="by_latency", pools={"interactive": "small", "deferred": "large"})
    assert chosen.route(rooms(), request(latency_class="deferred"))[0].shares == (0.0, 0.0, 1.0)
    assert chosen.candidates(request(latency_class="standard"), NAMES) == ()


@pytest.mark.parametrize(
    ("options", "needs", "pool"),
    [({}, {}, 0),
     ({"cost": "energy"}, {}, 1),
     ({"cost": "money", "prices": {"small": "9 USD/h", "middle": "4 USD/h", "large": "2 USD/h"}}, {}, 1),
     ({}, {"quality_needed": 0.7}, 1),
     ({}, {"quality_needed": 0.9}, 2),
     ({"cost": "energy"}, {"latency_limit_s": 1.5}, 0),
     ({}, {"open": (False, True, True)}, 1),
     ({}, {"quality_needed": 0.95}, None),
     ({}, {"quality_needed": 0.7, "latency_limit_s": 1.5}, None),
     ({}, {"quality_needed": 0.5, "quality": (None, None, 0.6)}, 2)])
def test_by_cost_takes_the_cheapest_that_is_open_good_and_fast_enough(options, needs, pool):
    chosen, asked = policy(kind="by_cost", **options), request(**needs)
    found = chosen.candidates(asked, NAMES)
    assert found == (() if pool is None else ((NAMES[pool],),))
    if pool is None:
        with pytest.raises(ValueError, match="'ask'"):
            chosen.route(rooms(), asked)
    else:
        assert chosen.route(rooms(), asked)[0].shares[pool] == 1.0


def test_by_cost_names_every_entry_it_rests_on():
    chosen = policy(kind="by_cost", cost="money", prices={"small": "3 USD/h"})
    closed = request(quality_needed=0.5, open=(True, False, True))
    assert set(chosen.cells(closed, NAMES)) == {
        ("quality", "small"), ("quality", "large"), ("prices", "large")}
    assert list(policy(kind="by_cost").cells(request(), NAMES)) == []


def test_a_cascade_passes_on_what_the_table_says_and_its_last_keeps_all():
    chosen = policy(kind="cascade", order=["middle", "large"])
    first, second = chosen.route(rooms(), request())
    assert first.shares == (0.0, 1.0, 0.0)
    assert first.onward == (0.0, 0.2, 0.0)
    assert second.shares == (0.0, 0.0, 1.0)
    assert not any(second.onward)
    assert list(chosen.cells(request(), NAMES)) == [("escalation", "middle")]


@pytest.mark.parametrize(
    ("capacity", "sent", "work", "shares"),
    [((100.0, 100.0, 100.0), (0.0, 0.0, 0.0), 1.0, (1.0, 0.0, 0.0)),
     ((40.0, 100.0, 100.0), (0.0, 0.0, 0.0), 1.0, (0.64, 0.36, 0.0)),  # 0.8 x 40 of 50
     ((40.0, 100.0, 100.0), (12.0, 0.0, 0.0), 1.0, (0.4, 0.6, 0.0)),
     ((40.0, 100.0, 100.0), (0.0, 0.0, 0.0), 2.0, (0.32, 0.68, 0.0)),
     ((40.0, 10.0, 1.0), (0.0, 0.0, 0.0), 1.0, (0.64, 0.16, 0.2)),  # the last takes what is left
     ((0.0, 0.0, 0.0), (5.0, 0.0, 0.0), 1.0, (0.0, 0.0, 1.0))])
def test_spill_fills_pools_in_order_up_to_the_threshold(capacity, sent, work, shares):
    chosen = policy(kind="spill", order=list(NAMES), threshold=0.8)
    (stage,) = chosen.route(rooms(*capacity, sent=sent), request(work=(work, work, work)))
    assert stage.shares == pytest.approx(shares)


def test_without_requests_the_first_pool_is_the_choice():
    chosen = policy(kind="spill", order=list(NAMES))
    assert chosen.route(rooms(), request(rate_per_s=0.0))[0].shares == (1.0, 0.0, 0.0)


amounts = st.floats(0.0, 1e4)


@given(
    st.lists(amounts, min_size=3, max_size=3), st.lists(amounts, min_size=3, max_size=3),
    st.lists(st.floats(0.1, 10.0), min_size=3, max_size=3), amounts,
    st.permutations(NAMES), st.floats(0.05, 1.0))
def test_spill_never_passes_a_threshold_but_that_of_the_last_pool(
    capacity, sent, work, rate, order, threshold
):
    chosen = policy(kind="spill", order=order, threshold=threshold)
    asked = request(rate_per_s=rate, work=tuple(work))
    (stage,) = chosen.route(rooms(*capacity, sent=tuple(sent)), asked)
    assert sum(stage.shares) == pytest.approx(1.0)
    assert min(stage.shares) >= 0.0
    for k, name in enumerate(NAMES):
        added = rate * stage.shares[k] * work[k]
        if name != order[-1] and added > 1e-9 * max(rate, 1.0):
            assert sent[k] + added <= threshold * capacity[k] * (1 + 1e-9) + 1e-9


def test_only_policies_that_look_at_the_load_are_asked_again():
    follows = {options["kind"] for options in POLICIES if policy(**options).follows_load}
    assert follows == {"spill"}
