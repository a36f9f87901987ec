"""Heat that users take, and hours in which water is short."""

from simulator.metrics import balance
from simulator.metrics.kpi import SECONDS_PER_HOUR, Kpi, ratio
from simulator.results import Results

JOULES_PER_MWH = 3.6e9


def reused_j(results: Results) -> float:
    """Return the heat that users took over the run in J; 0 for a run folder of an older version."""
    heat = results.tables["heat"]
    return float(heat["reused_j"].sum()) if "reused_j" in heat else 0.0


def kpis(results: Results) -> list[Kpi]:
    """Return heat reused with its effect on the site's energy, and hours of drought; what a run does
    not have is not told."""
    return [*_reuse(results), *_drought(results)]


def _reuse(results: Results) -> list[Kpi]:
    given_j = reused_j(results)
    if given_j <= 0.0:
        return []
    terms = balance.energy(results)
    site_j = float(terms["poi"] + terms["onsite"])
    return [
        Kpi(
            "cooling.heat_reused", given_j / JOULES_PER_MWH, "MWh",
            "Heat of the warm loops that users took before the plant, over the run.",
        ),
        Kpi(
            "cooling.ere", ratio(site_j - given_j, float(terms["it"])), "1",
            "Energy imported and generated on site less the heat reused, divided by the energy into "
            "racks: energy reuse effectiveness, with the boundary of power.pue_mean.",
        ),
        Kpi(
            "cooling.erf", ratio(given_j, site_j), "1",
            "Heat reused divided by the energy imported and generated on site: energy reuse factor.",
        ),
    ]  # fmt: skip


def _drought(results: Results) -> list[Kpi]:
    events = results.events
    dry = events[events["kind"].astype(str) == "drought"]
    if dry.empty:
        return []
    hours = float(dry["duration_s"].sum()) / SECONDS_PER_HOUR
    told = "Hours of the run in which plants had no water left of their daily limit and ran dry."
    return [Kpi("cooling.drought_hours", hours, "h", told)]
