"""The table of indicators that `gigawatt run` prints for several replicates."""

import dataclasses

import pandas as pd

from simulator.cli import run
from simulator.metrics import kpis


def lines(results):
    return run.kpi_lines(kpis.summary(results))


def row(told, name):
    (found,) = [line.split() for line in told if line.startswith(f"{name} ")]
    return found


def test_a_mean_has_its_half_width_and_a_date_has_none(replicates):
    told = lines([replicates[k % 3] for k in range(30)])
    assert told[0].split() == ["kpi", "value", "+-", "p10", "p50", "p90", "unit"]
    entry = kpis.summary([replicates[k % 3] for k in range(30)])["kpis"]["power.poi_peak"]
    half = 0.5 * (entry["ci95"]["value"][1] - entry["ci95"]["value"][0])
    assert abs(float(row(told, "power.poi_peak")[2]) - half) < 0.01 * half
    assert row(told, "training.frontier.finish_time")[2] == "-"
    assert not any("not resolvable" in line for line in told)


def test_a_job_that_never_finishes_has_no_date_and_no_half_width(replicates):
    """Thirty replicates resolve the median of its date: it is never."""
    late = [
        dataclasses.replace(r, tables=r.tables | {"jobs": r.tables["jobs"].assign(finish=pd.NaT)})
        for r in replicates
    ]
    told = lines([late[k % 3] for k in range(30)])
    assert row(told, "training.frontier.finish_time")[1:3] == ["-", "-"]


def test_one_replicate_has_values_only(week):
    told = lines([week])
    assert told[0].split() == ["kpi", "value", "unit"]
    assert not any("replicates" in line for line in told)


def test_what_cannot_be_told_is_said_with_what_it_takes(replicates):
    told = lines(replicates)
    assert "3 replicates; +- is the half-width of the 95 % interval of the mean" in told
    assert any("P50 (a 95 % interval takes at least 6 replicates)" in line for line in told)


def test_what_the_control_does_is_said(replicates):
    def with_luck(results, excess):
        rates = pd.DataFrame({"per": ["server"], "expected": [50.0], "simulated": [50.0 + excess]})
        jobs = results.tables["jobs"].assign(ettr=0.9 - 0.001 * excess)
        return dataclasses.replace(results, tables=results.tables | {"rates": rates, "jobs": jobs})

    luck = [3.0, -2.0, 1.0, 0.5, -4.0, 2.0, 1.5, -1.0, 0.0, -0.5, 2.5, -3.0]
    noise = [0.1, -0.1] * 6
    runs = [with_luck(replicates[0], a + b) for a, b in zip(luck, noise, strict=True)]
    shaken = [
        dataclasses.replace(r, tables=r.tables | {"jobs": r.tables["jobs"].assign(
            ettr=r.tables["jobs"]["ettr"] + 1e-4 * (-1) ** (k // 2))})
        for k, r in enumerate(runs)
    ]  # fmt: skip
    (told,) = [t for t in lines(shaken) if t.startswith("training.frontier.ettr is")]
    assert "with the number of failures as control, as if of" in told
