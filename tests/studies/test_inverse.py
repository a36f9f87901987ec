"""Inverse planning against indicators whose closed form gives the answer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import Problem, ScenarioError
from simulator.studies import StudyError, inverse, requirements
from simulator.studies.inverse import Search
from simulator.studies.limits import LimitError
from simulator.studies.requirements import Candidate


def summary(power_mw, wait_s):
    return {
        "kpis": {"power": {"value": power_mw, "unit": "MW"}, "wait": {"value": wait_s, "unit": "s"}},
        "checks": {},
    }


def a_search(limits, start, direction="max", replicates=1, valid=lambda x: True, **more):
    """Return a search over a plant: 2 MW per unit, and a wait that grows with the square."""
    made = []

    def load(value):
        number = float(str(value).split()[0])
        if not valid(number):
            raise ScenarioError([Problem("--set", 1, 1, "key", f"{value} does not fit")])
        return number

    def run(number, chosen):
        chosen = list(chosen)
        made.extend((number, k) for k in chosen)
        return [summary(2.0 * number, 0.01 * number**2 * (1.0 + 0.1 * k)) for k in chosen]

    required = tuple(requirements.read(text) for text in limits)
    return Search("key", direction, required, load, run, replicates, start, **more), made, required


@given(st.integers(1, 500), st.integers(2, 2000))
def test_the_largest_count_is_found_from_anywhere(start, most):
    search, _, _ = a_search([f"power <= {most} MW"], start)
    answer = search.answer()
    if most < 2:
        assert answer.best is None
    else:
        assert (answer.best.value, answer.beyond.value) == (str(most // 2), str(most // 2 + 1))
        assert answer.monotone


@given(st.integers(1, 500), st.integers(1, 2000))
def test_the_smallest_count_is_found_from_anywhere(start, least):
    answer = a_search([f"power >= {least} MW"], start, "min")[0].answer()
    assert int(answer.best.value) == math.ceil(least / 2)


def test_a_quantity_is_searched_in_parts_of_its_present_value():
    answer = a_search(["wait <= 1 s"], "5 MW")[0].answer()
    assert answer.best.value == "10.0 MW"
    answer = a_search(["wait <= 1 s"], "5 MW", step="0.4 MW")[0].answer()
    assert (answer.best.value, answer.beyond.value) == ("10.0 MW", "10.4 MW")


def test_a_share_of_the_replicates_must_keep_the_limit():
    # Replicate k waits 0.01 x^2 (1 + 0.1 k): at 10 only the first keeps one second.
    assert a_search(["wait <= 1 s @ 100 %"], 5, replicates=11)[0].answer().best.value == "7"
    assert a_search(["wait <= 1 s @ 50 %"], 5, replicates=11)[0].answer().best.value == "8"
    assert a_search(["wait <= 1 s @ 5 %"], 5, replicates=11)[0].answer().best.value == "10"
    assert a_search(["wait <= 1 s"], 5, replicates=11)[0].answer().best.value == "8"


def test_screening_saves_replicates_but_never_changes_the_answer():
    search, made, _ = a_search(["wait <= 1 s @ 100 %"], 50, replicates=11)
    assert search.answer().best.value == "7"
    alone = {x for x, k in made if k == 0} - {x for x, k in made if k == 1}
    assert alone and all(0.01 * x**2 > 1.0 for x in alone)


@given(st.integers(1, 500), st.integers(2, 2000), st.sampled_from([0.5, 1.0, 3.0]))
def test_closed_forms_save_runs_and_never_change_the_answer(start, most, bias):
    """They are off by a factor, which the first run takes out, or know nothing of the limit."""
    plain, runs, _ = a_search([f"power <= {most} MW"], start)
    guided, fewer, _ = a_search([f"power <= {most} MW"], start, screen=lambda x: {"power": bias * 2.0 * x})
    one, two = plain.answer(), guided.answer()
    assert (one.best and one.best.value, one.beyond and one.beyond.value) == (
        two.best and two.best.value, two.beyond and two.beyond.value
    )  # fmt: skip
    assert len(fewer) <= max(len(runs), 4)
    blind, same, _ = a_search([f"power <= {most} MW"], start, screen=lambda x: {"cost": 1.0})
    assert blind.answer().best == one.best and same == runs


def test_closed_forms_that_are_wrong_cost_runs_only():
    for slope in (0.1, -1.0, 40.0):
        search, made, _ = a_search(["wait <= 1 s"], 5, screen=lambda x, s=slope: {"wait": max(1.0 + s * (x - 5), 0.01)})
        assert search.answer().best.value == "10" and len(made) < 20
    far, made, _ = a_search(["power <= 20 GW"], 5, screen=lambda x: {"power": 3.0 * x})
    assert far.answer().best.value == "10000" and len(made) <= 4
    plain, many, _ = a_search(["power <= 20 GW"], 5)
    assert plain.answer().best.value == "10000" and len(many) > 20


def test_what_the_checks_refuse_is_never_run():
    search, made, _ = a_search(["power <= 1 GW"], 5, valid=lambda x: x <= 37)
    answer = search.answer()
    assert (answer.best.value, answer.beyond.refused) == ("37", "38 does not fit")
    assert max(x for x, _ in made) == 37


def test_a_range_ends_the_search():
    answer = a_search(["power <= 1 GW"], 5, most="20")[0].answer()
    assert (answer.best.value, answer.beyond) == ("20", None)
    answer = a_search(["power <= 4 MW"], 5, least="4")[0].answer()
    assert answer.best is None and answer.beyond.broken == ("power <= 4 MW",)
    with pytest.raises(StudyError, match="no step"):
        a_search(["power <= 4 MW"], 5, least="4.2", most="4.8", step="1")
    with pytest.raises(StudyError, match="same unit"):
        a_search(["power <= 4 MW"], "5 MW", most="4 MVA")


def test_a_limit_that_nothing_reaches_asks_for_a_range():
    with pytest.raises(StudyError, match="give a range"):
        a_search(["power >= 0 MW"], 5)[0].answer()


def test_what_is_not_monotone_is_told():
    tried = [Candidate(str(k), k, k in (1, 4)) for k in (1, 2, 4)]
    told = inverse.Answer("key", "max", tried[0], tried[1], tuple(tried), 1.0)
    assert not told.monotone
    assert inverse.Answer("key", "max", tried[0], tried[1], tuple(tried[:2]), 1.0).monotone


def test_the_shadow_price_is_the_inverse_slope():
    search, _, required = a_search(["power <= 21 MW", "wait <= 9 s"], 5)
    table = inverse.shadow_prices(search.answer(), required).set_index("requirement")
    assert list(table["binding"]) == [True, False]
    assert table.loc["power <= 21 MW", "shadow_price"] == pytest.approx(0.5)
    assert table.loc["wait <= 9 s", "at_best"] == pytest.approx(1.0)


def test_a_share_shown_is_exact():
    # All of n kept: the share exceeded with 95 % confidence is 0.05^(1/n).
    assert requirements.chance_at_least(59, 59) == pytest.approx(0.05 ** (1 / 59))
    assert requirements.chance_at_least(0, 5) == 0.0


def test_an_unknown_indicator_or_share_is_refused():
    with pytest.raises(LimitError, match="did you mean 'power'"):
        a_search(["powr <= 4 MW"], 5)[0].answer()
    for text in ("wait <= 1 s @ often", "wait <= 1 s @ 0 %", "wait <= 1 s @ 200 %"):
        with pytest.raises(LimitError, match="share of the replicates"):
            requirements.read(text)
