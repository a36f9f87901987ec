"""Which limit a failure breaks first, what is told where none is nearer, and planned work apart."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from small import load_tree, pod_tree

from simulator.cli import contingency as command
from simulator.reports import contingency as pages
from simulator.studies import contingency
from simulator.studies import contingency_rows as rows
from simulator.studies.contingency_cases import Wanted
from simulator.studies.contingency_summary import broken, summary
from simulator.studies.contingency_watch import Limits

LIMITS = Limits(
    ("main transformers", "pod/b01", "pod/b01 chips"), ("tolerance", "tolerance", "temperature"),
    ("transformer", "block of racks", "chips"),
)  # fmt: skip
WATCH = SimpleNamespace(limits=LIMITS, pre=np.full(3, 0.5), stands_s=lambda place, loading: np.inf)


def response(most, first=(0, 0, 0)):
    most, first = np.array(most), np.array(first)
    over = first > 0
    return SimpleNamespace(
        loading_most=most, first_over=first, minutes_over=1.0 * over, over_s=60.0 * over, used=0.1 * over
    )


def told(after, intact=None, kind="electrical", hours=0.0):
    case = SimpleNamespace(kind=kind, hits=(SimpleNamespace(element="scale-out/spine 1"),))
    return rows._limits(WATCH, after, intact or response([0.5, 0.5, 0.5]), case, hours)


def test_the_first_limit_is_the_earliest_that_the_intact_site_keeps():
    after = response([1.4, 1.2, 1.1], first=(1, 3, 2))
    found = told(after, response([1.4, 0.5, 0.5], first=(1, 0, 0)))
    assert (found["first_limit"], found["first_of"], found["first_minute"]) == ("pod/b01 chips", "chips", 2)
    assert found["tightest"] == "pod/b01" and found["limit"] == "tolerance"


def test_of_limits_broken_at_once_the_one_that_is_most_so():
    found = told(response([1.1, 1.3, 1.2], first=(1, 1, 1)))
    assert found["first_limit"] == "pod/b01"


def test_where_nothing_is_loaded_more_the_nearest_is_told_as_unchanged():
    found = told(response([0.5, 0.45, 0.4]))
    assert (found["tightest"], found["limit"]) == ("main transformers", "unchanged")
    assert found["pre_loading"] == found["post_loading"] == 0.5 and "first_limit" not in found


def test_what_slows_down_through_the_network_is_limited_by_its_bandwidth():
    found = told(response([0.5, 0.5, 0.5]), kind="network", hours=3.0)
    assert found == {"tightest": "scale-out", "limit": "bandwidth"}


def test_failures_are_counted_by_what_breaks_first():
    table = pd.DataFrame({
        "first_of": ["chips", "", "chips", "line"], "first_limit": ["a chips", "", "b chips", "lines"],
        "count": [2, 9, 3, 1], "out": ["coolant unit", "x", "rack", "line"], "first_minute": [2, 0, 1, 5],
        "minutes_over": [1, 0, 9, 4], "tripped": ["a", "", "", ""], "exceeded": ["", "", "", "lines"],
        "case": ["a", "x", "b", "lines/1"], "hours_per_year": [10.0, 1.0, 1.0, 0.0],
        "hours_per_year_all": [20.0, 9.0, 3.0, 0.0],
    })  # fmt: skip
    chips, line = broken(table)
    assert chips == {
        "limit": "chips", "elements": 5, "out": ["coolant unit", "rack"], "first_minute": 1,
        "most_minutes": 9, "tripped": 2, "exceeded": 0, "dearest": "a", "dearest_limit": "a chips",
        "hours_per_year": 23.0,
    }  # fmt: skip
    assert (line["limit"], line["exceeded"]) == ("line", 1)


def test_a_row_of_many_is_told_by_what_they_are():
    one = {"case": "train-01/r0001", "stands_for": "1,400 GB300 racks of train, pretrain", "order": 1,
           "class": "accelerator, host", "out": "server", "planned": False}  # fmt: skip
    assert pages.named(one) == "one of 1,400 GB300 racks of train, pretrain (server, any of 2 causes)"
    assert pages.named(one | {"stands_for": ""}) == "train-01/r0001 (server, any of 2 causes)"


@pytest.fixture(scope="module")
def maintained(tmp_path_factory):
    """Return a study of a pod whose coolant units and trays are maintained once a year."""
    given = pod_tree()
    given["workloads"] = [w for w in given["workloads"] if w["kind"] == "batch"]
    given["period"]["duration"] = "3 h"
    given["operations"] = {
        "practice": "hyperscale", "drain": "10 min",
        "maintenance": [
            {"name": "cdu_service", "on": "coolant_unit", "every": "1 year", "lasts": "4 h", "first": "2.5 h"},
        ],
    }  # fmt: skip
    asked = contingency.Asked(1, "2 h", 60, Wanted(("pod/b01/cdu *", "lines/*")))
    found = contingency.study(load_tree(given, tmp_path_factory.mktemp("maintained")), asked, 2)
    found.told["tree"] = given
    return found


def test_planned_work_stands_behind_the_failures(maintained):
    table = maintained.table
    assert not (table["error"] != "").any()
    planned = table[table["planned"].astype(bool)]
    assert set(planned["class"]) == {"cdu_service"} and len(planned) > 0
    assert planned["rank"].min() > table.loc[~table["planned"].astype(bool), "rank"].max()
    assert planned["kind"].unique() == ["cooling"] and planned["out"].unique() == ["coolant unit"]
    assert planned["repair_s"].iloc[0] == 4 * 3600.0  # a coolant unit carries no work: nothing drains
    assert planned["rate_per_year"].iloc[0] == pytest.approx(1.0, rel=1e-3)


def test_planned_work_is_added_up_apart(maintained):
    kpis = {n: k["value"] for n, k in summary(maintained.table, maintained.told)["kpis"].items()}
    table = maintained.table
    hours = table["hours_per_year"] * table["count"]
    planned = table["planned"].astype(bool)
    assert kpis["planned_hours"] == pytest.approx(hours[planned].sum()) and kpis["planned_hours"] > 0.0
    assert kpis["expected_hours"] == pytest.approx(hours[~planned].sum())
    assert kpis["worst_single"] not in ("cdu_service", None)


@pytest.mark.parametrize(("pattern", "share", "why"), [
    ("pod/b01/cdu 1", 4.0 / 8766.0, "planned work"),
    # 0.5 a year, 0.8 of them cured by a reset in a minute, the others by a repair of 4 h in the median
    ("lines/1", 0.5 * (0.8 / 60.0 + 0.2 * 4.0 * np.exp(0.32)) / 8766.0, "failures and repairs"),
])  # fmt: skip
def test_a_year_counts_a_state_for_as_long_as_it_lasts(pattern, share, why, maintained, tmp_path):
    given = dict(maintained.told["tree"])
    if why == "failures and repairs":
        del given["operations"]  # and with it diagnosis and the wait for crews
    asked = contingency.Asked(1, "2 h", 60, Wanted(("pod/b02/cdu *", "lines/2")), (pattern,))
    found = contingency.study(load_tree(given, tmp_path), asked, 2)
    assert found.told["state_share"] == pytest.approx(share, rel=1e-6) and found.told["state_share_of"] == why
    table = found.table[1:]
    np.testing.assert_allclose(table["state_share"], share, rtol=1e-6)
    once = table["rate_per_year"] * table["hours_per_failure"]
    np.testing.assert_allclose(table["hours_per_year"], once * table["state_share"], rtol=1e-12)
    assert table["hours_per_year"].max() > 0.0
    assert maintained.told["state_share"] == 1.0


def test_what_darkens_is_told_and_not_called_kept():
    """A hall that loses its last feeder is dark, though nothing that stays in service is overloaded."""
    told = {"dark": {"site": 2, "hall": 0, "block": 1}, "broken": [], "kpis": {"elements": {"value": 9}},
            "together": 4, "dark_together": {"site": 0, "hall": 3, "block": 0}}  # fmt: skip
    assert command._dark(told) == [
        "of 9 single failures, 2 darken the whole site, 1 darken blocks of racks", "of 4 at once, 3 darken halls",
    ]  # fmt: skip
    assert "that stays in service" in command._broken(told)[0]
    told["dark"] = told["dark_together"] = {"site": 0, "hall": 0, "block": 0}
    assert command._dark(told) == [] and "that stays in service" not in command._broken(told)[0]


def test_page_and_table_call_the_nearest_limit_the_same():
    row = {"limit": rows.UNCHANGED, "tightest": "hall/pump ups", "post_loading": 0.8}
    assert command._tightest(row)[0] == pages._tight(row) == "none nearer"
    row["limit"] = "rating"
    assert command._tightest(row) == ("hall/pump ups", "80 %") and "hall/pump ups 80" in pages._tight(row)
