"""Feeders, UPS modules, the sides of support blocks, generators: what each takes, and its return."""

import copy

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.components.power.node import TRANSFORMERS
from simulator.components.power.ups import Ups
from simulator.engine import effects
from simulator.kernels import columns as c

LOADS = (Load("job", "training", 0, synchronous=True),)


def pod_with(folder, **topology):
    tree = pod_tree()
    tree["topology"] |= topology
    bench = Bench(load_tree(tree, folder), LOADS)
    bench.work("job", np.arange(8), 0.9)
    return bench


def lose(bench, effect, target, unit, lasts_s, at_s=600.0):
    cls = FailureClass(name="break", per="block", rate="1 /year", effect=effect, repair="1 h")
    bench.at(at_s, lambda: effects.EFFECTS[effect](bench.world, cls, target, unit, lasts_s))


def feeder(bench):
    return int(bench.site.halls.feeder_node[0])


def feeders(count, rating):
    halls = copy.deepcopy(pod_tree()["topology"]["halls"])
    halls[0]["feeders"] = {"count": count, "rating": rating}
    return halls


def test_a_feeder_that_the_others_can_replace_takes_nothing(tmp_path):
    bench = pod_with(tmp_path, halls=feeders(2, "2 MVA"))
    lose(bench, "feeder", feeder(bench), 0, 3600.0)
    bench.run(1200.0)
    assert bench.state.tree.in_service[feeder(bench)] == 0.5
    np.testing.assert_array_equal(bench.state.blocks.limit_w, bench.site.block_limit_w)
    assert bench.minutes(c.CAPPED).max() == 0.0
    bench.run(4260.0)
    assert bench.state.tree.in_service[feeder(bench)] == 1.0


def test_too_few_feeders_cap_the_hall_to_what_they_carry(tmp_path):
    bench = pod_with(tmp_path, halls=feeders(3, "700 kVA"))
    node = feeder(bench)
    for unit in (0, 1):
        lose(bench, "feeder", node, unit, 3600.0, at_s=1800.0)
    bench.run(1740.0)
    free_w = float(bench.state.tree.output_w[node])
    bench.run(3600.0)
    carried_w = bench.site.nodes[node].rating_w / 3
    assert free_w > carried_w
    assert bench.state.tree.output_w[node] <= carried_w
    assert bench.minutes(c.CAPPED)[-1] > 0.0
    assert np.all(bench.state.racks.up_frac == 1.0)
    bench.run(5700.0)
    assert bench.state.tree.output_w[node] == pytest.approx(free_w, rel=0.02)


def test_without_a_feeder_the_hall_is_dark_until_the_first_is_back(tmp_path):
    bench = pod_with(tmp_path, halls=feeders(2, "2 MVA"))
    lose(bench, "feeder", feeder(bench), 0, 7200.0, at_s=600.0)
    lose(bench, "feeder", feeder(bench), 1, 1800.0, at_s=1200.0)
    bench.run(1300.0)
    assert np.all(bench.state.racks.up_frac == 0.0)
    bench.run(3000.0 + bench.site.topology.ride_through.boot - 60.0)
    assert np.all(bench.state.racks.up_frac == 0.0)  # they boot
    bench.run(3000.0 + bench.site.topology.ride_through.boot + 60.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert bench.state.tree.in_service[feeder(bench)] == 0.5


@pytest.mark.parametrize("kind", ["feeder", "bank"])
def test_a_unit_that_is_out_already_is_not_lost_twice(kind, tmp_path):
    bench = pod_with(tmp_path, halls=feeders(2, "2 MVA"))
    node, effect = (feeder(bench), "feeder") if kind == "feeder" else (TRANSFORMERS, "transformer")
    assert bench.site.nodes[node].count == 2
    lose(bench, effect, node, 0, 3600.0, at_s=600.0)
    lose(bench, effect, node, 0, 600.0, at_s=1200.0)  # its breaker, say: no later than the unit itself
    lose(bench, effect, node, 0, 3600.0, at_s=3000.0)  # keeps it out until 6600
    for until_s, in_service in ((1260.0, 0.5), (1860.0, 0.5), (4260.0, 0.5), (6660.0, 1.0)):
        bench.run(until_s)
        assert bench.state.tree.in_service[node] == in_service, until_s
        assert np.all(bench.state.racks.up_frac == 1.0)
    assert "plants_lost" not in bench.kinds() and "supply_lost" not in bench.kinds()


def ups(bench, name):
    return next(i for i, node in enumerate(bench.site.nodes) if node.name.endswith(name))


def test_a_ups_module_leaves_its_load_to_the_others(tmp_path):
    bench = pod_with(tmp_path)
    node = ups(bench, "pump ups")
    lose(bench, "ups", node, 0, 3600.0)
    bench.run(1200.0)
    assert bench.state.tree.in_service[node] == pytest.approx(4 / 5)
    assert np.all(bench.state.racks.up_frac == 1.0)
    bench.run(4260.0)
    assert bench.state.tree.in_service[node] == 1.0


def test_all_modules_of_the_pumps_stop_the_coolant_of_the_hall(tmp_path):
    bench = pod_with(tmp_path)
    node = ups(bench, "pump ups")
    for module in range(5):
        lose(bench, "ups", node, module, 1800.0 + module)  # back together: one alone would be overloaded
    bench.run(1200.0)
    assert bench.kinds().count("trip") == 2  # one a block
    assert np.all(bench.state.racks.up_frac == 0.0)
    bench.run(2460.0 + 8 * 60.0)  # modules are back, and racks have booted
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert np.all(bench.state.blocks.flow == 1.0)


@pytest.mark.parametrize(("effect", "units", "name"), [("ups", 2, "support/ups"), ("block", 2, None)])
def test_racks_are_out_when_nothing_feeds_their_switches(effect, units, name, tmp_path):
    roomy = {"modules": 1, "margin": "150 %"}  # one a side, which carries it all
    bench = pod_with(tmp_path, ups=pod_tree()["topology"]["ups"] | roomy)
    target = ups(bench, name) if name else bench.site.block_names.index("pod/support")
    for unit in range(units - 1):
        lose(bench, effect, target, unit, 3600.0)
    bench.run(900.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    lose(bench, effect, target, units - 1, 1200.0, at_s=1000.0)
    bench.run(1100.0)
    assert np.all(bench.state.racks.up_frac == 0.0)
    bench.run(2200.0 + bench.site.topology.ride_through.boot + 60.0)
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_a_block_of_racks_has_one_side_only(tmp_path):
    bench = pod_with(tmp_path)
    lose(bench, "block", 0, 0, 600.0)
    bench.run(700.0)
    assert np.all(bench.state.racks.up_frac[:4] == 0.0)
    assert np.all(bench.state.racks.up_frac[4:] == 1.0)


GENERATORS = {"count": 40, "rating": "100 kW", "start": "10 s", "fail_to_start": 0.0}


def islanded(folder, **generators):
    """Return the pod without its lines from minute ten on."""
    bench = pod_with(folder, generators=GENERATORS | generators)
    for line in range(bench.site.nodes[0].count):
        lose(bench, "line", 0, line, 86_400.0)
    return bench


def test_generators_under_repair_do_not_start(tmp_path):
    bench = islanded(tmp_path, fail_running="0 /h")
    for unit in range(10):
        lose(bench, "generator", 0, unit, 7200.0, at_s=60.0)
    bench.run(1200.0)
    assert bench.state.supply.generator_w[0] == pytest.approx(30 * 100e3)


def test_a_generator_that_fails_takes_its_rating(tmp_path):
    bench = islanded(tmp_path, fail_running="0 /h")
    lose(bench, "generator", 0, 3, 7200.0, at_s=1200.0)
    bench.run(1260.0)
    assert bench.state.supply.generator_w[0] == pytest.approx(39 * 100e3)


def test_running_sets_fail_at_their_rate_and_not_after_the_supply_is_back(tmp_path):
    """Of 40 sets at 0.2 an hour, 40 (1 - exp(-0.8)) have failed after four hours: 22 +- 3."""
    bench = islanded(tmp_path, fail_running="0.2 /h")
    bench.run(600.0 + 4 * 3600.0)
    failed = bench.kinds().count("generator_failed")
    assert failed == pytest.approx(22.0, abs=4 * 3.15)
    assert bench.state.supply.generator_w[0] == pytest.approx((40 - failed) * 100e3)
    bench.run(86_400.0)
    late = bench.kinds().count("generator_failed")
    bench.run(86_400.0 + 600.0 + 6 * 3600.0)
    assert bench.kinds().count("generator_failed") - late <= 1
    assert bench.state.supply.generator_w[0] == 0.0


def test_four_of_five_modules_carry_the_design_load():
    """The default is N+1 at the default margin."""
    fields = Ups.model_fields
    assert (fields["modules"].default - 1) / fields["modules"].default * (
        1.0 + fields["margin"].default) == pytest.approx(1.0)
