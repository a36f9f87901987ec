"""A report of replicates is of all of them: what is not says so."""

import dataclasses

import pandas as pd
import pytest

from simulator.reports import document
from simulator.reports.page import FigureSpec, Page
from simulator.reports.run import Run
from simulator.results import ALIKE, Results

KEPT = ALIKE | {"racks", "network"}
"""Tables that are no different in another replicate: inputs, and what is built."""
ALIKE_FIGURES = {"ettr-scale", "evidence", "validation", "network-draw", "training-phases", "job-hours"}
"""Figures of such tables, of the plan of a step, or of shares that 3 % more of everything leaves as they
are."""


def shifted(results: Results) -> Results:
    """Return a second replicate in which every quantity is 3 % more than in the first."""
    series = {level: _more(table) for level, table in results.timeseries.items()}
    tables = {n: t if n in KEPT else _more(t) for n, t in results.tables.items()}
    info = results.info | {"replicate": 1}
    return dataclasses.replace(results, info=info, timeseries=series, tables=tables,
                               events=results.events.iloc[::2])  # fmt: skip


def _more(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("number").columns
    return table.assign(**{c: table[c] * 1.03 for c in numbers})


@pytest.fixture(scope="module")
def pages(week) -> tuple[list[Page], list[Page]]:
    """The pages of one replicate, and of two."""
    return document.pages(Run([week])), document.pages(Run([week, shifted(week)]))


def figures(pages: list[Page]) -> dict[str, FigureSpec]:
    return {spec.name: spec for page in pages for spec in page.figures}


def test_every_figure_is_of_all_replicates_or_says_that_it_is_of_the_first(pages):
    one, two = map(figures, pages)
    same = {name for name in one if one[name].data.equals(two[name].data)}
    assert same - ALIKE_FIGURES == {name for name, spec in two.items() if spec.of_first}
    assert same >= ALIKE_FIGURES


def test_a_figure_of_the_first_says_so_in_its_caption(pages):
    said = "The first of 2 replicates."
    for page in pages[1]:
        told = [figure["caption"].endswith(said) for row in document._page(page, 2)["figures"] for figure in row]
        assert told == [spec.of_first for spec in page.figures]


def test_a_mean_leaves_out_or_counts_what_a_replicate_lacks(week):
    other = dataclasses.replace(week, info=week.info | {"replicate": 1})
    frames = {0: pd.DataFrame({"cause": ["a", "b"], "count": [2.0, 4.0], "note": ["x", "y"]}),
              1: pd.DataFrame({"cause": ["a"], "count": [6.0], "note": ["z"]})}  # fmt: skip
    run = Run([week, other])
    means = run.averaged(lambda results: frames[results.info["replicate"]], ["cause"])
    assert means.to_dict("list") == {"cause": ["a", "b"], "count": [4.0, 4.0], "note": ["x", "y"]}
    zero = run.averaged(lambda results: frames[results.info["replicate"]], ["cause"], absent_is_zero=True)
    assert zero["count"].tolist() == [4.0, 2.0]
