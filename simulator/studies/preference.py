"""Which side of an indicator is the better one, where everybody would agree."""

from fnmatch import fnmatchcase

LESS = (
    "power.poi_peak*", "power.pue_mean", "energy.electrical_losses",
    "cooling.water_*", "cooling.wue", "thermal.throttled_accelerator_hours",
    "fleet.hours.down", "fleet.hours.lost_*", "failures.*",
    "training.*.step_time", "training.*.interruptions", "training.*.false_alarms", "training.*.finish_time",
    "training.*.communication_frac",
    "inference.*.ttft_*", "inference.*.tpot_*", "inference.*.unserved", "carbon.*", "cost.*",
)  # fmt: skip
MORE = (
    "site.accelerators_available_mean", "power.headroom_min",
    "fleet.utilization", "fleet.*.utilization", "fleet.hours.useful",
    "training.*.mfu", "training.*.ettr", "training.*.tokens", "training.*.mttf",
    "inference.*.slo_attainment", "inference.*.output_tokens",
)  # fmt: skip


def wanted(kpi: str) -> int:
    """Return 1 where more of an indicator is better, -1 where less is, 0 where it depends."""
    if any(fnmatchcase(kpi, pattern) for pattern in LESS):
        return -1
    return int(any(fnmatchcase(kpi, pattern) for pattern in MORE))
