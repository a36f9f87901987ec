"""Tornado, Morris and Sobol against functions whose answer is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import scenario
from simulator.studies import StudyError, sampling, sensitivity
from simulator.studies.assumed import WEAKNESS, ranged
from simulator.studies.designs import Design, Plan
from simulator.studies.unknown import Unknown

CAMPUS = Path(__file__).parent.parent.parent / "scenarios" / "gigawatt-campus.yaml"
KEYS = ("a", "b", "c")


def studied(kind, function, samples=None, evidence=None, replicates=1):
    """Return the indices of a function of the levels of three inputs."""
    levels = sampling.by_design(kind, samples or 0, KEYS, (), 1)
    designs = tuple(Design(dict(zip(KEYS, row, strict=True)), ()) for row in levels)
    plan = Plan("study", designs, replicates, kind, Unknown(samples=samples, seed=1), evidence=evidence or {})
    rows = [
        {"design": i, "status": "done", "hash": "x", "kpi": function(*row) + 0.1 * k, "still": 3.0,
         "late": np.nan, "checks.energy": 0.0}
        for i, row in enumerate(levels) for k in range(replicates)
    ]  # fmt: skip
    return sensitivity.indices(plan, pd.DataFrame(rows))


def test_a_tornado_ranks_by_swing():
    found = studied("tornado", lambda a, b, c: 10.0 + 2.0 * a - 5.0 * b, replicates=2)
    assert list(found["key"]) == ["b", "a", "c"] and set(found["kpi"]) == {"kpi"}
    first = found.iloc[0]
    assert first["swing"] == pytest.approx(5.0 * 0.8)
    assert (first["low"], first["high"]) == pytest.approx((10.55, 6.55))
    assert first["swing_frac"] == pytest.approx(4.0 / 8.55)


def test_morris_finds_the_slopes_of_a_plane_and_the_bend_of_a_product():
    found = studied("morris", lambda a, b, c: 3.0 * a - b, samples=10).set_index("key")
    assert found["mu_star"].to_dict() == pytest.approx({"a": 2.4, "b": 0.8, "c": 0.0}, abs=1e-9)
    assert found["sigma"].max() < 1e-9
    bent = studied("morris", lambda a, b, c: a * b, samples=20).set_index("key")
    assert bent.loc["a", "sigma"] > 0.1 > bent.loc["c", "sigma"]


def test_sobol_finds_ishigami():
    """Ishigami and Homma 1990 with a = 7, b = 0.1; indices in closed form (Saltelli 2008)."""

    def ishigami(*levels):
        x, y, z = (-np.pi + 2.0 * np.pi * np.array(levels))
        return np.sin(x) + 7.0 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)

    found = studied("saltelli", ishigami, samples=2048).set_index("key")
    assert found["s1"].to_dict() == pytest.approx({"a": 0.3139, "b": 0.4424, "c": 0.0}, abs=0.03)
    assert found["st"].to_dict() == pytest.approx({"a": 0.5576, "b": 0.4424, "c": 0.2437}, abs=0.03)
    for name in ("s1", "st"):
        assert (found[f"{name}_conf"] < 0.12).all()


def test_evidence_weighs_influence():
    evidence = {"a": "measured", "b": "vendor", "c": "assumed"}
    found = studied("tornado", lambda a, b, c: a + b + c / 2.0, evidence=evidence).set_index("key")
    assert found["weight"].to_dict() == pytest.approx(
        {"a": WEAKNESS["measured"], "b": WEAKNESS["vendor"], "c": 0.5 * WEAKNESS["assumed"]}
    )


def test_runs_that_failed_give_no_indices():
    plan = Plan("study", (Design({"a": 0}, ()),) * 3, 1, "tornado")
    rows = pd.DataFrame({"design": [0, 1, 2], "status": ["done", "failed", "done"], "hash": "x", "k": 1.0})
    assert sensitivity.indices(plan, rows).empty


@pytest.mark.parametrize(
    ("kind", "samples", "count"), [("tornado", None, 7), ("morris", 5, 20), ("saltelli", 8, 40), ("lhs", 9, 9)]
)
def test_designs_are_counted_before_they_are_made(kind, samples, count):
    assert Unknown(samples=samples).count(kind, 3) == count
    assert len(sampling.by_design(kind, samples or 0, KEYS, (), 1)) == count


@pytest.mark.parametrize(
    ("kind", "samples", "told"),
    [("tornado", 3, "no 'samples'"), ("morris", None, "how many"), ("saltelli", 6, "powers of two")],
)
def test_what_a_design_cannot_have_is_refused(kind, samples, told):
    with pytest.raises(StudyError, match=told):
        Unknown(samples=samples).count(kind, 3)


def test_one_at_a_time_cannot_be_correlated():
    with pytest.raises(StudyError, match="moves its axes apart"):
        Unknown(correlation=[("a", "b", 0.5)]).check_pairs({"a": 1, "b": 2}, "morris")


def test_salib_is_asked_for(monkeypatch):
    monkeypatch.setattr("simulator.studies.unknown.find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r"gigawatt\[sensitivity\]"):
        Unknown(samples=4).count("morris", 3)


def test_assumptions_of_a_document_vary_as_one_where_they_are_one():
    found = ranged(scenario.load(CAMPUS))
    rating = found["topology.halls.train.block.rating"]
    assert "topology.halls.serve.block.rating" in rating.paths
    assert found["economics.energy_price"].distribution.pert == (
        "65 USD/MWh", "80 USD/MWh", "90 USD/MWh"
    )
    assert len({path for one in found.values() for path in one.paths}) == sum(
        len(one.paths) for one in found.values()
    )
