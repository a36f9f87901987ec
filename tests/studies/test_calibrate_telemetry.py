"""Telemetry: what is read, averaged and split, and every way in which a file is refused."""

import numpy as np
import pandas as pd
import pytest

from simulator.studies import StudyError
from simulator.studies.calibrate import telemetry
from simulator.studies.calibrate.spec import CalibrationSpec

MINUTES = 240
TREE = {
    "scenario": "pod.yaml",
    "model": {"kind": "rack_power", "rack": "GB300-NVL72"},
    "parameters": {"topology.oversubscription": {"bounds": [0, 1]}},
    "interval": "10 min",
    "telemetry": [
        {
            "file": "meter.csv",
            "time": {"column": "at"},
            "columns": {
                "power": {"column": "kw", "unit": "kW"},
                "utilization": {"column": "busy", "unit": "%"},
            },
        }
    ],
}


def frame(rows=MINUTES, start="2027-03-01"):
    at = pd.date_range(start, periods=rows, freq="min", tz="UTC")
    busy = 50.0 + 40.0 * np.sin(np.arange(rows) / 40.0)
    return pd.DataFrame({"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "kw": 60.0 + busy, "busy": busy})


def spec_of(**changed):
    told = {**TREE["telemetry"][0], **changed.pop("telemetry", {})}
    return CalibrationSpec.model_validate({**TREE, **changed, "telemetry": [told]})


def read(folder, table, **changed):
    table.to_csv(folder / "meter.csv", index=False)
    return telemetry.read(spec_of(**changed), folder)


def test_readings_become_means_in_si(tmp_path):
    found = read(tmp_path, frame())
    inputs = found.inputs
    assert len(inputs.time_s) == MINUTES // 10 and inputs.interval_s == 600.0
    assert np.diff(inputs.time_s) == pytest.approx(600.0)
    assert inputs.values["power"] == pytest.approx(1000.0 * (60.0 + 100.0 * inputs.values["utilization"]))
    assert inputs.values["utilization"].max() < 1.0
    assert list(inputs.first).count(True) == 1
    assert found.fitted.sum() == 12 and found.fitted[:12].all()


def test_times_may_be_numbers_or_local_or_from_a_date(tmp_path):
    expected = read(tmp_path, frame()).inputs.time_s
    seconds = pd.date_range("2027-03-01", periods=MINUTES, freq="min", tz="UTC").as_unit("ns").astype("int64") // 10**9
    for unit, times, more in (
        ("s", seconds, {}), ("ms", seconds * 1000, {}),
        ("s", seconds - seconds[0], {"since": "2027-02-28T19:00:00-05:00"}),
    ):  # fmt: skip
        told = {"time": {"column": "at", "unit": unit, **more}}
        assert read(tmp_path, frame().assign(at=times), telemetry=told).inputs.time_s == pytest.approx(expected)
    local = pd.date_range("2027-02-28T19:00", periods=MINUTES, freq="min").strftime("%Y-%m-%d %H:%M")
    told = {"time": {"column": "at", "zone": "America/New_York"}}
    assert read(tmp_path, frame().assign(at=local), telemetry=told).inputs.time_s == pytest.approx(expected)
    with pytest.raises(StudyError, match="at has no time zone: say `zone`"):
        read(tmp_path, frame().assign(at=local))
    with pytest.raises(StudyError, match="no time zone 'Mars/Olympus'"):
        read(tmp_path, frame().assign(at=local), telemetry={"time": {"column": "at", "zone": "Mars/Olympus"}})


def test_sensors_are_averaged_or_summed_and_the_silent_left_out(tmp_path):
    two = pd.concat([frame().assign(node=n, kw=frame()["kw"] + n) for n in (0, 10)])
    told = {"each": "node"}
    assert read(tmp_path, two, telemetry=told).inputs.values["power"] == pytest.approx(
        read(tmp_path, frame().assign(kw=frame()["kw"] + 5.0)).inputs.values["power"]
    )
    summed = read(tmp_path, two, telemetry={**told, "combine": "sum"}).inputs.values["power"]
    assert summed == pytest.approx(2.0 * read(tmp_path, two, telemetry=told).inputs.values["power"])
    silent = two[~((two["node"] == 10) & (two.index >= 230))]
    assert len(read(tmp_path, silent, telemetry=told).inputs.time_s) == 23
    with pytest.raises(StudyError, match="time of node 10 goes back in row"):
        read(tmp_path, pd.concat([two, two[two["node"] == 10].tail(1).assign(at=two["at"].iloc[3])]), telemetry=told)


def test_words_become_shares(tmp_path):
    table = frame().assign(doing=["compute", "communication"] * (MINUTES // 2))
    columns = {"power": {"column": "kw", "unit": "kW"}, "phase": {"column": "doing", "unit": "text"}}
    values = read(tmp_path, table, telemetry={"columns": columns}).inputs.values
    assert values["phase.compute"] == pytest.approx(0.5)
    assert values["phase.communication"] == pytest.approx(0.5)
    columns["phase"]["unit"] = "W"
    with pytest.raises(StudyError, match="phase is words"):
        read(tmp_path, table, telemetry={"columns": columns})


def test_files_of_either_kind_are_read_alike(tmp_path):
    expected = read(tmp_path, frame()).inputs.values["power"]
    frame().to_parquet(tmp_path / "meter.parquet")
    found = telemetry.read(spec_of(telemetry={"file": "meter.parquet"}), tmp_path)
    assert found.inputs.values["power"] == pytest.approx(expected)
    (tmp_path / "meter.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(StudyError, match=r"meter\.parquet: cannot be read"):
        telemetry.read(spec_of(telemetry={"file": "meter.parquet"}), tmp_path)
    with pytest.raises(StudyError, match=r"away\.csv: no such file"):
        telemetry.read(spec_of(telemetry={"file": "away.csv"}), tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.iloc[::-1], "time goes back in row 3 "),
        (lambda t: pd.concat([t.iloc[:50], t.iloc[49:]]), "time stands still in row 52"),
        (lambda t: t.drop(index=range(60, 180)), "nothing for 7200 s between 2027-03-01 00:50"),
        (lambda t: t.assign(kw=70.0), "power is 70000 in every interval: a stuck sensor.$"),
        (lambda t: t.assign(busy=50.0), "utilization is 0.5 in every interval.*leave the column out"),
        (lambda t: t.assign(kw=t["kw"].where(t.index % 3 > 0)), "33.3 % of kw cannot be read .blank"),
        (lambda t: t.assign(kw=["off"] * 60 + [*t["kw"][60:]]), "25 % of kw .*no number in row 2"),
        (lambda t: t.assign(at="yesterday"), "at in row 2 is no date"),
        (lambda t: t.rename(columns={"kw": "kW"}), "no column 'kw' .did you mean 'kW'"),
        (lambda t: t.head(0), "has no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(tmp_path, change, told):
    with pytest.raises(StudyError, match=told):
        read(tmp_path, change(frame()))


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"power": {"column": "kw", "unit": "degC"}}, "kw: .*degC is a temperature; this field is real power"),
        ({"power": {"column": "kw", "unit": "kWh"}}, "write kW, not kWh"),
        ({"power": {"column": "kw", "unit": "kilo"}}, "kw: "),
        ({"power": {"column": "kw", "unit": "text"}}, "power is numbers with a unit like W"),
        ({"pwer": {"column": "kw", "unit": "kW"}}, "rack_power has no 'pwer' .did you mean 'power'"),
        ({"utilization": {"column": "busy", "unit": "%"}}, "rack_power needs a column for 'power'"),
    ],
)
def test_what_is_wrong_with_columns_is_told(tmp_path, columns, told):
    with pytest.raises(StudyError, match=told):
        read(tmp_path, frame(), telemetry={"columns": columns})


def test_all_files_are_judged_at_once(tmp_path):
    frame().iloc[::-1].to_csv(tmp_path / "a.csv", index=False)
    frame().drop(columns="busy").to_csv(tmp_path / "b.csv", index=False)
    both = [{**TREE["telemetry"][0], "file": name} for name in ("a.csv", "b.csv")]
    with pytest.raises(StudyError) as told:
        telemetry.read(CalibrationSpec.model_validate({**TREE, "telemetry": both}), tmp_path)
    assert len(str(told.value).splitlines()) == 2


def test_the_split_leaves_enough_on_both_sides(tmp_path):
    early = read(tmp_path, frame(), fit_until="2027-03-01T01:00:00+00:00")
    assert early.fitted.sum() == 6
    with pytest.raises(StudyError, match="nothing is left to score blind"):
        read(tmp_path, frame(), fit_until="2027-03-02T00:00:00+00:00")
    with pytest.raises(StudyError, match="1 intervals to fit 1 values"):
        read(tmp_path, frame(), fit_until="2027-03-01T00:10:00+00:00")
    with pytest.raises(StudyError, match="has no offset from UTC"):
        read(tmp_path, frame(), fit_until="2027-03-01")
    longer = read(tmp_path, frame().drop(index=range(60, 180)), longest_gap="3 h")
    assert list(np.flatnonzero(longer.inputs.first)) == [0, 6]
