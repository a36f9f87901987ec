"""Joint sizing against plants whose best combination is known in closed form."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import Problem, ScenarioError
from simulator.studies import StudyError, joint_axis, joint_prices, requirements
from simulator.studies.joint import JointSearch

RACKS, TEMPERATURE = "racks", "supply"


def power_mw(x):
    """Cooling takes less of it as the supply is warmer."""
    return 0.2 * x[RACKS] * (1.6 - 0.01 * x[TEMPERATURE])


def junction_c(x):
    return x[TEMPERATURE] + 0.4 * x[RACKS]


def work(x):
    return x[RACKS] * (1.0 - 0.001 * x[TEMPERATURE])


def summary(x, k=0):
    told = {
        "power": (power_mw(x) * (1 + 0.01 * k), "MW"), "junction": (junction_c(x), "degC"), "work": (work(x), "h"),
    }
    return {"kpis": {n: {"value": v, "unit": u} for n, (v, u) in told.items()}, "checks": {}}


def a_search(goal, direction, limits, now=(10, "30.0 degC"), replicates=1, refused=lambda x: False, screen=None):
    """Return a search over racks and supply temperature, and what it runs."""
    axes = (
        joint_axis.read(f"{RACKS}=1..100", now[0]),
        joint_axis.read(f"{TEMPERATURE}=20 degC..60 degC by 1 degC", now[1]),
    )
    made = []

    def load(values):
        x = {key: float(value.split()[0]) for key, value in values.items()}
        if refused(x):
            raise ScenarioError([Problem("--set", 1, 1, "key", "does not fit")])
        return x

    def run(x, chosen):
        chosen = list(chosen)
        made.extend((x[RACKS], x[TEMPERATURE], k) for k in chosen)
        return [summary(x, k) for k in chosen]

    required = tuple(requirements.read(text) for text in limits)
    return JointSearch(goal, direction, axes, required, load, run, replicates, screen), made, required


def by_enumeration(goal, limits_kept, refused=lambda x: False):
    """Return the best value of a goal over the whole lattice."""
    lattice = ({RACKS: r, TEMPERATURE: t} for r, t in itertools.product(range(1, 101), range(20, 61)))
    return max((goal(x) for x in lattice if limits_kept(x) and not refused(x)), default=None)


@settings(max_examples=6, deadline=None)
@given(st.integers(3, 30), st.integers(45, 90), st.booleans())
def test_the_best_of_all_combinations_is_found(most_mw, most_c, guided):
    """Two limits cross: warmer coolant frees power and takes junction."""
    def kept(x):
        return power_mw(x) <= most_mw and junction_c(x) <= most_c

    limits = [f"power <= {most_mw} MW", f"junction <= {most_c} degC"]
    screen = (lambda x: {"power": 1.3 * power_mw(x)}) if guided else None
    search, _, _ = a_search(RACKS, "max", limits, screen=screen)
    answer = search.answer()
    assert answer.best.objective == by_enumeration(lambda x: x[RACKS], kept)
    search, _, _ = a_search("work", "max", limits, screen=screen)
    assert search.answer().best.objective == pytest.approx(by_enumeration(work, kept), rel=0.02)


def test_no_neighbour_is_better_and_the_runs_are_few():
    search, made, _ = a_search("work", "max", ["power <= 15 MW", "junction <= 70 degC"])
    answer = search.answer()
    best = answer.best.place
    around = [tuple(a + m for a, m in zip(best, move, strict=True)) for move in itertools.product((-1, 0, 1), repeat=2)]
    tried = [answer.points[place] for place in around if place != best]
    assert len(tried) == 8
    assert all(not p.candidate.feasible or p.objective <= answer.best.objective for p in tried)
    assert len(made) < 150  # of 4,100 combinations


def test_closed_forms_save_runs():
    limits = ["power <= 15 MW", "junction <= 70 degC"]
    plain, many, _ = a_search("work", "max", limits, now=(1, "20.0 degC"))
    guided, few, _ = a_search(
        "work", "max", limits, now=(1, "20.0 degC"),
        screen=lambda x: {"work": 0.7 * work(x), "power": 2.0 * power_mw(x), "junction": junction_c(x)},
    )  # fmt: skip
    assert guided.answer().best.objective >= plain.answer().best.objective
    assert len(few) < len(many)


def test_a_start_that_breaks_limits_finds_its_way():
    search, _, _ = a_search("work", "max", ["power <= 15 MW", "junction <= 70 degC"], now=(90, "55.0 degC"))
    assert search.answer().best.candidate.feasible
    search, _, _ = a_search("work", "max", ["junction <= 10 degC"])
    answer = search.answer()
    assert answer.best is None and answer.nearest.values == {RACKS: "1", TEMPERATURE: "20.0 degC"}


def test_prices_are_the_multipliers_of_the_limits():
    """Racks r under a r <= P with a = 0.2 (1.6 - 0.01 t), r 0.4 + t <= J: by Cramer's rule."""
    limits = ["power <= 15 MW", "junction <= 70 degC"]
    search, _, required = a_search(RACKS, "max", limits)
    answer = search.answer()
    prices, explained = joint_prices.limit_prices(answer, required)
    assert prices["binding"].all() and explained > 0.999
    r, t = (axis.number(p) for axis, p in zip(answer.axes, answer.best.place, strict=True))
    a, b = 0.2 * (1.6 - 0.01 * t), -0.002 * r  # power's slopes along racks and temperature
    det = a * 1.0 - b * 0.4
    assert list(prices["shadow_price"]) == pytest.approx([1.0 / det, -b / det], rel=1e-6)
    assert set(joint_prices.stops(answer)) == set(limits)


def test_the_next_unit_of_each_input_is_told():
    search, _, required = a_search("work", "max", ["power <= 15 MW"])
    answer = search.answer()
    units = joint_prices.next_units(answer, required).set_index(["input", "way"])
    assert answer.best.values[TEMPERATURE] == "60.0 degC"
    assert units.loc[(TEMPERATURE, 1), "stopped_by"] == "end of the range"
    more = units.loc[(RACKS, 1)]
    assert not more["keeps"] and more["stopped_by"] == "power <= 15 MW" and more["power <= 15 MW"] > 15.0
    assert more["gain_per_unit"] == pytest.approx(1.0 - 0.06)
    assert units.loc[(RACKS, -1), "gain"] == pytest.approx(-0.94)
    prices, _ = joint_prices.limit_prices(answer, required)
    assert prices["shadow_price"][0] == pytest.approx(0.94 / 0.2, rel=1e-6)


def test_what_the_checks_refuse_stops_the_search_and_is_never_run():
    search, made, _ = a_search("work", "max", ["power <= 1 GW"], refused=lambda x: x[RACKS] + x[TEMPERATURE] > 80)
    answer = search.answer()
    assert answer.best.values == {RACKS: "60", TEMPERATURE: "20.0 degC"}
    assert max(r + t for r, t, _ in made) <= 80 and set(joint_prices.stops(answer)) == {"does not fit"}


def test_replicates_verify_what_one_does_not_refuse():
    """Replicate k draws 1 % more power for each k."""
    search, made, required = a_search("work", "max", ["power <= 15 MW @ 100 %"], (90, "30.0 degC"), 5)
    answer = search.answer()
    assert answer.best.candidate.replicates == 5 and 1.04 * power_mw(search.load(answer.best.values)) <= 15.0
    alone = {(r, t) for r, t, k in made if k == 0} - {(r, t) for r, t, k in made if k == 1}
    assert alone
    prices, _ = joint_prices.limit_prices(answer, required)
    assert prices["share_kept"][0] == 1.0 and prices["share_shown"][0] == pytest.approx(0.05 ** (1 / 5))


def test_what_cannot_be_asked_is_refused():
    for text, told in (
        ("racks", "write KEY=LOW..HIGH"), ("racks=5..1", "goes upward"), ("racks=1 MW..2 MW", "same unit"),
        ("racks=1..9 by 0", "goes upward"), ("racks=a..b", "no number"),
    ):
        with pytest.raises(StudyError, match=told):
            joint_axis.read(text, 3)
    with pytest.raises(StudyError, match="did you mean 'work'"):
        a_search("wok", "max", ["power <= 15 MW"])[0].answer()


def test_steps_are_written_as_a_scenario_would_have_them():
    axis = joint_axis.read("racks=10..20 by 5", 12)
    assert [axis.written(i) for i in range(axis.last + 1)] == ["10", "15", "20"] and axis.first == 0
    axis = joint_axis.read("supply=36 degC..44 degC", "41 degC")
    assert (axis.last, axis.written(1), axis.first) == (20, "36.4 degC", 12)
