"""What a run leaves behind: tidy tables with units in their names, and the folder they live in.

Metrics and reports read these tables and nothing else; every one can be rebuilt from the folder
without simulating again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simulator import power_tables

SERIES: dict[str, dict[str, str]] = {
    "site": {
        "poi_w": "Power imported at the point of interconnection, mean of the minute",
        "onsite_w": "Power from generators",
        "battery_w": "Power into the battery (negative: out of it)",
        "limit_w": "Import the lines and main transformers in service allow",
        "it_w": "Power into racks",
        "cooling_w": "Pumps, fans, chillers, towers",
        "house_w": "Lights, controls, offices",
        "losses_w": "Electrical losses from the interconnection to the racks",
        "dry_bulb_c": "Outdoor dry bulb",
        "wet_bulb_c": "Outdoor wet bulb",
        "junction_max_c": "Hottest chip",
        "throttled_accelerators": "Accelerators' worth of speed lost to heat",
        "capped_accelerators": "Accelerators' worth of speed lost to power caps",
        "evaporation_kg_s": "Water evaporated and drifted",
        "blowdown_kg_s": "Water blown down",
        "hbm_max_c": "Hottest memory stack",
    },
    "hall": {
        "it_w": "Power into racks, hour mean",
        "power_w": "Power at the hall's feeders, hour mean",
        "peak_w": "Largest minute of the hour at the hall's feeders",
        "junction_max_c": "Hottest chip of the hour",
        "accelerators_up": "Accelerators in service, end of hour",
    },
    "feeder": {
        "power_w": "Power through the feeders of a hall, hour mean",
        "peak_w": "Largest minute of the hour",
    },
    "rack": {
        "power_w": "Input of the rack, hour mean",
        "junction_max_c": "Hottest chip of the hour",
        "up_frac": "Accelerators in service over installed, end of hour",
    },
    "loop": {
        "heat_w": "Heat given to the loop, hour mean",
        "supply_c": "Supply to the cold plates (warm) or fan walls (chilled), hour mean",
        "supply_max_c": "Warmest minute of the hour",
        "power_w": "Plant and loop pump power, hour mean",
        "evaporation_kg_s": "Water evaporated and drifted, hour mean",
        "units_up": "Plant units in service, end of hour",
        "setpoint_c": "Water that the plant is told to deliver, hour mean",
        "mechanical_frac": "Share of the heat that compressors move, hour mean",
        "reused_w": "Heat given to users before the plant, hour mean",
    },
    "pool": {
        "arrivals_per_s": "Requests arriving, hour mean",
        "served_per_s": "Requests served, hour mean",
        "shed_per_s": "Requests shed, hour mean",
        "load_frac": "Work done over what replicas that are ready can do, hour mean",
        "spilled_per_s": "Requests that moved on to another pool, hour mean",
        "received_per_s": "Requests that came from other pools, hour mean",
        "capacity_per_s": "Requests of reference length that replicas ready could serve, hour mean",
        "loading": "Accelerators that load weights, hour mean",
        "rejected_per_s": "Requests that no replica can hold, hour mean",
        "accelerators": "Accelerators in the pool, hour mean",
        "queue": "Requests waiting, end of hour",
    },
    "job": {
        "accelerators": "Accelerators held, hour mean",
        "productive_frac": "Share of the hour spent computing",
        "speed_frac": "Speed of the slowest member while computing, hour mean",
        "work_s": "Seconds of full-speed computing done since the start, end of hour",
    },
}
"""Columns of `timeseries.parquet` by level, beside `time`, `level` and `element`.
Site rows are minutes; the other levels are hours."""

TABLES: dict[str, dict[str, str]] = power_tables.TABLES | {
    "market": {
        "time": "Start of the hour, UTC",
        "price_usd_j": "Price of imported energy in that hour",
        "carbon_kg_j": "Emissions of imported energy in that hour",
    },
    "energy": {
        "element": "Term of the site balance, or `loss.<stage>`",
        "energy_j": "Integral over the run",
        "stored_j": "Change of stored energy",
    },
    "hours": {
        "load": "Job, pool, batch, or `idle`/`down`", "kind": "training, inference, batch, none",
        "accelerator": "Chip", "category": "useful, idle, down or lost_<cause>",
        "accelerator_hours": "Integral over the run",
    },
    "downtime": {
        "cause": "Failure class, planned work, or `heat`",
        "reach": "own part, shared with other racks, or neighbour of what failed",
        "accelerator": "Chip", "stage": "What the accelerators waited for (engine.outage_log.STAGES)",
        "accelerator_hours": "Out of service: sums to `down` in the table of hours",
    },
    "repairs": {
        "cause": "Failure class", "crew": "Trade", "repairs": "That took a crew or a part",
        "resets": "Cured by a restart", "unnoticed_h": "Mean time until noticed, of both",
        "diagnosis_h": "Mean of the repairs", "waiting_part_h": "Likewise", "waiting_crew_h": "Likewise",
        "work_h": "Likewise, pauses between shifts included", "burn_in_h": "Likewise",
    },
    "crews": {
        "crew": "Group of crews", "trade": "What they repair", "number": "On duty",
        "on_duty_frac": "Share of the week", "jobs": "Repairs begun or promised",
        "on_duty_h": "Crew-hours of the run", "busy_h": "Of those at work",
    },
    "spares": {
        "part": "Spare part", "stock": "On the shelf and on order together", "lead_time_h": "From order to shelf",
        "demands": "Parts taken", "stockouts": "Demands that found none on the shelf",
        "returned": "Parts taken out in which no fault was found", "ordered": "Parts bought",
    },
    "load_energy": {"load": "Job, pool or batch", "it_j": "Energy into its racks"},
    "jobs": {
        "job": "Name",
        "kind": "training, fine_tuning, rl_post_training", "model": "Model",
        "accelerator": "Chip", "accelerators": "Requested",
        "step_time_s": "Mean wall time of a step while computing", "mfu": "Model FLOPs utilization",
        "ettr": "Productive over run + requeue time", "tokens": "Tokens trained, retained",
        "target_tokens": "Tokens wanted", "running_h": "From starts to stops, saves included",
        "interruptions": "Failures that stopped the job",
        "planned_stops": "Stops for maintenance or an upgrade",
        "false_alarms": "Stops for a false alarm: nothing had failed",
        "mttf_h": "Running time over interruptions, or null", "finish": "Finish time, UTC, or null",
        "checkpoint_interval_s": "Useful time between saves", "checkpoint_stall_s": "Pause per save",
        "lost_work_mean_s": "Work lost per stop of any kind, at full speed",
        "stalled_mean_s": "Restart and requeue per stop of any kind",
        "saves": "Saves begun, all tiers", "saves_cut_short": "Of them, unfinished when a failure struck",
        "from_save": "Stops after which it loaded its save, without tiers",
        "from_local": "Those after which it loaded from the same servers",
        "from_peer": "From the memory of other servers", "from_remote": "From storage",
        "from_start": "Began anew: nothing was saved", "from_running": "Went on without loading",
        "planned_step_time_s": "Step time at full speed", "queued_s": "Initial wait",
        "generation_frac": "Share of the planned step that writes and scores answers",
        "communication_frac": "Share of the planned step that waits for the network",
    },
    "tests": {
        "test": "Name", "kind": "evaluation, safety_test", "job": "Job whose model is tested",
        "accelerators": "Held by one test", "in_pauses": "Whether the job makes way",
        "completed": "Tests done", "skipped": "Tests due while the last was not done",
        "test_time_s": "Mean time of a test, interrupted ones included",
        "planned_test_time_s": "At full clock", "tokens": "Tokens read and written",
        "accelerator_hours": "Useful hours of all tests",
    },
    "preparations": {
        "job": "Name", "racks": "Support racks at work", "utilization": "Of them, while it runs",
        "bound_by": "racks or storage", "tokens_per_s": "Delivered",
        "tokens": "Delivered in all", "target_tokens": "Tokens wanted",
        "finish": "Finish time, UTC, or null",
    },
    "phases": {
        "job": "Name", "part": "Stretch of the step: training, generation, scoring, sync",
        "phase": "What takes turns in it", "seconds": "At full clock",
        "share": "Of the step", "dynamic_power_frac": "Chip power between idle and TDP",
        "clock_bound_frac": "Share of its time that follows the clock",
    },
    "pools": {
        "pool": "Model served", "accelerator": "Chip", "requests": "Arrivals of its own",
        "received": "Came from other pools", "served": "Answered", "shed": "Turned away",
        "spilled": "Moved on to another pool", "lost": "Gone with failed replicas",
        "retried": "Asked again after their replica failed",
        "rejected": "Too long for a replica's memory or the model's context",
        "queued_end": "Waiting at the end",
        "within_slo": "Of its own arrivals, those that met every limit, here or where they spilled to",
        "input_tokens": "Tokens read", "output_tokens": "Tokens written",
        "ttft_limit_s": "SLO", "tpot_limit_s": "SLO",
        "replica_accelerators": "Accelerators per replica",
        "capacity_per_replica_s": "Requests/s one replica sustains",
    },
    "verify": {
        "pool": "Model served", "time": "Start of the hour, UTC",
        "load_frac": "Load of the hour in the plan run",
        "requests": "Served again one by one, on some replicas for some minutes",
        "quantity": "ttft_p50, ttft_p99, tpot_p50, tpot_p99, throughput (of a replica), power (of a chip), "
        "shed_frac",
        "unit": "Of both", "surface": "By the plan run's surface", "kernel": "By the kernel",
        "deviation_frac": "Surface over kernel, less one",
    },
    "latency": {
        "pool": "Model served", "quantity": "ttft or tpot", "upper_s": "Upper edge of the bin",
        "requests": "Requests in the bin",
    },
    "routes": {
        "time": "Hour, UTC", "stream": "Number in `streams`", "arrived": "Requests that reached it",
        "served": "Answered by its pool", "passed_on": "Of them, sent to the next stage",
        "shed": "Turned away", "lost": "Lost with failed replicas", "waiting": "At the end of the hour",
        "rejected": "Too long for its pool",
        "latency_s": "Mean time in the pool to the last token",
    },
    "streams": {
        "stream": "What one stage of a class sends to one pool", "class": "Class of requests",
        "stage": "answer, or moderation before or after it", "pool": "Model served",
        "role": "first, spill, escalation, student, moderation",
        "work": "Of a request, in requests of the pool's reference lengths",
        "input_tokens": "Of a request", "output_tokens": "Of a request, chain of thought included",
        "quality": "Of answers kept, from the user's table, or null",
        "cut_frac": "Chains of thought that met their budget", "arrived": "In the run",
        "served": "In the run", "passed_on": "In the run", "shed": "In the run",
        "lost": "In the run", "waiting": "At the end", "rejected": "In the run",
    },
    "classes": {
        "class": "Name", "traffic": "Workload it is of", "task": "Word of the user's tables",
        "policy": "Kind of router", "arrived": "Requests that began", "served": "Answered",
        "shed": "Turned away at any stage", "lost": "Lost with failed replicas",
        "waiting": "In queues or between stages at the end",
        "rejected": "Too long for a pool that they reached",
        "trace_bytes": "Kept per request beside tokens", "token_bytes": "Kept per token",
        "keep_s": "For how long", "rack_bytes": "Held by one storage rack",
        "rack_w": "Steady draw of that rack",
    },
    "distillations": {
        "job": "Name", "teacher": "Model that writes", "student": "Model that learns",
        "accelerator": "Chip", "accelerators": "Held by the job",
        "generation_s": "Planned time of writing", "training_s": "Planned time of training",
        "written_tokens": "Written by the teacher so far", "trained_tokens": "Trained on so far",
        "target_written_tokens": "Wanted", "target_trained_tokens": "Wanted",
        "accelerator_hours": "Held so far, stops included", "interruptions": "Failures that stopped it",
        "ready": "End of training, UTC, or null", "class": "Class the student takes a share of, or null",
        "pool": "Pool that serves the student, or null", "share": "Of the class",
        "policy_accelerator_s": "Accelerator-seconds of a request by the class's policy",
        "student_accelerator_s": "By the student", "policy_j": "Joules of the accelerators, likewise",
        "student_j": "By the student", "tokens": "Output tokens of a request",
        "requests_per_s": "Of the class, mean of the run",
    },
    "plant": {
        "element": "Name", "level": "poi, line_bank, transformer_bank, branch, feeder, block, loop",
        "kind": "Kind of equipment", "count": "Units", "rating_w": "Capacity, all units",
        "firm_w": "Capacity with one unit out", "peak_w": "Largest minute",
        "nameplate_w": "Sum of nameplates below", "parent": "Element above",
    },
    "racks": {
        "hall": "Hall", "rack": "Rack type", "accelerator": "Chip or null", "racks": "Count",
        "accelerators": "Count", "nameplate_w": "Per rack", "role": "accelerator or support",
        "throttle_c": "Junction temperature at which its chips begin to slow, or null",
    },
    "network": {
        "fabric": "Group of halls",
        "tier": "Kind of switch (leaf, spine, core ...), `optics in switches` or `at endpoints`",
        "count": "Units", "power_w": "Each",
    },
    "steps": {
        "job": "Name", "time": "Since when, UTC", "network_frac": "Left of its worst tier's rate",
        "step_time_s": "At full clock", "planned_step_time_s": "On the intact network",
        "mfu": "At full clock", "dynamic_power_frac": "Chip power between idle and TDP, mean",
    },
    "rates": {
        "class": "Failure class", "per": "Population", "units": "How many there are",
        "fleet_rate_year": "Failures per unit and year of the fleet, times `rate_scale`",
        "rate_year": "The same in this replicate", "expected": "Failures of the hazard in this run",
        "simulated": "Failures drawn in this run",
    },
    "assumptions": {
        "path": "Dotted path or catalog entry", "value": "As written", "source": "Origin",
        "evidence": "measured, vendor, derived, assumed", "range": "Range or null", "note": "Note",
    },
}
"""Columns of the small tables, in `tables/<name>.parquet` of the run folder."""

FOUNDATIONS: dict[str, dict[str, str]] = {
    "validation": {
        "topic": "What is measured", "id": "Name of the published figure", "quantity": "Which one",
        "unit": "Of both values", "measured": "As published", "simulated": "By this version",
        "error_pct": "100 (simulated - measured) / measured", "reason": "Why not simulated, or blank",
        "searched": "Parallel plan not published", "note": "What was chosen for it",
        "group": "Stack or engine, and chip", "source": "Citation",
    },
    "constants": {
        "name": "Where the constant stands", "value": "As written", "source": "Meaning and origin",
        "evidence": "measured, vendor, derived, assumed", "range": "Range or null",
    },
}
"""Columns of the tables that tell how far this version's results can be trusted: measured against
simulated, and the constants behind. Alike in every run; a folder of an older version has none."""
SCALE: dict[str, str] = {
    "job": "Name", "accelerators": "In one such job", "mttf_h": "Time between its failures",
    "interval_s": "Useful time between saves, by Daly", "first_order": "Formula in common use",
    "complete": "Daly's complete model", "ettr": "Simulated, mean of thirty days",
    "low": "Lower end of its 95 % interval", "high": "Upper end",
    "p10": "Over replicates", "p50": "Over replicates", "p90": "Over replicates",
    "own_accelerators": "Of the run's job", "own_ettr": "Of the run's job, mean of its replicates",
    "own_lost_min": "Minutes that one stop of it costs, saves included",
}
"""Columns of `tables/scale.parquet`: effective training time against scale, at the rates and with the
practice that the run's jobs had."""
ALIKE = frozenset({"assumptions", "market", "scale", *FOUNDATIONS})
"""Tables that do not differ between the replicates of a run."""


@dataclass(frozen=True)
class Results:
    """The tables of one replicate. `info` holds scalars that are inputs to metrics: name, start,
    duration_s, seed, replicate, fidelity, weather, weather_typical, weather_kind, series, firm_w, firm_limit,
    connection_w, connection_firm_w (equipment alone), energy_price_usd_j, demand_charge_usd_w_s, carbon_kg_j,
    version, config_hash."""

    info: dict[str, Any]
    timeseries: dict[str, pd.DataFrame]
    events: pd.DataFrame
    tables: dict[str, pd.DataFrame]


EVENTS = ("time", "kind", "element", "cause", "duration_s", "detail")

NO_FLOW = "no coolant flow"
"""What the details of an event say where coolant stands still."""
NO_REJECTION = "nothing is rejected by loops:"
"""What the details of a drought say before the kinds of loops whose plants then reject nothing."""


def empty(table: str) -> pd.DataFrame:
    """Return a table without rows, for what a scenario does not have."""
    return _empty(table).copy()


@cache
def _empty(table: str) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype=object) for column in TABLES[table]})


def save_tables(results: list[Results], folder: Path) -> None:
    """Write the tables of all replicates into the run folder."""
    many = len(results) > 1
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    _write([_levels(r) for r in results], many, folder / "timeseries.parquet")
    _write([r.events for r in results], many, folder / "events.parquet")
    for name in results[0].tables:
        path = folder / "tables" / f"{name}.parquet"
        chosen = results[:1] if name in ALIKE else results
        _write([r.tables[name] for r in chosen], len(chosen) > 1, path)
    infos = [r.info for r in results]
    (folder / "tables" / "info.json").write_text(json.dumps(infos, indent=1, sort_keys=True) + "\n")


def load_tables(folder: Path) -> list[Results]:
    """Read back what `save_tables` wrote."""
    infos = json.loads((folder / "tables" / "info.json").read_text())
    series = pd.read_parquet(folder / "timeseries.parquet")
    events = pd.read_parquet(folder / "events.parquet")
    tables = {p.stem: pd.read_parquet(p) for p in sorted((folder / "tables").glob("*.parquet"))}
    results = []
    for info in infos:
        pick = _replicate_filter(info["replicate"])
        levels = {
            level: rows.reindex(columns=["time", "element", *SERIES[level]]).reset_index(drop=True)
            for level, rows in pick(series).groupby("level", sort=False, observed=True)
        }
        results.append(Results(info, levels, pick(events), {name: pick(t) for name, t in tables.items()}))
    return results


def _replicate_filter(replicate: int):  # type: ignore[no-untyped-def]
    def pick(table: pd.DataFrame) -> pd.DataFrame:
        if "replicate" not in table:
            return table
        return table[table["replicate"] == replicate].drop(columns="replicate").reset_index(drop=True)

    return pick


def _levels(results: Results) -> pd.DataFrame:
    levels = results.timeseries
    names = {level: frame["element"].astype("category") for level, frame in levels.items()}
    kinds, every = sorted(levels), sorted({name for each in names.values() for name in each.cat.categories})
    frames = [
        frame.assign(level=pd.Categorical.from_codes(np.full(len(frame), kinds.index(level)), kinds),
                     element=names[level].cat.set_categories(every))
        for level, frame in levels.items()
    ]  # fmt: skip
    table = pd.concat(frames, ignore_index=True)
    first = ["time", "level", "element"]
    return table[first + [c for c in table if c not in first]]


def _write(frames: list[pd.DataFrame], many: bool, path: Path) -> None:
    """Write a table; values that are measured hardly repeat: a dictionary of them would only cost."""
    if many:
        frames = [frame.assign(replicate=i) for i, frame in enumerate(frames)]
    table = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    words = [name for name, dtype in table.dtypes.items() if dtype.kind != "f"]
    table.to_parquet(path, index=False, compression="zstd", use_dictionary=words)
