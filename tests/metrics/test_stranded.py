"""Every installed watt is put down to one cause; unlocks are priced; overloads are told by level."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.metrics import headroom, limits, stranded, unlocks

POWER = st.floats(0.0, 50e6)


def test_the_parts_of_every_element_add_up_to_what_is_installed(week):
    parts = stranded.partition(week, by="element")
    whole = parts.groupby(["level", "element"])["power_w"].sum()
    built = week.tables["limits"].set_index(["level", "element"])["rating_w"]
    for key, total_w in whole.drop("poi").items():
        table = week.tables["places"].set_index("block")["built_w"]
        wanted_w = table[key[1]] if key[0] == "block" else built[key]
        assert total_w == pytest.approx(wanted_w, rel=1e-12)
    assert whole["poi", "poi"] == pytest.approx(1306e6, rel=1e-12)
    assert (parts["power_w"] >= 0.0).all()


BLOCKS = st.lists(st.tuples(*[POWER] * 5, st.floats(40e3, 2e6)), min_size=1, max_size=5)


@settings(max_examples=20, deadline=None)
@given(rows=BLOCKS, cooled_w=POWER, joined_w=POWER)
def test_blocks_add_up_whatever_they_are(week, rows, cooled_w, joined_w):
    """Breakers, redundancy, limit, peak and nameplate of any size and in any order."""
    places = pd.DataFrame([
        (f"b{i}", "h", "gb300-01 feeders", a + b + limit_w, b + limit_w, limit_w,
         min(peak_w, limit_w), named_w, 0.9 * named_w, rack_w, cooled_w, joined_w)
        for i, (a, b, limit_w, peak_w, named_w, rack_w) in enumerate(rows)
    ], columns=week.tables["places"].columns)  # fmt: skip
    results = dataclasses.replace(week, tables=week.tables | {"places": places})
    parts = stranded.partition(results, by="element")
    blocks = parts[parts["level"] == "block"].groupby("element", sort=False)["power_w"].sum()
    np.testing.assert_allclose(blocks, places["built_w"], rtol=1e-9, atol=1e-6)


def test_a_block_by_hand(week):
    """10 MW built, 8 at the breakers, 7.5 after redundancy; 5 MW of racks that work at 4.5 and drew
    4: one more rack of 1 MW of the two that fit can be cooled, half a rack is left."""
    place = ("b", "h", "gb300-01 feeders", 10e6, 8e6, 7.5e6, 4e6, 5e6, 4.5e6, 1e6, 1e6, 9e6)
    places = pd.DataFrame([place], columns=week.tables["places"].columns)
    site = week.timeseries["site"].assign(capped_accelerators=0.0)
    results = dataclasses.replace(
        week, tables=week.tables | {"places": places}, timeseries=week.timeseries | {"site": site})
    parts = stranded.partition(results)
    of = parts[parts["level"] == "block"].set_index("cause")["power_w"] / 1e6
    wanted = {
        "used": 4.0, "redundancy": 0.5, "breaker": 2.0, "contract": 0.0, "headroom": 1.0,
        "policy": 0.5, "granularity": 0.5, "cooling": 1.0, "network": 0.0, "schedule": 0.5,
        "unbuilt": 0.0,
    }  # fmt: skip
    assert of.to_dict() == pytest.approx(wanted)


def test_stranded_power_is_the_firm_import_that_no_rack_can_use(week):
    room_w = float(headroom.headroom(week)["firm_headroom_w"].iloc[0])
    poi = stranded.partition(week).query("level == 'poi'").set_index("cause")["power_w"]
    told_w = float(headroom.stranded(week)["power_w"].sum())
    assert told_w == pytest.approx(room_w - poi["headroom"], rel=1e-9)


def test_unlocks_are_sorted_by_price_and_ranges_hold_the_value(week):
    table = unlocks.unlocks(week)
    assert table["usd_mw"].is_monotonic_increasing
    assert (table["low_usd_mw"] <= table["usd_mw"]).all()
    assert (table["usd_mw"] <= table["high_usd_mw"]).all()
    breaker = table.set_index("cause").loc["breaker"]
    assert breaker["usd_mw"] == pytest.approx(300e3 * 1.3 / 0.26)


def test_lost_hours_are_shared_by_what_was_held_for_each(week):
    table = limits.limits(week, by="element")
    hours = week.tables["hours"]
    lost_h = hours.loc[hours["category"] == "lost_power_cap", "accelerator_hours"].sum()
    assert table["lost_h"].sum() == pytest.approx(lost_h)
    levels = limits.limits(week).set_index("level")
    assert levels.at["block", "overload_share"] == pytest.approx(600.0 / week.info["duration_s"])


def test_the_connection_is_what_equipment_carries_at_its_power_factor(week):
    """Banks that carry more at their own voltage and power factor leave nothing above a contract that is none."""
    limits_table = week.tables["limits"].copy()
    banks = limits_table["level"].astype(str).isin(stranded.SUPPLY)
    columns = ["rating_w", "limit_w", "firm_w"]
    limits_table.loc[banks, columns] *= 1.02
    results = dataclasses.replace(week, tables=week.tables | {"limits": limits_table})
    found = stranded.at_poi(results)
    assert found["contract"] == 0.0
    assert sum(found.values()) == pytest.approx(week.info["connection_w"], rel=1e-12)
    contract = dataclasses.replace(week, info=week.info | {"firm_w": 900e6})
    assert stranded.at_poi(contract)["contract"] == pytest.approx(80e6, rel=1e-12)
