"""Runs: any number of workers gives the same results."""

from pathlib import Path

import pytest

from simulator import scenario
from simulator.results import load_tables, save_tables
from simulator.studies import provenance
from simulator.studies.folders import FolderError, replacing
from simulator.studies.run import check_folder, load, run

POD = Path(__file__).parent.parent.parent / "scenarios" / "pod.yaml"


@pytest.fixture(scope="module")
def hours():
    return scenario.load(POD, ["period.duration=3 h"])


def saved(results, folder):
    save_tables(results, folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_workers_do_not_change_a_byte(hours, tmp_path):
    alone = saved(run(hours, 3, n_jobs=1), tmp_path / "one")
    assert saved(run(hours, 3, n_jobs=2), tmp_path / "two") == alone


def test_more_replicates_leave_the_first_as_they_were(hours, tmp_path):
    few, more = run(hours, 1), run(hours, 2)
    assert saved(few, tmp_path / "few") == saved(more[:1], tmp_path / "more")


def test_what_is_read_back_is_written_the_same(hours, tmp_path):
    first = saved(run(hours, 2), tmp_path / "first")
    assert saved(load_tables(tmp_path / "first"), tmp_path / "second") == first


def test_progress_counts_all_replicates(hours):
    told = []
    run(hours, 2, progress=told.append)
    assert told[0] == 0 and told[-1] == 2 * hours.spec.period.duration
    assert told == sorted(told)


def test_identity_follows_what_decides_the_result(hours):
    base = provenance.identity(hours, 0)
    assert provenance.identity(scenario.load(POD, ["period.duration=3 h"]), 0) == base
    others = [["period.duration=4 h"], ["period.duration=3 h", "seed=2"],
              ["period.duration=3 h", "weather.station=miami"]]  # fmt: skip
    found = {provenance.identity(scenario.load(POD, sets), 0) for sets in others}
    assert len(found | {base, provenance.identity(hours, 1)}) == 5


def test_only_run_folders_are_replaced_or_read(tmp_path):
    check_folder(tmp_path / "new")
    check_folder(tmp_path)  # empty
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FolderError, match="not a run folder"):
        check_folder(tmp_path)
    with pytest.raises(FolderError, match="is a file"):
        check_folder(tmp_path / "note.txt")
    with pytest.raises(FolderError, match="cannot be written"):
        check_folder(tmp_path / "note.txt" / "below")
    with pytest.raises(FolderError, match=r"no manifest\.json"):
        load(tmp_path)


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out"
    with replacing(target) as fresh:
        (fresh / "a").write_text("1")
    with pytest.raises(RuntimeError), replacing(target) as fresh:
        (fresh / "a").write_text("2")
        raise RuntimeError
    assert (target / "a").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
