"""Page: where the power goes between the grid and the chip."""

import pandas as pd

from simulator.metrics import balance
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.sankey import Flow, Node, draw
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    canvas,
)

LOADS_SHOWN = 7
TRACE = 2e-4
"""Shares of supply below this are left to the table."""
KINDS = {"training": BLUE, "inference": GREEN, "batch": PURPLE, "none": GREY}


def page(run: Run) -> Page:
    """Return the page on the flow of power."""
    flow = grid_to_chip(run)
    terms = run.totals(balance.energy)
    supplied = float(terms["poi"] + terms["onsite"])
    pue = run.value("power.pue_mean")
    return Page(
        "energy-flow",
        "From grid to chip",
        f"{wording.percent(terms['it'] / supplied, 1)} of the energy supplied reaches the racks; "
        f"cooling takes {wording.percent(terms['cooling'] / supplied, 1)} and electrical losses "
        f"{wording.percent(terms['losses'] / supplied, 1)} (PUE {pue:.3f})",
        (
            (
                "Mean power over the run. Every term comes from its own element's model and none is a "
                "remainder; what the terms leave unexplained is the energy balance of the back matter. "
                "Power shelves, fans and pumps inside the racks count as rack power."
            ),
        ),
        (flow,),
        (TableSpec("Energy balance of the site", _table(run)),),
    )


def grid_to_chip(run: Run) -> FigureSpec:
    """Draw the mean power from supply to losses, cooling and loads."""
    nodes, flows = _diagram(run)
    fig, ax = canvas(height_in=5.0)
    draw(ax, nodes, flows)
    data = pd.DataFrame(
        [(f.source, f.target, f.value) for f in flows], columns=["from", "to", "mean_w"]
    )
    parts = "; ".join(f"{f.source} to {f.target} {wording.power(f.value)}" for f in flows)
    return FigureSpec(
        fig,
        "grid-to-chip",
        f"Flow of mean power from grid to chip: {parts}.",
        data,
        "Mean power from the point of interconnection to what it is used for. The "
        f"width of a ribbon is its power{run.as_means}.",
    )


def _diagram(run: Run) -> tuple[list[Node], list[Flow]]:
    per_s = 1.0 / float(run.info["duration_s"])
    terms = run.totals(balance.energy) * per_s
    supplied = float(terms["poi"] + terms["onsite"])
    uses = {
        "House": (terms["house"], GREY),
        "Into storage": (max(terms["storage"], 0.0), YELLOW),
        "Cooling": (terms["cooling"], SKY),
        "Losses": (terms["losses"], VERMILLION),
        "Racks": (terms["it"], BLUE),
    }
    nodes = [_node("Grid import", 0, terms["poi"], ORANGE)]
    flows = [Flow("Grid import", "Campus", float(terms["poi"]))]
    if terms["onsite"] > TRACE * supplied:
        nodes.append(_node("Generators", 0, terms["onsite"], YELLOW))
        flows.append(Flow("Generators", "Campus", float(terms["onsite"])))
    nodes.append(_node("Campus", 1, supplied, ORANGE))
    shown = {n: (float(v), c) for n, (v, c) in uses.items() if v > TRACE * supplied}
    nodes += [_node(name, 2, value, color) for name, (value, color) in shown.items()]
    flows += [Flow("Campus", name, value) for name, (value, _) in shown.items()]
    ends = [*_stages(run, per_s), *_loads(run, per_s)]
    nodes += [_node(name, 3, value, color) for name, _, value, color in ends]
    flows += [Flow(source, name, value) for name, source, value, _ in ends]
    return nodes, flows


def _node(name: str, column: int, value_w: float, color: str) -> Node:
    text = f"{name}  {wording.power(float(value_w))}"
    return Node(name, column, float(value_w), text, color)


def _loads(run: Run, per_s: float) -> list[tuple[str, str, float, str]]:
    """Return (name, source, mean power in W, colour) of the largest loads, then of the rest."""
    hours = run.first.tables["hours"]
    kinds = dict(zip(hours["load"].astype(str), hours["kind"].astype(str), strict=True))
    table = run.table("load_energy", ["load"])
    loads = table.groupby(table["load"].astype(str))["it_j"].sum() * per_s
    it_w = float(run.totals(balance.energy)["it"] * per_s)
    loads = loads.sort_values(ascending=False)
    top = loads[loads > 0.004 * it_w].head(LOADS_SHOWN)
    rows = [
        (name, "Racks", float(value), KINDS.get(kinds.get(name, "none"), GREY))
        for name, value in top.items()
    ]
    rest_w = it_w - float(top.sum())
    if rest_w > 1e-6 * it_w:
        rows.append(("other loads", "Racks", rest_w, GREY))
    return rows  # type: ignore[return-value]


def _stages(run: Run, per_s: float) -> list[tuple[str, str, float, str]]:
    """Return the losses by stage, the smallest together."""
    losses = run.averaged(balance.losses, ["stage"]).set_index("stage")["energy_j"] * per_s
    losses = losses[losses > 0]
    large = losses[losses >= 0.08 * losses.sum()]
    rows = [(f"in {wording.plain(stage)}", "Losses", float(v)) for stage, v in large.items()]
    rest_w = float(losses.sum() - large.sum())
    rows += [("in other stages", "Losses", rest_w)] if rest_w > 1e-9 * losses.sum() else []
    return [(*row, VERMILLION) for row in rows]


def _table(run: Run) -> pd.DataFrame:
    terms = run.totals(balance.energy)
    supplied = float(terms["poi"] + terms["onsite"])
    names = {
        "poi": "Imported",
        "onsite": "Generated on site",
        "it": "Racks",
        "cooling": "Cooling",
        "house": "House",
        "losses": "Electrical losses",
        "storage": "Change of stored energy",
    }
    duration_s = float(run.info["duration_s"])
    return pd.DataFrame(
        {
            "Term": list(names.values()),
            "Energy (MWh)": [wording.number(terms[t] / 3.6e9, 4) for t in names],
            "Mean power": [wording.power(terms[t] / duration_s) for t in names],
            "Of supply": [wording.percent(terms[t] / supplied, 2) for t in names],
        }
    )
