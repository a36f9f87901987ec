"""Generators in a run: block loading, fuel, trucks; batteries of racks; the balance closes."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.components.power.transformer import LARGE, NORMAL_LIFE_S, ageing
from simulator.engine import effects, generators, outage, recorder
from simulator.kernels import columns as c
from simulator.metrics.balance import checks

LOADS = (Load("job", "training", 0, synchronous=True),)
PLANT = {
    "count": 40, "rating": "100 kW", "start": "10 s", "fail_to_start": 0.0, "fail_running": "0 /h",
}  # fmt: skip
LOST_S = 600.0


def islanded(folder, generators, lasts_s=86_400.0, backup=None):
    """Return the pod whose lines all go at minute ten."""
    tree = pod_tree()
    tree["topology"] |= {"generators": PLANT | generators}
    if backup is not None:
        tree["topology"]["halls"][0]["battery_backup"] = backup
    bench = Bench(load_tree(tree, folder), LOADS)
    bench.work("job", np.arange(8), 0.9)
    cls = FailureClass(name="break", per="line", rate="1 /year", effect="line", repair="1 h")
    for line in range(bench.site.nodes[0].count):
        bench.at(LOST_S, lambda line=line: effects.EFFECTS["line"](bench.world, cls, 0, line, lasts_s))
    return bench


def made_j(bench, first, last):
    return bench.minutes(c.ONSITE_W)[first:last].sum() * 60.0


def test_block_loading_is_exact_within_the_minute(tmp_path):
    """At 10 s the sets take 50 %, at 14 and 18 s a quarter more each: what is left of the bus's first
    minute is what it could have carried."""
    told = {"count": 4, "first_step": "50 %", "further_step": "25 %", "recovery": "4 s"}
    bench = islanded(tmp_path, told)
    bench.at(LOST_S + 59.0, lambda: found.append(float(bench.state.supply.generators.late_j[0])))
    found = []
    bench.run(LOST_S + 60.0)
    could_j = 400e3 * (0.5 * 4.0 + 0.75 * 4.0 + 1.0 * 42.0)
    assert 400e3 * 60.0 - found[0] == pytest.approx(could_j, rel=1e-12)
    assert 0.0 < made_j(bench, 10, 11) < could_j


def test_fuel_is_that_of_the_energy_and_of_the_running_time(tmp_path):
    bench = islanded(tmp_path, {"tank": "24 h"})
    bench.run(LOST_S + 3600.0)
    state = bench.state.supply.generators
    ran_j = 40 * 100e3 * (3600.0 - 10.0)
    expected_l = 0.018 * ran_j / 3.6e6 + 0.247 * made_j(bench, 10, 70) / 3.6e6
    assert state.ran_j[0] == pytest.approx(ran_j, rel=1e-12)
    assert state.used_l[0] == pytest.approx(expected_l, rel=1e-12)
    assert state.fuel_l[0] == pytest.approx(24 * 0.265 * 4000.0 - expected_l, rel=1e-12)
    table = bench.results().tables["generators"].iloc[0]
    assert table["fuel_l"] == pytest.approx(expected_l)
    assert table["running_h"] == pytest.approx(40 * 3590.0 / 3600.0)


def test_out_of_fuel_the_campus_is_dark_until_the_trucks_come(tmp_path):
    told = {"tank": "24 h", "tank_start": "1 %", "refuel_after": "2 h", "refuel": "5000 L/h"}
    bench = islanded(tmp_path, told)
    bench.run(LOST_S + 4 * 3600.0)
    kinds = bench.kinds()
    assert kinds.index("fuel_out") < kinds.index("refuelling") < kinds.index("fuel_back")
    dark = slice(100, 125)  # the tanks are empty, the trucks not yet there
    assert made_j(bench, dark.start, dark.stop) == 0.0
    assert bench.minutes(c.IT_W)[dark].max() < bench.minutes(c.IT_W)[5] * 0.2
    assert bench.minutes(c.ONSITE_W)[-1] > 0.0
    assert checks(bench.results())["energy_balance_rel"] < 1e-9


def test_sets_stop_when_the_supply_is_back(tmp_path):
    bench = islanded(tmp_path, {"tank": "24 h"}, lasts_s=1800.0)
    bench.run(LOST_S + 3600.0)
    state = bench.state.supply.generators
    assert state.running_w[0] == 0.0 and bench.state.supply.generator_w[0] == 0.0
    assert state.ran_j[0] == pytest.approx(40 * 100e3 * 1790.0)
    assert checks(bench.results())["energy_balance_rel"] < 1e-9


def test_rack_batteries_give_within_their_power_and_fill_again(tmp_path):
    backup = {"power": "150 kW", "hold_up": "4 min", "recharge": "5 kW"}
    bench = islanded(tmp_path, {"count": 0}, lasts_s=120.0, backup=backup)
    backed = bench.state.supply.backup
    full_j, racks = float(backed.charge_j[0]), bench.site.rack_type.size
    assert full_j * backed.efficiency == pytest.approx(racks * 150e3 * 240.0)
    bench.run(LOST_S + 60.0)
    bridge = bench.state.supply.bridge
    given_j = (full_j - backed.charge_j[0] - bridge.charge_j.sum()) * backed.efficiency
    assert 0.0 < given_j <= racks * 150e3 * 60.0 * (1 + 1e-12)
    bench.run(LOST_S + 7200.0)
    assert backed.charge_j[0] == pytest.approx(full_j)
    assert checks(bench.results())["energy_balance_rel"] < 1e-9


def test_main_transformers_are_as_hot_as_their_load_and_the_air_say(tmp_path):
    """With half of the units out, the loading doubles from that minute on."""
    bench = islanded(tmp_path, {}, lasts_s=60.0)
    cls = FailureClass(name="break", per="transformer", rate="1 /year", effect="transformer", repair="1 h")
    bench.at(3600.0, lambda: effects.EFFECTS["transformer"](bench.world, cls, 1, 0, 3600.0))
    bench.run(7200.0)
    done = bench.records._replace(site=bench.records.site[:120])
    node, table = bench.site.nodes[1], recorder.tables(bench.world, done)["transformers"].iloc[0]
    share = np.where(np.arange(120) >= 60, (node.count - 1) / node.count, 1.0)
    loading = bench.minutes(c.POI_W) / (node.rating_w * share)
    assert table["loading_max"] == pytest.approx(loading.max())
    now = LARGE.heating.settled(loading[0])
    hot_c = []
    for x, outside_c in zip(loading, bench.minutes(c.DRY_BULB_C), strict=True):
        now = LARGE.heating.after(now, x, 60.0)
        hot_c.append(now.hot_spot_c(outside_c))
    assert table["hot_spot_max_c"] == pytest.approx(max(hot_c))
    lives = sum(ageing(hot) for hot in hot_c) * 60.0 / NORMAL_LIFE_S
    assert table["life_used_frac"] == pytest.approx(lives)


def of_lineups(folder, blocks, scheme, broken=(), lasts_s=3600.0):
    """Return the pod on lineups with a set each, some under repair, whose lines all go at minute ten."""
    tree = pod_tree()
    topology = tree["topology"]
    hall = topology["halls"][0]
    ups = {"loss": {"no_load": "1 %", "load": "2 %"}, "ride_through": "3 min"}
    hall["blocks"], hall["distribution"] = blocks, {"scheme": scheme, "ups": ups}
    hall["block"]["rating"] = "1.3 MVA"
    hall["feeders"] = {"count": 2, "rating": "30 MVA"}
    sets = {name: value for name, value in PLANT.items() if name != "count"}
    topology["generators"] = sets | {"rating": "1.3 MW", "backs": "lineups"}
    bench = Bench(load_tree(tree, folder), LOADS)
    bench.work("job", np.arange(bench.site.rack_row.size), 0.9)
    for unit in broken:
        outage.lose(bench.world, ("generator", unit), 86_400.0)
    cls = FailureClass(name="break", per="line", rate="1 /year", effect="line", repair="1 h")
    for line in range(bench.site.nodes[0].count):
        bench.at(LOST_S, lambda line=line: effects.EFFECTS["line"](bench.world, cls, 0, line, lasts_s))
    return bench


@pytest.mark.parametrize(
    ("scheme", "blocks", "broken", "dark"),
    [("N", 2, (), []), ("N", 2, (1,), ["pod/b02"]), ("2N", 1, (1,), []), ("2N", 1, (0, 1), ["pod/b01"]),
     ("4N/3", 6, (0, 1), ["pod/b01"])],
)  # fmt: skip
def test_a_lineup_without_its_set_is_not_fed_and_those_that_stand_in_are(
    tmp_path, scheme, blocks, broken, dark
):
    bench = of_lineups(tmp_path, blocks, scheme, broken)
    bench.run(LOST_S + 1800.0)
    assert [name for _, kind, name, *_ in bench.world.events if kind == "dark"] == dark
    for unit in broken:
        assert bench.state.tree.output_w[bench.site.lineups[unit]] == 0.0
    boot_s = bench.site.topology.ride_through.boot
    bench.run(LOST_S + 3600.0 + boot_s + 120.0)  # the lines are back
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert all(bench.state.tree.output_w[node] > 0.0 for node in bench.site.lineups)
    assert checks(bench.results())["energy_balance_rel"] < 1e-9


def test_a_set_that_fails_while_it_runs_leaves_its_lineup_until_the_lines_are_back(tmp_path):
    bench = of_lineups(tmp_path, 2, "N", lasts_s=7200.0)
    bench.at(LOST_S + 600.0, lambda: generators.lose(bench.world, 0))
    bench.run(LOST_S + 7000.0)
    first = bench.site.rack_block == 0
    assert np.all(bench.state.racks.up_frac[first] == 0.0)
    assert np.all(bench.state.racks.up_frac[~first] == 1.0)
    bench.run(LOST_S + 7200.0 + bench.site.topology.ride_through.boot + 200.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
