"""Rows of a contingency study: what a failure costs, how bad that is, in what order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine.physics import STEP_S
from simulator.engine.populations import ON_RACKS
from simulator.engine.rates import YEAR_S
from simulator.scenario import Scenario
from simulator.simulation import Run
from simulator.studies import contingency_names as names_
from simulator.studies.contingency_cases import Case
from simulator.studies.contingency_watch import CLASSES, RAISED, RATING, Response, Watch
from simulator.studies.forked import Answer

COLUMNS = {
    "rank": "Failures by accelerator-hours a year, behind them planned work likewise; 0 is the intact site",
    "case": "What is out; N-0 is the intact site",
    "order": "How many elements fail",
    "count": "Elements alike for which the row stands",
    "stands_for": "What these are; blank where the row is one element's own",
    "kind": "electrical, cooling, network or rack",
    "level": "site, hall, block, rack or fabric",
    "class": "Failure classes that strike it so, the most frequent first",
    "planned": "Whether it is maintenance of the scenario's operations, announced, and no failure",
    "rule": "Why a pair was tried",
    "out": "What a single failure takes out of service",
    "tightest": "Element that comes closest to its limit, or exceeds it most, of those that the failure loads "
    "more; where it loads none more, the closest of all; of a slower network, the network",
    "pre_loading": "Of that element in the minute before, over its limit",
    "post_loading": "Its largest in the window, also within a minute where a curve tells how long it stands that",
    "limit": "What carried it: rating, or beyond the rating its tolerance, temperature or tank; bandwidth; "
    "unchanged where the failure loads nothing more",
    "minutes_over": "Minutes that it was beyond its limit in the mean",
    "seconds_over": "Longest time that it was, before the control relieved it or it tripped; of elements whose "
    "tolerance is told by a curve",
    "tolerance_used": "Largest share of its tolerance that this used",
    "tolerance_s": "How long it stands its largest loading, where that is beyond its rating and known",
    "first_limit": "Element whose limit is broken first, of those that the intact site keeps; or blank",
    "first_of": "What that is: a kind of equipment, block of racks, chips, plant",
    "first_minute": "At the end of which minute it is beyond its limit; 0 where none is",
    "shed_training_mw": "Largest minute: draw before of what is out of service or off",
    "shed_inference_mw": "Likewise", "shed_batch_mw": "Likewise",
    "shed_support_mw": "Likewise, of network, storage and CPU racks",
    "shed_mw": "Largest minute of all four together",
    "capped_mw": "Largest minute: dynamic draw before that caps and throttling hold back",
    "accelerators_lost": "Most that were out of service or off at once",
    "jobs": "Jobs that were stopped",
    "slo_minutes": "Minutes in which a pool left requests waiting or turned them away",
    "throttle_s": "Time until the first chip throttles",
    "trip_s": "Time until something trips",
    "tripped": "What tripped",
    "exceeded": "Elements above their rating for longer than their tolerance",
    "recovery_s": "Time until jobs run, pools keep up, no load is off and what was lost is in service again",
    "recovered": "Whether that is within the window; if not, the time is that of repair and restart",
    "back_by": "What that waits for beyond the window: repair, restart, repair + restart",
    "repair_s": "Time until the element is back, by its class and the crews and parts that are free",
    "rate_per_year": "Failures a year of the element; of a pair, of both being out at once",
    "lost_hours": "Accelerator-hours of useful work lost in the window",
    "hours_per_failure": "The same until the element is back, in the mean over repairs and resets",
    "hours_per_year": "Rate times that",
    "severity": "none, capped (work is slowed), shed, job lost, hall lost, site lost",
    "evidence": "Of the rate",
    "error": "Why there is no result, or blank",
}
"""Columns of the table, in order."""
SEVERITIES = ("none", "capped", "shed", "job lost", "hall lost", "site lost")
MEGA = 1e6
BANDWIDTH, UNCHANGED = "bandwidth", "unchanged"
"""What `limit` says of a slower network, and where nothing is loaded more."""
LAST = 5
"""Minutes at the end of the window whose mean loss is taken to last until the repair."""
LEAST_W = 1e3
"""Shed or capped from which it is told."""
LEAST_CHIPS = 1e-6
"""Accelerators out, more than in the intact site, from which some are missing."""
BACK = 1.0
"""Accelerators of useful work a second below which nothing is lost."""
INTACT = "N-0"


def ranked(
    run: Run, watch: Watch, intact: Response, done: Sequence[tuple[Case, Answer]],
    evidence_of: dict[str, str], minutes: int,
) -> tuple[pd.DataFrame, list[Response | None]]:
    """Return the table, N-0 first, then failures by accelerator-hours a year, severity, accelerator-hours
    at once and order of trying, then planned work likewise; and the responses in the same order."""
    halls = len(run.world.site.hall_names)
    rows = [
        _row(run, watch, intact, case, answer, evidence_of, halls, minutes) for case, answer in done
    ]
    order = sorted(range(len(rows)), key=lambda i: (*_rank(rows[i]), i))
    found = pd.DataFrame(
        [_nought(watch, intact), *(rows[i] for i in order)],
        columns=[name for name in COLUMNS if name != "rank"],
    )
    found.insert(0, "rank", range(len(found)))
    return found, [intact, *(done[i][1].value for i in order)]


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


def mean_out_s(cls: FailureClass, repair_s: float) -> float:
    """Return how long an element is out in the mean: some failures a reset cures, the others last the
    median `repair_s` times the mean of their lognormal spread."""
    repair = repair_s * math.exp(0.5 * cls.repair_spread**2)
    return cls.transient * cls.reset + (1.0 - cls.transient) * repair


def hours_per_failure(case: Case, response: Response, intact: Response) -> float:
    """Return the accelerator-hours of useful work that a failure costs in the mean.

    What is still lost at the end of the window is lost as long as the element is out; what else was
    lost in the window (work since the last save, a restart, requests turned away) is lost once, however
    long the repair lasts. Jobs that still restart then are lost for one more restart at most.
    """
    lost_s = intact.useful_s - response.useful_s
    minutes = len(lost_s)
    last = min(LAST, minutes - 1)
    lasting = float(lost_s[-1] - lost_s[-1 - last]) / (last * STEP_S) if last else 0.0
    lasting = max(lasting - response.restarting, 0.0)
    lasting = lasting if lasting >= BACK else 0.0
    once_s = float(lost_s[-1]) - lasting * minutes * STEP_S
    once_s += response.restarting * response.restart_s
    return max(once_s + lasting * _mean_out_s(case, response), 0.0) / 3600.0


def hours_per_year(case: Case, response: Response, intact: Response) -> float:
    """Return the expected accelerator-hours a year."""
    return rate_per_year(case, response) * hours_per_failure(case, response, intact)


def rate_per_year(case: Case, response: Response) -> float:
    """Return how often the case happens. Of a pair: how often one fails while the other is out, and by
    common cause where the pair is a whole group; of a larger group: by common cause alone."""
    if len(case.hits) == 1:
        return case.rate_year
    if len(case.hits) > 2:
        return case.common_year
    a, b = case.rates_year
    return a * b * sum(s / YEAR_S for s in _outs_s(case, response)) + case.common_year


def _mean_out_s(case: Case, response: Response) -> float:
    """Return the mean time that the case lasts: of a single failure, by the frequency of its classes;
    of several, until the first is back: two whose repairs go on independently are out together for the
    inverse of the sum of their rates of repair, those hit by one cause for the shortest of all."""
    outs_s = _outs_s(case, response)
    if len(case.hits) > 2:
        return min(outs_s)
    if len(case.hits) == 2:
        return 1.0 / sum(1.0 / s for s in outs_s)
    total = sum(case.rates_year)
    if total == 0.0:
        return outs_s[0]
    return sum(r * s for r, s in zip(case.rates_year, outs_s, strict=True)) / total


def _outs_s(case: Case, response: Response) -> list[float]:
    """Return the mean time out: of each that is hit where several are, else by class."""
    if len(case.hits) > 1:
        classes, repair_s = [hit.cls for hit in case.hits], response.repair_s
    else:
        classes, repair_s = list(case.classes), response.class_repair_s
    return [mean_out_s(cls, s) for cls, s in zip(classes, repair_s, strict=True)]


def _nought(watch: Watch, intact: Response) -> dict[str, Any]:
    """Return row 0: the intact site, with the element that is nearest to its limit anyway."""
    place = int(np.argmax(intact.loading_most))
    return _blank() | {
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
             "evidence", "error", "rule", "back_by", "stands_for")  # fmt: skip
    numbers = dict.fromkeys((n for n in COLUMNS if n != "rank"), math.nan)
    return numbers | dict.fromkeys(words, "") | {
        "minutes_over": 0, "seconds_over": 0.0, "tolerance_used": 0.0, "first_minute": 0,
        "slo_minutes": 0, "accelerators_lost": 0,
        "recovered": False, "planned": False,
        "hours_per_year": 0.0, "rate_per_year": 0.0, "severity": "none",
    }  # fmt: skip


def _row(
    run: Run, watch: Watch, intact: Response, case: Case, answer: Answer,
    evidence_of: dict[str, str], halls: int, minutes: int,
) -> dict[str, Any]:
    names = [cls.name for cls in case.classes]
    row = _blank() | {
        "case": names_.name(case), "order": len(case.hits), "count": case.count,
        "stands_for": names_.stands_for(run, case), "kind": case.kind, "level": case.level,
        "class": ", ".join(names), "planned": case.planned_s is not None, "rule": case.rule,
        "evidence": ", ".join(dict.fromkeys(evidence_of.get(n, "assumed") for n in names)),
        "out": out_of(case.classes[0]) if len(case.hits) == 1 else "", "error": answer.error,
    }  # fmt: skip
    response: Response | None = answer.value
    if response is None:
        return row | {"rate_per_year": case.rate_year if len(case.hits) == 1 else math.nan}
    interrupted = [job for job in response.interrupted if job not in intact.interrupted]
    hours = hours_per_failure(case, response, intact)
    rate = rate_per_year(case, response)
    row |= _shed(response) | _limits(watch, response, intact, case, hours)
    row |= {
        "accelerators_lost": round(float(response.out.max())), "jobs": ", ".join(interrupted),
        "slo_minutes": _slo_minutes(response, intact),
        "throttle_s": response.throttle_s, "trip_s": response.trip_s,
        "tripped": ", ".join(response.tripped), "exceeded": ", ".join(response.exceeded),
        "repair_s": max(response.repair_s),
        **_recovery(run, response, intact, minutes),
        "rate_per_year": rate, "hours_per_failure": hours, "hours_per_year": rate * hours,
        "lost_hours": float(intact.useful_s[-1] - response.useful_s[-1]) / 3600.0,
    }  # fmt: skip
    return row | {"severity": severity(row, response.dark_halls - intact.dark_halls, halls)}


def severity(row: dict[str, Any], dark_halls: int, halls: int) -> str:
    """Return the worst that happened; `capped` is work slowed by caps, by heat or by the network."""
    if dark_halls >= halls > 0:
        return "site lost"
    if dark_halls > 0:
        return "hall lost"
    if row["jobs"]:
        return "job lost"
    if row["shed_mw"] * MEGA >= LEAST_W or row["slo_minutes"]:
        return "shed"
    slowed = row["capped_mw"] * MEGA >= LEAST_W or row["hours_per_failure"] > 0.0
    return "capped" if slowed else "none"


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
    repair and restart are over. Accelerators that are out and load that is shed are back with the repair,
    racks that were dark once they have booted."""
    held = _held(response, intact)
    missing = held | (response.stalled & ~intact.stalled).any(axis=1)
    if not missing[-1]:
        last = np.flatnonzero(missing)
        return {"recovery_s": (last[-1] + 1) * STEP_S if last.size else 0.0, "recovered": True}
    if response.restarting and not held[-1]:
        back_s = minutes * STEP_S + response.restart_s
        return {"recovery_s": back_s, "recovered": False, "back_by": "restart"}
    restarts_s = [job.started_s for j, job in enumerate(run.work.jobs) if response.stalled[-1, j]]
    return {
        "recovery_s": max(max(response.repair_s) + response.boots_s, minutes * STEP_S) + max(restarts_s, default=0.0),
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
