"""Report of a sweep: findings that follow the data, axes with and without numbers, runs that failed."""

import json

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from pypdf import PdfReader
from synthetic_sweep import PLANT, SUPPLY, UNITS, climates, supply_runs

from simulator.cli.report import report
from simulator.reports import axis_values, indicators, supply_tradeoff, sweep, sweep_axis
from simulator.reports import climates as climate_page
from simulator.studies import StudyError

AXES = (PLANT, SUPPLY)


def of(runs, axes=AXES):
    return sweep.Sweep("warm", axes, runs, UNITS, "abc", "1234")


@pytest.fixture(scope="module")
def runs():
    return supply_runs()


@pytest.mark.parametrize(
    ("values", "order", "unit"),
    [
        (["30 degC", "20 degC"], ["20 degC", "30 degC"], "°C"),
        ([0, "10 %", "5 %"], [0, "5 %", "10 %"], "%"),
        ([4, 2.5], [2.5, 4], ""),
        (["tower", "air_chiller"], ["tower", "air_chiller"], ""),
        (["1 h", "30 min"], ["1 h", "30 min"], ""),
        ([True, False], [True, False], ""),
    ],
)
def test_values_of_an_axis_are_numbers_where_they_have_one_unit(values, order, unit):
    axis = axis_values.read("topology.cooling.supply", pd.Series(values, dtype=object))
    assert list(axis.order) == order and axis.unit == unit
    assert axis.words == "cooling supply"


def test_a_page_for_each_axis_that_varies(runs):
    names = [page.name for page in sweep.pages(of(runs))]
    assert names == ["sweep", "axis-topology-cooling-warm-kind", "supply-tradeoff"]
    one = runs[runs[PLANT] == "towers"]
    assert [page.name for page in sweep.pages(of(one))] == ["sweep", "supply-tradeoff"]


def test_the_best_supply_is_that_of_the_least_import_without_throttling(runs):
    title = sweep.pages(of(runs))[2].title
    assert "Import is least at 35\u00a0°C behind towers" in title and "no chip throttles up to 35" in title
    free = sweep.pages(of(supply_runs(slope_k=0.5)))[2].title
    assert "Import is least at 40\u00a0°C behind towers" in free and "even at 45" in free
    hot = sweep.pages(of(supply_runs(slope_k=4.0)))[2].title
    assert hot.startswith("Chips throttle at every supply temperature, least at 20")


def test_import_of_racks_that_do_other_work_is_not_compared(runs):
    """A fifth more racks import a fifth more: each line has its own least import."""
    key = "topology.oversubscription"
    runs = runs.rename(columns={PLANT: key}).replace({key: {"towers": "0 %", "chillers": "20 %"}})
    more = runs[key] == "20 %"
    runs.loc[more, ["energy.poi", "energy.it"]] *= 1.2
    axes = [axis_values.read(name, runs[name]) for name in (SUPPLY, key)]
    page = supply_tradeoff.page(runs, *axes)
    assert page.title.startswith("Import is least at 35\u00a0°C with each oversubscription, with 4.50")
    assert page.figures[1].data.groupby("line")["above_pct"].min().tolist() == [0.0, 0.0]
    warm = runs[SUPPLY].str.startswith(("25", "30", "35"))
    runs.loc[more & warm, "energy.poi"] += 500.0
    told = supply_tradeoff.page(runs, *axes).title.replace("\u00a0", " ")
    assert "at 35 °C with oversubscription at 0 % and at 20 °C with oversubscription at 20 %" in told


def test_what_water_takes_lies_inside_its_panel(runs):
    axis = axis_values.read(SUPPLY, runs[SUPPLY])
    fig = supply_tradeoff.panels(runs.assign(**{"cooling.wue": 0.257}), axis, None).fig
    low, high = fig.axes[1].get_ylim()
    assert low == 0.0 and high > 1.05 * 0.257


@pytest.mark.parametrize(
    ("best", "told"), [("towers", "behind towers"), ("chillers", "behind chillers")], ids=["throttling", "cool"]
)
def test_how_far_no_chip_throttles_is_told_of_the_best_plant_alone(runs, best, told):
    """Behind towers chips throttle from 40 degC, behind chillers nowhere."""
    cool = runs.assign(**{"thermal.throttle_margin_min": 5.0, "thermal.throttled_accelerator_hours": 0.0})
    hot = (cool[PLANT] == "towers") & (cool[SUPPLY].isin(["40 degC", "45 degC"]))
    cool.loc[hot, ["thermal.throttle_margin_min", "thermal.throttled_accelerator_hours"]] = -1.0, 9.0
    cool.loc[cool[PLANT] != best, "energy.poi"] += 500.0
    title = sweep.pages(of(cool))[2].title
    reach = "up to 35" if best == "towers" else "even at 45"
    assert told in title and f"no chip throttles {reach}" in title


def test_energy_is_told_against_the_coldest(runs):
    axis = axis_values.read(SUPPLY, runs[SUPPLY])
    table = supply_tradeoff.means(runs, axis, None)
    assert table.loc[0, "saving_pct"] == 0.0 and table["supply_c"].is_monotonic_increasing
    assert table.loc[4, "saving_pct"] == pytest.approx(100 * (1016.0 / 1096.0 - 1), rel=1e-12)


def test_bands_are_over_replicates_alone(runs):
    axis = axis_values.read(SUPPLY, runs[SUPPLY])
    data = sweep_axis.spread(runs, axis, "thermal.throttle_margin_min")
    assert (data["high"] - data["low"]).to_numpy() == pytest.approx(0.8)
    assert data["mean"].tolist() == pytest.approx([40 - t - 0.5 for t in (20, 25, 30, 35, 40, 45)])
    one = sweep_axis.spread(runs[runs["replicate"] == 0], axis, "energy.poi")
    assert (one["high"] == one["low"]).all()


def test_findings_say_up_down_or_where_it_is_least(runs):
    axis = axis_values.read(SUPPLY, runs[SUPPLY])
    told = sweep_axis.finding(runs, axis, "energy.cooling", "MWh")
    assert told == "Cooling energy falls from 180 MWh at 20\u00a0°C to 155 MWh at 45\u00a0°C"
    assert "is least with 40" in sweep_axis.finding(runs, axis, "energy.poi", "MWh")
    plant = axis_values.read(PLANT, runs[PLANT])
    assert "least with towers" in sweep_axis.finding(runs, plant, "energy.poi", "MWh")


def test_indicators_that_do_not_move_are_not_shown(runs):
    shown = indicators.chosen(runs, list(UNITS), [SUPPLY])
    assert "fleet.utilization" not in shown and shown[0] == "power.pue_mean"
    assert indicators.chosen(runs.assign(**{"power.pue_mean": 1.1}), list(UNITS), [SUPPLY])[0] == "cooling.wue"


def test_oversubscription_is_told_by_what_it_risks(runs):
    risks = {"power.overload_probability": runs["design"] / 100, "power.capped_minutes": 5.0 * runs["design"]}
    more = runs.assign(**risks)
    known = ["power.pue_mean", "power.capped_minutes", "power.overload_probability"]
    chosen = indicators.chosen(more, known, ["topology.oversubscription"])
    assert chosen == ["power.overload_probability", "power.capped_minutes", "power.pue_mean"]


def test_failed_and_open_runs_are_told(runs):
    broken = runs.copy()
    broken.loc[0, ["status", "error"]] = "failed", "ValueError: too hot"
    page = sweep.pages(of(broken))[0]
    assert "35 done, 1 failed" in page.text[0] and "too hot" in page.text[1]
    empty = runs.assign(status="pending")
    (only,) = sweep.pages(of(empty))
    assert "no run has finished yet" in only.title


def test_the_command_draws_a_sweep_from_its_folder(runs, tmp_path, capsys):
    with pytest.raises(StudyError, match="is not a run folder"):
        report(tmp_path, None, "full")
    design = {"name": "warm", "axes": {a: [] for a in AXES}, "identity": "ab" * 32, "version": "cd" * 32}
    (tmp_path / "sweep.json").write_text(json.dumps(design))
    with pytest.raises(StudyError, match=r"no runs\.parquet yet"):
        report(tmp_path, None, "full")
    runs.to_parquet(tmp_path / "runs.parquet")
    listed = "".join(f"{name},{unit}\n" for name, unit in UNITS.items())
    (tmp_path / "kpis.csv").write_text("kpi,unit\n" + listed)
    report(tmp_path, None, "full")
    reader = PdfReader(tmp_path / "report.pdf")
    assert len(reader.pages) == 3
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert (tmp_path / "figures" / "supply-tradeoff.png").is_file()
    first = (tmp_path / "report.pdf").read_bytes()
    report(tmp_path, tmp_path / "again.pdf", "full")
    assert (tmp_path / "again.pdf").read_bytes() == first
    report(tmp_path, tmp_path / "short.pdf", "exec")
    assert len(PdfReader(tmp_path / "short.pdf").pages) == 1
    assert "report.pdf" in capsys.readouterr().out


def test_a_plant_keeps_its_colour_from_figure_to_figure():
    runs = supply_runs()
    runs[PLANT] = runs[PLANT].replace({"towers": "a_tower"})  # first by name, not first in the sweep
    supply, plant = (axis_values.read(key, runs[key]) for key in (SUPPLY, PLANT))
    page = supply_tradeoff.page(runs, supply, plant)
    colors = [
        {line.get_label(): line.get_color() for line in page.figures[0].fig.axes[0].get_lines()},
        {dots.get_label(): to_hex(dots.get_facecolor()[0]) for dots in page.figures[1].fig.axes[0].collections},
    ]
    assert "a tower" in colors[1] and all(colors[0][name].lower() == color for name, color in colors[1].items())


def test_climates_are_ordered_by_what_they_carry():
    table, hours = climates()
    page = climate_page.page(table, hours)
    assert "95.0\u00a0MW of racks run in 95 % of hours in helsinki (dry)" in page.title.lower().replace("mw", "MW")
    assert "150 m³ in phoenix (towers)" in page.title
    assert page.tables[0].frame["Climate"].tolist()[-1] == "phoenix"
    dry = climate_page.page(table.assign(water_peak_day_m3=0.0), hours)
    assert dry.title.endswith("no water is taken")
    alike = climate_page.page(table.assign(usable_mw_p05=90.0), hours)
    assert "alike" in alike.title
    older = climate_page.page(table.drop(columns="worst_chip_throttles_h"), hours)
    assert "Worst chip, h" in page.tables[0].frame and "Worst chip, h" not in older.tables[0].frame


def test_runs_of_climates_have_a_page_beside_the_closed_form():
    table, hours = climates()
    assert len(climate_page.pages(table, hours)) == 1
    ran = table.assign(
        engine_usable_mw_p05=table["usable_mw_p05"] * 0.98, engine_pue=table["pue"] + 0.01, engine_it_mw=70.0,
        engine_wue_l_kwh=1.0, engine_water_peak_day_m3=140.0, engine_margin_min_k=1.0,
        engine_throttled_h=[0.0, 250.0, 0.0, 0.0],
    )  # fmt: skip
    page = climate_page.pages(ran, hours)[1]
    assert "heat takes 250 accelerator-hours in phoenix (dry)" in page.title.lower() and "2.0 %" in page.title
    assert "1.160 (1.150)" in page.tables[0].frame["PUE"].tolist()
    calm = climate_page.run_page(ran.assign(engine_throttled_h=0.0))
    assert calm.title.startswith("Heat throttles no chip")
    failed = ran.assign(engine_pue=float("nan"))
    assert len(climate_page.pages(failed, hours)) == 1


def test_the_command_draws_climates_from_their_folder(tmp_path):
    table, hours = climates()
    (tmp_path / "climates.json").write_text("{}")
    table.to_parquet(tmp_path / "climates.parquet")
    hours.to_parquet(tmp_path / "climate_hours.parquet")
    report(tmp_path, None, "full")
    assert len(PdfReader(tmp_path / "report.pdf").pages) == 1
