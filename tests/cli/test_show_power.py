"""The power part of `gigawatt show`, its export, and the equipment behind it."""

import importlib.util
import json
import sys

import pytest
import yaml
from small import load_tree, pod_tree

from simulator.cli import main, show_power
from simulator.site import compile_site


def scheme(blocks, **distribution):
    tree = pod_tree()
    hall = tree["topology"]["halls"][0]
    hall |= {"count": 2, "blocks": blocks, "distribution": distribution,
             "feeders": {"count": 2, "rating": "30 MVA"}}  # fmt: skip
    hall["block"]["rating"] = "1.3 MVA"
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank]["rating"] = "40 MVA"
    return tree


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["gigawatt", *map(str, words)])
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def counts(tree, folder):
    site = compile_site(load_tree(tree, folder).spec.topology)
    return {(lot.kind, lot.serves): lot.count for lot in site.equipment}, site


def test_equipment_is_counted_by_kind_and_use(tmp_path):
    ups = pod_tree()["topology"]["ups"] | {"modules": 3, "margin": "50 %"}
    found, site = counts(scheme(6, scheme="4N/3", transfer="sts", ups=ups), tmp_path)
    assert found["unit substation", "racks"] == 2 * 4
    assert found["UPS module", "racks"] == 2 * 4 * 3
    assert found["busway", "racks"] == 2 * 6 * 2
    assert found["switchgear section", "racks"] == 2 * 4
    assert found["STS transfer switch", "racks"] == 2 * 6
    assert found["feeder", ""] == 2 * 2
    assert found["unit substation", "support"] == found["busway", "support"] == 2 * 2
    assert found["UPS module", "support"] == 2 * 2 * 5
    assert sum(lot.count for lot in site.equipment if lot.kind == "line") == 2


@pytest.mark.parametrize(("name", "blocks", "lineups"), [("N", 6, 6), ("2N", 6, 12), ("3N/2", 6, 6),
                                                        ("block_redundant", 8, 10), ("N+1", 8, 10)])
def test_lineups_follow_from_the_scheme(name, blocks, lineups, tmp_path):
    found, site = counts(scheme(blocks, scheme=name), tmp_path)
    assert found["unit substation", "racks"] == 2 * lineups
    assert int((site.block_support_w == 0.0).sum()) == 2 * blocks


def test_usable_and_reserve_add_up_to_the_rating(tmp_path):
    site = compile_site(load_tree(scheme(6, scheme="4N/3"), tmp_path).spec.topology)
    table = [line.split() for line in show_power.one_line(site)]
    row = next(cells for cells in table if cells[:3] == ["unit", "substation", "racks"])
    rating, usable, reserve = map(float, row[5:8])
    assert usable + reserve == pytest.approx(rating, rel=1e-4)
    assert 0.72 < usable / rating < 0.75
    halls = next(cells for cells in table if cells[:2] == ["pod", "4N/3"])
    assert halls[2:5] == ["8", "12", "75.0%"]


def test_headroom_is_what_racks_plants_and_losses_leave(tmp_path):
    """By hand on the pod: what a block's busway loses is what its substation delivers beyond racks; the
    feeders deliver that, the losses of what hangs on them, and the mechanical substation with all of its load."""
    site = compile_site(load_tree(pod_tree(), tmp_path).spec.topology)
    racks_w, others_w = show_power.nameplate_below_w(site), show_power.others_below_w(site)
    node = {one.name: i for i, one in enumerate(site.nodes)}

    def lost_w(name):
        one, out_w = site.nodes[node[name]], racks_w[node[name]] + others_w[node[name]]
        return one.loss.loss_w(out_w, one.rating_w)

    assert others_w[node["pod/b01/busway"]] == 0.0
    assert others_w[node["pod/b01/substation"]] == pytest.approx(lost_w("pod/b01/busway"))
    assert others_w[node["pod/mechanical"]] == site.nodes[node["pod/mechanical"]].design_w > 0.0
    below = [name for name, i in node.items() if site.nodes[i].parent == node["pod/feeders"]]
    assert others_w[node["pod/feeders"]] == pytest.approx(sum(others_w[node[b]] + lost_w(b) for b in below))
    rows = [line.split() for line in show_power.one_line(site)]
    feeder = next(cells for cells in rows if cells[0] == "feeder")
    usable, _, racks, others, room = map(float, feeder[-5:])
    assert room == pytest.approx(usable - racks - others, abs=1e-4)
    assert others == pytest.approx(others_w[node["pod/feeders"]] / 1e6, rel=1e-3)


def test_the_export_writes_plain_tables(tmp_path, monkeypatch, capfd):
    path, target = tmp_path / "site.yaml", tmp_path / "net.json"
    path.write_text(yaml.safe_dump(scheme(2, scheme="2N")))
    assert run(monkeypatch, "show", path, "--network", target) == 0
    tables = json.loads(target.read_text())
    kinds = {branch["kind"] for branch in tables["branches"]}
    assert kinds == {"line", "transformer_main", "feeder", "transformer_unit"}
    assert len(tables["loads"]) == 2 * (4 + 1 + 1)
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(bool(importlib.util.find_spec("pandapower")), reason="pandapower is here")
def test_without_pandapower_the_export_says_how(tmp_path, monkeypatch, capfd):
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(pod_tree()))
    assert run(monkeypatch, "show", path, "--pandapower", tmp_path / "net.json") == 2
    assert "simulator/studies/pandapower_net.py" in capfd.readouterr().err
