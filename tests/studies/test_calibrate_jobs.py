"""Lists of jobs as telemetry: exact means of what is busy and what waits, and lists that are refused."""

import numpy as np
import pandas as pd
import pytest
import yaml

from simulator.studies import StudyError, calibrate
from simulator.studies.calibrate import telemetry
from simulator.studies.calibrate.scheduler import Jobs, observed
from simulator.studies.calibrate.spec import CalibrationSpec
from tests.studies.test_calibrate import POD

HOUR_S = 3600.0
TOLD = {
    "file": "jobs.csv", "time": {"column": "start", "unit": "s"}, "columns": {"observed": {"column": "busy"}},
    "jobs": {"size": "gpus", "end": "end", "submit": "submit"},
}  # fmt: skip


def queue(count=4000, accelerators=576, load=0.8, seed=3):
    """Return jobs of one accelerator each that come at random and are taken in turn."""
    draws = np.random.default_rng(seed)
    submit_s = np.cumsum(draws.exponential(HOUR_S / (load * accelerators), count))
    lasts_s, free_s, start_s = draws.exponential(HOUR_S, count), np.zeros(accelerators), np.empty(count)
    for k in range(count):
        place = int(free_s.argmin())
        start_s[k] = max(submit_s[k], free_s[place])
        free_s[place] = start_s[k] + lasts_s[k]
    return Jobs(submit_s, start_s, start_s + lasts_s, np.ones(count))


def written(folder, listed, **changed):
    names = ("submit", "start", "end", "gpus")
    table = pd.DataFrame(dict(zip(names, listed, strict=True)))
    table.to_csv(folder / "jobs.csv", index=False)
    tree = {
        "scenario": str(POD), "model": {"kind": "batch_queue", "work": "batch"}, "interval": "30 min",
        "fixed": {"workloads.batch.backlog": "0 h"}, "fit_share": 0.6,
        "parameters": {"workloads.batch.arrival": {"bounds": [1, 570], "start": 100}},
        "telemetry": [TOLD | changed],
    }  # fmt: skip
    (folder / "cal.yaml").write_text(yaml.safe_dump(tree))
    return folder / "cal.yaml"


def test_means_are_exact_against_sums_over_all_jobs():
    jobs = queue(300, accelerators=7)
    found = observed(jobs, 900.0)
    fine_s = np.arange(0.0, 900.0, 1.0) + 0.5
    for k in (0, 3, 11, len(found["busy"]) - 2):
        at_s = found["start_s"][k] + fine_s[:, None]
        done = np.clip(at_s - jobs.start_s, 0.0, jobs.end_s - jobs.start_s)
        left = np.where(jobs.submit_s <= at_s, jobs.end_s - jobs.start_s - done, 0.0)
        running = (jobs.start_s <= at_s) & (at_s < jobs.end_s)
        assert found["busy"][k] == pytest.approx(running.sum(axis=1).mean(), abs=7e-3)
        assert found["waiting"][k] == pytest.approx(left.sum(axis=1).mean() / HOUR_S, abs=7e-3)
    assert found["busy"].sum() * 900.0 == pytest.approx((jobs.end_s - jobs.start_s).sum(), rel=1e-9)


def test_the_arrival_behind_a_list_of_jobs_is_found(tmp_path):
    """Little's law: accelerators busy on average are arrivals times length, here 0.8 of 576."""
    jobs = queue(20_000)
    steady = Jobs(*(column[jobs.submit_s > 4.0 * HOUR_S] for column in jobs))
    whole = Jobs(*(column[steady.end_s < jobs.submit_s[-1]] for column in steady))
    found = calibrate.of_file(written(tmp_path, whole))
    (arrival,) = found.fit.estimates
    assert arrival.value == pytest.approx(0.8 * 576.0, rel=0.06)
    assert set(found.scores["part"]) == {"fit", "blind"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"columns": {"observed": {"column": "bussy"}}}, "did you mean 'busy'"),
        ({"jobs": {"size": "gpus"}}, "say `end` or `duration`"),
        ({"jobs": {"size": "gpu", "end": "end"}}, "no column 'gpu' .did you mean 'gpus'"),
        ({"jobs": {"size": "gpus", "end": "submit", "submit": "start"}}, r"row \d+ ends before it begins"),
        ({"jobs": {"size": "gpus", "end": "end", "submit": "end"}}, "begins before it is submitted"),
        ({"each": "gpus"}, "leave `each` out"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(tmp_path, change, told):
    path = written(tmp_path, queue(200, accelerators=20), **change)
    spec = CalibrationSpec.model_validate(yaml.safe_load(path.read_text()))
    with pytest.raises(StudyError, match=told):
        telemetry.read(spec, tmp_path)
