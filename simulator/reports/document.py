"""Binds the pages: draws every figure, keeps its data, typesets the PDF."""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from simulator.reports import (
    accelerator_hours,
    assumptions,
    back_matter,
    coolant_map,
    cooling,
    decision,
    energy_cost,
    energy_flow,
    failures,
    goodput,
    headroom,
    job_hours,
    network,
    power_envelope,
    routing,
    serving,
    serving_fleet,
    stranded_power,
    training,
    typesetting,
    validation,
    water,
    waveform,
    wording,
)
from simulator.reports.page import FigureSpec, Lead, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import FULL, STYLE
from simulator.results import Results

Variant = Literal["full", "exec"]
PAGES: dict[str, tuple[Callable[[Run], Page], ...]] = {
    "full": (
        decision.page, assumptions.page, power_envelope.page, energy_flow.page, headroom.page,
        stranded_power.page, waveform.page, cooling.page, water.page, coolant_map.page, accelerator_hours.page,
        training.page, job_hours.page, goodput.page,
        serving.page, serving_fleet.page, routing.page, failures.page, network.page,
        energy_cost.page, validation.page, back_matter.page,
    ),
    "exec": (decision.page, power_envelope.page),
}  # fmt: skip
NEEDS: dict[Callable[[Run], Page], str | Callable[[Run], bool]] = {
    water.page: water.taken, coolant_map.page: coolant_map.mapped,
    stranded_power.page: "places", training.page: "jobs", job_hours.page: "jobs",
    goodput.page: "scale", serving.page: "pools", serving_fleet.page: "pools",
    routing.page: "classes", network.page: "network", validation.page: "validation",
    waveform.page: "waveform",
}  # fmt: skip
"""Pages that a run without rows in this table, or without this trait, does not get."""
CHARACTER_PT, BOLD_PT, CELL_PT = 5.4, 6.4, 8.0
"""Mean width of a character in a table and in its head, and what the margins of a cell take."""


def write(
    results: list[Results], folder: Path, variant: Variant = "full", output: Path | None = None,
    summary: dict[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Draw and typeset the report of a run; return the path of the PDF. `summary` is what `kpis.summary`
    says of the results, where that is known.

    Figures go to `folder/figures` as PNG, each with its data as CSV. The PDF goes to `output`, or
    to `folder/report.pdf`. It is tagged (PDF/UA-1) and dated at the start of the simulated period,
    so that the same tables give the same bytes.
    """
    output = Path(output) if output else Path(folder) / "report.pdf"
    figures = Path(folder) / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    run = Run(results, summary)
    with rc_context(STYLE), tempfile.TemporaryDirectory() as scratch:
        chosen = pages(run, variant)
        _draw_all(chosen, figures, Path(scratch))
        document = content(run, chosen)
        (Path(scratch) / "data.json").write_text(json.dumps(document))
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(typesetting.pdf(Path(scratch), run.info["start"]))
    return output


def bind(
    chosen: list[Page], cover: dict[str, Any], folder: Path, output: Path | None = None
) -> Path:
    """Draw and typeset pages of a study that is no run; return the path of the PDF.

    Parameters
    ----------
    cover : title, author, description, footer (two lines), and `dated`, the ISO time of the document
    folder : receives `figures` as PNG with their data as CSV
    output : the PDF; `report.pdf` in the folder by default
    """
    output = output or folder / "report.pdf"
    output.parent.mkdir(parents=True, exist_ok=True)
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    with rc_context(STYLE), tempfile.TemporaryDirectory() as scratch:
        _draw_all(chosen, figures, Path(scratch))
        told = {key: value for key, value in cover.items() if key != "dated"}
        data = told | {"pages": [_page(page) for page in chosen]}
        (Path(scratch) / "data.json").write_text(json.dumps(data))
        output.write_bytes(typesetting.pdf(Path(scratch), cover["dated"]))
    return output


def pages(run: Run, variant: Variant = "full") -> list[Page]:
    """Return the pages of a variant, leaving out those whose subject the scenario lacks."""
    return [make(run) for make in PAGES[variant] if has(run, make)]


def has(run: Run, make: Callable[[Run], Page]) -> bool:
    """Return whether a run holds what a page is about."""
    need = NEEDS.get(make)
    if callable(need):
        return need(run)
    return need is None or len(run.first.tables.get(need, ())) > 0


def draw(spec: FigureSpec, figures: Path, scratch: Path) -> None:
    """Save the data of a figure, and its drawing for the document as SVG.

    Its parts are laid out once, and the canvas is told to print: `savefig` draws a figure that has a
    layout twice.
    """
    spec.fig.dpi = typesetting.PIXELS_PER_INCH
    FigureCanvasAgg(spec.fig)
    for axis in (axis for ax in spec.fig.axes for axis in (ax.xaxis, ax.yaxis)):
        if not axis.label.get_text():
            axis.set_label_coords(0.5, 0.5)  # no name, no place to be looked for
    if (engine := spec.fig.get_layout_engine()) is not None:
        engine.execute(spec.fig)
    spec.fig.set_layout_engine("none")
    spec.data.to_csv(
        figures / f"{spec.name}.csv", index=False, float_format="%.10g", lineterminator="\n"
    )
    FigureCanvasSVG(spec.fig).print_svg(scratch / f"{spec.name}.svg", metadata={"Date": None})


def _draw_all(chosen: list[Page], figures: Path, scratch: Path) -> None:
    """Draw the figures of some pages for the document and as pictures."""
    specs = [spec for page in chosen for spec in page.figures]
    for spec in specs:
        draw(spec, figures, scratch)
    typesetting.pictures({spec.name: spec.alt for spec in specs}, scratch, figures)


def content(run: Run, chosen: list[Page]) -> dict[str, Any]:
    """Return what the template needs, as plain data."""
    info = run.info
    return {
        "title": f"{info['name']}: planning report",
        "author": f"gigawatt {info['version']}",
        "description": f"Simulated {info['start']}, {run.days:.4g} days, {info['weather']}",
        "footer": footer(run),
        "pages": [_page(page, len(run.results)) for page in chosen],
    }


def footer(run: Run) -> list[str]:
    """Return the two lines that identify the run on every page."""
    info, count = run.info, len(run.results)
    mix = ", ".join(f"{wording.percent(share, 0)} {name}" for name, share in run.evidence.items())
    return [
        (
            f"run {run.identity} · config {str(info['config_hash'])[:16]} · seed {info['seed']} · "
            f"gigawatt {info['version']} · {count} replicate{'s' if count > 1 else ''}"
        ),
        f"{info['name']} · evidence of inputs: {mix}",
    ]


def _page(page: Page, replicates: int = 1) -> dict[str, Any]:
    return {
        "topic": page.topic,
        "title": page.title,
        "text": [_paragraph(p) for p in page.text],
        "closing": [_paragraph(p) for p in page.closing],
        "cards": [vars(card) for card in page.cards],
        "figures": _rows(page.figures, replicates),
        "tables": [_table(table) for table in page.tables if len(table.frame)],
    }


def _paragraph(paragraph: str | Lead) -> dict[str, str]:
    lead = paragraph if isinstance(paragraph, Lead) else Lead("", paragraph)
    return vars(lead)


def _rows(specs: tuple[FigureSpec, ...], replicates: int) -> list[list[dict[str, Any]]]:
    """Put figures into rows: two narrow ones that follow each other share one."""
    first = f" The first of {replicates} replicates."
    rows: list[list[dict[str, Any]]] = []
    room = 0.0
    for spec in specs:
        width = float(spec.fig.get_figwidth())
        entry = {
            "path": f"{spec.name}.svg",
            "alt": spec.alt,
            "caption": spec.caption + (first if spec.of_first and replicates > 1 else ""),
            "width": width,
        }
        if rows and width <= room:
            rows[-1].append(entry)
            room -= width
        else:
            rows.append([entry])
            room = FULL - width
    return rows


def _table(table: TableSpec) -> dict[str, Any]:
    frame = table.frame.astype(str)
    return {
        "heading": table.heading,
        "columns": list(frame.columns),
        "rows": frame.to_numpy().tolist(),
        "right": [_numeric(frame[c]) for c in frame],
        "widths": list(table.widths) or _widths(frame),
    }


def _widths(frame: pd.DataFrame) -> list[float]:
    """Return column shares: a wide first column where there is room, else shares by content."""
    points = [
        CELL_PT + max(BOLD_PT * len(c), CHARACTER_PT * max(map(len, frame[c]))) for c in frame
    ]
    if sum(points) <= 72 * FULL:
        return [1.0] + [0.0] * (len(points) - 1)
    return [p / min(points) for p in points]


def _numeric(cells: pd.Series) -> bool:
    """Tell whether a column is read down its right edge."""
    pattern = re.compile(r"[-−+$]?\d[\d,.]*(\s?[%a-zA-Z³°]{1,11}){0,2}$")
    filled = [c for c in cells if c not in ("", wording.MISSING)]
    return bool(filled) and all(pattern.match(c) for c in filled)
