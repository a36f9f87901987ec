"""A pandapower network from the plain tables of `studies.power_flow.tables`.

Stands alone: it imports nothing of this project, because pandapower pins an older pandas than the
project uses. With the interpreter of an environment that has pandapower,

    python simulator/studies/pandapower_net.py TABLES.json NET.json
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

TRANSFORMERS = ("transformer_main", "transformer_unit")


def build(tables: dict[str, Any]) -> Any:
    """Return the pandapower network of the tables; ImportError without pandapower."""
    import pandapower

    net = pandapower.create_empty_network(sn_mva=tables["base_mva"])
    kv = {bus["name"]: bus["kv"] for bus in tables["buses"]}
    at = {name: pandapower.create_bus(net, vn_kv=volts, name=name) for name, volts in kv.items()}
    pandapower.create_ext_grid(net, at[tables["slack"]], vm_pu=1.0)
    for branch in tables["branches"]:
        ends, transformer = (branch["from"], branch["to"]), branch["kind"] in TRANSFORMERS
        given = _transformer(branch, tables["base_mva"], *(kv[end] for end in ends)) if transformer \
            else _line(branch, tables["base_mva"], kv[ends[0]])
        create = pandapower.create_transformer_from_parameters if transformer \
            else pandapower.create_line_from_parameters
        create(net, *(at[end] for end in ends), name=branch["name"], in_service=branch["closed"],
               **given)
    for bank in tables["banks"]:
        pandapower.create_shunt(net, at[bank["bus"]], -bank["q_mvar"], name=bank["bus"])
    for load in tables["loads"]:
        pandapower.create_load(net, at[load["bus"]], load["p_mw"], load["q_mvar"], name=load["name"])
    return net


def _line(branch: dict[str, Any], base_mva: float, kv: float) -> dict[str, float]:
    """Return a cable or line of one kilometre; shunt losses of lines are nil."""
    ohm = kv**2 / base_mva
    return {
        "length_km": 1.0, "r_ohm_per_km": branch["r_pu"] * ohm, "x_ohm_per_km": branch["x_pu"] * ohm,
        "c_nf_per_km": 0.0, "max_i_ka": branch["rating_mva"] / kv / math.sqrt(3.0),
    }


def _transformer(
    branch: dict[str, Any], base_mva: float, high_kv: float, low_kv: float
) -> dict[str, float]:
    """Return a two-winding transformer; its no-load current is all loss. Its tap is told by the rated voltage there,
    because tappings are of full power: a rated current that grows as the voltage falls."""
    share = branch["rating_mva"] / base_mva
    iron_mw = branch["g_pu"] * base_mva
    return {
        "sn_mva": branch["rating_mva"], "vn_hv_kv": high_kv * branch["ratio"], "vn_lv_kv": low_kv,
        "vkr_percent": 100.0 * branch["r_pu"] * share,
        "vk_percent": 100.0 * math.hypot(branch["r_pu"], branch["x_pu"]) * share,
        "pfe_kw": 1e3 * iron_mw, "i0_percent": 100.0 * iron_mw / branch["rating_mva"],
    }


def save(tables: dict[str, Any], path: Path) -> None:
    """Write the pandapower network of the tables, as pandapower reads it back."""
    import pandapower

    pandapower.to_json(build(tables), str(path))


if __name__ == "__main__":
    given, wanted = (Path(argument) for argument in sys.argv[1:])
    save(json.loads(given.read_text()), wanted)
