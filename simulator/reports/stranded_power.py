"""Page: where every installed megawatt is, level by level, and what would unlock those nobody uses."""

import numpy as np
import pandas as pd

from simulator.metrics import headroom, limits, stranded, unlocks
from simulator.reports import wording
from simulator.reports.headroom import LEVELS
from simulator.reports.page import FigureSpec, Lead, Page, TableSpec
from simulator.reports.run import Run
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
    heading,
    label,
    legend,
)
from simulator.results import Results

LOOKS = {
    "used": (BLUE, ""), "redundancy": (SKY, "///"), "breaker": (PURPLE, ""),
    "contract": (PURPLE, "..."), "headroom": (GREEN, ""), "policy": (ORANGE, ""),
    "granularity": (YELLOW, ""), "cooling": (VERMILLION, ""), "network": (VERMILLION, "xx"),
    "schedule": (GREY, ""), "unbuilt": ("white", "\\\\\\"),
}  # fmt: skip
WORDS = {
    "used": "used", "redundancy": "redundancy", "breaker": "breaker rule", "contract": "contract",
    "headroom": "room for racks", "policy": "margins and caps", "granularity": "rack size",
    "cooling": "cooling", "network": "network", "schedule": "not at full work", "unbuilt": "not built",
}  # fmt: skip
ORDER = ("block", "feeder", "transformer_bank", "line_bank", "poi")
LEAST = 2e-3
"""Share of a level's installed power that is drawn."""


def page(run: Run) -> Page:
    """Return the page on stranded power."""
    parts = run.averaged(stranded.partition, ["level", "cause"])
    poi = parts[parts["level"] == "poi"].set_index("cause")["power_w"]
    lost = run.averaged(headroom.stranded, ["cause"]).set_index("cause")["power_w"]
    most = str(lost.idxmax())
    cheap = run.averaged(unlocks.unlocks, ["measure", "cause"])
    return Page(
        "stranded-power",
        "Stranded power",
        f"Of {wording.power(float(poi.sum()))} energised, {wording.power(float(poi['used']))} are "
        f"used in the peak minute, {wording.power(float(poi['redundancy']))} stand by, and "
        f"{wording.power(float(lost.sum()))} are stranded, most by {_because(most)}",
        (
            (
                "Each level adds up to what is installed; every watt is put down to the first cause "
                "that claims it. "
                + " ".join(f"{WORDS[c].capitalize()}: {_lower(stranded.CAUSES[c])}." for c in _present(parts))
            ),
        ),
        (by_level(run, parts),),
        (
            TableSpec("Cheapest megawatts first, at the interconnection", _prices(cheap), (4, 1, 2, 1)),
            TableSpec("Overloads and what prevented them, by level", _by_level(run)),
        ),
        closing=(Lead("Cheapest megawatts.", _terms(run, cheap)),),
    )


def _terms(run: Run, cheap: pd.DataFrame) -> str:
    """Return how the table of measures is to be read."""
    room_w = float(np.mean([_room_w(results) for results in run.results]))
    larger = cheap.loc[cheap["power_w"] > room_w, "cause"]
    names = wording.sentence(", ".join(WORDS[cause] for cause in larger))
    above = (
        f" Larger than that: {names}. It stands free above the blocks, and what is beyond the blocks "
        "takes more halls as well, at their price."
        if names
        else ""
    )
    return (
        "Each line is the most that its measure releases alone. Lines exclude each other and do not add "
        "up: a megawatt can be filled only once, and work in the reserve, for one, needs halls to stand "
        "in. Switchgear counts at the racks. Under their limits, the blocks as built could take "
        f"{wording.power(room_w)} more at the interconnection than in their largest minutes.{above}"
    )


def _room_w(results: Results) -> float:
    """Return what blocks could take above their largest minutes, at the interconnection."""
    blocks = stranded.blocks_by_cause(results)
    free_w = (blocks["limit_w"] - blocks["peak_w"]).clip(lower=0.0).sum()
    return stranded.gross(results) * float(free_w)


def _because(cause: str) -> str:
    return {"schedule": "racks that could have worked harder", "unbuilt": "halls not built"}.get(cause, WORDS[cause])


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _present(parts: pd.DataFrame) -> list[str]:
    share = parts["power_w"] / parts.groupby("level")["power_w"].transform("sum")
    found = set(parts.loc[share > LEAST, "cause"])
    return [cause for cause in stranded.CAUSES if cause in found]


def by_level(run: Run, parts: pd.DataFrame) -> FigureSpec:
    """Draw each level's installed power, divided by cause."""
    wide = parts.pivot(index="level", columns="cause", values="power_w")
    levels = [level for level in ORDER if level in wide.index]
    share = wide.div(wide.sum(axis=1), axis=0) * 100.0
    fig, ax = canvas(height_in=0.8 + 0.28 * len(levels))
    for row, level in enumerate(levels):
        start = 0.0
        for cause in _present(parts):
            width = float(share.loc[level, cause])
            color, hatch = LOOKS[cause]
            ax.barh(row, width, left=start, color=color, hatch=hatch, edgecolor="black",
                    linewidth=0.5, height=0.7, label=WORDS[cause] if row == 0 else None)
            start += width
    names = [f"{LEVELS[level]}, {wording.power(float(wide.loc[level].sum()))}" for level in levels]
    ax.set_yticks(range(len(levels)), names)
    ax.set_xlim(0, 100)
    heading(ax, "Installed power of each level, by what becomes of it")
    label(ax, "% of what is installed", "", grid="x")
    legend(fig, ax, "lower center", 5)
    poi = wide.loc["poi"] / wide.loc["poi"].sum()
    return FigureSpec(
        fig,
        "stranded-power",
        f"Stacked bars of installed power by level. At the interconnection {poi['used']:.0%} are used "
        f"and {poi['redundancy']:.0%} are kept for the loss of a unit.",
        parts,
        f"Largest minute of each element; blocks in watts at their racks{run.as_means}.",
    )


def _prices(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "Measure": table["measure"],
        "Releases": [wording.power(v) for v in table["power_w"]],
        "MUSD per MW (range)": [
            "none" if row.high_usd_mw == 0.0 else
            f"{row.usd_mw / 1e6:.2f} ({row.low_usd_mw / 1e6:.2f}–{row.high_usd_mw / 1e6:.2f})"
            for row in table.itertuples()
        ],
        "Evidence": table["evidence"],
    })  # fmt: skip


def _by_level(run: Run) -> pd.DataFrame:
    table = run.averaged(limits.limits, ["level"])
    return pd.DataFrame({
        "Level": [LEVELS[level] for level in table["level"]],
        "Nameplate over firm": [f"{v:+z.0%}" for v in table["oversubscription"]],
        "P(overload)": [wording.percent(v, 2) for v in table["overload_share"]],
        "Capped, element-min": [f"{v / 60.0:,.0f}" for v in table["capped_s"]],
        "Lost accelerator-h": [f"{v:,.0f}" for v in table["lost_h"]],
        "Trips": [f"{v:,.0f}" for v in table["trips"]],
    })  # fmt: skip
