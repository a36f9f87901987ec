"""What is built and usable, and how often loads were switched off for want of power."""

from simulator.metrics.kpi import Kpi
from simulator.results import Results

MEGA = 1e6


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators; none for a run folder that does not tell."""
    if not {"equipment", "places"} <= set(results.tables):
        return []
    usable_w = float(results.tables["places"]["limit_w"].sum())
    sheds = int((results.events["kind"].astype(str) == "shed").sum())
    found = [
        Kpi("power.usable", usable_w / MEGA, "MW",
            "What all blocks of accelerator racks may draw at the racks: the continuous ratings of "
            "their lineups less what their redundancy scheme keeps free."),
        Kpi("power.shed_events", float(sheds), "1",
            "Times that loads, or racks of a load, were switched off because caps could not keep an "
            "element within its limit."),
    ]  # fmt: skip
    table = results.tables["equipment"]
    counts = table.groupby(table["kind"].astype(str), sort=False)["count"].sum()
    found += [
        Kpi(f"equipment.{kind.lower().replace(' ', '_')}", float(count), "1",
            f"Pieces of this kind: {kind}.")
        for kind, count in counts.items()
    ]  # fmt: skip
    return found
