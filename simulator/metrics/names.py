"""Every indicator there can be, with its unit: what may be asked before there is a run.

`<...>` stands for a name of the scenario or of the run. The glossary has what each means."""

from simulator.metrics.fleet import CAUSES
from simulator.metrics.inference import MOVED
from simulator.metrics.limits import BY_LEVEL
from simulator.metrics.modes import MODES
from simulator.metrics.operations import STAGE_WORDS

_FAMILIES: dict[str, dict[str, str]] = {
    "site": {"1": "accelerators_installed accelerators_available_mean"},
    "power": {
        "MW": "poi_peak poi_peak_1min poi_mean poi_firm it_mean headroom_min stranded usable",
        "1": "pue_mean pue_peak load_factor overload_minutes overload_probability capped_minutes trips shed_events "
             "dark_events",
        "MWh": "held_energy shed_energy",
        "degC": "transformer_hot_spot_max",
    },
    **{
        f"power.{level}": {
            "1": "oversubscription overload_probability capped_minutes",
            "h": "lost_hours",
        }
        for level in BY_LEVEL
    },
    "equipment": {
        "1": "line main_transformer feeder switchgear_section unit_substation ups_module busway medium_voltage_breaker "
             "low_voltage_breaker sts_transfer_switch ats_transfer_switch generator battery",
    },
    "energy": {"MWh": "poi onsite it cooling house electrical_losses", "L": "generator_fuel"},
    "cooling": {
        "m3": "water_consumed water_withdrawn water_peak_day water_peak_hour",
        "L/kWh": "wue",
        "MWh": "heat_reused",
        "1": "ere erf",
        "h": "drought_hours",
        "MW": "usable_it_p5 usable_it_min",
    },
    **{f"cooling.{loop}": {"h": " ".join(f"{mode}_hours" for mode in MODES)} for loop in ("warm", "chilled")},
    "thermal": {
        "h": "throttled_accelerator_hours",
        "min": "throttled_minutes",
        "degC": "coolant_supply_max junction_max hbm_max",
        "K": "throttle_margin_min",
    },
    "fleet": {"1": "utilization"},
    "fleet.<chip>": {"1": "utilization"},
    "fleet.hours": {"h": " ".join(("useful", "idle", "down", *CAUSES))},
    "failures": {"1": "count <cause>"},
    "operations": {
        "h": "mttr repair_wait_mean",
        "1": "crew_utilization spares_fill_rate spares_stockouts",
    },
    "operations.down_hours": {"h": " ".join(STAGE_WORDS)},
    "network": {"1": "switches", "MW": "power"},
    "training.<job>": {
        "s": "step_time step_time_worst",
        "1": "mfu ettr interruptions planned_stops false_alarms communication_frac generation_frac tests",
        "tokens": "tokens",
        "h": "mttf accelerator_hours",
        "ISO date": "finish_time",
    },
    "inference.<model>": {
        "1": "requests slo_attainment unserved verify_ttft_p50 verify_ttft_p99 verify_tpot_p50 verify_tpot_p99 "
             f"verify_throughput verify_power verify_shed_frac {' '.join(MOVED)}",
        "s": "ttft_p50 ttft_p99 tpot_p50 tpot_p99",
        "tokens": "output_tokens",
    },
    "routing.<class>": {
        "1": "requests served shed rejected waiting spilled escalated quality thoughts_cut trace_racks",
        "s": "latency_mean",
        "tokens": "output_tokens",
        "h": "accelerator_hours",
        "MWh": "energy",
        "USD": "energy_cost energy_cost_per_million_requests",
        "TB": "traces_written traces_held",
        "kW": "trace_power",
    },
    "distillation.<job>": {
        "tokens": "written trained break_even_tokens",
        "h": "generation_accelerator_hours training_accelerator_hours accelerator_hours saved_accelerator_hours",
        "MWh": "energy saved_energy",
        "ISO date": "ready",
        "d": "break_even_days",
        "1": "taken_over paid_back",
    },
    "carbon": {"tCO2e": "location"},
    "cost": {"USD": "energy energy_per_useful_accelerator_hour energy_per_million_output_tokens"},
}  # fmt: skip

UNITS = {
    f"{family}.{name}": unit
    for family, units in _FAMILIES.items()
    for unit, names in units.items()
    for name in names.split()
}
"""Unit of every indicator."""

CHECKS = (
    "energy_balance_rel", "heat_balance_rel", "accelerator_hours_rel", "heat_made_rel", "downtime_rel",
    "request_balance_rel",
)  # fmt: skip
"""Balances of `metrics.balance.checks`."""
