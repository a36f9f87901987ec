"""What is usable, shed and built, counted by hand."""

import dataclasses

import pandas as pd
import pytest

from simulator.metrics import equipment

MW = 1e6


def told(week, blocks_mw, firm_mw, it_mw=(80.0, 80.0), sheds=0):
    """Return the indicators of two hours at `it_mw`, with half as much again for all other uses."""
    site = week.timeseries["site"].iloc[:120].copy()
    it_w = pd.Series([w * MW for w in it_mw for _ in range(60)], index=site.index)
    site = site.assign(it_w=it_w, cooling_w=0.3 * it_w, house_w=0.15 * it_w, losses_w=0.05 * it_w)
    kinds = ["shed"] * sheds + ["cap", "trip", "dark"]
    places = pd.DataFrame({"limit_w": [w * MW for w in blocks_mw]})
    lots = pd.DataFrame({
        "kind": ["unit substation", "UPS module", "unit substation"], "hall": ["a", "a", "b"],
        "count": [12, 5, 4],
    })  # fmt: skip
    results = dataclasses.replace(
        week, info=week.info | {"firm_w": firm_mw * MW}, events=pd.DataFrame({"kind": kinds}),
        timeseries=week.timeseries | {"site": site},
        tables=week.tables | {"places": places, "equipment": lots},
    )  # fmt: skip
    return {kpi.name: kpi for kpi in equipment.kpis(results)}


def test_pieces_and_sheds_are_counted(week):
    found = {name: kpi.value for name, kpi in told(week, (50.0,), 150.0, sheds=3).items()}
    assert found.pop("power.usable") == pytest.approx(50.0)
    assert found == {
        "power.shed_events": 3.0, "power.dark_events": 1.0,
        "equipment.unit_substation": 16.0, "equipment.ups_module": 5.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("firm_mw", "wanted_mw", "binding"), [(165.0, 100.0, "blocks"), (135.0, 90.0, "firm import")]
)
def test_the_lesser_of_blocks_and_import_is_usable(week, firm_mw, wanted_mw, binding):
    """Blocks carry 60 and 40 MW; of 1.5 MW used 1 goes into racks, so that 150 MW of import carry them."""
    usable = told(week, (60.0, 40.0), firm_mw)["power.usable"]
    assert usable.value == pytest.approx(wanted_mw)
    assert usable.definition.endswith(f"What binds here: {binding}.")


def test_hours_without_work_do_not_count_and_a_dark_run_leaves_the_blocks(week):
    assert told(week, (100.0,), 135.0, (80.0, 0.0))["power.usable"].value == pytest.approx(90.0)
    assert told(week, (100.0,), 135.0, (0.0, 0.0))["power.usable"].value == pytest.approx(100.0)


def test_a_folder_that_does_not_tell_has_none(week):
    kept = {name: table for name, table in week.tables.items() if name != "equipment"}
    assert equipment.kpis(dataclasses.replace(week, tables=kept)) == []
