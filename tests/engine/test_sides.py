"""The two sides of support racks: what is in service, what they lose and carry, how a side trips."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_site, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.components.power.flow_network import site_network
from simulator.engine import design_flow, effects
from simulator.engine.elements import elements
from simulator.engine.outage_log import of_one_stage
from simulator.metrics import balance

SUPPORT = ("pod/support/substation", "pod/support/ups", "pod/support/busway")


def bench_of(folder, **ups):
    tree = pod_tree()
    tree["topology"]["ups"] |= ups
    bench = Bench(load_tree(tree, folder), (Load("job", "training", 0),))
    bench.work("job", np.arange(bench.site.rack_row.size), 0.9)
    return bench


def nodes(site):
    names = [node.name for node in site.nodes]
    return [names.index(name) for name in SUPPORT]


def break_(bench, name, per, effect="feed", at_s=600.0, lasts_s=3600.0):
    cls = FailureClass(name="break", per=per, rate="1 /year", effect=effect, repair="1 h")
    target, unit = elements(bench.site, cls)[name]
    bench.at(at_s, lambda: effects.inflict(
        bench.world, cls, target, unit, of_one_stage("repair", at_s + lasts_s)))


def in_service(bench):
    return [float(bench.state.tree.in_service[i]) for i in nodes(bench.site)]


def test_each_side_is_built_for_all_of_it():
    site = pod_site()
    design_w = sum(entry.count * entry.nameplate_w for entry in site.support)
    for i, units in zip(nodes(site), (2, 10, 2), strict=True):
        node = site.nodes[i]
        assert (node.count, node.firm_w) == (units, pytest.approx(1.25 * design_w))
        assert node.rating_w == pytest.approx(2 * node.firm_w)
    built = {(lot.kind, lot.serves): lot for lot in site.equipment}
    for kind, units in (("unit substation", 2), ("UPS module", 10), ("busway", 2), ("low voltage breaker", 2)):
        assert built[kind, "support"].count == units
        assert built[kind, "support"].rating_w == pytest.approx(1.25 * design_w * 2 / units)
    assert site.block_limit_w[-1] == pytest.approx(1.25 * design_w)


def test_the_flow_of_the_oracle_sees_both_substations():
    site = pod_site()
    net = site_network(site.topology, site, design_flow.design_w(site))
    assert {"pod/support/substation/1", "pod/support/substation/2"} < set(net.name)
    one, other = (net.name.index(f"pod/support/substation/{k}") for k in (1, 2))
    assert net.ends[one] == net.ends[other] and net.resistance[one] == net.resistance[other]


@pytest.mark.parametrize(("per", "effect", "name"), [
    ("substation", "feed", "side 1"), ("busway", "feed", "side 1"), ("block", "block", "side 2"),
])  # fmt: skip
def test_one_side_carries_all_and_loses_what_one_loses(per, effect, name, tmp_path):
    bench, tree = bench_of(tmp_path), None
    break_(bench, f"pod/support/{name}", per, effect, lasts_s=1800.0)
    for to_s, sides in ((600.0, 2), (1200.0, 1), (3000.0, 2)):
        bench.run(to_s)
        tree = bench.state.tree
        assert in_service(bench) == [sides / 2] * 3
        for i in nodes(bench.site):
            node, carried_w = bench.site.nodes[i], float(tree.output_w[i])
            each_w = node.loss.loss_w(carried_w / sides, node.firm_w)
            assert tree.input_w[i] - carried_w == pytest.approx(sides * each_w, rel=1e-9)
        assert np.all(bench.state.racks.up_frac == 1.0)
    assert abs(balance.checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_modules_of_a_side_that_is_out_carry_nothing(tmp_path):
    bench = bench_of(tmp_path)
    break_(bench, "pod/support/side 1", "substation")
    for at_s, module in ((660.0, 2), (720.0, 7)):  # five modules a side
        break_(bench, f"pod/support/ups/module {module}", "ups_module", "ups", at_s)
    for to_s, modules in ((680.0, 5), (780.0, 4)):
        bench.run(to_s)
        assert in_service(bench) == [0.5, modules / 10, 0.5]
    bench.run(4210.0)  # side 1 is back, the modules are not
    assert in_service(bench) == [1.0, 0.8, 1.0]
    bench.run(4500.0)
    assert in_service(bench) == [1.0, 1.0, 1.0]


def test_a_side_without_modules_is_out(tmp_path):
    bench = bench_of(tmp_path)
    for module in range(1, 6):
        break_(bench, f"pod/support/ups/module {module}", "ups_module", "ups")
    bench.run(700.0)
    assert in_service(bench) == [0.5] * 3
    break_(bench, "pod/support/side 2", "busway", at_s=720.0)
    bench.run(780.0)
    assert in_service(bench)[0] == 0.0 and np.all(bench.state.racks.up_frac == 0.0)


def test_batteries_of_one_side_carry_half_as_long_as_those_of_both(tmp_path):
    bench = bench_of(tmp_path)
    break_(bench, "pod/support/side 1", "substation")
    break_(bench, "pod/support/side 2", "busway")
    bench.run(601.0)
    ups = bench.site.nodes[nodes(bench.site)[1]]
    (lasts_s,) = [event[4] for event in bench.world.events if event[1] == "on_battery"]
    support_w = float(bench.state.blocks.support_w.sum())
    assert lasts_s == pytest.approx(0.5 * ups.rating_w * ups.ride_through_s / support_w)
    assert in_service(bench) == [0.0, 0.5, 0.5]


def test_a_side_left_alone_that_carries_too_much_trips(tmp_path):
    """Three of the five modules of the side that is left are lost: the others outlast their tolerance, and with
    their side the hall has no switches."""
    bench = bench_of(tmp_path)
    break_(bench, "pod/support/side 1", "busway")
    for module in (6, 7, 8):
        break_(bench, f"pod/support/ups/module {module}", "ups_module", "ups")
    bench.run(3000.0)
    told = [event[1] for event in bench.world.events if event[2] == "pod/support/ups"]
    assert told[:3] == ["overload", "tolerance_exceeded", "trip"]
    assert in_service(bench)[0] == 0.0 and np.all(bench.state.racks.up_frac == 0.0)
