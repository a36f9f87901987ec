"""What is built and usable, and how often loads were switched off for want of power."""

import math

from simulator.metrics.derating import USES, derating
from simulator.metrics.kpi import WATTS_PER_MW, Kpi
from simulator.results import Results


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators; none for a run folder that does not tell."""
    if not {"equipment", "places"} <= set(results.tables):
        return []
    kinds = results.events["kind"].astype(str)
    found = [
        _usable(results),
        Kpi("power.shed_events", float((kinds == "shed").sum()), "1",
            "Times that loads, or racks of a load, were switched off because caps could not keep an "
            "element within its limit."),
        Kpi("power.dark_events", float((kinds == "dark").sum()), "1",
            "Times that racks lost power: no feed was left because an element above them failed, tripped or "
            "had no generator, or the voltage sagged, and no battery carried them (any more)."),
    ]  # fmt: skip
    table = results.tables["equipment"]
    counts = table.groupby(table["kind"].astype(str), sort=False)["count"].sum()
    found += [
        Kpi(f"equipment.{kind.lower().replace(' ', '_')}", float(count), "1",
            f"Pieces of this kind: {kind}.")
        for kind, count in counts.items()
    ]  # fmt: skip
    return found


def _usable(results: Results) -> Kpi:
    """Return what racks may draw, by their blocks or by the firm import, whichever is less."""
    blocks_w = float(results.tables["places"]["limit_w"].sum())
    carried_w = carried_by_import_w(results)
    binding = "blocks" if blocks_w <= carried_w else "firm import"
    return Kpi(
        "power.usable", min(blocks_w, carried_w) / WATTS_PER_MW, "MW",
        "What accelerator racks may draw, the lesser of two: what their blocks carry (the continuous "
        "ratings of lineups less what their redundancy scheme keeps free), and the firm import times "
        "the part of the power used that goes into racks, support racks among them, in this run's hours "
        f"in which racks draw over half their mean. What binds here: {binding}.",
    )  # fmt: skip


def carried_by_import_w(results: Results) -> float:
    """Return the rack power in W that the firm import carries at this run's own ratio of rack power to
    power used; infinite where no rack draws any."""
    table = derating(results)
    working = table[table["working"]]
    used_w = float(working[list(USES)].to_numpy().sum())
    return float(results.info["firm_w"]) * float(working["it_w"].sum()) / used_w if used_w else math.inf
