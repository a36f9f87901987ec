"""Calibration: synthetic telemetry gives its own truth back, and what it cannot tell is said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from simulator import scenario
from simulator.cli import calibrate as command
from simulator.components.sizing import chip_of
from simulator.errors import ScenarioError
from simulator.simulation import simulate
from simulator.studies import StudyError, calibrate
from simulator.studies.calibrate import folder, scores
from simulator.studies.calibrate.fit import effective, fit
from simulator.studies.calibrate.models import Inputs
from simulator.studies.calibrate.models.batch_queue import BatchQueue
from simulator.studies.calibrate.models.coolant_temperature import CoolantTemperature
from simulator.studies.calibrate.models.facility_power import FacilityPower
from simulator.studies.calibrate.models.junction_temperature import JunctionTemperature
from simulator.studies.calibrate.models.loop_temperature import LoopTemperature
from simulator.studies.calibrate.models.rack_power import RackPower
from simulator.studies.distributions import Distribution, parts_of

ROOT = Path(__file__).parents[2]
POD = ROOT / "scenarios" / "pod.yaml"
NODES = ROOT / "scenarios" / "calibrations" / "h100-nodes.yaml"
SHARED = ROOT.parent / "shared" / "data"
HOUR_S = 3600.0


def inputs(count, interval_s, **values):
    first = np.zeros(count, bool)
    first[0] = True
    return Inputs(np.arange(count) * interval_s, interval_s, first, values)


def written(tmp_path, table, tree, start="2027-01-01"):
    """Write telemetry of hours and its calibration file; return the file."""
    at = pd.date_range(start, periods=len(table), freq="h", tz="UTC")
    table.assign(time=at.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(tmp_path / "meter.csv", index=False)
    told = {"file": "meter.csv", "time": {"column": "time"}, "columns": tree.pop("columns")}
    whole = {"scenario": str(POD), "interval": "1 h", "telemetry": [told], **tree}
    (tmp_path / "cal.yaml").write_text(yaml.safe_dump(whole))
    return tmp_path / "cal.yaml"


def noise(count, seed=1):
    return np.random.default_rng(seed).normal(size=count)


# Models against the engine and closed forms


def test_the_site_draws_what_the_engine_says():
    given = scenario.load(POD, ["period.duration=6 h", "reliability.rate_scale=0"])
    site = simulate(given).timeseries["site"]
    columns = {"it": "it_w", "dry_bulb": "dry_bulb_c", "wet_bulb": "wet_bulb_c"}
    measured = {name: site[column].to_numpy() for name, column in columns.items()}
    found = FacilityPower(kind="facility_power").predict(given, inputs(len(site), 60.0, **measured))
    assert found == pytest.approx(site["poi_w"].to_numpy(), rel=2e-3)
    # the closed form knows no groups that rest or start
    assert found.mean() == pytest.approx(site["poi_w"].mean(), rel=1e-3)


def test_wet_bulb_or_humidity_is_needed():
    given, own = scenario.load(POD), {"it": np.full(2, 5e5), "dry_bulb": np.full(2, 30.0)}
    with pytest.raises(StudyError, match="`wet_bulb` or `humidity`"):
        FacilityPower(kind="facility_power").predict(given, inputs(2, HOUR_S, **own))


def test_a_loop_is_as_warm_as_the_engine_says():
    given = scenario.load(POD, ["period.duration=24 h", "weather.dry_bulb_shift=12 K"])
    results = simulate(given)
    loop = results.timeseries["loop"]
    own = loop[loop["element"] == "pod/chilled"]
    site = results.timeseries["site"]
    hours = site[["dry_bulb_c", "wet_bulb_c"]].groupby(np.arange(len(site)) // 60).mean()
    told = inputs(24, HOUR_S, supply=own["supply_c"].to_numpy(), heat=own["heat_w"].to_numpy(),
                  dry_bulb=hours["dry_bulb_c"].to_numpy(), wet_bulb=hours["wet_bulb_c"].to_numpy())  # fmt: skip
    found = LoopTemperature(kind="loop_temperature", loop="pod/chilled").predict(given, told)
    assert found == pytest.approx(own["supply_c"].to_numpy(), abs=0.05)
    with pytest.raises(StudyError, match="did you mean 'pod/warm'"):
        LoopTemperature(kind="loop_temperature", loop="pod/warn").predict(given, told)


def test_a_rack_draws_what_the_engine_says():
    sets = ["period.duration=3 h", "reliability.rate_scale=0", "record.racks=[pod]"]
    given = scenario.load(NODES, [*sets, "topology.halls.pod.rack=node", "topology.halls.pod.racks_per_block=8"])
    rack = simulate(given).timeseries["rack"]
    own = RackPower(kind="rack_power", rack="node", work="gpt3")
    (found,) = set(own.predict(given, inputs(3, HOUR_S)))
    assert found == pytest.approx(float(rack["power_w"].iloc[-1]), rel=0.02)
    with pytest.raises(StudyError, match="did you mean 'gpt3'"):
        own.model_copy(update={"work": "gpt4"}).predict(given, inputs(3, HOUR_S))


def test_coolant_settles_at_its_approach():
    given = scenario.load(POD, ["topology.cooling.coolant_unit.loop=10 min"])
    heat, facility = np.full(50, 3e5), np.full(50, 30.0)
    own = CoolantTemperature(kind="coolant_temperature", hall="pod")
    cold = np.full(50, 30.0)
    found = own.predict(given, inputs(50, 60.0, heat=heat, facility=facility, coolant=cold))
    resistance_k_w, mass_j_k = own._lumped(given)
    tau_s = resistance_k_w * mass_j_k
    assert found[-1] == pytest.approx(30.0 + 3e5 * resistance_k_w, abs=1e-3)
    distances = found[-1] - found[:3]
    assert distances[1:] / distances[:-1] == pytest.approx(np.exp(-60.0 / tau_s), rel=1e-3)


def test_waiting_work_grows_and_drains_like_a_fluid():
    queue = BatchQueue(kind="batch_queue", work="batch", observes="waiting")
    busy = queue.model_copy(update={"observes": "busy"})
    sets = {"workloads.batch.backlog": "5760 h", "workloads.batch.arrival": 288}
    given = scenario.load(POD, list(sets.items()))  # 576 accelerators: 288 h of backlog go in an hour
    told = inputs(30, HOUR_S)
    assert queue.predict(given, told)[:20] == pytest.approx(5760.0 - 288.0 * (np.arange(20) + 0.5))
    assert queue.predict(given, told)[20:] == pytest.approx(0.0)
    assert busy.predict(given, told) == pytest.approx([576.0] * 20 + [288.0] * 10)


# Fits with known truth


RACK = {"kind": "rack_power", "rack": "node"}


def rack_file(tmp_path, count=400, spread=0.01, **more):
    truth = {"topology.racks.node.host_idle": "1500 W", "topology.racks.node.host_max": "2100 W"}
    busy = 0.6 + 0.3 * np.sin(np.arange(count) / 7.0)
    model = RackPower(**RACK)
    power = model.predict(scenario.load(NODES, list(truth.items())), inputs(count, HOUR_S, utilization=busy))
    table = pd.DataFrame({"w": power * (1.0 + spread * noise(count)), "busy": busy})
    columns = {"power": {"column": "w", "unit": "W"}, "utilization": {"column": "busy"}}
    parameters = {
        "topology.racks.node.host_idle": {"bounds": ["500 W", "2000 W"], "start": "800 W"},
        "topology.racks.node.host_max": {"bounds": ["2000 W", "4000 W"], "start": "3000 W"},
    }
    tree = {"scenario": str(NODES), "model": RACK, "parameters": parameters, "columns": columns, **more}
    return written(tmp_path, table, tree)


def test_the_truth_is_found_within_its_interval(tmp_path):
    found = calibrate.of_file(rack_file(tmp_path))
    idle, full = found.fit.estimates
    assert idle.low < 1500.0 < idle.high and full.low < 2100.0 < full.high
    assert idle.value == pytest.approx(1500.0, abs=40.0) and full.value == pytest.approx(2100.0, abs=40.0)
    blind = found.scores[found.scores["part"] == "blind"].iloc[0]
    assert abs(blind["nmbe_pct"]) < 0.3 and blind["cv_rmse_pct"] == pytest.approx(1.0, rel=0.15)
    assert blind["within"] and blind["constant_cv_rmse_pct"] > 10.0
    assert not found.fit.warnings
    assert found.drift["trend_low"] < 0.0 < found.drift["trend_high"]


class Line:
    """A straight line under noise, as a problem of two values."""

    def __init__(self, seed, count=60):
        self.x, self.evaluations = np.linspace(0.0, 1.0, count), 0
        self.ranges = {"level": Distribution(uniform=[0, 10]), "slope": Distribution(uniform=[-4, 4])}
        self.measured = 3.0 + 1.5 * self.x + 0.2 * noise(count, seed)

    def residuals(self, at):
        level, slope = (parts_of(self.ranges[k].values(at[i : i + 1])[0])[0] for i, k in enumerate(self.ranges))
        return level + slope * self.x - self.measured


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Of 200 repetitions about 190 hold it; with a chance of 95 % it is between 180 and 198."""
    found = [fit(Line(seed), np.array([0.1, 0.9])).estimates for seed in range(200)]
    for i, truth in enumerate((3.0, 1.5)):
        assert 180 <= sum(e[i].low <= truth <= e[i].high for e in found) <= 198


def test_losses_and_pumps_of_a_site_are_found_from_weather_and_it(tmp_path):
    truth = {"topology.cooling.warm.pump": 0.02, "topology.cooling.chilled.pump": "2 %"}
    count, hour = 24 * 20, np.arange(24 * 20)
    dry = 15.0 + 10.0 * np.sin(hour * 2 * np.pi / 24.0) + 0.02 * hour
    it = 6e5 + 2e5 * np.sin(hour / 11.0)
    told = inputs(count, HOUR_S, it=it, dry_bulb=dry, wet_bulb=dry - 4.0)
    power = FacilityPower(kind="facility_power").predict(scenario.load(POD, list(truth.items())), told)
    table = pd.DataFrame({"kw": power / 1e3 * (1 + 0.002 * noise(count)), "it": it / 1e6, "dry": dry, "wet": dry - 4.0})
    columns = {
        "power": {"column": "kw", "unit": "kW"}, "it": {"column": "it", "unit": "MW"},
        "dry_bulb": {"column": "dry", "unit": "degC"}, "wet_bulb": {"column": "wet", "unit": "degC"},
    }  # fmt: skip
    parameters = {"topology.cooling.warm.pump": {"bounds": [0.002, 0.05]}}
    path = written(tmp_path, table, {"model": {"kind": "facility_power"}, "parameters": parameters,
                                     "columns": columns, "blocks": "week"})  # fmt: skip
    found = calibrate.of_file(path)
    (pump,) = found.fit.estimates
    off = abs(pump.value - 0.02)  # one draw of noise: 95 % intervals miss one in twenty by less than half as much again
    assert off < 0.75 * (pump.high - pump.low) and off < 0.002
    assert list(found.scores["block"]).count("all") == 2 and len(found.scores) > 3


def test_approach_and_mass_of_a_loop_are_found(tmp_path):
    truth = {"topology.cooling.coolant_unit.approach": "4.5 K", "topology.cooling.coolant_unit.loop": "50 min"}
    count, own = 600, CoolantTemperature(kind="coolant_temperature", hall="pod")
    heat = 3e5 + 1e5 * np.sign(np.sin(np.arange(count) / 9.0))
    facility = 30.0 + 2.0 * np.sin(np.arange(count) / 50.0)
    given = scenario.load(POD, list(truth.items()))
    told = inputs(count, HOUR_S, heat=heat, facility=facility, coolant=facility + 2.0)
    warm = own.predict(given, told) + 0.02 * noise(count)
    table = pd.DataFrame({"f": warm * 1.8 + 32.0, "heat": heat, "facility": facility})
    columns = {
        "coolant": {"column": "f", "unit": "degF"}, "heat": {"column": "heat", "unit": "W"},
        "facility": {"column": "facility", "unit": "degC"},
    }  # fmt: skip
    parameters = {"topology.cooling.coolant_unit.approach": {"bounds": ["1 K", "10 K"]}}
    path = written(tmp_path, table, {"model": own.model_dump(), "parameters": parameters, "columns": columns,
                                     "fixed": {"topology.cooling.coolant_unit.loop": "50 min"}})  # fmt: skip
    (approach,) = calibrate.of_file(path).fit.estimates
    half = 0.5 * (approach.high - approach.low)
    assert half < 0.02 and approach.value == pytest.approx(4.5, abs=2.0 * half)


CHIP = {"kind": "junction_temperature", "rack": "node"}


def chip_file(tmp_path, reads, parameters, interval="1 h"):
    """Write junctions of a chip of known resistance and leakage, under changing work and coolant."""
    truth = {"topology.racks.node.chip_resistance": "0.045 K/W", "topology.racks.node.chip_leakage": "2.5 W/K"}
    count = 400
    busy = 0.55 + 0.4 * np.sin(np.arange(count) / 7.0)
    told = {"coolant": 30.0 + 8.0 * np.sin(np.arange(count) / 31.0), "junction": np.full(count, 60.0)}
    told["utilization"] = busy
    given = scenario.load(NODES, list(truth.items()))
    junction = JunctionTemperature(**CHIP).predict(given, inputs(count, HOUR_S, **told))
    told["power"] = (junction - told["coolant"]) / 0.045  # in an hour a chip settles
    table = pd.DataFrame(told | {"junction": junction + 0.2 * noise(count)})
    units = {"junction": "degC", "coolant": "degC", "power": "W", "utilization": "1"}
    columns = {name: {"column": name, "unit": units[name]} for name in ("junction", "coolant", reads)}
    tree = {"scenario": str(NODES), "model": CHIP, "parameters": parameters, "columns": columns, "interval": interval}
    return written(tmp_path, table, tree)


RESISTANCE = {"topology.racks.node.chip_resistance": {"bounds": ["0.01 K/W", "0.2 K/W"], "start": "0.1 K/W"}}
LEAKAGE = {"topology.racks.node.chip_leakage": {"bounds": ["0 W/K", "8 W/K"], "start": "1 W/K"}}


def test_resistance_and_leakage_of_a_chip_are_found_from_its_temperature(tmp_path):
    found = calibrate.of_file(chip_file(tmp_path, "utilization", RESISTANCE | LEAKAGE))
    leakage, resistance = found.fit.estimates
    assert resistance.low < 0.045 < resistance.high and resistance.value == pytest.approx(0.045, rel=0.01)
    assert leakage.low < 2.5 < leakage.high and leakage.value == pytest.approx(2.5, rel=0.05)
    blind = found.scores[found.scores["part"] == "blind"].iloc[0]
    assert blind["within"] and blind["constant_cv_rmse_pct"] > 5.0 * blind["cv_rmse_pct"]
    assert not found.fit.warnings and found.drift["trend_low"] < 0.0 < found.drift["trend_high"]


def test_measured_power_of_a_chip_tells_its_resistance_alone(tmp_path):
    (found,) = calibrate.of_file(chip_file(tmp_path, "power", RESISTANCE)).fit.estimates
    assert found.low < 0.045 < found.high and found.value == pytest.approx(0.045, rel=0.005)
    told = calibrate.of_file(chip_file(tmp_path, "power", RESISTANCE | LEAKAGE)).fit.warnings
    assert "chip_leakage move nothing that was measured" in told[0]


def test_a_junction_follows_its_power_and_its_plate_the_flow():
    own, given = JunctionTemperature(**CHIP), scenario.load(NODES)
    rack = next(r for r in given.spec.topology.racks if r.name == "node")
    tau_s = rack.resistance_k_w(chip_of(rack)) * chip_of(rack).heat_capacity
    told = {"coolant": np.full(200, 30.0), "junction": np.full(200, 30.0), "power": np.full(200, 600.0)}
    rise = own.predict(given, inputs(200, tau_s / 4.0, **told)) - 30.0
    assert rise[-1] == pytest.approx(600.0 * rack.resistance_k_w(chip_of(rack)))
    assert (rise[-1] - rise[1:3]) / (rise[-1] - rise[:2]) == pytest.approx(np.exp(-0.25))
    slow = own.predict(given, inputs(200, HOUR_S, **told, flow=np.full(200, 0.5))) - 30.0
    assert slow[-1] / rise[-1] == pytest.approx(rack.plate.resistance_frac(0.5)) and slow[-1] > 1.1 * rise[-1]
    with pytest.raises(StudyError, match=r"`power` .of one chip. or `utilization`"):
        own.predict(given, inputs(2, HOUR_S, coolant=np.full(2, 30.0), junction=np.full(2, 60.0)))


def test_what_cannot_be_told_is_said(tmp_path):
    """At constant work host and chips are one number: a fit of both must not pretend."""
    both = {
        "topology.racks.node.host_idle": {"bounds": ["500 W", "2000 W"]},
        "workloads.gpt3.power": {"bounds": [0.3, 1]},
    }
    path = rack_file(tmp_path, model={**RACK, "work": "gpt3"}, parameters=both,
                     columns={"power": {"column": "w", "unit": "W"}})  # fmt: skip
    found = calibrate.of_file(path).fit
    assert found.warnings == ("topology.racks.node.host_idle, workloads.gpt3.power cannot be told apart by this "
                              "telemetry: fix some of them, or measure more",)  # fmt: skip
    assert all(e.low is None for e in found.estimates)
    dead = {**both, "economics.energy_price": {"bounds": ["10 USD/MWh", "200 USD/MWh"]}}
    del dead["topology.racks.node.host_idle"]
    (told,) = calibrate.of_file(rack_file(tmp_path, model={**RACK, "work": "gpt3"}, parameters=dead)).fit.warnings
    assert "move nothing that was measured" in told


def test_a_value_at_its_bound_is_told(tmp_path):
    tight = {"topology.racks.node.host_max": {"bounds": ["3000 W", "4000 W"], "start": "3500 W"}}
    (told,) = calibrate.of_file(rack_file(tmp_path, parameters=tight)).fit.warnings
    assert "host_max is at its bound of 3" in told


def test_a_drift_is_seen_and_a_steady_meter_has_none(tmp_path):
    path = rack_file(tmp_path)
    table = pd.read_csv(tmp_path / "meter.csv")
    table["w"] *= 1.0 + 0.05 * np.arange(len(table)) / len(table)
    table.to_csv(tmp_path / "meter.csv", index=False)
    drift = calibrate.of_file(path).drift
    assert drift["step_low"] > 1.0 and drift["step_pct"] == pytest.approx(2.5, abs=0.6)
    assert drift["trend_low"] > 0.0


# Scores


def test_scores_are_those_of_the_guideline():
    measured, model = np.array([10.0, 12.0, 8.0, 10.0]), np.array([9.0, 12.0, 9.0, 8.0])
    assert scores.nmbe_pct(measured, model, 1, 10.0) == pytest.approx(100.0 * 2.0 / (3 * 10.0))
    assert scores.cv_rmse_pct(measured, model, 1, 10.0) == pytest.approx(100.0 * np.sqrt(6.0 / 3) / 10.0)
    assert scores.limits(HOUR_S) == {"nmbe_pct": 10.0, "cv_rmse_pct": 30.0}
    assert scores.limits(30 * 86_400.0) == {"nmbe_pct": 5.0, "cv_rmse_pct": 15.0}


def test_alike_neighbours_count_for_less():
    fresh = noise(4000)
    assert effective(fresh) == pytest.approx(4000, rel=0.1)
    kept = np.empty(4000)
    kept[0] = fresh[0]
    for k in range(1, 4000):
        kept[k] = 0.8 * kept[k - 1] + fresh[k]
    assert effective(kept) == pytest.approx(4000 / 9.0, rel=0.25)  # (1 - r) / (1 + r) at r = 0.8


# Input that cannot be


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": {"kind": "rack_pwer", "rack": "node"}}, "did you mean 'rack_power'"),
        ({"modell": 1}, "unknown key 'modell'"),
        ({"parameters": {"topology.racks.node.host_max": {"bounds": ["4 kW", "2 kW"]}}}, "must rise"),
        ({"parameters": {"topology.racks.node.host_max": {"bounds": ["2 kW", "4000 W"]}}}, "share one unit"),
        ({"parameters": {"topology.racks.node.host_mx": {"bounds": ["2 W", "4 W"]}}}, "no 'host_mx'.*host_max"),
        ({"parameters": {"topology.racks.node.host_max": {"bounds": ["2000 W", "3000 W"], "start": "5000 W"}}},
         "outside its bounds"),
        ({"parameters": {"question": {"bounds": [1, 2]}}}, "only a number with a unit can be fitted"),
        ({"parameters": {"topology.racks.node.host_max": {"bounds": ["1 W", "4000 W"], "start": "100 W"}}},
         "not valid with topology.racks.node.host_max = "),
        ({"columns": {"power": {"column": "w", "unit": "MW"}, "utilization": {"column": "busy"}}},
         "is its `unit` right"),
        ({"scenario": "nowhere.yaml"}, "no file nowhere.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_calibration_is_told(tmp_path, change, told):
    with pytest.raises((StudyError, ScenarioError), match=told):
        calibrate.of_file(rack_file(tmp_path, **change))


# The command


def test_values_found_are_imported_as_they_are(tmp_path, capsys):
    path = rack_file(tmp_path)
    command.calibrate(path, tmp_path / "out", as_json=False)
    told = capsys.readouterr().out
    assert "NMBE" in told and "topology.racks.node.host_idle" in told
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"calibrated.yaml", "scores.csv", "calibration.parquet", "calibration.json", "manifest.json",
                     "calibration.png", "calibration.csv"}  # fmt: skip
    (tmp_path / "use.yaml").write_text(f"import: [{NODES}, out/{folder.OVERRIDES}]\n")
    laid = scenario.load(tmp_path / "use.yaml", scenario=folder.NAME)
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    (rack,) = laid.spec.topology.racks
    assert rack.host_idle == pytest.approx(found["parameters"][0]["value"], rel=1e-9)
    kinds = [entry["kind"] for entry in json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"]]
    assert kinds[:2] == ["calibration", "telemetry"] and "document" in kinds


def test_the_same_files_give_the_same_bytes(tmp_path, capsys):
    path = rack_file(tmp_path)
    for name in ("one", "two"):
        command.calibrate(path, tmp_path / name, as_json=True)
    one, two = capsys.readouterr().out.split("}\n{")
    assert json.loads(one + "}") == json.loads("{" + two)
    for name in ("calibrated.yaml", "scores.csv", "calibration.parquet", "calibration.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(StudyError, match="holds no calibration"):
        command.calibrate(path, tmp_path / "mine", as_json=True)


# Measured


@pytest.mark.skipif(not SHARED.is_dir(), reason="measured traces are not beside the project")
def test_power_of_h100_nodes_on_a_run_that_was_not_fitted():
    """The chain works on measured files; how good it is stands in the docs."""
    found = calibrate.of_file(ROOT / "scenarios" / "calibrations" / "h100-gpt3.yaml")
    blind = found.scores[found.scores["part"] == "blind"].iloc[0]
    assert blind["n"] > 50 and blind["within"]
    assert 0.3 < found.fit.estimates[0].value < 1.0


@pytest.mark.skipif(not SHARED.is_dir(), reason="measured traces are not beside the project")
def test_busy_accelerators_of_a_scheduler(tmp_path):
    jobs = pd.read_csv(SHARED / "gpu_jobs" / "acme_kalos_completed_jobs.csv")
    jobs[jobs["gpus"] > 0].to_parquet(tmp_path / "jobs.parquet")
    told = {
        "scenario": str(POD), "model": {"kind": "batch_queue", "work": "batch"}, "interval": "7 d",
        "fixed": {"workloads.batch.backlog": "0 h"},
        "parameters": {"workloads.batch.arrival": {"bounds": [1, 500], "start": 100}},
        "telemetry": [{
            "file": "jobs.parquet", "time": {"column": "arrival_s", "unit": "s"},
            "jobs": {"size": "gpus", "duration": "duration_s"}, "columns": {"observed": {"column": "busy"}},
        }],
    }  # fmt: skip
    (tmp_path / "cal.yaml").write_text(yaml.safe_dump(told))
    found = calibrate.of_file(tmp_path / "cal.yaml")
    whole_h = float((found.table["measured"] * 7 * 24).sum())
    assert whole_h == pytest.approx(float((jobs["gpus"] * jobs["duration_s"]).sum()) / HOUR_S, rel=1e-9)
    fitted = found.table[found.table["part"] == "fit"]
    assert found.fit.estimates[0].value == pytest.approx(fitted["measured"].mean(), rel=1e-6)
