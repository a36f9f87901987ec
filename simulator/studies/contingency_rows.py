"""Rows of a contingency study: what a failure costs, how bad that is, in what order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine.physics import STEP_S
from simulator.engine.populations import ON_RACKS
from simulator.scenario import Scenario
from simulator.simulation import Run
from simulator.studies import contingency_names as names_
from simulator.studies.contingency_cases import Case
from simulator.studies.contingency_columns import COLUMNS, SEVERITIES
from simulator.studies.contingency_costs import hours_per_failure, rate_per_year
from simulator.studies.contingency_watch import CLASSES, RAISED, RATING, Response, Watch
from simulator.studies.forked import Answer

MEGA = 1e6
BANDWIDTH, UNCHANGED = "bandwidth", "unchanged"
"""What `limit` says of a slower network, and where nothing is loaded more."""
LEAST_W = 1e3
"""Shed or capped from which it is told."""
LEAST_CHIPS = 1e-6
"""Accelerators out, more than in the intact site, from which some are missing."""
INTACT = "N-0"
SITE, HALL, BLOCK = "site", "hall", "block"
"""What may be dark."""


@dataclass(frozen=True)
class Frame:
    """What all rows of a study share."""

    run: Run
    watch: Watch
    intact: Response
    minutes: int
    evidence_of: dict[str, str]
    state_share: float = 1.0
    """Of the year, in which what is under maintenance is out."""


def ranked(
    frame: Frame, done: Sequence[tuple[Case, Answer]]
) -> tuple[pd.DataFrame, list[Response | None]]:
    """Return the table, N-0 first, then failures by accelerator-hours a year, severity, accelerator-hours
    at once and order of trying, then planned work likewise; and the responses in the same order."""
    rows = [_row(frame, case, answer) for case, answer in done]
    order = sorted(range(len(rows)), key=lambda i: (*_rank(rows[i]), i))
    found = pd.DataFrame(
        [_nought(frame), *(rows[i] for i in order)],
        columns=[name for name in COLUMNS if name != "rank"],
    )
    found.insert(0, "rank", range(len(found)))
    return found, [frame.intact, *(done[i][1].value for i in order)]


def _rank(row: dict[str, Any]) -> tuple[float, ...]:
    at_once = 0.0 if math.isnan(row["hours_per_failure"]) else row["hours_per_failure"]
    return row["planned"], -row["hours_per_year"], -SEVERITIES.index(row["severity"]), -at_once


def evidence(scenario: Scenario) -> dict[str, str]:
    """Return the evidence of each class's rate; a class of operations has that of judgement."""
    return {
        path.split(".")[1]: str(figure["evidence"])
        for name in from_catalog.failure_entries(scenario.spec.reliability.fleet)
        for path, figure in catalog.evidenced("failures", name)
        if path.startswith("classes.") and path.endswith(".rate")
    }


def _nought(frame: Frame) -> dict[str, Any]:
    """Return row 0: the intact site, with the element that is nearest to its limit anyway."""
    watch, intact = frame.watch, frame.intact
    place = int(np.argmax(intact.loading_most))
    return _blank() | {
        "state_share": frame.state_share,
        "case": INTACT, "order": 0, "count": 1, "kind": "", "level": "site", "class": "", "rule": "",
        **_loading(watch, intact, place), **_shed(intact),
        "slo_minutes": int(intact.behind.any(axis=1).sum()) if intact.behind.size else 0,
        "jobs": ", ".join(intact.interrupted), "accelerators_lost": round(float(intact.out.max())),
        "throttle_s": intact.throttle_s, "trip_s": intact.trip_s, "tripped": ", ".join(intact.tripped),
        "exceeded": ", ".join(intact.exceeded),
        "recovery_s": 0.0, "recovered": True, "severity": "none",
    }  # fmt: skip


def _blank() -> dict[str, Any]:
    words = ("out", "tightest", "limit", "first_limit", "first_of", "jobs", "tripped", "exceeded",
             "evidence", "error", "rule", "back_by", "stands_for", "dark")  # fmt: skip
    numbers = dict.fromkeys((n for n in COLUMNS if n != "rank"), math.nan)
    return numbers | dict.fromkeys(words, "") | {
        "minutes_over": 0, "seconds_over": 0.0, "tolerance_used": 0.0, "first_minute": 0,
        "slo_minutes": 0, "accelerators_lost": 0,
        "recovered": False, "planned": False,
        "hours_per_year": 0.0, "hours_per_year_all": 0.0, "rate_per_year": 0.0, "severity": "none",
    }  # fmt: skip


def _row(frame: Frame, case: Case, answer: Answer) -> dict[str, Any]:
    names = [cls.name for cls in case.classes]
    row = _blank() | {
        "case": names_.name(case), "order": len(case.hits), "count": case.count,
        "stands_for": names_.stands_for(frame.run, case), "kind": case.kind, "level": case.level,
        "class": ", ".join(names), "planned": case.planned_s is not None, "rule": case.rule,
        "evidence": ", ".join(dict.fromkeys(frame.evidence_of.get(n, "assumed") for n in names)),
        "out": out_of(case.classes[0]) if len(case.hits) == 1 else "", "error": answer.error,
        "state_share": frame.state_share,
    }  # fmt: skip
    response: Response | None = answer.value
    if response is None:
        return row | {"rate_per_year": case.rate_year if len(case.hits) == 1 else math.nan}
    interrupted = [job for job in response.interrupted if job not in frame.intact.interrupted]
    row |= _shed(response) | _costs(frame, case, response)
    row |= _limits(frame.watch, response, frame.intact, case, row["hours_per_failure"])
    row |= {
        "accelerators_lost": round(float(response.out.max())), "jobs": ", ".join(interrupted),
        "slo_minutes": _slo_minutes(response, frame.intact), "dark": _dark(frame, response),
        "throttle_s": response.throttle_s, "trip_s": response.trip_s,
        "tripped": ", ".join(response.tripped), "exceeded": ", ".join(response.exceeded),
        "repair_s": max(response.repair_s),
        **_recovery(frame.run, response, frame.intact, frame.minutes),
    }  # fmt: skip
    return row | {"severity": severity(row)}


def _costs(frame: Frame, case: Case, response: Response) -> dict[str, float]:
    """Return useful work lost: in the window, each time, and a year in the mean."""
    hours, rate = hours_per_failure(case, response, frame.intact), rate_per_year(case, response)
    return {
        "rate_per_year": rate, "hours_per_failure": hours,
        "hours_per_year": rate * hours * frame.state_share,
        "hours_per_year_all": rate * hours * frame.state_share * case.count,
        "lost_hours": float(frame.intact.useful_s[-1] - response.useful_s[-1]) / 3600.0,
    }


def _dark(frame: Frame, response: Response) -> str:
    """Return in words what lost its last accelerator that had some."""
    halls = response.dark_halls - frame.intact.dark_halls
    if halls >= len(frame.run.world.site.hall_names) > 0:
        return SITE
    for count, what in ((halls, HALL), (response.dark_blocks - frame.intact.dark_blocks, BLOCK)):
        if count > 0:
            return f"{count} {what}{'s' if count > 1 else ''}"
    return ""


def severity(row: dict[str, Any]) -> str:
    """Return the worst that happened; `capped` is work slowed by caps, by heat or by the network. What idled when it
    went out is shed where it would have worked in the window."""
    if row["dark"] == SITE:
        return "site lost"
    if HALL in row["dark"]:
        return "hall lost"
    if row["jobs"]:
        return "job lost"
    loses = row["hours_per_failure"] > 0.0
    if row["shed_mw"] * MEGA >= LEAST_W or row["slo_minutes"] or (loses and row["accelerators_lost"]):
        return "shed"
    return "capped" if loses or row["capped_mw"] * MEGA >= LEAST_W else "none"


def _limits(
    watch: Watch, response: Response, intact: Response, case: Case, hours: float
) -> dict[str, Any]:
    """Return the nearest limit, of those that lie above the intact site's, and the first one broken.

    Where the failure loads nothing more, work that is slowed by what is left of the network has its
    bandwidth as the limit; otherwise the nearest limit of all is told, which is what it was.
    """
    told = _first(watch, response, intact)
    raised = response.loading_most > intact.loading_most + RAISED
    if raised.any():
        place = int(np.argmax(np.where(raised, response.loading_most, -np.inf)))
        return told | _loading(watch, response, place)
    if case.kind == "network" and hours > 0.0:
        return told | {"tightest": case.hits[0].element.split("/")[0], "limit": BANDWIDTH}
    place = int(np.argmax(response.loading_most))
    return told | _loading(watch, response, place) | {"limit": UNCHANGED}


def _first(watch: Watch, response: Response, intact: Response) -> dict[str, Any]:
    """Return the limit that is broken first; of those broken in the same minute, the one that is most so."""
    broken = np.flatnonzero((response.first_over > 0) & (intact.first_over == 0))
    if not broken.size:
        return {}
    minute, most = response.first_over[broken], response.loading_most[broken]
    place = int(broken[np.lexsort((-most, minute))[0]])
    return {
        "first_limit": watch.limits.names[place], "first_of": watch.limits.of[place],
        "first_minute": int(response.first_over[place]),
    }  # fmt: skip


def out_of(cls: FailureClass) -> str:
    """Return in words what a class takes out of service."""
    word = cls.effect if cls.per in ON_RACKS else cls.per
    return word.replace("_", " ")


def _loading(watch: Watch, response: Response, place: int) -> dict[str, Any]:
    post = float(response.loading_most[place])
    stands_s = watch.stands_s(place, post)
    return {
        "tightest": watch.limits.names[place], "pre_loading": float(watch.pre[place]),
        "post_loading": post, "minutes_over": int(response.minutes_over[place]),
        "seconds_over": float(response.over_s[place]), "tolerance_used": float(response.used[place]),
        "limit": watch.limits.kinds[place] if post > 1.0 else RATING,
        "tolerance_s": stands_s if math.isfinite(stands_s) else math.nan,
    }  # fmt: skip


def _shed(response: Response) -> dict[str, float]:
    """Return the largest minutes in MW."""
    by_class = response.shed_w.max(axis=0) / MEGA
    told = {f"shed_{name}_mw": float(w) for name, w in zip(CLASSES, by_class, strict=True)}
    return told | {
        "shed_mw": float(response.shed_w.sum(axis=1).max()) / MEGA,
        "capped_mw": float(response.capped_w.max()) / MEGA,
    }  # fmt: skip


def _slo_minutes(response: Response, intact: Response) -> int:
    """Return minutes in which a pool is behind that is not in the intact site."""
    if not response.behind.size:
        return 0
    return int((response.behind & ~intact.behind).any(axis=1).sum())


def _recovery(run: Run, response: Response, intact: Response, minutes: int) -> dict[str, Any]:
    """Return when the loads are back, and what that waits for; where it is not in the window, when
    repair and restart are over. Accelerators that are out and load that is shed are back with the longest repair, or,
    where racks want nothing but power, with the first that feeds all of them, once they have booted."""
    held = _held(response, intact)
    missing = held | (response.stalled & ~intact.stalled).any(axis=1)
    if not missing[-1]:
        last = np.flatnonzero(missing)
        return {"recovery_s": (last[-1] + 1) * STEP_S if last.size else 0.0, "recovered": True}
    if response.restarting and not held[-1]:
        back_s = minutes * STEP_S + response.restart_s
        return {"recovery_s": back_s, "recovered": False, "back_by": "restart"}
    restarts_s = [response.job_boots_s + job.started_s
                  for j, job in enumerate(run.work.jobs) if response.stalled[-1, j]]  # fmt: skip
    back_s = min(response.repair_s) if response.first_feeds else max(response.repair_s)
    return {
        "recovery_s": max(back_s, minutes * STEP_S) + max(response.boots_s, *restarts_s, 0.0),
        "recovered": False, "back_by": "repair + restart" if restarts_s else "repair",
    }  # fmt: skip


def _held(response: Response, intact: Response) -> np.ndarray:
    """Return the minutes in which a restart does not help: load is off, a pool is behind, accelerators
    are out or load is shed that are not so in the intact site."""
    held = response.off & ~intact.off
    held = held | (response.behind & ~intact.behind).any(axis=1)
    held = held | (response.out > intact.out + LEAST_CHIPS)
    lost: np.ndarray = held | ((response.shed_w - intact.shed_w).sum(axis=1) >= LEAST_W)
    return lost
