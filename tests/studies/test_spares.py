"""Stocks and crews: the smallest that hold, and that they do hold in the engine's shop."""

import pytest
from small import load_tree, pod_tree

from simulator.kernels import queueing
from simulator.studies import spares

YEAR_S = 31_557_600.0


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    tree = pod_tree() | {
        "reliability": {"rate_scale": 40},
        "operations": {"returns": {"no_fault_found": 0.0}},
    }
    return spares.demand(load_tree(tree, tmp_path_factory.mktemp("asked")))


def test_demand_counts_what_no_restart_cures(asked):
    rates = dict(zip([cls.name for cls in asked.classes], asked.rates_s, strict=True))
    by_name = {cls.name: cls for cls in asked.classes}
    chips = 8 * 72
    gpu = by_name["accelerator"]
    assert rates["accelerator"] == pytest.approx(chips * gpu.rate * (1.0 - gpu.transient))
    assert rates["software"] == 0.0


def test_a_scenario_without_operations_is_asked_of_the_default(tmp_path):
    asked = spares.demand(load_tree(pod_tree(), tmp_path))
    assert asked.operations.practice == "hyperscale"


def test_stocks_are_the_smallest_that_hold(asked):
    table = spares.stocks(asked, (0.5, 0.95))
    assert (table["fill_rate"] >= table["wanted"]).all()
    for row in table.itertuples():
        assert queueing.fill_rate(row.stock - 1, row.on_order_mean) < row.wanted
        assert row.on_order_mean == pytest.approx(row.taken_per_year * row.lead_time_d / 365.25)
    tray = table[table["part"] == "compute_tray"]
    assert tray["stock"].is_monotonic_increasing and tray["waiting_mean"].is_monotonic_decreasing


def test_parts_that_come_back_sound_make_the_stock_smaller(tmp_path):
    few = spares.demand(load_tree(pod_tree() | {"operations": {}}, tmp_path)).operations
    spare = few.spares[0]
    assert spares.shop.renewal_s(few, spare) < spare.lead_time


def test_crews_are_the_fewest_that_hold(asked):
    table = spares.crews(asked, (600.0, 7200.0)).set_index(["trade", "wanted_wait_h"])
    for (trade, wanted_h), row in table.iterrows():
        assert row["wait_h"] <= wanted_h
        repairs_s, work_s = spares.work_of(asked, trade)
        if row["crews"] > 1:
            assert queueing.mean_wait_s(int(row["crews"]) - 1, repairs_s, work_s) > wanted_h * 3600.0
        assert row["utilization"] == pytest.approx(repairs_s * work_s / row["crews"])


@pytest.mark.parametrize("part", ["compute_tray", "optic", "host_board"])
def test_the_shop_holds_the_fill_rate_that_the_closed_form_says(asked, part):
    table = spares.stocks(asked, (0.9,)).set_index("part")
    row = table.loc[part]
    trial = spares.try_stock(asked, part, int(row["stock"]))
    assert abs(trial.mean - row["fill_rate"]) < 3.5 * trial.error < 0.05


def test_one_crew_fewer_waits_longer_than_one_more(asked):
    """The closed form takes work as exponential; that of the shop is lognormal and varies less, so its
    waits are shorter (Allen and Cunneen: by (1 + cv2)/2), and the sizes are on the safe side."""
    number = int(spares.crews(asked, (3600.0,)).set_index("trade").at["it", "crews"])
    waits = [spares.try_crews(asked, "it", n) for n in (number - 1, number, number + 1)]
    assert waits[0].mean > waits[1].mean > waits[2].mean
    assert waits[1].mean < 3600.0


def test_what_nothing_asks_for_cannot_be_tried(asked):
    lazy = spares.Demand(asked.operations, asked.classes, asked.rates_s * 0.0)
    with pytest.raises(ValueError, match="nothing in this fleet"):
        spares.try_stock(lazy, "optic", 3)
