"""Pages, one by one: a finding with numbers as title, figures with words and data, 9 points."""

import dataclasses

import pandas as pd
import pytest
from matplotlib.text import Text

from simulator.metrics import thermal
from simulator.reports import (
    decision,
    document,
    energy_flow,
    headroom,
    power_envelope,
    serving,
    wording,
)
from simulator.reports.run import Run
from simulator.studies.run import scaled

NAMES = [make.__module__.rsplit(".", 1)[-1] for make in document.PAGES["full"]]


@pytest.fixture(scope="module")
def run(week):
    return Run(scaled([week]))


@pytest.fixture(scope="module")
def pages(run):
    return dict(zip(NAMES, document.pages(run), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_title_is_a_finding(pages, name):
    title = pages[name].title
    assert any(c.isdigit() for c in title)
    assert len(title.split()) >= 8
    assert len(title) < 160


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_words_data_and_legible_text(pages, name):
    page = pages[name]
    assert page.figures or name == "back_matter"
    for spec in page.figures:
        assert spec.alt.endswith(".")
        assert any(c.isdigit() for c in spec.alt)
        assert len(spec.data)
        assert len(spec.data) < 20_000
        sizes = [t.get_fontsize() for t in spec.fig.findobj(Text) if t.get_text().strip()]
        assert min(sizes) >= 9


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_ready_text(pages, name):
    for table in pages[name].tables:
        text = table.frame.astype(str).to_numpy().ravel().tolist()
        assert not {"nan", "None", "inf"} & set(text)


def test_names_of_figures_are_unique(pages):
    names = [spec.name for page in pages.values() for spec in page.figures]
    assert len(names) == len(set(names))


def test_waterfall_steps_connect(run):
    data = power_envelope.waterfall(run).data
    ends = data["from_w"] + data["power_w"]
    moves = data["kind"] != "total"
    for i in data.index[moves]:
        assert data.at[i, "from_w"] == pytest.approx(ends[i - 1])
    peak = data.set_index("step").at["Peak import", "power_w"]
    assert peak == pytest.approx(run.first.timeseries["site"]["poi_w"].max())


def test_flow_that_enters_a_node_leaves_it(run):
    data = energy_flow.grid_to_chip(run).data
    into = data.groupby("to")["mean_w"].sum()
    out = data.groupby("from")["mean_w"].sum()
    for node in ("Campus", "Racks", "Losses"):
        assert into[node] == pytest.approx(out[node], rel=3e-4)


def test_typical_weather_forbids_a_peak_claim(run, week):
    assert "does not support a peak-MW claim" in decision.page(run).closing[0].text
    actual = dataclasses.replace(week, info=week.info | {"weather_typical": False})
    assert "peak-MW claim" not in decision.page(Run([actual])).closing[0].text


def test_an_open_balance_is_said_on_the_first_page(week):
    energy = week.tables["energy"].copy()
    energy.loc[energy["element"] == "it", "energy_j"] *= 0.999
    broken = dataclasses.replace(week, tables=week.tables | {"energy": energy})
    assert "do not use these numbers" in decision.page(Run([broken])).closing[0].text


def test_a_peak_above_firm_import_is_the_finding(week):
    tight = dataclasses.replace(week, info=week.info | {"firm_w": 800e6})
    assert "above the firm" in decision.page(Run([tight])).title
    assert power_envelope.waterfall(Run([tight])).data["step"].str.contains("Above firm").any()


def test_the_decision_tells_how_near_chips_come_to_slowing(run):
    """The least margin of any hall and hour, and the side of the limit on which it lies."""
    (row,) = [r for r in decision.page(run).tables[0].frame.itertuples() if r.Where == "Heat"]
    least_k = min(float(thermal.margins(results)["margin_k"].min()) for results in run.results)
    assert f"{wording.number(least_k)} K below where they begin to slow" in row[3] and least_k > 0.0


def test_headroom_lists_each_level_once(pages):
    levels = pages["headroom"].tables[0].frame["Level"]
    assert levels.is_unique
    assert {"Feeders", "Blocks", "Main transformers"} <= set(levels)
    assert headroom.SHOWN >= 10


def test_headroom_tells_the_substation_that_went_highest(week):
    """A node below the feeders at 169 % of its rating is what comes closest, and is drawn."""
    feeder = week.tables["limits"].query("level == 'feeder'").iloc[:1]
    over = feeder.assign(element="l06/substation", level="substation",
                         peak_w=1.689 * feeder["firm_w"])  # fmt: skip
    limits = pd.concat([week.tables["limits"], over], ignore_index=True)
    run = Run([dataclasses.replace(week, tables=week.tables | {"limits": limits})])
    page, name = headroom.page(run), "l06/substation"
    assert f"{name} comes closest, at 169" in page.title
    table = page.tables[0].frame.set_index("Level")
    assert table.at["Unit substations", "Element"] == name
    drawn = page.figures[0].data
    assert drawn.loc[drawn["element"] == name, "firm_loading_frac"].item() == pytest.approx(1.689)


def test_stranded_power_says_that_lines_do_not_add_up(pages):
    text = pages["stranded_power"].closing[0].text
    assert "do not add up" in text and "no work" not in text


def test_a_request_of_a_router_counts_once_on_the_page_of_serving(week):
    run = Run(scaled([week]))
    pools, streams = run.first.tables["pools"], run.first.tables["streams"]
    routed = pools["pool"].astype(str).isin(set(streams["pool"].astype(str)))
    requests, unserved = serving.asked(run)
    classes = run.first.tables["classes"]
    assert streams["arrived"].sum() > classes["arrived"].sum()
    assert requests == pytest.approx(
        classes["arrived"].sum() + pools.loc[~routed, "requests"].sum())
    assert unserved == pytest.approx(pools.loc[~routed, ["shed", "queued_end"]].to_numpy().sum())


def test_a_pool_without_arrivals_has_no_share_of_them(week):
    pools = week.tables["pools"].copy()
    pools.loc[0, ["requests", "within_slo"]] = 0.0
    spare = dataclasses.replace(week, tables=week.tables | {"pools": pools})
    run = Run(scaled([spare]))
    names = pools["pool"].astype(str).tolist()
    assert run.value(f"inference.{names[0]}.slo_attainment") is None
    assert set(serving.attained(run, names)) == set(names[1:])
