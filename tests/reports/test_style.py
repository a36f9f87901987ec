"""Numbers in words, and labels that do not touch."""

import itertools
import math

import numpy as np
import pytest

from simulator.reports import wording
from simulator.reports.sankey import Flow, Node, draw
from simulator.reports.style import bands, canvas, spread


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234.5, "1,234"), (0.12345, "0.123"), (99.96, "100.0"), (-3.14159, "−3.14")],
)
def test_number(value, text):
    assert wording.number(value) == text


def test_number_of_nothing():
    assert wording.number(None) == wording.number(math.nan) == wording.MISSING


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.99996, "99.9 %"), (1.0, "100.0 %"), (1.0 - 1e-12, "100.0 %"), (0.5, "50.0 %")],
)
def test_percent_never_claims_all_of_what_is_not(value, text):
    assert wording.percent(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "12.3 ms"), (75.0, "75.0 s"), (600.0, "10.0 min"), (7200.0, "2.00 h"),
     (86400.0 * 3, "3.00 days")],
)  # fmt: skip
def test_seconds(value, text):
    assert wording.seconds(value).replace("\u00a0", " ") == text


def test_power_and_counts():
    assert wording.power(888.4e6).replace("\u00a0", " ") == "888 MW"
    assert wording.power(12.34e3).replace("\u00a0", " ") == "12.3 kW"
    assert wording.large(2.5e12).replace("\u00a0", " ") == "2.50 trillion"


def test_labels_are_pushed_apart_and_stay_inside():
    places = spread([5.0, 5.0, 5.1, 9.9], 1.0, 0.0, 10.0)
    ordered = np.sort(places)
    assert (np.diff(ordered) >= 1.0 - 1e-9).all()
    assert ordered[-1] <= 10.0


def test_bands_hold_the_mean_between_extremes(week):
    site = week.timeseries["site"].set_index("time")["poi_w"]
    data = bands(site, "D")
    assert (data["min"] <= data["mean"]).all()
    assert (data["mean"] <= data["max"]).all()


def test_labels_of_a_flow_diagram_do_not_touch():
    fig, ax = canvas(height_in=4.0)
    names = [f"end {i}" for i in range(8)]
    nodes = [Node("in", 0, 8.0, "in", "#000000")]
    nodes += [Node(n, 1, 1.0 if n != "end 3" else 0.01, n, "#000000") for n in names]
    draw(ax, nodes, [Flow("in", n, 1.0) for n in names])
    fig.draw_without_rendering()
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text() in names]
    tops = sorted((b.y0, b.y1) for b in boxes)
    assert all(above[0] >= below[1] - 1.0 for below, above in itertools.pairwise(tops))


@pytest.mark.parametrize(("value", "text"), [(72.0, "72"), (4525.0, "4,525"), (72.5, "72.5"), (0.0, "0")])
def test_a_count_is_whole_where_it_is_and_a_mean_of_counts_need_not_be(value, text):
    assert wording.mean_count(value) == text
