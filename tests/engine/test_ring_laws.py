"""Ratings that a run tells are those with everything in service, whatever is switched as it ends."""

from pathlib import Path

import numpy as np
import pytest

from simulator import scenario as scenarios
from simulator.simulation import build, finish

RING = Path(__file__).parents[2] / "scenarios" / "ring-hall.yaml"
CUT = {"cause": "mv_branch", "element": "west to ring-1", "at": "59 min", "lasts": "3 h"}


def finished(incidents):
    run = build(scenarios.load(RING, [("period.duration", "1 h"), ("incidents", incidents)]))
    run.advance(run.world.end_s)
    return run, finish(run)


def test_a_cable_cut_in_the_last_minute_does_not_change_what_elements_are_rated_at():
    switched, cut = finished([CUT])
    _, whole = finished([])
    mesh, intact = switched.world.state.tree.mesh, switched.world.state.laws.branches
    assert np.abs(mesh.rating_w / intact.rating_w - 1.0).max() > 1e-3  # the flow did change
    for table in ("limits", "plant"):
        for column in ("rating_w", "firm_w"):
            found, wanted = (run.tables[table][column].to_numpy() for run in (cut, whole))
            assert found == pytest.approx(wanted, rel=1e-12)
