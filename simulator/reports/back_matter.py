"""Pages at the end: which run this is, whether it closes, and what every indicator means."""

import re
from typing import Any

import pandas as pd

from simulator.reports import wording
from simulator.reports.page import Page, TableSpec
from simulator.reports.run import Run

CHECKS = {
    "energy_balance_rel": "Energy: imported + generated − racks − cooling − house − losses − "
    "change of storage, relative to imported + generated",
    "heat_balance_rel": "Heat: received − rejected − change of storage, relative to received",
    "heat_made_rel": "Heat: made by racks, fans, pumps, lights and power chain indoors − received by loops and tanks, "
    "relative to made",
    "accelerator_hours_rel": "Accelerator-hours: sum of all causes − installed × length of run, "
    "relative to installed",
    "downtime_rel": "Downtime: sum of all causes and stages − accelerator-hours out of service, "
    "relative to installed",
    "request_balance_rel": "Requests: arrived − served − shed − rejected − lost − moved − waiting, of "
    "pools, streams and classes, relative to arrived",
}
LIMIT = 1e-9
FAMILIES = (
    (re.compile(r"^fleet\.hours\.lost_.+$"), "fleet.hours.lost_<cause>"),
    (re.compile(r"^failures\.(?!count$|false_alarm$).+$"), "failures.<cause>"),
    (re.compile(r"^operations\.down_hours\..+$"), "operations.down_hours.<stage>"),
    (re.compile(r"^fleet\.(?!hours\.|utilization$).+\.utilization$"), "fleet.<chip>.utilization"),
    (re.compile(r"^equipment\..+$"), "equipment.<kind>"),
    (re.compile(r"^power\.\w+\.(\w+)$"), r"power.<level>.\1"),
    (re.compile(r"^cooling\.\w+\.(\w+_hours)$"), r"cooling.<plant>.\1"),
    (re.compile(r"^training\..+\.(\w+)$"), r"training.<job>.\1"),
    (re.compile(r"^inference\..+\.(\w+)$"), r"inference.<model>.\1"),
    (re.compile(r"^routing\..+\.(\w+)$"), r"routing.<class>.\1"),
    (re.compile(r"^distillation\..+\.(\w+)$"), r"distillation.<job>.\1"),
)


def page(run: Run) -> Page:
    """Return the back matter."""
    worst = max((v if v is not None else 1.0) for v in run.summary["checks"].values())
    verdict = "close" if worst <= LIMIT else "do not close"
    return Page(
        "back-matter",
        "Back matter",
        f"Run {run.identity}: {len(run.summary['checks'])} balances {verdict} within "
        f"{max(worst, 1e-16):.0e}, and {len(run.summary['kpis'])} indicators mean what is "
        "written here",
        (
            (
                "The run folder holds every table behind this report; gigawatt report draws it again "
                "without simulating. The same inputs give the same bytes of every table."
            ),
        ),
        (),
        (
            TableSpec("Identity", _identity(run), (0.6, 2)),
            TableSpec("Balances", _checks(run), (3, 0, 0)),
            TableSpec("Indicators", definitions(run), (1.35, 0, 2.6)),
        ),
    )


def _identity(run: Run) -> pd.DataFrame:
    info = run.info
    rows = {
        "Scenario": info["name"],
        "Run": run.identity,
        "Configuration hash": info["config_hash"],
        "Version": f"gigawatt {info['version']}",
        "Seed": info["seed"],
        "Replicates": len(run.results),
        "Fidelity": info["fidelity"],
        "Period": f"{info['start']}, {run.days:.6g} days",
        "Weather": info["weather"],
        "Kind of weather": wording.weather_kind(info),
        "Price of energy": _whose(info, "prices", "one price for all hours"),
        "Carbon intensity": _whose(info, "emissions", "one figure for all hours"),
    }
    return pd.DataFrame({"Item": list(rows), "Value": [str(v) for v in rows.values()]})


def _whose(info: dict[str, Any], key: str, constant: str) -> str:
    """Return whether an economic figure is an actual record, hour by hour."""
    return "actual record of each hour" if key in info.get("series", ()) else constant


def _checks(run: Run) -> pd.DataFrame:
    checks = run.summary["checks"]
    return pd.DataFrame(
        {
            "Balance": [CHECKS.get(name, wording.plain(name)) for name in checks],
            "Relative error": [
                "not a number" if v is None else f"{v:.1e}" for v in checks.values()
            ],
            "Verdict": [
                "closes" if v is not None and v <= LIMIT else "open" for v in checks.values()
            ],
        }
    )


def definitions(run: Run) -> pd.DataFrame:
    """Return one row per indicator or family of indicators: name, unit, definition."""
    rows: dict[str, tuple[str, str]] = {}
    for name, entry in run.summary["kpis"].items():
        shown = _family(name)
        text = entry["definition"]
        rows.setdefault(shown, (entry["unit"], _without_names(text) if shown != name else text))
    return pd.DataFrame(
        [(wording.breakable(name), unit, text) for name, (unit, text) in rows.items()],
        columns=["Indicator", "Unit", "Definition"],
    )


def _family(name: str) -> str:
    for pattern, family in FAMILIES:
        if pattern.match(name):
            return pattern.sub(family, name)
    return name


def _without_names(text: str) -> str:
    """Drop what a definition says of one member of its family only."""
    text = re.sub(r" Tests of .+? on [\d,]+ accelerators .+?\.$", "", text)
    text = re.sub(r", by [\d,]+ support racks at .+?\)\.$", ".", text)
    text = re.sub(r" Job on [\d,]+ .+?\.$", "", text)
    text = re.sub(r" \(first token within [^)]*\)", "", text)
    text = re.sub(r" \([\d.e+]+ tokens\)", "", text)
    text = re.sub(r"(held by work but lost to) [\w ]+?\.", r"\1 the cause.", text)
    text = re.sub(r"^Failures caused by [\w ]+ in", "Failures put down to the cause in", text)
    text = re.sub(r"^(Pieces of this kind): .+$", r"\1.", text)
    text = re.sub(r"(out of service) while .+?\.", r"\1 in the stage.", text)
    return re.sub(r"hours of \S+ divided", "hours of the chip divided", text)
