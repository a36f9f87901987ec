"""Batteries of lineups and racks: who is carried, for how long, and what becomes of the charge."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_site, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects
from simulator.engine.elements import elements
from simulator.engine.outage_log import of_one_stage
from simulator.metrics import balance

JOB = (Load("job", "training", 0),)
UPS = {"loss": {"no_load": "1 %", "load": "2 %"}, "margin": "10 %", "modules": 1}
RACK_BATTERY = {"power": "150 kW", "hold_up": "4 min", "recharge": "15 kW"}


def bench_of(folder, blocks=2, ups="5 min", backup=None, unit=UPS, **distribution):
    """Return the pod at full work, its hall wired by a scheme, lineups with a UPS of so long."""
    tree = pod_tree()
    hall, grid = tree["topology"]["halls"][0], tree["topology"]["grid"]
    hall["blocks"] = blocks
    hall["block"]["rating"] = "1.3 MVA"
    if distribution:
        hall["distribution"] = distribution | ({"ups": unit | {"ride_through": ups}} if ups else {})
    if backup:
        hall["battery_backup"] = backup
    hall["feeders"] = {"count": 2, "rating": "30 MVA"}
    for bank in ("lines", "transformers"):
        grid[bank]["rating"] = "40 MVA"
    bench = Bench(load_tree(tree, folder), JOB)
    bench.work("job", np.arange(bench.site.rack_row.size), 0.9)
    return bench


def break_(bench, name, lasts_s, at_s=615.0, per="substation", effect="feed"):
    cls = FailureClass(name="break", per=per, rate="1 /year", effect=effect, repair="1 h")
    target, unit = elements(bench.site, cls)[name]
    bench.at(at_s, lambda: effects.inflict(
        bench.world, cls, target, unit, of_one_stage("repair", at_s + lasts_s)))


def told(bench, *kinds):
    return [(kind, element, t) for t, kind, element, *_ in bench.world.events if kind in kinds]


def up(bench):
    block = bench.site.rack_block
    return [float(bench.state.racks.up_frac[block == b].mean()) for b in np.unique(block)]


def node(bench, name):
    return next(i for i, n in enumerate(bench.site.nodes) if n.name == name)


def balanced(bench):
    return abs(balance.checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_lineup_rides_through_a_short_loss_and_its_ups_fills_again(tmp_path):
    bench = bench_of(tmp_path, scheme="N")
    supply, tree = bench.state.supply, bench.state.tree
    whole_j = float(supply.ride_through_j[0])
    bench.run(600.0)
    ups, above = node(bench, "pod/l01/ups"), node(bench, "pod/l01/substation")
    drawn_w = float(tree.input_w[ups])
    break_(bench, "pod/l01/substation", 130.0)
    bench.run(720.0)
    assert up(bench) == [1.0, 1.0]
    assert tree.output_w[above] == 0.0
    assert float(tree.bridge.charge_j[tree.bridge.of_node[ups]]) == pytest.approx(
        bench.site.nodes[ups].rating_w * bench.site.nodes[ups].ride_through_s - 105.0 * drawn_w, rel=1e-3)
    bench.run(780.0)
    assert told(bench, "on_battery", "battery_rests") == [
        ("on_battery", "pod/l01/ups", 615.0), ("battery_rests", "pod/l01/ups", 745.0)]
    left_j = float(tree.bridge.charge_j[tree.bridge.of_node[ups]] + supply.ride_through_j[0])
    refill_w = bench.site.nodes[ups].recharge_w
    assert whole_j - left_j == pytest.approx(130.0 * drawn_w - 35.0 * refill_w, rel=1e-3)
    bench.run(840.0)
    assert tree.output_w[above] - tree.input_w[ups] == pytest.approx(refill_w)
    filled_j = float(tree.bridge.charge_j[tree.bridge.of_node[ups]] + supply.ride_through_j[0])
    assert filled_j - left_j == pytest.approx(60.0 * refill_w)
    bench.run(2400.0)
    assert supply.ride_through_j[0] == pytest.approx(whole_j)
    assert tree.bridge.owned[0] == 0
    assert up(bench) == [1.0, 1.0]
    assert balanced(bench)


def test_a_lineup_is_dark_when_its_ups_is_empty(tmp_path):
    bench = bench_of(tmp_path, scheme="N", ups="3 min")
    bench.run(600.0)
    ups = node(bench, "pod/l01/ups")
    of, drawn_w = bench.site.nodes[ups], float(bench.state.tree.input_w[ups])
    break_(bench, "pod/l01/substation", 3600.0)
    lasts_s = of.rating_w * of.ride_through_s / drawn_w
    bench.run(615.0 + 0.9 * lasts_s)
    assert up(bench) == [1.0, 1.0]
    bench.run(615.0 + 1.1 * lasts_s + 60.0)
    assert up(bench) == [0.0, 1.0]
    empty = told(bench, "battery_rests")[0]
    assert empty[2] == pytest.approx(615.0 + lasts_s, abs=2.0 + 0.01 * lasts_s)
    bench.run(615.0 + 3600.0 + bench.site.topology.ride_through.boot + 60.0)
    assert up(bench) == [1.0, 1.0]
    assert balanced(bench)


def test_the_other_lineup_takes_over_when_the_ups_is_empty_not_before(tmp_path):
    bench = bench_of(tmp_path, scheme="2N", ups="3 min")
    break_(bench, "pod/l01/substation", 3600.0)
    bench.run(660.0)
    share = bench.state.blocks.feed_share[:2]
    np.testing.assert_allclose(share, 0.5)
    bench.run(1800.0)
    np.testing.assert_allclose(share, [0.0, 1.0])
    assert up(bench) == [1.0, 1.0]
    bench.run(4800.0)
    np.testing.assert_allclose(share, 0.5)
    assert balanced(bench)


def test_a_second_loss_finds_the_charge_that_the_first_one_left(tmp_path):
    bench = bench_of(tmp_path, scheme="N", ups="3 min")
    break_(bench, "pod/l01/substation", 120.0)
    break_(bench, "pod/l01/substation", 3600.0, at_s=780.0)
    bench.run(600.0)
    ups = node(bench, "pod/l01/ups")
    of, drawn_w = bench.site.nodes[ups], float(bench.state.tree.input_w[ups])
    bench.run(1500.0)
    whole_s = of.rating_w * of.ride_through_s / drawn_w
    refilled_s = 45.0 * of.recharge_w / drawn_w  # from 735 s on
    empty_s = told(bench, "battery_rests")[1][2]
    assert empty_s - 780.0 == pytest.approx(whole_s - 120.0 + refilled_s, rel=0.02)
    assert up(bench) == [0.0, 1.0]


def test_rack_batteries_carry_a_block_without_its_busway(tmp_path):
    """A block with a lineup of its own and no UPS; a short loss, then one that is too long."""
    bench = bench_of(tmp_path, ups=None, backup=RACK_BATTERY)
    backup, tree = bench.state.supply.backup, bench.state.tree
    whole_j = float(backup.charge_j[0])
    break_(bench, "pod/b01", 100.0, per="busway")
    bench.run(720.0)
    assert up(bench) == [1.0, 1.0]
    bench.run(7200.0)
    assert backup.charge_j[0] == pytest.approx(whole_j) and tree.bridge.owned[0] == 0
    block = int(bench.site.rack_block[0])
    load_w, racks = float(bench.state.blocks.it_w[block]), int((bench.site.rack_block == block).sum())
    break_(bench, "pod/b01", 3600.0, at_s=7210.0, per="busway")
    bench.run(8400.0)
    assert up(bench) == [0.0, 1.0]
    begun, ended = told(bench, "on_battery")[1], told(bench, "battery_rests")[1]
    assert begun[1] == "pod/b01/rack batteries"
    assert ended[2] - begun[2] == pytest.approx(racks * 150e3 * 240.0 / load_w, rel=0.02)
    assert balanced(bench)


def test_a_ups_that_fails_leaves_its_blocks_to_their_own_batteries(tmp_path):
    bench = bench_of(tmp_path, scheme="N", backup=RACK_BATTERY)
    break_(bench, "pod/l01/substation", 3600.0)
    break_(bench, "pod/l01/ups/module 1", 3600.0, at_s=700.0, per="ups_module", effect="ups")
    bench.run(780.0)
    assert up(bench) == [1.0, 1.0]
    assert [element for _, element, _ in told(bench, "on_battery")] == [
        "pod/l01/ups", "pod/b01/rack batteries"]
    bench.run(1800.0)
    assert up(bench) == [0.0, 1.0]
    assert balanced(bench)


def test_a_unit_of_the_battery_plant_takes_its_power_and_charge_along(tmp_path):
    tree = pod_tree()
    tree["topology"]["battery"] = {
        "units": 4, "power": "400 kW", "energy": "400 kWh", "recharge": "100 kW"}
    bench = Bench(load_tree(tree, tmp_path), JOB)
    supply, plant = bench.state.supply, bench.site.topology.battery
    break_(bench, "battery/2", 1800.0, per="battery_unit", effect="battery_unit")
    break_(bench, "battery/3", 600.0, at_s=700.0, per="battery_unit", effect="battery_unit")
    bench.run(780.0)
    assert supply.battery_power_w[0] == pytest.approx(0.5 * plant.power)
    assert supply.battery_j[0] == pytest.approx(0.5 * plant.usable_j)
    assert supply.bridge.away_j[0] == pytest.approx(0.5 * plant.usable_j)
    bench.run(3600.0)
    assert supply.battery_power_w[0] == plant.power
    assert supply.battery_j[0] == pytest.approx(plant.usable_j)
    assert supply.bridge.away_j[0] == pytest.approx(0.0, abs=1.0)
    assert balanced(bench)


def test_a_rack_battery_that_is_out_is_missed_when_the_busway_goes(tmp_path):
    """With one of them out the others carry the block for as much shorter."""
    bench = bench_of(tmp_path, ups=None, backup=RACK_BATTERY | {"power": "400 kW"})
    break_(bench, "pod/b01/rack battery 1", 7200.0, per="rack_battery", effect="rack_battery")
    bench.run(660.0)
    assert up(bench) == [1.0, 1.0]
    block = int(bench.site.rack_block[0])
    load_w, racks = float(bench.state.blocks.it_w[block]), int((bench.site.rack_block == block).sum())
    break_(bench, "pod/b01", 3600.0, at_s=670.0, per="busway")
    bench.run(3000.0)
    begun, ended = told(bench, "on_battery")[0], told(bench, "battery_rests")[0]
    assert ended[2] - begun[2] == pytest.approx((racks - 1) * 400e3 * 240.0 / load_w, rel=0.02)
    assert balanced(bench)


@pytest.mark.parametrize(("per", "effect", "name"), [
    ("feeder_breaker", "feeder", "pod/feeders/1/breaker"),
    ("substation_breaker", "feed", "pod/b02/substation/breaker"),
    ("busway_breaker", "feed", "pod/b02/busway/breaker"),
])  # fmt: skip
def test_a_breaker_takes_its_element_and_is_told_by_its_own_name(tmp_path, per, effect, name):
    bench = bench_of(tmp_path, ups=None)
    cls = FailureClass(name="break", per=per, rate="1 /year", effect=effect, repair="1 h")
    where = elements(bench.site, cls)[name]
    assert effects.inflict(bench.world, cls, *where, of_one_stage("repair", 600.0)) == name
    bench.run(300.0)
    lost = bench.state.tree.in_service < 1.0
    assert lost.sum() == 1
    assert up(bench) == ([1.0, 1.0] if per == "feeder_breaker" else [1.0, 0.0])


def test_no_two_breakers_share_a_name():
    site, effects_of = pod_site(), {"feeder": "feeder", "substation": "feed", "busway": "feed"}
    given = {"name": "break", "rate": "1 /year", "repair": "1 h"}
    breakers, others = (
        [name for per, effect in effects_of.items()
         for name in elements(site, FailureClass(**given, per=per + ending, effect=effect))]
        for ending in ("_breaker", "")
    )  # fmt: skip
    assert len(breakers) == len(set(breakers)) == len(others)
    assert not set(others) & set(breakers)


def test_an_empty_ups_does_not_carry_again_before_it_was_fed(tmp_path):
    """Hours after the UPS of the first lineup is empty the second is lost: the block of both is dark
    when the second UPS is empty too, whatever charge the first has by then."""
    bench = bench_of(tmp_path, blocks=1, ups="3 min", scheme="2N")
    break_(bench, "pod/l01/substation", 12_000.0)
    break_(bench, "pod/l02/substation", 3600.0, at_s=6000.0)
    bench.run(5990.0)
    assert up(bench) == [1.0]
    bench.run(6600.0)
    assert up(bench) == [0.0]
    assert [name for _, name, _ in told(bench, "on_battery")] == ["pod/l01/ups", "pod/l02/ups"]
    assert [(name, t > 6000.0) for _, name, t in told(bench, "dark")] == [("pod/b01", True)]
    assert balanced(bench)


def test_a_ups_short_of_modules_is_capped_for_and_does_not_trip(tmp_path):
    """Four of five modules at a margin of 25 % are what the block needs; three are not."""
    bench = bench_of(tmp_path, unit=UPS | {"modules": 5, "margin": "25 %"}, scheme="N")
    for module, at_s in ((1, 615.0), (2, 675.0)):
        break_(bench, f"pod/l01/ups/module {module}", 7200.0, at_s, "ups_module", "ups")
    bench.run(7000.0)
    assert ("overload", "pod/l01/ups") in [event[:2] for event in told(bench, "overload")]
    assert told(bench, "trip", "tolerance_exceeded") == []
    ups = node(bench, "pod/l01/ups")
    left_w = bench.site.nodes[ups].rating_w * 3 / 5
    assert 0.95 * left_w < bench.state.tree.output_w[ups] <= left_w
    assert up(bench) == [1.0, 1.0]


@pytest.mark.parametrize(("per", "lasts_s", "out_s"), [
    ("substation", 120.0, None), ("substation", 7200.0, "empty"), ("busway", 7200.0, 615.0),
])  # fmt: skip
def test_support_racks_live_on_their_ups_without_both_substations(tmp_path, per, lasts_s, out_s):
    bench = bench_of(tmp_path)
    ups = bench.site.nodes[node(bench, "pod/support/ups")]
    block = bench.site.block_names.index("pod/support")
    carries_s = ups.rating_w * ups.ride_through_s / float(bench.state.blocks.support_w[block])
    assert 300.0 < carries_s < 6000.0
    for side in (1, 2):
        break_(bench, f"pod/support/side {side}", lasts_s, per=per)
    out_s = 615.0 + carries_s if out_s == "empty" else out_s
    if out_s is not None:
        bench.run(out_s - 1.0)
        assert up(bench) == [1.0, 1.0]
        bench.run(out_s + 1.0)
        assert up(bench) == [0.0, 0.0]
    boots_s = 0.0 if out_s is None else bench.site.topology.ride_through.boot
    bench.run(615.0 + lasts_s + boots_s + 60.0)
    assert up(bench) == [1.0, 1.0]
