"""Conversion chains from the grid to the chip against published totals."""

import pytest

from simulator import catalog
from simulator.components.from_catalog import power_path

PATHS = catalog.names("power_paths")
PUBLISHED = [name for name in PATHS if power_path(name).published is not None]


@pytest.mark.parametrize("name", PUBLISHED)
def test_stages_multiply_to_the_published_total_within_a_point(name):
    """At full load, as stage efficiencies are usually told; the publication does not say."""
    path = power_path(name)
    assert path.efficiency(1.0) == pytest.approx(path.published, abs=0.01)


def test_paths_rank_as_published():
    known = sorted(PUBLISHED, key=lambda name: power_path(name).published)
    assert known == ["ac-415", "sidecar-800", "native-800", "facility-800", "sst-800"]
    for x in (0.3, 0.5, 0.8, 1.0):
        totals = [power_path(name).efficiency(x) for name in known]
        assert totals == sorted(totals)


@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_the_product_of_its_places(name):
    path = power_path(name)
    split = [s for place in ("campus", "hall", "rack", "board") for s in path.at(place)]
    assert tuple(split) == path.stages
    assert 0.75 < path.efficiency(1.0) < path.efficiency(0.7) < 0.95
