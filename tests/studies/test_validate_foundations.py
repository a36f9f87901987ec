"""What a run folder tells about this version, and the published set it is measured on."""

import math

import pandas as pd
import pytest
from numba import config

from simulator import catalog
from simulator.results import FOUNDATIONS, load_tables, save_tables
from simulator.studies.run import founded
from simulator.studies.validate import foundations, published
from simulator.studies.validate.table import read


@pytest.fixture(scope="module")
def rows():
    return read(published.tables())


def test_every_published_figure_has_a_name_a_unit_and_a_citation(rows):
    assert 40 <= len(rows) <= 150
    names = [(row.topic, row.id, row.cells["quantity"]) for row in rows]
    assert len(set(names)) == len(names)
    for row in rows:
        assert row.measured and row.cells["unit"], row
        assert len(row.cells["source"]) > 20, row


def test_what_may_not_be_redistributed_is_not(rows):
    assert not {row.topic for row in rows} & {"serving_batch", "serving_openloop"}


def test_a_table_of_the_set_is_named_as_its_topic(rows):
    for path in published.tables():
        assert {row.topic for row in read([path])} == {path.stem}


def test_the_tables_are_what_the_schema_says():
    for name, make in (
        ("validation", foundations.validation),
        ("constants", foundations.constants),
    ):
        assert list(make().columns) == list(FOUNDATIONS[name])
    table = foundations.validation()
    assert table["simulated"].dtype == float and table["searched"].dtype == bool
    assert table[table["simulated"].isna()]["reason"].astype(bool).all()


def test_the_closed_forms_are_met():
    table = foundations.validation()
    exact = table[table["id"].str.startswith("DALY")]
    assert len(exact) >= 3
    assert ((exact["simulated"] - exact["measured"]).abs() < 0.01).all()


def test_constants_are_those_of_the_models_and_of_every_stack():
    names = list(foundations.constants()["name"])
    assert len(set(names)) == len(names)
    assert "performance.chip.MATRIX_POWER_EXPONENT" in names
    for kind in (foundations.STACKS, foundations.ENGINES):
        for stack in catalog.names(kind):
            assert any(name.startswith(f"{stack}.") for name in names), stack


def test_the_folder_keeps_one_copy_for_all_replicates(replicates, tmp_path):
    save_tables([founded(one) for one in replicates], tmp_path)
    kept = pd.read_parquet(tmp_path / "tables" / "validation.parquet")
    assert "replicate" not in kept and len(kept) == len(foundations.validation())
    again = load_tables(tmp_path)[-1].tables["validation"]
    assert math.isclose(again["measured"].sum(), kept["measured"].sum())


def test_what_is_kept_gives_the_bytes_of_what_is_made(week, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "kept"))
    for name in ("made", "read"):
        foundations.validation.cache_clear()
        save_tables([founded(week)], tmp_path / name)
    files = [(tmp_path / n / "tables" / "validation.parquet").read_bytes() for n in ("made", "read")]
    assert files[0] == files[1]
    (kept,) = (tmp_path / "kept").iterdir()
    monkeypatch.setattr(foundations, "code_version", lambda: "another")
    assert kept.suffix == ".parquet" and foundations._kept_at() != kept


def test_a_folder_that_cannot_be_written_to_costs_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file"))
    made = pd.DataFrame({"id": ["one"]})
    monkeypatch.setattr(foundations, "_validated", lambda: made)
    foundations.validation.cache_clear()
    assert foundations.validation() is made
    foundations.validation.cache_clear()
