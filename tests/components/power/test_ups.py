"""UPS as built: by a margin, or by modules of one size with some to spare."""

import pytest
from pydantic import ValidationError
from small import load_tree, pod_tree

from simulator.components.power.ups import Ups
from simulator.site import compile_site

LOSS = {"no_load": "1 %", "load": "2 %"}
PLAIN = {"loss": LOSS, "ride_through": "5 min"}


def test_a_margin_is_shared_by_equal_modules():
    built = Ups.model_validate(PLAIN | {"margin": "25 %", "modules": 5}).sized(1e6)
    assert built == (5, 1.25e6, pytest.approx(240.0), pytest.approx(125e3))
    assert built.rating_w * built.ride_through_s == pytest.approx(1e6 * 300.0)


@pytest.mark.parametrize(("load_w", "spare", "modules"), [(1e6, 1, 3), (1.001e6, 1, 4), (1e3, 0, 1), (1e6, 2, 4)])
def test_modules_of_one_size_are_as_many_as_the_load_needs_and_the_spare(load_w, spare, modules):
    built = Ups.model_validate(PLAIN | {"module": "500 kW", "spare": spare}).sized(load_w)
    assert (built.modules, built.rating_w) == (modules, modules * 500e3)
    assert built.rating_w * built.ride_through_s == pytest.approx(load_w * 300.0)


def test_modules_are_counted_one_way_only():
    with pytest.raises(ValidationError, match="leave `modules` and `margin` away"):
        Ups.model_validate(PLAIN | {"module": "500 kW", "margin": "25 %"})


@pytest.mark.parametrize(("scheme", "blocks", "worst"), [("N", 6, 1.0), ("2N", 6, 1.0), ("4N/3", 6, 2.0)])
def test_a_lineups_modules_carry_its_load_in_the_worst_state(tmp_path, scheme, blocks, worst):
    """With one lineup out each other one carries a block in 2N, two of the six in 4N/3; one to spare."""
    tree = pod_tree()
    hall, grid = tree["topology"]["halls"][0], tree["topology"]["grid"]
    hall |= {"blocks": blocks, "distribution": {"scheme": scheme, "ups": PLAIN | {"module": "100 kW"}}}
    hall["block"]["rating"] = "1.3 MVA"
    hall["feeders"] = {"count": 2, "rating": "30 MVA"}
    for bank in ("lines", "transformers"):
        grid[bank]["rating"] = "40 MVA"
    site = compile_site(load_tree(tree, tmp_path).spec.topology)
    racks = int((site.rack_block == site.rack_block[0]).sum())
    block_w = min(racks * site.rack_types[site.rack_type[0]].nameplate, float(site.block_limit_w[0]))
    found = {node.count for node in site.nodes if node.name.endswith("/ups") and node.serves == "racks"}
    needed = worst * block_w / 100e3
    assert len(found) == 1 and needed + 1.0 <= found.pop() <= needed * 1.02 + 2.0
