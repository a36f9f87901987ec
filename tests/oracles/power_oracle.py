"""Losses, loadings and what is shed, by pandapower: run by an interpreter that has it.

    python tests/oracles/power_oracle.py TABLES.json RESULTS.json

Everything is pandapower's own: the AC flow, which buses are supplied, and which loads lie behind a
branch (a linear flow with one load raised). Only the rules are the simulator's: main transformers whose buses
hang together step together until the mean voltage there is one, as far as their taps go; capacitors
give what is missing for the power factor at the slack; open points close in
order where they join a dark bus to a live one; where the flow has no solution all loads are cut by a
tenth until it has; loads behind overloaded branches are cut in proportion until none is.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pandapower
from pandapower import topology

sys.path.insert(0, str(Path(__file__).parents[2] / "simulator" / "studies"))

import pandapower_net

FULL, BEHIND, RELIEF, ROUNDS = 1.0 + 1e-4, 0.01, 0.9, 200
KINDS = ("line", "trafo")
SETTLED, TAP_RANGE, MOVES = 1e-7, 0.1, 200


def solve(net: Any) -> dict[str, float]:
    """Run the AC flow until taps and capacitors rest; return the loading of every branch by name."""
    high, share = net.bus["vn_kv"][net.trafo["hv_bus"]].to_numpy(), net.shunt["name"].map(net["bank_share"])
    groups, ratio = tapped(net), dict.fromkeys(net.trafo.index, 1.0)
    lit = ~net.shunt["bus"].isin(topology.unsupplied_buses(net))
    share = share.where(lit, 0.0) / max(share[lit].sum(), 1e-9)
    q_mvar, slope = float(net.load["q_mvar"].sum()), math.tan(math.acos(net["power_factor"]))
    start = "flat"
    for _ in range(MOVES):
        for i in (i for group in groups for i in group):
            net.trafo.at[i, "vn_hv_kv"] = high[net.trafo.index.get_loc(i)] * ratio[i]
        net.shunt["q_mvar"] = -share * q_mvar
        pandapower.runpp(net, init=start, tolerance_mva=1e-7, max_iteration=30, trafo_model="pi")
        start = "results"
        moved = 0.0
        for group in groups:
            seen = net.res_bus.loc[net.trafo.loc[group, "lv_bus"], "vm_pu"].mean()
            for i in group:
                new = min(max(ratio[i] * seen, 1.0 - TAP_RANGE), 1.0 + TAP_RANGE)
                moved, ratio[i] = max(moved, abs(new - ratio[i])), new
        taken = net.res_ext_grid.iloc[0]
        new_mvar = max(q_mvar + 0.75 * (taken["q_mvar"] - slope * taken["p_mw"]), 0.0)
        moved, q_mvar = max(moved, abs(new_mvar - q_mvar) / net.sn_mva), new_mvar
        if moved < SETTLED:
            break
    return {
        net[kind].at[i, "name"]: float(0.0 if x != x else x) / 100.0
        for kind in KINDS
        for i, x in net[f"res_{kind}"]["loading_percent"].items()
    }


def tapped(net: Any) -> list[list[int]]:
    """Return the main transformers in service by the part of the network, without them, that they feed."""
    parts = list(topology.connected_components(topology.create_nxgraph(net, include_trafos=False)))
    mine = net.trafo.index[net.trafo["name"].str.startswith("main ") & net.trafo["in_service"]]
    mine = [i for i in mine if net.trafo.at[i, "lv_bus"] not in topology.unsupplied_buses(net)]
    groups = ([i for i in mine if net.trafo.at[i, "lv_bus"] in part] for part in parts)
    return [group for group in groups if group]


def standing(net: Any) -> dict[str, float]:
    """Run the AC flow, with less and less load until it has a solution."""
    while True:
        try:
            return solve(net)
        except pandapower.LoadflowNotConverged:
            net.load.loc[:, ["p_mw", "q_mvar"]] *= RELIEF


def loss_mw(net: Any) -> float:
    """Return the loss of all branches."""
    return float(sum(net[f"res_{kind}"]["pl_mw"].sum() for kind in KINDS))


def take_out(net: Any, out: list[str]) -> None:
    """Open what is out, and close open points that bring a dark bus back."""
    dead = net.bus.index[net.bus["name"].isin(out)]
    gone = []
    for kind, ends in (("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus"))):
        table = net[kind]
        lost = table["name"].isin(out) | table[ends[0]].isin(dead) | table[ends[1]].isin(dead)
        table.loc[lost, "in_service"] = False
        gone += list(table.loc[lost, "name"])
    for i in net.line.index[~net.line["in_service"] & ~net.line["name"].isin(gone)]:
        dark = topology.unsupplied_buses(net)
        ends = net.line.loc[i, ["from_bus", "to_bus"]]
        if sum(bus in dark for bus in ends) == 1:
            net.line.at[i, "in_service"] = True


def loads_behind(net: Any) -> dict[str, list[int]]:
    """Return the loads whose draw flows over each branch by more than `BEHIND`."""
    def flows() -> dict[str, float]:
        pandapower.rundcpp(net)
        lines = zip(net.line["name"], net.res_line["p_from_mw"].fillna(0.0), strict=True)
        return dict(lines) | dict(zip(net.trafo["name"], net.res_trafo["p_hv_mw"].fillna(0.0), strict=True))

    before, found = flows(), {}
    for i in net.load.index:
        net.load.at[i, "p_mw"] += 1.0
        for name, flow in flows().items():
            if abs(flow - before[name]) > BEHIND:
                found.setdefault(name, []).append(i)
        net.load.at[i, "p_mw"] -= 1.0
    return found


def network(tables: dict[str, Any]) -> Any:
    """Return the pandapower network of the tables, with what its controls know."""
    net = pandapower_net.build(tables)
    net["power_factor"] = tables["power_factor"]
    net["bank_share"] = {bank["bus"]: bank["share"] for bank in tables["banks"]}
    return net


def respond(tables: dict[str, Any], out: list[str]) -> dict[str, Any]:
    """Return overloads, dark and shed load of an outage."""
    net = network(tables)
    take_out(net, out)
    wanted_mw = net.load["p_mw"].copy()
    dark = net.load["bus"].isin(topology.unsupplied_buses(net))
    net.load.loc[dark, ["p_mw", "q_mvar"]] = 0.0
    loading = standing(net)
    first = {"loss_mw": loss_mw(net), "overloads": sorted(n for n, x in loading.items() if x > FULL)}
    behind = loads_behind(net) if first["overloads"] else {}
    for _ in range(ROUNDS):
        full = [name for name, x in loading.items() if x > FULL]
        if not full:
            break
        for name in full:
            net.load.loc[behind[name], ["p_mw", "q_mvar"]] /= loading[name]
        loading = solve(net)
    dark_mw = float(wanted_mw[dark].sum())
    return {"out": out, **first, "dark_mw": dark_mw,
            "shed_mw": float((wanted_mw - net.load["p_mw"]).sum()) - dark_mw}  # fmt: skip


def of_site(tables: dict[str, Any]) -> dict[str, Any]:
    """Return the intact flow and the response to every outage."""
    net = network(tables)
    loading = solve(net)
    return {
        "load_mw": float(net.load["p_mw"].sum()), "loss_mw": loss_mw(net),
        "least_v": float(net.res_bus["vm_pu"].min()),
        "loading": {name: round(x, 7) for name, x in loading.items()},
        "outages": [respond(tables, out) for out in tables["outages"]],
    }  # fmt: skip


if __name__ == "__main__":
    sites = json.loads(Path(sys.argv[1]).read_text())
    found = {"pandapower": pandapower.__version__} | {n: of_site(t) for n, t in sites.items()}
    Path(sys.argv[2]).write_text(json.dumps(found, indent=1) + "\n")
