"""Hours by mode of heat rejection."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from simulator.metrics import derating
from simulator.metrics.kpis import kpis
from simulator.metrics.modes import modes
from simulator.results import NO_REJECTION


def with_loops(week, **columns):
    """Return the week with hours of the loops overwritten."""
    loops = week.timeseries["loop"].assign(**columns)
    return dataclasses.replace(week, timeseries=week.timeseries | {"loop": loops})


def test_every_hour_has_one_mode(week):
    table = modes(week).set_index("kind")
    assert set(table.index) == {"warm", "chilled"}
    assert table.sum(axis=1).tolist() == pytest.approx([9 * 24] * 2)
    assert table.loc["warm", "free_h"] == 9 * 24
    told = kpis(week).set_index("kpi")["value"]
    assert [told[f"cooling.chilled.{m}_hours"] for m in ("free", "partial", "mechanical")] == pytest.approx(
        table.loc["chilled", ["free_h", "partial_h", "mechanical_h"]].tolist())
    days = modes(week, every="D")
    assert days.groupby("kind").size().eq(9).all()
    assert days[["free_h", "partial_h", "mechanical_h"]].sum(axis=1).to_numpy() == pytest.approx(24.0)


@pytest.mark.parametrize(("share", "mode"), [(0.0, "free"), (0.5, "partial"), (1.0, "mechanical")])
def test_the_share_of_compressors_is_the_mode(week, share, mode):
    told = kpis(with_loops(week, mechanical_frac=share)).set_index("kpi")["value"]
    assert told[f"cooling.chilled.{mode}_hours"] == 9 * 24


def test_loops_without_heat_have_no_mode(week):
    loops = week.timeseries["loop"]
    still = with_loops(week, heat_w=loops["heat_w"].where(loops["element"] == "warm liquid", 0.0))
    assert modes(still)["kind"].tolist() == ["warm"]
    assert modes(still, by="element")["element"].tolist() == ["warm liquid"]


def test_a_run_of_an_older_version_has_no_modes(week):
    loops = week.timeseries["loop"].drop(columns="mechanical_frac")
    older = dataclasses.replace(week, timeseries=week.timeseries | {"loop": loops})
    assert modes(older).empty
    assert not any(name.endswith("_hours") and name.startswith("cooling.") for name in kpis(older)["kpi"])


def drought(week, hours, of):
    """Return the week with a drought from its second hour on, in which these loops reject nothing."""
    start = week.timeseries["loop"]["time"].iloc[0] + pd.Timedelta(hours=1)
    event = pd.DataFrame({"time": [start], "kind": "drought", "element": "site", "cause": "water",
                          "duration_s": hours * 3600.0, "detail": f"{NO_REJECTION} {of}"})  # fmt: skip
    return dataclasses.replace(week, events=pd.concat([week.events, event], ignore_index=True))


def test_hours_without_water_are_not_free(week):
    before, told = (kpis(r).set_index("kpi")["value"] for r in (week, drought(week, 5, "warm")))
    assert told["cooling.warm.dry_hours"] == 5.0 and told["cooling.chilled.dry_hours"] == 0.0
    assert told["cooling.warm.free_hours"] == 9 * 24 - 5 and "cooling.warm.dry_hours" not in before
    table = modes(drought(week, 5, "warm, chilled")).set_index("kind")
    assert table["dry_h"].tolist() == [5.0, 5.0]
    assert table.sum(axis=1).tolist() == pytest.approx([9 * 24] * 2)


def test_plants_that_work_dry_carry_on(week):
    works = drought(week, 5, "")
    assert modes(works).equals(modes(week))
    assert kpis(works).set_index("kpi")["value"]["cooling.usable_it_min"] > 0.0


def test_halls_whose_plants_have_water_work_on(week):
    """Two halls, one of chips in air without heat in its warm loop: it works while the warm plants stand."""
    loops = week.timeseries["loop"]
    wet, air = (loops.assign(element=loops["element"].map(lambda name, h=h: f"{h}/{str(name).split()[0]}"))
                for h in "ab")  # fmt: skip
    air["heat_w"] = air["heat_w"].where(air["element"] == "b/chilled", 0.0)
    plant = pd.DataFrame([{"level": "loop", "element": f"{h}/{kind}", "kind": kind}
                          for h in "ab" for kind in ("warm", "chilled")])  # fmt: skip
    both = dataclasses.replace(week, timeseries=week.timeseries | {"loop": pd.concat([wet, air])},
                               tables=week.tables | {"plant": plant})  # fmt: skip
    most_w = pd.concat([wet, air]).groupby("element")["heat_w"].max()
    before, found = (derating.derating(r) for r in (both, drought(both, 5, "warm")))
    share = most_w["b/chilled"] / most_w.sum()
    assert 0.0 < share < 1.0 and not found["dry"].any()
    ratio = (found["usable_it_w"] / before["usable_it_w"]).to_numpy()
    assert ratio[1:6] == pytest.approx(share) and np.all(np.delete(ratio, range(1, 6)) == 1.0)
    assert derating.derating(drought(both, 5, "chilled"))["dry"].sum() == 5


def test_nothing_is_carried_without_water(week):
    told = kpis(drought(week, 5, "warm")).set_index("kpi")["value"]
    before = kpis(week).set_index("kpi")["value"]
    assert told["cooling.usable_it_min"] == 0.0
    assert 0.0 < told["cooling.usable_it_p5"] < before["cooling.usable_it_p5"]  # 5 of 216 h: below 5 %
    assert kpis(drought(week, 20, "warm")).set_index("kpi")["value"]["cooling.usable_it_p5"] == 0.0
    assert told["power.pue_peak"] == before["power.pue_peak"]
