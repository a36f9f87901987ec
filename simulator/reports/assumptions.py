"""Page: what the answer rests on, how well each figure is known, and what is not modelled."""

import pandas as pd
from matplotlib.ticker import MaxNLocator

from simulator.reports import wording
from simulator.reports.page import FigureSpec, Lead, Page, TableSpec
from simulator.reports.run import EVIDENCE, Run
from simulator.reports.style import BLUE, GREEN, HATCHES, ORANGE, SKY, canvas, label, legend, note

COLORS = {"measured": GREEN, "vendor": BLUE, "derived": SKY, "assumed": ORANGE}
SECTIONS_DRAWN = 9
SHOWN = 10

NOT_DONE = (
    "It does not simulate electromagnetic transients or subsynchronous oscillation (EMT): of a voltage "
    "sag it tells what drops out and how that returns, one voltage for all, without waveforms, phases "
    "and the impedance between loads; it does not compute air or coolant flow "
    "fields (CFD); it does not coordinate protection relays or breakers; it does not predict "
    "kernel-level performance, but sustains a share of peak taken from measurements. Prices, "
    "weather and demand are inputs, not forecasts. Use it to plan capacity and to choose what to "
    "study in such tools, not as evidence of compliance."
)


def page(run: Run) -> Page:
    """Return the page on assumptions and limits."""
    register = _register(run)
    ranged = register["range"] != wording.MISSING
    assumed = register["evidence"] == "assumed"
    mix = run.evidence
    known = mix["measured"] + mix["vendor"]
    chosen = _to_challenge(register)
    return Page(
        "assumptions",
        "Assumptions and limits",
        f"{len(register):,} figures carry a source: {wording.percent(known, 0)} are measured or a "
        f"vendor's, {wording.percent(mix['assumed'], 0)} are assumptions to challenge"
        if len(register)
        else "No figure of this run names its source",
        (
            (
                "Each figure names where it comes from: measured by someone, a vendor's statement, "
                "derived from such figures, or assumed here. "
                f"{int((assumed & ranged).sum())} of {int(assumed.sum())} assumptions give a range. "
                "The whole register is in tables/assumptions.parquet and in figures/evidence.csv of "
                "the run folder."
            ),
        ),
        (evidence(run),) if len(register) else (),
        (
            TableSpec(
                f"Assumptions to challenge first ({len(chosen)} of {int(assumed.sum())})",
                chosen,
                (1.5, 0.62, 0.95, 1.5),
            ),
        ),
        closing=(Lead("What this simulator does not do.", NOT_DONE),),
    )


def evidence(run: Run) -> FigureSpec:
    """Draw the number of figures by section and class of evidence."""
    register = _register(run)
    counts = register.groupby(["section", "evidence"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(EVIDENCE), fill_value=0)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False).index]
    shown = counts.head(SECTIONS_DRAWN).iloc[::-1]
    fig, ax = canvas(height_in=0.75 + 0.2 * len(shown))
    left = pd.Series(0.0, index=shown.index)
    for i, name in enumerate(EVIDENCE):
        ax.barh(
            range(len(shown)),
            shown[name],
            left=left,
            color=COLORS[name],
            height=0.66,
            hatch=HATCHES[i],
            edgecolor="white",
            label=name,
        )
        left += shown[name]
    for y, total in enumerate(left):
        note(ax, total, y, f"{total:.0f}", right_pt=4)
    ax.set_yticks(range(len(shown)), list(shown.index))
    ax.set_xlim(0, float(left.max()) * 1.08)
    label(ax, "Figures in the register", grid="x")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(fig, ax, "upper right", 4)
    parts = ", ".join(f"{wording.percent(v, 0)} {k}" for k, v in run.evidence.items())
    return FigureSpec(
        fig,
        "evidence",
        f"Stacked bars of figures by section and evidence: {parts}.",
        register,
        "Figures by part of the model and class of evidence.",
    )


def _register(run: Run) -> pd.DataFrame:
    table = run.first.tables["assumptions"].copy()
    for column in table:
        table[column] = table[column].astype(object)
    table["range"] = [_range(r) for r in table["range"]]
    table["section"] = [_section(str(p)) for p in table["path"]]
    return table


def _section(path: str) -> str:
    parts = path.replace("/", ".").split(".")
    depth = 2 if parts[0] in ("catalog", "topology") and len(parts) > 2 else 1
    return " › ".join(wording.plain(p) for p in parts[:depth])


def _to_challenge(register: pd.DataFrame) -> pd.DataFrame:
    """Return assumptions, the scenario's before the catalog's, ranged ones first, each once."""
    rows = register[register["evidence"] == "assumed"].copy()
    rows["own"] = ~rows["path"].astype(str).str.startswith("catalog")
    rows["ranged"] = rows["range"] != wording.MISSING
    rows = rows.drop_duplicates(["value", "source"])
    rows["turn"] = rows.groupby("section").cumcount()
    rows = rows.sort_values(
        ["own", "ranged", "turn"], ascending=[False, False, True], kind="stable"
    ).head(SHOWN)
    return pd.DataFrame(
        {
            "Figure": [
                wording.breakable(_short(str(p).removeprefix("catalog."), 56)) for p in rows["path"]
            ],
            "Value": [_short(_plain(v), 24) for v in rows["value"]],
            "Range": [_short(v, 30) for v in rows["range"]],
            "Source": [_short(str(v), 72) for v in rows["source"]],
        }
    )


def _range(value: object) -> str:
    """Return a range, a pair or text, as text."""
    if value is None or (isinstance(value, float) and pd.isna(value)) or len(value) == 0:  # type: ignore[arg-type]
        return wording.MISSING
    ends = value.split(" to ") if isinstance(value, str) else value
    return " to ".join(_plain(v) for v in ends)  # type: ignore[attr-defined]


def _plain(value: object) -> str:
    """Return a value as written, but long numbers in four figures."""
    text = str(value)
    return f"{float(text):.4g}" if len(text) > 9 and text.replace(".", "").isdigit() else text


def _short(text: str, longest: int) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= longest else clean[: longest - 1].rstrip() + "…"
