"""Topic `reliability`: what is published of jobs under failures, in words; each row that the
clockwork understands is simulated, the others say why not."""

import re
from collections.abc import Callable

from simulator.components import from_catalog
from simulator.studies import clockwork
from simulator.studies.clockwork import DAY_S, Practice
from simulator.studies.validate.reliability_words import (
    FLEETS,
    RSC_RESTART_S,
    accelerators,
    fleet,
    interval_s,
    length_days,
    restart_s,
    stall_s,
)
from simulator.studies.validate.topic import Cells, Simulated, in_unit

QUANTITY = "reliability"
PLAIN_UNITS = ("-", "count", "ratio")
"""What these tables call a number without a unit."""
PER_NODE = 8
TABLE_5 = "llama3-405b"
"""The fleet of the catalog that fails as Llama 3's did."""
RUN = (16_384, 54.0)
"""Accelerators and days of that run."""
NOT_HARDWARE = ("software", "nccl_timeout", "dependency", "host_maintenance")
"""Its causes that are not confirmed or suspected hardware."""
CAUSES = {
    "Faulty GPU": "faulty_gpu", "GPU HBM3 memory": "hbm", "Software bug": "software",
    "Network switch/cable": "network", "Host maintenance (unplanned)": "host_maintenance",
    "GPU SRAM memory": "gpu_sram", "GPU system processor": "gpu_processor", "NIC": "nic",
    "NCCL watchdog timeout": "nccl_timeout", "Silent data corruption": "silent_corruption",
    "GPU thermal interface + sensor": "gpu_thermal", "SSD": "ssd", "Power supply": "psu",
    "Server chassis": "chassis", "IO expansion board": "io_board", "Dependency": "dependency",
    "CPU": "cpu", "System memory": "dimm",
}  # fmt: skip
"""Classes of that fleet by what the publication calls them."""
OWN_RATE = "the rate is that of the same run: a check of the clockwork, no prediction"
OWN_FORMULA = "; the source reckoned it from this rate: a check of the model, no measurement"
FORMULA_DAYS = 300.0
"""Length of a run that formulas are held against."""
FORMULA_INTERVALS_S = (300.0, 3600.0)
"""The two cases of RSC's authors for 16,384 accelerators: saves every 5 and every 60 min."""
LEAST_STOPS = 100.0
"""Mean number of stops of a run whose time between them is asked for, at least."""
ANY_INTERVAL_S = 600.0
"""Interval between saves where only stops are counted: their number does not hang on it."""
PLANNED_S = DAY_S
"""Time between planned stops of a row that tells of one a day."""
HALVINGS = 24


def simulate(row: Cells) -> Simulated:
    """Return what a job under failures does of what a row tells; ValueError says why not."""
    quantity = row.get("quantity", "")
    for pattern, answer in ANSWERS.items():
        if re.search(pattern, quantity):
            return answer(row)
    for pattern, reason in REASONS.items():
        if re.search(pattern, quantity):
            raise ValueError(reason)
    raise ValueError("not a question to one job under failures")


def _cause(row: Cells) -> Simulated:
    name = row["quantity"].partition(": ")[2]
    if name not in CAUSES:
        raise ValueError(f"no class of the fleet {TABLE_5} is called '{name}'")
    return Simulated(_stops((CAUSES[name],)), note=OWN_RATE)


def _stops_of_the_run(row: Cells) -> Simulated:
    return Simulated(_stops(tuple(CAUSES.values())), note=OWN_RATE)


def _time_between_stops(row: Cells) -> Simulated:
    days_s = RUN[1] * DAY_S
    return Simulated(_unit(days_s / _stops(tuple(CAUSES.values())), "s", row), note=OWN_RATE)


def _hardware(row: Cells) -> Simulated:
    every = tuple(CAUSES.values())
    hard = _stops(tuple(name for name in every if name not in NOT_HARDWARE))
    return Simulated(_unit(hard / _stops(every), "1", row), note=OWN_RATE)


def _stops(names: tuple[str, ...]) -> float:
    """Return how often some causes stop the run, mean over replicates."""
    n, days = RUN
    rate_s = sum(
        cls.rate * (n if cls.per == "accelerator" else n / PER_NODE)
        for cls in from_catalog.failure_classes(TABLE_5)
        if cls.name in names
    )
    return _count(rate_s, days, "/".join(names))


def _count(rate_s: float, days: float, purpose: str) -> float:
    """Return the mean number of stops at a rate per second."""
    _, hits = clockwork.follow(Practice(1.0 / rate_s, ANY_INTERVAL_S, 0.0, 0.0), days, purpose=purpose)
    return float(hits.mean())


def _mttf(row: Cells) -> Simulated:
    mttf_s, note = _hit(row)
    days = max(FORMULA_DAYS, LEAST_STOPS * mttf_s / DAY_S)
    _, hits = clockwork.follow(Practice(mttf_s, ANY_INTERVAL_S, 0.0, 0.0), days)
    value = _unit(days * DAY_S * len(hits) / float(hits.sum()), "s", row)
    if row["quantity"].startswith("projected"):
        return Simulated(value, note=note + OWN_FORMULA)
    return Simulated(value, note=note + _all_failures(row, value))


def _all_failures(row: Cells, simulated: float) -> str:
    """Say by how much a measured count of every failure of a job departs from the fleet's rate."""
    if not row["quantity"].startswith("measured") or not row.get("measured"):
        return ""
    times = simulated / float(row["measured"])
    return f"; measured over every failure of a job, which came {times:.2f} times as often as that rate"


def _ettr(row: Cells) -> Simulated:
    (practice, note), (days, whence) = _practice(row), length_days(row)
    note += f", {days:g} days ({whence})"
    note += OWN_FORMULA if re.match(r"ETTR, \S+-GPU job", row["quantity"]) else ""
    return Simulated(_unit(_share(practice, days), "1", row), note=note)


def _restarts(row: Cells) -> Simulated:
    (mttf_s, note), (days, whence) = _hit(row), length_days(row)
    found = _count(1.0 / mttf_s, days, clockwork.PURPOSE)
    return Simulated(found, note=f"{note}, {days:g} days ({whence})")


def _interval(row: Cells) -> Simulated:
    wanted = float(re.search(r"ETTR ([\d.]+)", row["quantity"])[1])  # type: ignore[index]
    practice, note = _practice(row, searched=True)
    return Simulated(_unit(_longest_s(practice, wanted), "s", row), note=note + OWN_FORMULA)


def _condition(row: Cells) -> Simulated:
    """Say in words what the row asks in words."""
    wanted = float(re.search(r"ETTR ([\d.]+)", row["quantity"])[1])  # type: ignore[index]
    practice, note = _practice(row, searched=True)
    minutes = _longest_s(practice, wanted) / 60.0
    raise ValueError(f"asked in words: it takes a save every {minutes:.3g} min ({note})")


def _formula_against_simulation(row: Cells) -> Simulated:
    """Return the largest difference between the paper's formula and simulation in its two cases."""
    apart = []
    mttf_s, (restart, whence) = clockwork.mttf_s(RUN[0], PER_NODE, FLEETS["RSC"][0]), RSC_RESTART_S
    for every_s in FORMULA_INTERVALS_S:
        practice = Practice(mttf_s, every_s, 0.0, restart)
        apart.append(abs(clockwork.linear(practice) / _share(practice, FORMULA_DAYS) - 1.0))
    told = f"assumed: {RUN[0]:,} GPUs of RSC-1, saves every 5 and 60 min, no stall"
    note = f"{told}, restart {restart / 60.0:g} min ({whence}){OWN_FORMULA}"
    return Simulated(_unit(max(apart), "1", row), note=note)


def _corruptions(row: Cells) -> Simulated:
    found = re.search(r"([\d.]+)M GPU-h", row.get("value", ""))
    if found is None:
        raise ValueError("how long the fleet was watched is not given")
    rate_s = next(c.rate for c in from_catalog.failure_classes(TABLE_5) if c.name == "silent_corruption")
    watched_s = float(found[1]) * 1e6 * 3600.0
    return Simulated(_count(rate_s, watched_s / DAY_S, "sdc"), note=f"assumed: at the rate of {TABLE_5}")


def _share(practice: Practice, days: float) -> float:
    return float(clockwork.follow(practice, days)[0].mean()) / (days * DAY_S)


def _longest_s(practice: Practice, wanted: float) -> float:
    """Return the longest interval between saves that keeps a share of useful time."""
    low_s, high_s = 1.0, 7.0 * DAY_S
    if _share(practice.every(low_s), length_days({})[0]) < wanted:
        raise ValueError(f"ETTR {wanted:g} is not reached, however often the job saves")
    for _ in range(HALVINGS):
        middle_s = (low_s * high_s) ** 0.5
        kept = _share(practice.every(middle_s), length_days({})[0]) >= wanted
        low_s, high_s = (middle_s, high_s) if kept else (low_s, middle_s)
    return low_s


def _hit(row: Cells) -> tuple[float, str]:
    """Return the time between stops of the row's job, and what was chosen for it."""
    (n, size), (rate, whose) = accelerators(row), fleet(row)
    note = f"{n:,} accelerators ({size}) at {rate:g} per 1,000 node-days ({whose})"
    mttf_s = clockwork.mttf_s(n, PER_NODE, rate)
    if re.search(r"one planned interruption per day", row.get("configuration", "")):
        return 1.0 / (1.0 / mttf_s + 1.0 / PLANNED_S), note + " and a planned stop a day (given)"
    return mttf_s, note


def _practice(row: Cells, searched: bool = False) -> tuple[Practice, str]:
    """Return how often the row's job is hit and what it does, and what was chosen for it.

    searched : the interval between saves is what is asked for
    """
    mttf_s, told = _hit(row)
    (every_s, every), (pause_s, pause), (stop_s, stop) = interval_s(row), stall_s(row), restart_s(row)
    told += "" if searched else f", saves every {every_s / 60.0:.3g} min ({every})"
    told += f", stall {pause_s:g} s ({pause}), restart {stop_s / 60.0:g} min ({stop})"
    return Practice(mttf_s, every_s, pause_s, stop_s), told


def _unit(value: float, si_unit: str, row: Cells) -> float:
    """Return a value in the row's unit, whose first word is the unit where it has several."""
    unit = (row.get("unit") or si_unit).split()[0]
    return value if unit in PLAIN_UNITS else in_unit(value, si_unit, {"unit": unit})


ANSWERS: dict[str, Callable[[Cells], Simulated]] = {
    r"^unexpected interruptions: ": _cause,
    r"^unexpected interruptions$": _stops_of_the_run,
    r"^mean time to unexpected interruption": _time_between_stops,
    r"^share of unexpected interruptions from .*hardware": _hardware,
    r"^(measured|projected) MTTF|^failure interval": _mttf,
    r"^checkpoint interval for ETTR|: checkpoint interval for ETTR": _interval,
    r"reaches ETTR [\d.]+ with$|for ETTR [\d.]+ at": _condition,
    r"^ETTR[, ]|^cumulative ETTR$|^effective training time": _ettr,
    r"^repairs and restarts in a": _restarts,
    r"^closed form vs Monte Carlo": _formula_against_simulation,
    r"^SDC-faulty GPUs": _corruptions,
}
"""What is simulated, by a pattern of the quantity; the first that fits."""
REASONS = {
    r"failure rate r_f|per 1000 node-days|^planned interruptions": "what a simulation is told",
    r"detect|catch-up|auto-detected": "practice: what a simulation is told, not what it finds",
    r"[Cc]heckpoint|snapshot|blocks?/save|save time": "how long a save takes, not what is left of a run",
    r"[Ss]traggler|slow hosts|fail-slow|workers": "slow members are not failures",
    r"goodput": "neither the number of chips nor their rate of failure is published",
    r"MTBE|error counts|row-remap": "counts errors of a part, not stops of a job",
    r"spares": "the availability of a node is not given",
    r"recovery speed-up": "a ratio of two practices that the row does not give",
    r"manual restarts|compute uptime|wasted": "hours lost to people are not published",
}
"""Why not, by a pattern of the quantity."""
