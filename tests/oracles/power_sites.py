"""Sites whose power flow an independent program has solved, with random outages of each.

    python tests/oracles/power_sites.py TABLES.json

writes their plain tables; `power_oracle.py` solves them where pandapower is installed.
"""

import json
import sys
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from small import load_tree, pod_tree

from simulator.components.power.flow_network import FlowNetwork
from simulator.site import Site, compile_site
from simulator.studies import power_flow

OUTAGES = 20
SEED = 7


def _tree(halls: list[dict[str, Any]], lines, transformers, voltage: str) -> dict[str, Any]:
    tree = pod_tree()
    topology, hall = tree["topology"], tree["topology"]["halls"][0]
    topology["grid"] |= {"lines": lines, "transformers": transformers, "voltage": voltage}
    topology["halls"] = [{**hall, "support": [], **given} for given in halls]
    tree["workloads"] = []
    return tree


def _bank(count: int, rating: str, load: str, no_load: str = "0 %") -> dict[str, Any]:
    return {"count": count, "rating": rating, "loss": {"load": load, "no_load": no_load}}


def _one_bus(transformers: int) -> dict[str, Any]:
    return {"buses": [{"name": "medium voltage", "transformers": transformers, "halls": ["hall"]}]}


def campus() -> dict[str, Any]:
    """Two lines of 345 kV, four transformers of 400 MVA, forty halls of 30 MVA, about 800 MW."""
    hall = {
        "name": "hall", "count": 40, "blocks": 1, "racks_per_block": 120,
        "block": {"rating": "30 MVA", "substation": {"no_load": "0.08 %", "load": "0.7 %"},
                  "busway": {"load": "0.6 %"}},
        "feeders": _bank(2, "26 MVA", "0.3 %"),
    }  # fmt: skip
    tree = _tree([hall], _bank(2, "900 MVA", "0.4 %"), _bank(4, "400 MVA", "0.25 %", "0.04 %"), "345 kV")
    tree["topology"]["mechanical"]["rating"] = "3 MVA"
    tree["topology"]["medium_voltage"] = _one_bus(4)
    return tree


def ring() -> dict[str, Any]:
    """Four halls on a ring between two buses, open in the middle."""
    block = {"rating": "3 MVA", "substation": {"no_load": "0.08 %", "load": "0.7 %"},
             "busway": {"load": "0.6 %"}}  # fmt: skip
    hall = {"name": "hall", "count": 4, "blocks": 6, "block": block, "racks_per_block": 16,
            "feeders": _bank(2, "24 MVA", "0.3 %")}  # fmt: skip
    tree = _tree([hall], _bank(2, "80 MVA", "0.4 %"), _bank(4, "30 MVA", "0.3 %", "0.05 %"), "138 kV")
    names = ["west", "rmu-1", "rmu-2", "rmu-3", "rmu-4", "east"]
    buses = [{"name": "west", "transformers": 2}, {"name": "east", "transformers": 2}]
    buses += [{"name": f"rmu-{k}", "halls": [f"hall-{k:02d}"]} for k in range(1, 5)]
    branches = [
        {"name": f"{a} to {b}", "between": [a, b], "rating": "48 MVA",
         "loss": {"load": "0.5 %"}, "reactance": "1 %", "open": a == "rmu-2"}
        for a, b in pairwise(names)
    ]  # fmt: skip
    tree["topology"]["medium_voltage"] = {"buses": buses, "branches": branches}
    return tree


def hall_2n() -> dict[str, Any]:
    """One hall of six pairs of lineups."""
    block = {"rating": "2.5 MVA", "substation": {"no_load": "0.08 %", "load": "0.7 %"},
             "busway": {"load": "0.6 %"}}  # fmt: skip
    hall = {"name": "hall", "blocks": 6, "block": block, "distribution": {"scheme": "2N"},
            "feeders": _bank(2, "15 MVA", "0.3 %")}  # fmt: skip
    tree = _tree([hall], _bank(2, "20 MVA", "0.4 %"), _bank(2, "16 MVA", "0.4 %", "0.05 %"), "69 kV")
    tree["topology"]["medium_voltage"] = _one_bus(2)
    return tree


SITES = {"campus": campus, "ring": ring, "hall_2n": hall_2n}


@cache
def site(name: str) -> Site:
    """Return a compiled site."""
    with tempfile.TemporaryDirectory() as folder:
        return compile_site(load_tree(SITES[name](), Path(folder)).spec.topology)


@cache
def network(name: str) -> FlowNetwork:
    """Return its network at design load."""
    return power_flow.network(site(name))


def outages(name: str) -> list[list[str]]:
    """Return sets of one to three elements out, upper levels as likely as all others together."""
    net, draws = network(name), np.random.default_rng(SEED)
    upper = [n for n, kind in zip(net.name, net.kind, strict=True)
             if kind in ("line", "transformer_main") or " to " in n]  # fmt: skip
    buses = [bus for bus in net.bus_name[2:] if "/" not in bus]
    upper += buses if len(buses) > 1 else []  # the only one is the whole site
    lower = [n for n in net.name if n not in upper]
    found = []
    for _ in range(OUTAGES):
        pool = [upper if draws.random() < 0.6 else lower for _ in range(int(draws.integers(1, 4)))]
        found.append(sorted({str(names[draws.integers(len(names))]) for names in pool}))
    return found


if __name__ == "__main__":
    given = {n: power_flow.tables(network(n)) | {"outages": outages(n)} for n in SITES}
    Path(sys.argv[1]).write_text(json.dumps(given))
