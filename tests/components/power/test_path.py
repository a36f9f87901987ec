"""Conversion chains from the grid to the chip against published totals."""

import pytest
from small import load_tree, pod_tree

from simulator import catalog
from simulator.components.from_catalog import power_path
from simulator.components.sizing import block_limit_w
from simulator.site import compile_site

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


def site_with(folder, **hall):
    tree = pod_tree()
    tree["topology"]["halls"][0] |= hall
    return compile_site(load_tree(tree, folder).spec.topology)


def node_named(site, end):
    return next(n for n in site.nodes if n.serves == "racks" and n.name.endswith(end))


@pytest.mark.parametrize("name", PATHS)
def test_a_hall_takes_the_losses_of_its_path(name, tmp_path):
    site, path = site_with(tmp_path, path=name), power_path(name)
    substation, busway = node_named(site, "/substation"), node_named(site, "/busway")
    x = 0.7
    lost = sum(c.loss_w(x, 1.0) for c in (substation.loss, busway.loss))
    assert lost == pytest.approx(sum(s.loss.loss_w(x, 1.0) for s in path.at("hall")))
    shelf = site.rack_types[0].power_shelf
    assert shelf.loss_w(x, 1.0) == pytest.approx(sum(s.loss.loss_w(x, 1.0) for s in path.at("rack")))


def test_less_loss_feeds_more_rack_power(tmp_path):
    limits = {}
    for name in ("ac-415", "native-800"):
        site = site_with(tmp_path, path=name)
        limits[name] = block_limit_w(site.topology, site.hall_spec[0])
    # Without the UPS in the chain: 3.2 % of the rating at full load.
    assert limits["native-800"] / limits["ac-415"] == pytest.approx(1.032, abs=0.003)


def test_a_ups_of_the_lineups_takes_the_place_of_the_path_s(tmp_path):
    ups = {"loss": {"no_load": "1 %"}, "ride_through": "5 min"}
    site = site_with(tmp_path, path="ac-415", distribution={"scheme": "N", "ups": ups})
    alone = [s.loss for s in power_path("ac-415").at("hall") if s.stage == "substations"]
    assert node_named(site, "/substation").loss.loss_w(1.0, 1.0) == pytest.approx(
        sum(curve.loss_w(1.0, 1.0) for curve in alone)
    )
    assert node_named(site, "/ups").loss.no_load == 0.01
