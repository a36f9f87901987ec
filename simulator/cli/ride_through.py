"""`gigawatt ride-through`: what leaves in voltage sags, how it returns, and a restart from dark."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from simulator import scenario as documents
from simulator.cli.exits import usage
from simulator.cli.text import MISSING, number, table
from simulator.components.power import sag as physics
from simulator.components.power.ride_through import NOTICE_S
from simulator.errors import display_name
from simulator.scenario import Scenario
from simulator.studies import cold_restart, ride_through
from simulator.studies.folders import refuse_other, replacing
from simulator.units import parse

DIGITS = 4
TABLE = "ride_through.json"
FROM_DARK_W_S = 20e6 / 60.0
"""Ramp of the restart from dark where none is told: 20 MW/min, as CAISO, IESO and Southern Company ask of large
loads (catalog/masks)."""


@dataclass(frozen=True)
class Event:
    """The sags as typed."""

    depth: str
    duration: str
    repeat: int
    every: str
    ramp: str | None
    at: str


def run(
    path: Path, sets: tuple[str, ...], chosen: str | None, event: Event, output: Path | None, as_json: bool
) -> None:
    """Carry out the command."""
    if output is not None:
        refuse_other(output, TABLE, "such study")
    row, ramp_w_s = _sags(event), None if event.ramp is None else _number("--ramp", event.ramp, "W/s")
    if ramp_w_s is not None and ramp_w_s <= 0.0:
        raise usage("--ramp: a campus that may not ramp never comes back")
    given = documents.load(path, sets, chosen)
    ramp_w_s = given.spec.topology.ride_through.ramp if ramp_w_s is None else ramp_w_s
    loads = ride_through.settled(given, _at_s(given, event.at))
    topology = given.spec.topology
    found = ride_through.study(loads, row, topology, ramp_w_s)
    dark_w_s = FROM_DARK_W_S if ramp_w_s is None else ramp_w_s
    again = cold_restart.study(loads, dark_w_s, topology.ride_through)
    told = document(given, event, found, again) | {"ramp_mw_min": dark_w_s * 60e-6}
    print(json.dumps(told, indent=1, allow_nan=False) if as_json else "\n".join(_text(told, found)))
    if output is not None:
        _write(output, told, given, found, again, ride_through.sensitivity(loads, topology), row)
        if not as_json:
            print(f"\nfigures and tables: {display_name(str(output))}")


def document(
    given: Scenario, event: Event, found: ride_through.Found, again: cold_restart.Restart
) -> dict[str, Any]:
    """Return what `--json` prints."""
    loads = found.loads
    return {
        "scenario": given.spec.name, "event": vars(event),
        "before_mw": float(loads["power_w"].sum()) / 1e6,
        "lost_mw": float(loads["lost_w"].sum()) / 1e6,
        "lowest_mw": float(found.course["total"].min()) / 1e6,
        "back_s": _finite(float(loads["back_s"].max())),
        "whole_s": _finite(float(loads["whole_s"].max())),
        "not_drawn_mwh": float(loads["not_drawn_j"].sum()) / 3.6e9,
        "accelerators_stopped": float(loads["accelerators_stopped"].sum()),
        "loads": _rows(loads), "rules": _rows(found.rules),
        "restart": {
            "whole_s": again.whole_s, "not_drawn_mwh": again.not_drawn_j / 3.6e9,
            "accelerator_hours": again.accelerator_s / 3600.0, "loads": _rows(again.loads),
        },
    }  # fmt: skip


def _text(told: dict[str, Any], found: ride_through.Found) -> list[str]:
    """Return the answer for a terminal."""
    lines = [
        f"{told['scenario']}: {number(told['lost_mw'], DIGITS)} of {number(told['before_mw'], DIGITS)} MW "
        f"are not drawn {NOTICE_S:g} s after the last sag; lowest "
        f"{number(told['lowest_mw'], DIGITS)} MW, 90 % of every load back after "
        f"{number(told['back_s'], DIGITS)} s, {number(told['accelerators_stopped'], DIGITS)} accelerators "
        "stopped",
        "",
    ]
    by = found.loads.groupby(["class", "kind", "outcome"], sort=False).agg(
        power_w=("power_w", "sum"), lost_w=("lost_w", "sum"), back_s=("back_s", "max"),
        whole_s=("whole_s", "max"), accelerators=("accelerators_stopped", "sum"),
    ).reset_index()  # fmt: skip
    rows = [
        [r["class"], r["kind"], r["outcome"], _number_of(r["power_w"] / 1e6), _number_of(r["lost_w"] / 1e6),
         _number_of(r["back_s"]), _number_of(r["whole_s"]), _number_of(r["accelerators"])]
        for r in by.to_dict("records")
    ]  # fmt: skip
    head = ["class", "loads", "in the sags", "MW", "MW lost", "90 % back, s", "all back, s", "chips stopped"]
    lines += table(head, rows, right=range(3, 8))
    lines += ["", *table(["rule", "verdict", "why"],
                         [[r["rule"], r["verdict"], r["reason"]] for r in told["rules"]])]  # fmt: skip
    again = told["restart"]
    lines += [
        "",
        f"restart from dark at {number(told['ramp_mw_min'], DIGITS)} MW/min: all back after "
        f"{number(again['whole_s'] / 60.0, DIGITS)} "
        f"min, {number(again['not_drawn_mwh'], DIGITS)} MWh not drawn, "
        f"{number(again['accelerator_hours'], DIGITS)} accelerator-hours",
    ]
    return lines


def _sags(event: Event) -> list[physics.Sag]:
    depth = _number("--depth", event.depth, "1")
    if not 0.0 < depth <= 1.0:
        raise usage(f"--depth {event.depth}: the missing part of the voltage, above 0 and up to 100 %")
    lasts_s, every_s = (
        _number(name, text, "s") for name, text in (("--duration", event.duration), ("--every", event.every))
    )
    if lasts_s <= 0.0:
        raise usage(f"--duration {event.duration}: a sag lasts longer than nothing")
    try:
        return physics.sags(1.0 - depth, lasts_s, event.repeat, every_s)
    except ValueError as error:
        raise usage(str(error)) from None


def _at_s(given: Scenario, text: str) -> float:
    """Return seconds from the start of the scenario: of a duration, or of a date and time."""
    period = given.spec.period
    try:
        at_s = (datetime.fromisoformat(text) - period.start).total_seconds()
    except TypeError:
        raise usage(f"--at {text}: add the time zone, e.g. '+00:00'") from None
    except ValueError:
        at_s = _number("--at", text, "s")
    if not 60.0 <= at_s <= period.duration:
        raise usage(f"--at {text}: from one minute after the start to the end of the scenario's period")
    return at_s


def _number(option: str, text: str, unit: str) -> float:
    try:
        return parse(text, unit)
    except ValueError as error:
        raise usage(f"{option}: {error}") from None


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{key: _finite(value) for key, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number_of(value: float) -> str:
    return number(float(value), DIGITS) if math.isfinite(value) else MISSING


def _write(
    folder: Path, told: dict[str, Any], given: Scenario, found: ride_through.Found,
    again: cold_restart.Restart, lost: pd.DataFrame, row: list[physics.Sag],
) -> None:  # fmt: skip
    from simulator.reports import comparison  # drawing needs more libraries
    from simulator.reports import ride_through as pages

    page = pages.page(given.spec.name, pages.Tables(
        found.loads, found.course, found.rules, lost, again.loads, again.course,
        given.spec.topology.ride_through.supplies, tuple((sag.start_s, sag.end_s) for sag in row),
    ))  # fmt: skip
    with replacing(folder) as fresh:
        comparison.write(page, fresh)
        found.loads.to_csv(fresh / "loads.csv", index=False)
        found.rules.to_csv(fresh / "rules.csv", index=False)
        again.loads.to_csv(fresh / "restart_loads.csv", index=False)
        (fresh / TABLE).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")
