"""The commands as a user types them: what they print, write and leave with."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from simulator import cli
from simulator.studies import run as study

POD = Path(__file__).parent.parent / "scenarios" / "pod.yaml"
SHORT = ("--set", "period.duration=3 h")
HEAVY = ("numpy", "pandas", "numba", "pydantic", "matplotlib", "simpy", "joblib", "pint")


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def gigawatt(monkeypatch, capsys, tmp_path):
    """Run a command line in this process, in an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def run(*words) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["gigawatt", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Outcome(left.value.code or 0, out, err)

    return run


def files(folder: Path) -> dict[str, bytes]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def same_but_manifest(a: Path, b: Path) -> bool:
    left, right = files(a), files(b)
    left.pop("manifest.json"), right.pop("manifest.json")
    return left == right


def test_help_lists_the_commands_and_imports_nothing_heavy():
    code = (
        "import sys\nfrom simulator import cli\nsys.argv = ['gigawatt', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "loaded = [name for name, module in sys.modules.items() if '__file__' in vars(module)]\n"  # no stand-ins
        f"print(sorted(set({HEAVY}) & set(loaded)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for command in ("run", "check", "show", "sweep", "validate", "report", "catalog", "schema"):
        assert f"\n  {command} " in done.stdout


def test_python_m_simulator_is_the_same_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "nonsense"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "nonsense" in done.stderr


def test_run_writes_the_folder_and_prints_the_table(gigawatt, tmp_path):
    done = gigawatt("run", POD, *SHORT, "--no-report", "-o", "out")
    assert done.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line}
    assert rows["kpi"] == ["value", "unit"]
    assert rows["site.accelerators_installed"] == ["576", "1"]
    assert float(rows["power.poi_peak"][0]) < 2 and rows["power.poi_peak"][1] == "MW"
    assert done.out.splitlines()[-1] == "tables: out"
    stages = [line.split()[0] for line in done.err.splitlines()]
    assert [stage for stage in stages if stage != "compile"] == ["read", "simulate", "write"]  # cold machines compile
    names = set(files(tmp_path / "out"))
    assert {
        "manifest.json", "scenario.resolved.yaml", "summary.json", "timeseries.parquet",
        "events.parquet", "tables/info.json", "tables/plant.parquet",
    } <= names  # fmt: skip
    assert os.listdir(tmp_path) == ["out"]


def test_default_folder_is_under_reports(gigawatt, tmp_path):
    gigawatt("run", POD, *SHORT, "--no-report")
    assert (tmp_path / "reports" / "pod" / "manifest.json").is_file()


def test_manifest_tells_inputs_versions_and_cost(gigawatt, tmp_path):
    gigawatt("run", POD, *SHORT, "--no-report", "-o", "out", "--seed", "7")
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert told["seed"] == 7 and told["fidelity"] == "plan" and told["replicates"] == 1
    assert told["wall_s"] > 0 and told["peak_rss_bytes"] > 1e7 and told["events"] >= 0
    kinds = {entry["kind"] for entry in told["inputs"]}
    assert {"document", "weather", "catalog/racks", "catalog/accelerators"} <= kinds
    assert all(len(entry["sha256"]) == 64 for entry in told["inputs"])
    assert {"numpy", "numba", "simpy"} <= set(told["packages"])
    assert str(tmp_path) not in json.dumps(told)


def test_same_inputs_same_bytes(gigawatt, tmp_path):
    for name in ("a", "b"):
        gigawatt("run", POD, *SHORT, "--no-report", "-o", name)
    assert same_but_manifest(tmp_path / "a", tmp_path / "b")


def test_another_seed_is_another_result(gigawatt, tmp_path):
    for seed in (1, 2):
        gigawatt("run", POD, *SHORT, "--no-report", "-o", f"s{seed}", "--seed", seed)
    series = [pd.read_parquet(tmp_path / f"s{seed}" / "timeseries.parquet") for seed in (1, 2)]
    assert not series[0].equals(series[1])


def test_a_job_that_no_replicate_finishes_has_no_interval(gigawatt):
    warm = POD.with_name("warm-recovery.yaml")
    done = gigawatt("run", warm, "--set", "period.duration=1 h", "--no-report", "-o", "out",
                    "--replicates", 2, "-j", 1)
    assert done.code == 0
    assert "training.pretrain.ettr" in done.out


def test_replicates_have_a_spread_and_a_column(gigawatt, tmp_path):
    done = gigawatt("run", POD, *SHORT, "--no-report", "-o", "out", "--replicates", 3, "-j", 1)
    assert done.out.split()[:7] == ["kpi", "value", "+-", "p10", "p50", "p90", "unit"]
    assert "not resolvable with 3 replicates: P10 and P90 (a 95 % interval takes at least 29 " in done.out
    assert set(pd.read_parquet(tmp_path / "out" / "timeseries.parquet")["replicate"]) == {0, 1, 2}


def test_a_run_replaces_a_run_and_nothing_else(gigawatt, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = gigawatt("run", POD, *SHORT, "--no-report", "-o", "mine")
    assert done.code == 2 and "not a run folder" in done.err
    assert files(tmp_path / "mine") == {"thesis.txt": b"years of work"}
    gigawatt("run", POD, *SHORT, "--no-report", "-o", "out")
    (tmp_path / "out" / "stale.txt").write_text("old")
    assert gigawatt("run", POD, *SHORT, "--no-report", "-o", "out").code == 0
    assert "stale.txt" not in files(tmp_path / "out")


def test_a_write_that_fails_leaves_the_old_run(gigawatt, tmp_path, monkeypatch):
    gigawatt("run", POD, *SHORT, "--no-report", "-o", "out")
    before = files(tmp_path / "out")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(study.kpis, "dumps", full)
    done = gigawatt("run", POD, *SHORT, "--no-report", "-o", "out")
    assert done.code == 2 and "No space left" in done.err
    assert files(tmp_path / "out") == before and os.listdir(tmp_path) == ["out"]


def test_asserts(gigawatt):
    given = ("run", POD, *SHORT, "--no-report", "-o", "out")
    kept = ("--assert", "power.poi_peak <= 1 GW", "--assert", "energy_balance_rel <= 1e-9")
    assert gigawatt(*given, *kept).code == 0
    broken = ("--assert", "power.poi_peak <= 1 kW", "--assert", "fleet.utilization > 1.5")
    done = gigawatt(*given, *kept, *broken)
    assert done.code == 4
    assert [line for line in done.err.splitlines() if "assertion failed" in line] == [
        line for line in done.err.splitlines() if "poi_peak <= 1 kW" in line or "> 1.5" in line
    ]
    done = gigawatt(*given, "--assert", "power.poi_peek <= 1 GW")
    assert done.code == 2 and "did you mean 'power.poi_peak'" in done.err
    done = gigawatt(*given, "--assert", "power.poi_peak is small")
    assert done.code == 2 and "simulate" not in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "missing.yaml"), "missing.yaml"),
        (("check", POD, "--set", "topology.colling.supply=40 degC"), "cooling"),
        (("check", POD, "--set", "topology.cooling.supply=40 kW"), "topology.cooling.supply"),
        (("check", POD, "--set", "weather.epw=none.epw"), "none.epw"),
        (("run", POD, "--scenario", "worst"), "worst"),
        (("run", POD, "--replicates", "0"), "--replicates"),
        (("run", POD, "-j", "many"), "integer"),
        (("show",), "SCENARIO"),
        (("report", "nowhere"), "not a run folder"),
        (("schema", "scenari"), "did you mean 'scenario'"),
        (("catalog", "accelerater"), "did you mean 'accelerators'"),
        (("sweep", "missing.yaml"), "missing.yaml"),
        (("validate", "missing.csv"), "missing.csv:0:0: cannot be read: No such file"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(gigawatt, tmp_path, words, told):
    done = gigawatt(*words)
    assert done.code == 2 and done.out == ""
    assert told in done.err
    assert os.listdir(tmp_path) == []


TABLE = """topic,id,quantity,n_accelerators,failures_per_1000_node_days,days,measured,unit,source
goodput,one,interruptions,1000,10,30,310,1,made up
goodput,two,interruptions,many,10,30,300,1,made up
weather,three,,,,,1,degC,made up
"""


def test_validate_prints_every_row_and_summaries(gigawatt, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    done = gigawatt("validate", "t.csv")
    assert done.code == 0 and "validate 0 of 3 rows" in done.err
    lines = done.out.splitlines()
    assert lines[0] == "goodput" and lines[1].split()[:4] == ["id", "quantity", "measured", "simulated"]
    assert lines[2].split()[:3] == ["one", "interruptions", "310"]
    assert "n_accelerators is 'many'" in lines[3] and " - " in lines[3]
    assert any(line.startswith("three") and "no topic 'weather'" in line for line in lines)
    assert [line.split()[:3] for line in lines[-2:]] == [["goodput", "2", "1"], ["weather", "1", "1"]]


def test_validate_json_is_the_contracts(gigawatt, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    done = gigawatt("validate", "t.csv", "--json")
    told = json.loads(done.out)
    assert done.code == 0 and list(told) == ["rows", "topics"] and len(told["rows"]) == 3
    one, two, _ = told["rows"]
    assert one["simulated"] == pytest.approx(300, rel=0.02) and one["reason"] is None
    assert one["error_pct"] == pytest.approx(100 * (one["simulated"] - 310) / 310)
    assert two["simulated"] is None and two["error_pct"] is None and two["reason"]
    assert told["topics"]["weather"] == {
        "n": 1, "n_failed": 1, "median_abs_error_pct": None, "p90_abs_error_pct": None,
    }  # fmt: skip


def test_validate_takes_the_projects_own_set_by_default(gigawatt):
    told = json.loads(gigawatt("validate", "--json").out)
    assert told["topics"]["training"]["n"] >= 40


def test_validate_refuses_tables_with_every_problem(gigawatt, tmp_path):
    (tmp_path / "a.csv").write_text("topic,measured\nx,fast\nx,1,2\n")
    (tmp_path / "b.csv").write_text("topik,measured\nx,1\n")
    done = gigawatt("validate", "a.csv", "b.csv", "--json")
    assert done.code == 2 and done.out == ""
    for place in ("a.csv:2:0: measured: 'fast'", "a.csv:3:0: 3 cells", "b.csv:1:0: topic: the table"):
        assert place in done.err


def test_every_problem_has_its_place(gigawatt, tmp_path):
    text = POD.read_text().replace("../topologies", str(POD.parent.parent / "topologies"))
    text = re.sub(r"rate: (\d+) /s", r"rate: \1", text).replace("ttft_limit:", "ttft:")
    (tmp_path / "bad.yaml").write_text(text)
    done = gigawatt("check", "bad.yaml")
    assert done.code == 2
    lines = [line for line in done.err.splitlines() if line.startswith("bad.yaml:")]
    assert len(lines) >= 2
    assert any("rate" in line for line in lines) and any("ttft" in line for line in lines)


def test_an_interrupted_run_goes_on_where_it_stopped(gigawatt, tmp_path, monkeypatch):
    given = ("run", POD, *SHORT, "--no-report", "--replicates", 3, "-j", 1)
    gigawatt(*given, "-o", "whole")
    simulate, begun = study.simulate, []

    def hit(scenario, index, progress):
        begun.append(index)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return simulate(scenario, index, progress)

    monkeypatch.setattr(study, "simulate", hit)
    done = gigawatt(*given, "-o", "out")
    assert done.code == 130 and "2 of 3 replicates are kept" in done.err
    assert not (tmp_path / "out").exists()
    assert gigawatt(*given, "-o", "out").code == 0
    assert begun == [0, 1, 2, 2]
    assert same_but_manifest(tmp_path / "out", tmp_path / "whole")
    assert sorted(os.listdir(tmp_path)) == ["out", "whole"]


def test_named_scenarios(gigawatt, tmp_path):
    (tmp_path / "named.yaml").write_text(
        f"import: {POD}\noverrides:\n  hot: {{topology.cooling.supply: 44 degC}}\n"
        "scenarios:\n  warm: [hot]\n"
    )
    assert "44 degC" in gigawatt("show", "named.yaml", "--scenario", "warm").out
    assert "44 degC" not in gigawatt("show", "named.yaml").out


def test_check_tells_size_and_time(gigawatt):
    done = gigawatt("check", POD)
    assert done.code == 0 and "accelerators  576" in done.out and "per replicate" in done.out
    told = json.loads(gigawatt("check", POD, "--json").out)
    assert told["valid"] and told["accelerators"] == 576 and told["estimated_s"] > 0
    done = gigawatt("check", POD, "--json", "--set", "period.duration=-1 h")
    told = json.loads(done.out)
    assert done.code == 2 and not told["valid"] and "period.duration" in told["problems"][0]["path"]


def test_check_refuses_weather_that_does_not_cover_the_period(gigawatt, tmp_path):
    hours = pd.date_range("2026-07-01", periods=48, freq="h", tz="UTC")
    table = pd.DataFrame({"time": hours, "dry_bulb_c": 30.0, "rh_pct": 50.0})
    table["time"] = hours.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    table.to_csv(tmp_path / "short.csv", index=False)
    done = gigawatt("check", POD, "--set", "weather.csv=short.csv", "--set", "weather.elevation=9 m")
    assert done.code == 2 and "covers" in done.err


def test_show_is_a_page_of_plant(gigawatt):
    done = gigawatt("show", POD)
    assert done.code == 0
    for word in ("576 accelerators", "headroom MW", "unit substation", "dry_cooler", "llama-3.1-70b",
                 "8 leaf, 4 spine", "bisection TB/s", "once in 20 years", "wet bulb"):
        assert word in done.out
    assert len(done.out.splitlines()) < 60


def test_resolved_yaml_is_a_scenario(gigawatt, tmp_path):
    (tmp_path / "whole.yaml").write_text(gigawatt("show", POD, "--resolved").out)
    assert gigawatt("show", "whole.yaml").out == gigawatt("show", POD).out


def test_report_from_the_folder_alone(gigawatt, tmp_path):
    gigawatt("run", POD, *SHORT, "-o", "out")
    before = files(tmp_path / "out")
    assert "report.pdf" in before and any(name.startswith("figures/") for name in before)
    done = gigawatt("report", "out")
    assert done.code == 0 and done.out == "report: out/report.pdf\n"
    assert files(tmp_path / "out") == before
    gigawatt("report", "out", "--variant", "exec", "-o", "short.pdf")
    assert (tmp_path / "short.pdf").read_bytes()[:5] == b"%PDF-"


def test_catalog_lists_figures_with_evidence(gigawatt):
    assert "GB300-NVL72" in gigawatt("catalog").out
    done = gigawatt("catalog", "racks")
    line = next(row for row in done.out.splitlines() if re.match(r"GB300-NVL72 +nameplate", row))
    assert "142 kW" in line and "132 kW .. 150 kW" in line and "assumed" in line


@pytest.mark.parametrize("kind", ["scenario", "topology", "training", "sweep", "rack", "model"])
def test_schema_speaks_draft_7(gigawatt, kind):
    text = gigawatt("schema", kind).out
    made = json.loads(text)
    assert made["$schema"].startswith("http://json-schema.org/draft-07")
    assert made["additionalProperties"] is False and made["properties"]
    assert any("description" in told for told in made["properties"].values())
    for word in ("$defs", "prefixItems", "discriminator"):
        assert f'"{word}"' not in text
    pointers = {part.split('"')[0] for part in text.split('"#/definitions/')[1:]}
    assert pointers <= set(made["definitions"])
