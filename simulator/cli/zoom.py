"""`gigawatt zoom`: every accelerator of one hall through a window of a run."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.cli.exits import usage
from simulator.cli.text import number, table
from simulator.errors import display_name
from simulator.studies import zoom as study
from simulator.studies.folders import refuse_other, replacing
from simulator.studies.zoom import Asked

WORDS = ("accelerator", "server")
RACKS, HOTTEST, SUMMARY = "zoom_racks.parquet", "zoom_hottest.csv", "zoom.json"
DIGITS = 4
__all__ = ["Asked", "zoom"]


def zoom(
    place: Path, sets: tuple[str, ...], chosen: str | None, asked: Asked, output: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Carry out the command."""
    if asked.by not in WORDS:
        raise usage(f"--by '{asked.by}' is not known; one of {', '.join(WORDS)}")
    if output is not None:
        refuse_other(output, RACKS, "such hall")
    found = study.study(place, asked, sets, chosen)
    print(json.dumps(document(found), indent=1, allow_nan=False) if as_json else told(found))
    if output is not None:
        _write(found, output)
        if not as_json:
            print(f"\nfigures: {display_name(str(output))}")


def document(found: study.Found) -> dict[str, Any]:
    """Return what `--json` prints: the hall in one mapping, and its hottest."""
    hottest = found.tables["zoom_hottest"]
    told = {name: [t.isoformat() for t in hottest[name]] for name in ("time", "site_time")}
    rows = hottest.assign(**told).to_dict("records")
    hall = found.tables["zoom_hall"].iloc[0]
    plain = {key: value.item() if hasattr(value, "item") else value for key, value in hall.items()}
    return {"name": found.name, "hall": found.hall, "by": found.by, **plain, "hottest": rows}


def told(found: study.Found) -> str:
    """Return the hall in a few lines and the table of its hottest."""
    hall, hottest = found.tables["zoom_hall"].iloc[0], found.tables["zoom_hottest"]
    lines = [
        f"{found.hall}: {hall['accelerators']:,.0f} accelerators in {hall['racks']:,.0f} racks over "
        f"{hall['minutes'] / 60.0:,.4g} h",
        f"hottest junction {hall['junction_max_c']:.1f} degC (throttles from {hall['throttle_c']:g}), "
        f"memory {hall['hbm_max_c']:.1f}, coolant {hall['coolant_max_c']:.1f}",
        f"throttled accelerator-hours {_number(hall['throttled_accelerator_hours'])} of "
        f"{hall['slowed_accelerators']:,.0f} accelerators, below full clock for "
        f"{_number(hall['slowed_accelerator_hours'])} h",
        f"a plan that slows whole racks takes "
        f"{_number(hall['plan_throttled_accelerator_hours'])} h",
        f"racks draw {_number(hall['power_w'] / 1e6)} MW, {100.0 * hall['power_frac']:+.2f} % beside what "
        "the plan has them draw",
        "",
    ]
    by_chip = "accelerator" in hottest
    chip = ["chip"] if by_chip else []
    header = ["server", *chip, "junction", "memory", "when, at the site", "UTC", "slowed h", "lost h"]
    cells = [
        [r.server, *([str(r.accelerator)] if by_chip else []), f"{r.junction_max_c:.1f}",
         f"{r.hbm_max_c:.1f}", f"{r.site_time:%Y-%m-%d %H:%M}", f"{r.time:%m-%d %H:%M}",
         _number(r.slowed_h), _number(r.lost_h)]
        for r in hottest.itertuples()
    ]  # fmt: skip
    return "\n".join([*lines, *table(header, cells, right=_right(header))])


def _right(header: list[str]) -> list[int]:
    return [i for i, name in enumerate(header) if name not in ("server", "when, at the site", "UTC")]


def _number(value: float) -> str:
    return number(float(value), DIGITS)


def _write(found: study.Found, folder: Path) -> None:
    from simulator.reports import comparison, zoom  # drawing needs libraries that tables do not

    with replacing(folder) as fresh:
        comparison.write(zoom.page_of(found.hall, found.tables), fresh)
        _plain(found.tables["zoom_racks"]).to_parquet(fresh / RACKS, index=False, compression="zstd")
        found.tables["zoom_hottest"].to_csv(fresh / HOTTEST, index=False)
        text = json.dumps(document(found), indent=1, allow_nan=False) + "\n"
        (fresh / SUMMARY).write_text(text, "utf-8")


def _plain(racks: pd.DataFrame) -> pd.DataFrame:
    return racks.assign(rack=racks["rack"].astype("category"))
