"""An invented campus whose tables close, for what reads results without simulating."""

import numpy as np
import pandas as pd
import synthetic_limits
import synthetic_power
import synthetic_routes

from simulator.results import FOUNDATIONS, TABLES, Results

MINUTE_S, HOUR_S = 60.0, 3600.0
CHIPS = {  # chip: (halls, racks per hall, chips per rack, nameplate W per rack)
    "GB300": (20, 280, 72, 142e3),
    "MAIA-200": (2, 240, 32, 40e3),
    "H200-SXM-141GB": (2, 260, 32, 44e3),
}
LOSSES = {
    "line": 0.1,
    "transformer": 0.2,
    "feeder": 0.05,
    "substation": 0.4,
    "busway": 0.2,
    "ups": 0.05,
}
SHARES = {  # load: (kind, chip, share of the chip's hours)
    "frontier": ("training", "GB300", 0.25),
    "chat-large": ("inference", "GB300", 0.45),
    "reasoning": ("inference", "GB300", 0.2),
    "chat-small": ("inference", "MAIA-200", 0.9),
    "evaluations": ("batch", "H200-SXM-141GB", 0.8),
    "distil": ("training", "GB300", 0.01),
}
CAUSES = {
    "gpu": 0.42,
    "hbm": 0.2,
    "optic": 0.18,
    "server": 0.1,
    "leaf_switch": 0.05,
    "coolant_unit": 0.03,
    "feeder": 0.02,
}


def campus(days: int = 9, start: str = "2027-07-26", seed: int = 1, replicate: int = 0) -> Results:
    """Return the results of an invented gigawatt campus over some days."""
    draws = np.random.default_rng([seed, replicate])
    first = pd.Timestamp(start, tz="UTC")
    site = _site(draws, first, days)
    halls, loops, pools, jobs = _hourly(draws, site, first, days)
    duration_s = days * 86400.0
    events = _events(draws, first, duration_s)
    tables = {
        "energy": _energy(site),
        "heat": _heat(site),
        "hours": _hours(duration_s),
        "downtime": _downtime(duration_s),
        "repairs": _repairs(),
        "crews": _crews(duration_s),
        "spares": _spares(),
        "load_energy": _load_energy(site),
        "jobs": _jobs(first, jobs, events, replicate),
        "phases": _phases(),
        "tests": _tests(),
        "preparations": _preparations(first),
        "pools": _pools(pools),
        "plant": _plant(site, halls),
        "racks": _racks(),
        "network": _network(),
        "steps": _steps(first),
        "scale": _scale(),
        "assumptions": _assumptions(),
        "validation": _validation(),
        "constants": _constants(),
        **synthetic_routes.tables(first, days),
        **synthetic_power.tables(first, float(site["poi_w"].mean())),
        **synthetic_limits.tables(
            [(name, w, CHIPS[chip][3]) for name, chip, w in _halls()], float(site["poi_w"].max())),
    }
    tables["latency"] = _latency(tables["pools"])
    tables["verify"] = _verify(tables["pools"])
    info = {
        "name": "invented campus",
        "start": first.isoformat(),
        "duration_s": duration_s,
        "seed": seed,
        "replicate": replicate,
        "fidelity": "plan",
        "weather": "invented, hot and dry",
        "weather_typical": True,
        "firm_w": 980e6,
        "connection_w": 1306e6,
        "connection_firm_w": 980e6,
        "firm_limit": "main transformers, one out",
        "energy_price_usd_j": 52 / 3.6e9,
        "demand_charge_usd_w_s": 12e-3 / (30 * 86400),
        "carbon_kg_j": 380 / 3.6e9,
        "version": "0.1.0",
        "config_hash": "0f3a9c51d2e84b76",
    }
    series = {"site": site, "hall": halls, "loop": loops, "pool": pools, "job": jobs}
    return Results(info, series, events, tables)


def _network() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fabric": ["train"] * 5 + ["serve"] * 3,
            "tier": [
                *("leaf", "spine", "core", "optics in switches", "optics at endpoints"),
                *("leaf", "optics in switches", "optics at endpoints"),
            ],
            "count": [1800, 1800, 900, 648000, 129600, 2900, 430000, 340000],
            "power_w": [2.5e3, 2.5e3, 2.5e3, 15.0, 15.0, 2.5e3, 15.0, 15.0],
        }
    )


def _steps(first: pd.Timestamp) -> pd.DataFrame:
    """Return one job whose network is damaged from hour 40 to hour 52."""
    return pd.DataFrame(
        {
            "job": "frontier",
            "time": first + pd.to_timedelta([0.0, 40.0, 52.0], unit="h"),
            "network_frac": [1.0, 0.9, 1.0],
            "step_time_s": [12.1, 12.9, 12.1],
            "planned_step_time_s": 12.1,
            "mfu": [0.41, 0.385, 0.41],
            "dynamic_power_frac": [0.82, 0.79, 0.82],
        }
    )


def _site(draws: np.random.Generator, first: pd.Timestamp, days: int) -> pd.DataFrame:
    n = days * 1440
    hour = np.arange(n) / 60
    season = 8 * np.cos(2 * np.pi * (first.day_of_year + hour / 24 - 200) / 365)
    dry = (
        18
        + season
        + 8 * np.sin(2 * np.pi * (hour - 15) / 24)
        + np.repeat(draws.normal(0, 2.5, days), 1440)
    )
    wet = dry - 5 - 0.25 * np.maximum(dry - 10, 0)
    day = 0.5 + 0.5 * np.sin(2 * np.pi * (hour - 9) / 24)
    weekend = np.where((hour // 24 + first.day_of_week) % 7 >= 5, 0.8, 1.0)
    dip = np.repeat(np.where(draws.random(n // 30 + 1) < 0.02, 0.8, 1.0), 30)[:n]
    it = 1e6 * (505 + 130 * day * weekend + 150 * dip + draws.normal(0, 2, n))
    it += 8e6 * np.sin(2 * np.pi * hour / 168)
    cooling = it * (0.035 + 0.0022 * np.maximum(dry - 12, 0))
    house = np.full(n, 3.2e6)
    losses = 12e6 + 0.028 * it
    test = (hour >= 50) & (hour < 51)
    onsite = np.where(test, 20e6, 0.0)
    battery = np.where((hour >= 30) & (hour < 31), -40e6, 0.0)
    battery += np.where((hour >= 33) & (hour < 35), 22e6, 0.0)
    return pd.DataFrame(
        {
            "time": first + pd.to_timedelta(np.arange(n), unit="min"),
            "element": "site",
            "poi_w": it + cooling + house + losses + battery - onsite,
            "onsite_w": onsite,
            "battery_w": battery,
            "limit_w": np.where((hour > 100) & (hour < 130), 980e6, 1306e6),
            "it_w": it,
            "cooling_w": cooling,
            "house_w": house,
            "losses_w": losses,
            "dry_bulb_c": dry,
            "wet_bulb_c": wet,
            "junction_max_c": 70 + 0.4 * np.maximum(dry - 15, 0) + draws.normal(0, 0.3, n),
            "hbm_max_c": 74 + 0.44 * np.maximum(dry - 15, 0),
            "throttled_accelerators": np.maximum(dry - 32, 0) * 90.0,
            "capped_accelerators": np.where(it > 785e6, 400.0, 0.0),
            "evaporation_kg_s": 12 + 0.9 * np.maximum(wet - 8, 0),
            "blowdown_kg_s": 3 + 0.22 * np.maximum(wet - 8, 0),
        }
    )


def _halls() -> list[tuple[str, str, float]]:
    return [
        (f"{chip.split('-')[0].lower()}-{i + 1:02d}", chip, racks * nameplate)
        for chip, (halls, racks, _, nameplate) in CHIPS.items()
        for i in range(halls)
    ]


def _hourly(
    draws: np.random.Generator, site: pd.DataFrame, first: pd.Timestamp, days: int
) -> tuple[pd.DataFrame, ...]:
    n = days * 24
    time = first + pd.to_timedelta(np.arange(n), unit="h")
    hourly = site.drop(columns=["time", "element"]).groupby(np.arange(len(site)) // 60).mean()
    total_w = sum(w for _, _, w in _halls())
    halls = pd.concat(
        [_hall(draws, time, hourly, name, chip, w / total_w) for name, chip, w in _halls()],
        ignore_index=True,
    )
    loops = pd.concat(
        [
            _loop(
                time, hourly, "warm liquid", 0.86, 36 + 0.3 * np.maximum(hourly.dry_bulb_c - 24, 0),
                36.0, np.zeros(n),
            ),
            _loop(
                time, hourly, "chilled air", 0.18, 18 + 0.02 * hourly.dry_bulb_c, 18.0,
                np.clip((hourly.wet_bulb_c.to_numpy() - 12) / 6, 0, 1),
            ),
        ],
        ignore_index=True,
    )
    pools = pd.concat(
        [
            _pool(draws, time, "chat-large", 5200.0, 181_000),
            _pool(draws, time, "reasoning", 900.0, 80_000),
            _pool(draws, time, "chat-small", 21000.0, 13_800),
        ],
        ignore_index=True,
    )
    return halls, loops, pools, _job(draws, time)


def _hall(draws, time, hourly, name, chip, share):  # type: ignore[no-untyped-def]
    it = hourly.it_w.to_numpy() * share * (1 + 0.01 * draws.normal())
    _, racks, chips, _ = CHIPS[chip]
    return pd.DataFrame(
        {
            "time": time,
            "element": name,
            "it_w": it,
            "power_w": it * 1.09,
            "peak_w": it * 1.12,
            "junction_max_c": hourly.junction_max_c.to_numpy() - draws.random(),
            "accelerators_up": racks * chips - draws.poisson(racks * chips * 0.004, len(time)),
        }
    )


def _loop(time, hourly, name, share, supply, setpoint, mechanical):  # type: ignore[no-untyped-def]
    return pd.DataFrame(
        {
            "time": time,
            "element": name,
            "heat_w": hourly.it_w.to_numpy() * share,
            "supply_c": supply.to_numpy(),
            "supply_max_c": supply.to_numpy() + 0.4,
            "power_w": hourly.cooling_w.to_numpy() * 0.5,
            "evaporation_kg_s": hourly.evaporation_kg_s.to_numpy() * 0.5,
            "units_up": 40.0,
            "setpoint_c": setpoint,
            "mechanical_frac": mechanical,
        }
    )


def _pool(draws, time, name, rate, accelerators):  # type: ignore[no-untyped-def]
    hour = np.asarray(time.hour) + 24 * np.asarray(time.day_of_week)
    wave = 0.62 + 0.38 * np.sin(2 * np.pi * (hour - 9) / 24) * np.where(hour >= 120, 0.6, 1.0)
    arrivals = rate * wave * (1 + 0.03 * draws.normal(size=len(time)))
    served = np.minimum(arrivals, rate * 0.97)
    return pd.DataFrame(
        {
            "time": time,
            "element": name,
            "arrivals_per_s": arrivals,
            "served_per_s": served,
            "shed_per_s": arrivals - served,
            "load_frac": served / rate,
            "spilled_per_s": 0.0,
            "received_per_s": 0.0,
            "capacity_per_s": rate,
            "loading": 0.0,
            "accelerators": float(accelerators),
            "queue": (arrivals - served) * 20 + rate * 0.01,
        }
    )


def _job(draws, time):  # type: ignore[no-untyped-def]
    productive = np.where(draws.random(len(time)) < 0.15, 0.72, 0.96)
    frontier = pd.DataFrame(
        {
            "time": time,
            "element": "frontier",
            "accelerators": 100_800.0,
            "productive_frac": productive,
            "speed_frac": 0.985 + 0.01 * draws.random(len(time)),
            "work_s": np.cumsum(productive) * 0.985 * HOUR_S,
        }
    )
    reason = frontier.assign(element="reason", accelerators=2_304.0)
    return pd.concat([frontier, reason], ignore_index=True).sort_values(
        "time", kind="stable", ignore_index=True
    )


def _energy(site: pd.DataFrame) -> pd.DataFrame:
    total = site.drop(columns=["time", "element"]).sum() * MINUTE_S
    rows = [(t, total[f"{t}_w"], 0.0) for t in ("poi", "onsite", "it", "cooling", "house")]
    rows += [(f"loss.{stage}", total["losses_w"] * part, 0.0) for stage, part in LOSSES.items()]
    rows.append(("battery", 0.0, total["battery_w"]))
    return pd.DataFrame(rows, columns=["element", "energy_j", "stored_j"])


def _heat(site: pd.DataFrame) -> pd.DataFrame:
    it_j = site["it_w"].sum() * MINUTE_S
    received = np.array([0.86, 0.18]) * it_j
    stored = np.array([3e11, -1e11])
    return pd.DataFrame(
        {
            "loop": ["warm liquid", "chilled air"],
            "received_j": received,
            "rejected_j": received - stored,
            "stored_j": stored,
        }
    )


def _racks() -> pd.DataFrame:
    rows = []
    for name, chip, _ in _halls():
        _, racks, chips, nameplate = CHIPS[chip]
        rows.append((name, f"{chip} rack", chip, racks, racks * chips, nameplate, "accelerator", 87.0))
        rows.append((name, "storage", None, 12, 0, 15e3, "support", np.nan))
    return pd.DataFrame(rows, columns=list(TABLES["racks"]))


def _hours(duration_s: float) -> pd.DataFrame:
    rows = []
    lost = {
        "lost_checkpoint": 0.012,
        "lost_rollback": 0.02,
        "lost_restart": 0.028,
        "lost_throttling": 0.002,
        "lost_capping": 0.003,
    }
    for chip, (halls, racks, chips, _) in CHIPS.items():
        total = halls * racks * chips * duration_s / HOUR_S
        left = total
        for load, (kind, own, share) in SHARES.items():
            if own != chip:
                continue
            causes = lost if kind == "training" else {"lost_throttling": 0.002, "lost_waiting": 0.2}
            for category, part in causes.items():
                rows.append((load, kind, chip, category, total * share * part))
                left -= rows[-1][-1]
            rows.append((load, kind, chip, "useful", total * share * (1 - sum(causes.values()))))
            left -= rows[-1][-1]
        rows.append(("down", "none", chip, "down", total * 0.011))
        rows.append(("idle", "none", chip, "idle", left - total * 0.011))
    return pd.DataFrame(
        rows, columns=["load", "kind", "accelerator", "category", "accelerator_hours"]
    )


def _downtime(duration_s: float) -> pd.DataFrame:
    """Return all of the hours that are down, of two causes in several stages."""
    hours = _hours(duration_s).query("category == 'down'")
    stages = {
        "unnoticed": 0.01, "diagnosis": 0.04, "waiting_part": 0.1, "waiting_crew": 0.05,
        "repair": 0.3, "burn_in": 0.3, "reset": 0.1, "maintenance": 0.1,
    }  # fmt: skip
    rows = [
        (cause, reach, row.accelerator, stage, share * part * row.accelerator_hours)
        for row in hours.itertuples()
        for cause, reach, share in (("gpu", "own", 0.8), ("feeder", "shared", 0.2))
        for stage, part in stages.items()
    ]
    columns = ["cause", "reach", "accelerator", "stage", "accelerator_hours"]
    return pd.DataFrame(rows, columns=columns)


def _repairs() -> pd.DataFrame:
    rows = [
        ("gpu", "it", 120, 180, 0.02, 0.1, 0.5, 0.4, 4.5, 12.0),
        ("feeder", "electrical", 2, 0, 0.02, 0.5, 0.0, 0.1, 12.0, 0.0),
        ("false_alarm", "it", 90, 0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0),
    ]
    return pd.DataFrame(rows, columns=list(TABLES["repairs"]))


def _crews(duration_s: float) -> pd.DataFrame:
    hours = duration_s / HOUR_S
    rows = [
        ("it", "it", 6, 1.0, 120, 6 * hours, 3 * hours),
        ("electrical", "electrical", 1, 0.3, 2, 0.3 * hours, 24.0),
    ]
    return pd.DataFrame(rows, columns=list(TABLES["crews"]))


def _spares() -> pd.DataFrame:
    rows = [("compute_tray", 90, 504.0, 120, 6, 20, 100), ("breaker", 2, 13440.0, 2, 0, 0, 2)]
    return pd.DataFrame(rows, columns=list(TABLES["spares"]))


def _load_energy(site: pd.DataFrame) -> pd.DataFrame:
    it_j = site["it_w"].sum() * MINUTE_S
    share = {
        "frontier": 0.25,
        "chat-large": 0.42,
        "reasoning": 0.19,
        "chat-small": 0.02,
        "evaluations": 0.03,
    }
    return pd.DataFrame({"load": list(share), "it_j": [it_j * s for s in share.values()]})


def _jobs(first, jobs, events, replicate):  # type: ignore[no-untyped-def]
    work_s = float(jobs.loc[jobs["element"] == "frontier", "work_s"].iloc[-1])
    frontier = {
        "job": "frontier",
        "kind": "training",
        "model": "frontier-2t",
        "accelerator": "GB300",
        "accelerators": 100_800,
        "step_time_s": 14.2,
        "mfu": 0.41,
        "ettr": 0.927,
        "tokens": work_s / 14.0 * 1.2e8,
        "target_tokens": 2.0e13,
        "running_h": 6.4 * int(len(events) * 0.2), "interruptions": int(len(events) * 0.2),
        "planned_stops": 4, "false_alarms": 1,
        "mttf_h": 6.4,
        "finish": first + pd.Timedelta(days=7 + replicate, hours=5),
        "checkpoint_interval_s": 1250.0,
        "checkpoint_stall_s": 4.5,
        "planned_step_time_s": 14.0,
        "queued_s": 0.0,
        "lost_work_mean_s": 640.0,
        "stalled_mean_s": 420.0,
        "saves": 480.0, "saves_cut_short": 3.0,
        "from_save": 0.0, "from_local": 3.0, "from_peer": 16.0, "from_remote": 5.0,
        "from_start": 0.0, "from_running": 0.0,
        "generation_frac": 0.0,
        "communication_frac": 0.12,
    }
    reason = frontier | {
        "job": "reason", "kind": "rl_post_training", "accelerators": 2_304, "step_time_s": 312.0,
        "planned_step_time_s": 310.0, "mfu": 0.09, "tokens": 3.1e11, "interruptions": 2,
        "running_h": 202.0, "planned_stops": 0, "false_alarms": 0,
        "mttf_h": 101.0, "finish": None, "generation_frac": 0.71, "communication_frac": 0.02,
    }  # fmt: skip
    return pd.DataFrame([frontier, reason])


def _scale() -> pd.DataFrame:
    scale = np.array([1024, 16_384, 100_800, 262_144])
    complete = np.array([0.99, 0.96, 0.92, 0.86])
    return pd.DataFrame(
        {
            "job": "frontier", "own_accelerators": 100_800.0, "own_ettr": 0.927, "own_lost_min": 18.0,
            "accelerators": scale, "mttf_h": 650.0 / scale * 1000, "interval_s": 4e5 / np.sqrt(scale),
            "first_order": complete + 0.01, "complete": complete, "ettr": complete - 0.001,
            "low": complete - 0.002, "high": complete, "p10": complete - 0.02, "p50": complete,
            "p90": complete + 0.01,
        }
    )  # fmt: skip


def _phases() -> pd.DataFrame:
    rows = [
        ("frontier", "compute", 11.2, 0.80, 0.97, 0.8),
        ("frontier", "bubble", 1.1, 0.08, 0.30, 0.8),
        ("frontier", "communication", 1.7, 0.12, 0.30, 0.0),
        ("reason", "generation", 211.0, 0.68, 0.62, 0.1),
        ("reason", "scoring", 9.3, 0.03, 0.93, 1.0),
        ("reason", "compute", 83.5, 0.27, 0.97, 0.8),
        ("reason", "communication", 6.2, 0.02, 0.30, 0.0),
    ]
    return pd.DataFrame(
        rows,
        columns=["job", "phase", "seconds", "share", "dynamic_power_frac", "clock_bound_frac"],
    )


def _tests() -> pd.DataFrame:
    return pd.DataFrame(
        [{
            "test": "benchmarks", "kind": "evaluation", "job": "frontier", "accelerators": 144,
            "in_pauses": False, "completed": 42, "skipped": 0, "test_time_s": 65.1,
            "planned_test_time_s": 64.5, "tokens": 1.7e9, "accelerator_hours": 108.3,
        }]
    )  # fmt: skip


def _preparations(first: pd.Timestamp) -> pd.DataFrame:
    return pd.DataFrame(
        [{
            "job": "corpus", "racks": 6, "utilization": 0.9, "bound_by": "racks",
            "tokens_per_s": 6e7, "tokens": 4e13, "target_tokens": 4e13,
            "finish": first + pd.Timedelta(days=3),
        }]
    )  # fmt: skip


def _pools(pools: pd.DataFrame) -> pd.DataFrame:
    chip = {"chat-large": "GB300", "reasoning": "GB300", "chat-small": "MAIA-200"}
    rows = []
    for name, rows_of in pools.groupby("element"):
        arrivals = rows_of["arrivals_per_s"].sum() * HOUR_S
        served = rows_of["served_per_s"].sum() * HOUR_S - 500
        rows.append(
            (
                name,
                chip[name],
                arrivals,
                0.0,
                served,
                arrivals - served - 500,
                0.0,
                0.0,
                0.0,
                500.0,
                served * 0.985,
                served * 900.0,
                served * 420.0,
                1.0,
                0.05,
                8,
                2.4,
            )
        )
    return pd.DataFrame(
        rows,
        columns=[
            "pool",
            "accelerator",
            "requests",
            "received",
            "served",
            "shed",
            "spilled",
            "lost",
            "retried",
            "queued_end",
            "within_slo",
            "input_tokens",
            "output_tokens",
            "ttft_limit_s",
            "tpot_limit_s",
            "replica_accelerators",
            "capacity_per_replica_s",
        ],
    )


def _latency(pools: pd.DataFrame) -> pd.DataFrame:
    upper = np.geomspace(0.005, 100, 60)
    rows = []
    for pool in pools.itertuples():
        for quantity, centre in (("ttft", 0.22), ("tpot", 0.02)):
            weight = np.exp(-0.5 * (np.log(upper / centre) / 0.5) ** 2)
            counts = pool.served * weight / weight.sum()
            rows.append(
                pd.DataFrame(
                    {"pool": pool.pool, "quantity": quantity, "upper_s": upper, "requests": counts}
                )
            )
    return pd.concat(rows, ignore_index=True)


def _verify(pools: pd.DataFrame) -> pd.DataFrame:
    units = {"ttft_p50": "s", "ttft_p99": "s", "tpot_p50": "s", "tpot_p99": "s",
             "throughput": "tokens/s", "power": "W"}  # fmt: skip
    rows = [
        (pool, f"2027-07-1{window}T15:00:00+00:00", 0.8, 9000, quantity, unit, 1.02 + 0.01 * window, 1.0,
         0.02 + 0.01 * window)
        for pool in pools["pool"] for window in (1, 2) for quantity, unit in units.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "pool", "time", "load_frac", "requests", "quantity", "unit", "surface", "kernel",
        "deviation_frac",
    ])  # fmt: skip


def _plant(site: pd.DataFrame, halls: pd.DataFrame) -> pd.DataFrame:
    peak, nameplate = site["poi_w"].max(), sum(w for _, _, w in _halls())
    rows = [
        ("poi", "poi", "grid", 1, 980e6, 980e6, peak, nameplate, None),
        ("lines", "line_bank", "line", 3, 2400e6, 1600e6, peak, nameplate, "poi"),
        (
            "main transformers",
            "transformer_bank",
            "transformer",
            4,
            1306e6,
            980e6,
            peak,
            nameplate,
            "lines",
        ),
    ]
    for name, chip, hall_w in _halls():
        racks, rack_w = CHIPS[chip][1], CHIPS[chip][3]
        hall_peak = halls.loc[halls["element"] == name, "peak_w"].max()
        count = 20 if chip == "GB300" else 10
        rows.append(
            (
                f"{name} feeders",
                "feeder",
                "feeder",
                4,
                hall_w * 1.45,
                hall_w * 1.0875,
                hall_peak,
                hall_w * 1.1,
                "main transformers",
            )
        )
        rows.append(
            (
                f"{name} blocks",
                "block",
                "block",
                count,
                hall_w * 1.02,
                0.0,
                hall_peak * 0.9,
                racks * rack_w,
                f"{name} feeders",
            )
        )
    rows += [
        ("warm liquid", "loop", "warm", 960, 900e6, 890e6, 760e6, 0.0, None),
        ("chilled air", "loop", "chilled", 96, 190e6, 183e6, 160e6, 0.0, None),
    ]
    return pd.DataFrame(
        rows,
        columns=[
            "element",
            "level",
            "kind",
            "count",
            "rating_w",
            "firm_w",
            "peak_w",
            "nameplate_w",
            "parent",
        ],
    )


def _events(draws, first, duration_s):  # type: ignore[no-untyped-def]
    n = int(duration_s / 86400 * 60)
    at = np.sort(draws.random(n)) * duration_s
    cause = draws.choice(list(CAUSES), n, p=list(CAUSES.values()))
    element = draws.choice([h for h, _, _ in _halls()], n)
    failures = pd.DataFrame(
        {
            "time": first + pd.to_timedelta(at, unit="s").round("s"),
            "kind": "failure",
            "element": element,
            "cause": cause,
            "duration_s": draws.lognormal(9.5, 0.8, n),
            "detail": "",
        }
    )
    others = pd.DataFrame(
        {
            "time": [first + pd.Timedelta(hours=100), first + pd.Timedelta(hours=50)],
            "kind": ["outage", "generator_test"],
            "element": ["main transformers", "generators"],
            "cause": ["maintenance", "schedule"],
            "duration_s": [108000.0, 3600.0],
            "detail": ["", ""],
        }
    )
    return pd.concat([failures, others]).sort_values("time", ignore_index=True)


def _validation() -> pd.DataFrame:
    """Return rows met well, badly and not at all, and one whose plan was searched."""
    cells = [
        ("training", "run-a", "s", 12.0, 12.6, "", False, "stack-1, H100"),
        ("training", "run-b", "s", 40.0, 26.0, "", False, "stack-1, H100"),
        ("training", "run-c", "s", 3.0, np.nan, "it does not fit", False, "stack-2, GB200"),
        ("training", "run-d", "s", 5.0, 5.2, "", True, "stack-2, GB200"),
        ("collective", "ring-8", "ms", 1.2, 1.1, "", False, "NVLink"),
        ("goodput", "closed form", "1", 0.83, 0.83, "", False, ""),
    ]
    names = ["topic", "id", "unit", "measured", "simulated", "reason", "searched", "group"]
    table = pd.DataFrame(cells, columns=names)
    table["quantity"], table["note"], table["source"] = "time", "", "A paper, arXiv:0000.00000"
    table["error_pct"] = 100.0 * (table["simulated"] - table["measured"]) / table["measured"]
    return table[list(FOUNDATIONS["validation"])]


def _constants() -> pd.DataFrame:
    rows = [("performance.chip.LAYER_SHARE", "0.75", "What layers keep.", "assumed", "0.65-0.85"),
            ("stack-1.bf16", "0.8", "A second paper", "measured", None)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(FOUNDATIONS["constants"]))


def _assumptions() -> pd.DataFrame:
    rows = [
        (
            "catalog.accelerators.GB300.tdp",
            "1400 W",
            "NVIDIA GB300 NVL72 datasheet, 2025",
            "vendor",
            None,
            None,
        ),
        (
            "catalog.accelerators.MAIA-200.tdp",
            "750 W",
            "https://blogs.microsoft.com/maia-200",
            "assumed",
            "650 W to 900 W",
            "Announced as a 750 W envelope",
        ),
        (
            "catalog.racks.GB300 NVL72.nameplate",
            "142 kW",
            "NVIDIA reference design",
            "vendor",
            "132 kW to 142 kW",
            None,
        ),
        (
            "catalog.failures.gpu.rate",
            "2.34 / 1000 node-days",
            "Meta, Revisiting Reliability, arXiv 2410.21680",
            "measured",
            None,
            None,
        ),
        (
            "topology.grid.transformers.rating",
            "333 MVA",
            "Sized for 1,000 MW after N-1",
            "derived",
            None,
            None,
        ),
        (
            "topology.cooling.supply",
            "36 degC",
            "ASHRAE W40 class",
            "assumed",
            "30 to 45 degC",
            None,
        ),
        (
            "workloads.chat-large.arrivals",
            "5200 / s",
            "Planning assumption",
            "assumed",
            "3000 / s to 9000 / s",
            "Diurnal and weekly shape from Azure traces",
        ),
    ]
    return pd.DataFrame(rows, columns=["path", "value", "source", "evidence", "range", "note"])
