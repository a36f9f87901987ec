"""The report as a file: pages, tags, figures with their data, the same bytes twice."""

import dataclasses
import hashlib

import pandas as pd
import pytest
from PIL import Image
from pypdf import PdfReader
from synthetic import campus

from simulator.reports import document
from simulator.reports.run import Run

TOPICS = (
    "DECISION", "ASSUMPTIONS AND LIMITS", "POWER ENVELOPE", "FROM GRID TO CHIP", "HEADROOM",
    "COOLING", "WATER", "COOLANT HEAT MAP", "ACCELERATOR-HOURS", "TRAINING", "GOODPUT", "GOODPUT AT SCALE",
    "SERVING", "ROUTING", "FAILURES AND REPAIRS",
    "NETWORK", "COST OF ENERGY", "MEASURED AGAINST SIMULATED", "BACK MATTER",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(week, tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    document.write([week], path)
    return path


@pytest.fixture(scope="module")
def reader(folder):
    return PdfReader(folder / "report.pdf")


def test_every_subject_has_its_page(reader):
    texts = [page.extract_text() for page in reader.pages]
    assert 18 <= len(texts) <= 28
    firsts = [text.splitlines()[0].strip() for text in texts]
    assert [f for f in firsts if f in TOPICS] == list(TOPICS)


def test_every_page_says_which_run_it_is(reader, week):
    for page in reader.pages:
        text = page.extract_text()
        assert week.info["config_hash"] in text
        assert "seed 1" in text
        assert "1 replicate" in text
        assert "% assumed" in text.replace("\u00a0", " ")


def test_pdf_is_tagged_titled_and_letter_size(reader):
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"].startswith("en")
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert reader.metadata.title.endswith("planning report")
    assert (reader.pages[0].mediabox.width, reader.pages[0].mediabox.height) == (612, 792)


def test_every_figure_of_the_pdf_has_its_words(reader):
    alts = _figure_alts(reader.trailer["/Root"]["/StructTreeRoot"])
    assert len(alts) >= 18
    assert all(len(alt) > 40 for alt in alts)


def _figure_alts(node) -> list[str]:
    node = node.get_object()
    if isinstance(node, list):
        return [alt for kid in node for alt in _figure_alts(kid)]
    if not isinstance(node, dict):
        return []
    own = [str(node.get("/Alt", ""))] if node.get("/S") == "/Figure" else []
    return own + (_figure_alts(node["/K"]) if "/K" in node else [])


def test_every_figure_is_a_picture_with_its_data(folder):
    pictures = sorted((folder / "figures").glob("*.png"))
    assert len(pictures) >= 18
    for picture in pictures:
        with Image.open(picture) as image:
            assert round(image.info["dpi"][0]) == 150
            assert image.info["Description"]
        assert len(pd.read_csv(picture.with_suffix(".csv")))


def test_the_same_tables_give_the_same_bytes(folder, week, tmp_path):
    document.write([week], tmp_path)
    assert _hashes(tmp_path) == _hashes(folder)


def _hashes(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_exec_variant_is_short_and_goes_where_it_is_told(week, tmp_path):
    output = tmp_path / "out" / "brief.pdf"
    assert document.write([week], tmp_path, "exec", output) == output
    assert len(PdfReader(output).pages) == 2


def test_a_subject_the_scenario_lacks_has_no_page(week):
    bare = dataclasses.replace(
        week, tables=week.tables | {n: week.tables[n].iloc[:0] for n in ("jobs", "pools")}
    )
    names = {page.name for page in document.pages(Run([bare]))}
    assert names.isdisjoint({"training", "serving", "serving-fleet"})
    assert "accelerator-hours" in names


def test_a_run_of_an_older_version_has_no_page_on_validation(week):
    tables = {n: t for n, t in week.tables.items() if n not in ("validation", "constants")}
    names = {page.name for page in document.pages(Run([dataclasses.replace(week, tables=tables)]))}
    assert "validation" not in names and "back-matter" in names


def test_a_short_run_without_failures_or_register_renders(tmp_path):
    day = campus(days=1)
    empty = {"assumptions": day.tables["assumptions"].iloc[:0]}
    calm = dataclasses.replace(day, events=day.events.iloc[:0], tables=day.tables | empty)
    pages = {page.name: page for page in document.pages(Run([calm]))}
    assert pages["failures"].title.startswith("No failures")
    assert document.write([calm], tmp_path).exists()


def test_a_run_of_replicates_renders_with_its_ranges(replicates, tmp_path):
    document.write(replicates, tmp_path)
    text = PdfReader(tmp_path / "report.pdf").pages[0].extract_text()
    assert "3 replicates" in text
    assert "95 % intervals of the means: peak import" in text and "Not resolvable: P10 and P90" in text
    assert "P10 to P90" in text
