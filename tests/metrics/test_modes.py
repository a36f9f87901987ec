"""Hours by mode of heat rejection."""

import dataclasses

import pytest

from simulator.metrics.kpis import kpis
from simulator.metrics.modes import modes


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
