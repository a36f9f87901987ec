"""Which side of an indicator is the better one, where everybody would agree.

Amounts (cost, carbon, losses, failures) are better when they are less for the same work. Where a plan
also does more work, more of them is neither better nor worse: what the unit of work costs stands beside.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

LESS = (
    "power.pue_mean", "power.pue_peak", "power.stranded", "cooling.wue",
    "thermal.throttled_accelerator_hours", "thermal.throttled_minutes",
    "operations.mttr", "operations.repair_wait_mean", "operations.spares_stockouts",
    "training.*.step_time", "training.*.step_time_worst", "training.*.interruptions",
    "training.*.false_alarms", "training.*.finish_time", "training.*.communication_frac",
    "inference.*.ttft_*", "inference.*.tpot_*", "inference.*.verify_ttft_*", "inference.*.verify_tpot_*",
    "inference.*.unserved", "routing.*.shed", "routing.*.waiting", "routing.*.latency_mean",
    "routing.*_per_million_requests", "distillation.*.ready", "distillation.*.break_even_*",
    "cost.*_per_*",
)  # fmt: skip
MORE = (
    "site.accelerators_available_mean", "power.headroom_min", "power.poi_firm",
    "cooling.usable_it_*", "thermal.throttle_margin_min",
    "fleet.utilization", "fleet.*.utilization", "fleet.hours.useful",
    "operations.spares_fill_rate",
    "training.*.mfu", "training.*.ettr", "training.*.tokens", "training.*.mttf",
    "inference.*.slo_attainment", "inference.*.output_tokens", "inference.*.verify_throughput",
    "routing.*.quality", "routing.*.served", "distillation.*.paid_back",
)  # fmt: skip
AMOUNTS = (
    "power.poi_peak*", "energy.electrical_losses", "cooling.water_*", "fleet.hours.down",
    "fleet.hours.lost_*", "failures.*", "operations.down_hours.*", "carbon.*", "cost.*",
    "routing.*.energy", "routing.*.energy_cost", "network.power",
)  # fmt: skip
"""Less is better as long as the work is the same."""
GIVEN = ("site.accelerators_installed", "power.poi_firm", "network.switches", "network.power")
"""What the inputs alone set: no luck is in them."""
WORK = ("fleet.hours.useful", "training.*.tokens", "inference.*.output_tokens")
"""What plans are made for."""


def wanted(kpi: str) -> int:
    """Return 1 where more of an indicator is better, -1 where less is, 0 where it depends."""
    if _is(kpi, LESS) or _is(kpi, AMOUNTS):
        return -1
    return int(_is(kpi, MORE))


def of_amount(kpi: str) -> bool:
    """Return whether an indicator grows with the work that is done."""
    return _is(kpi, AMOUNTS) and not _is(kpi, LESS)


def excused(kpi: str, more: bool, work: Mapping[str, int]) -> bool:
    """Return whether more (or less) of an amount in plan B goes with more (or less) work.

    Parameters
    ----------
    work : by indicator of work, 1 where plan B surely does more, -1 where less, 0 where that is open
    """
    return of_amount(kpi) and (1 if more else -1) in work.values()


def is_given(kpi: str) -> bool:
    """Return whether an indicator is set by the inputs alone, the same in every replicate."""
    return _is(kpi, GIVEN)


def is_work(kpi: str) -> bool:
    """Return whether an indicator counts what plans are made for."""
    return _is(kpi, WORK)


def _is(kpi: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(kpi, pattern) for pattern in patterns)
