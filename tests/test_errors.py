"""Problems: how they read, how they are collected, what is suggested."""

from pathlib import Path

import pytest

from simulator.errors import Problem, ScenarioError, nearest


def test_problem_reads_as_place_path_message() -> None:
    problem = Problem("a.yaml", 3, 5, "plant.supply", "no unit")
    assert str(problem) == "a.yaml:3:5: plant.supply: no unit"
    assert str(Problem("a.yaml", 3, 5, "", "no unit")) == "a.yaml:3:5: no unit"


def test_files_below_the_working_directory_are_shown_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inside, outside = str(tmp_path / "sub" / "a.yaml"), "/elsewhere/a.yaml"
    assert str(Problem(inside, 1, 1, "", "x")).startswith("sub/a.yaml:1:1")
    assert str(Problem(outside, 1, 1, "", "x")).startswith("/elsewhere/a.yaml:1:1")


def test_error_sorts_and_tells_each_problem_once() -> None:
    late, early = Problem("a", 10, 1, "p", "late"), Problem("a", 2, 1, "p", "early")
    error = ScenarioError([late, early, late])
    assert error.problems == (early, late)
    assert str(error).splitlines() == [str(early), str(late)]
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("name", "candidates", "told"),
    [
        ("h100 sxm 80gb", ["H100-SXM-80GB", "H200"], " (did you mean 'H100-SXM-80GB'?)"),
        ("suply", ["supply", "return"], " (did you mean 'supply'?)"),
        ("halls", ["hall", "wall"], " (did you mean 'hall', 'wall'?)"),
        ("zzz", ["supply"], ""),
        ("x", [], ""),
    ],
)
def test_nearest(name: str, candidates: list[str], told: str) -> None:
    assert nearest(name, candidates) == told
