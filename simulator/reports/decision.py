"""Page: the question, the answer, what limits it, and how far to trust it."""

from collections.abc import Callable
from functools import partial

import pandas as pd

from simulator.metrics import headroom, kpis
from simulator.metrics import network as metrics_of_network
from simulator.metrics.failures import failures
from simulator.metrics.fleet import cause_of
from simulator.metrics.power import demand_w
from simulator.reports import coolant_map, network, serving, wording
from simulator.reports.page import Card, FigureSpec, Lead, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    SKY,
    VERMILLION,
    bands,
    canvas,
    dark,
    heading,
    label,
    note,
    thousands,
    time_axis,
)

JOBS_TOLD = 4
"""Training jobs named in the answer, in the scenario's order."""
LIMIT = 1e-9
"""Largest relative error of a balance that closes."""
SUPPLY = {
    "poi": "firm import",
    "line_bank": "lines",
    "transformer_bank": "main transformers",
}
BANDS: dict[str, tuple[str, Callable[[float], str]]] = {
    "power.poi_peak": ("peak import", wording.megawatts),
    "fleet.utilization": ("useful hours", wording.percent),
    "failures.count": ("failures", lambda count: f"{count:,.0f}"),
}
"""Indicators whose intervals the page states."""
WEATHER = {
    "typical year": "The weather is a typical year: a typical year does not support a peak-MW claim, since it "
    "leaves out the extremes a connection must be sized for.",
    "typical year with an imposed heat wave": "The weather is a typical year with a heat wave laid on its "
    "hottest days: the peak holds for that wave, the year's sums for an ordinary year.",
    "actual record": "The weather is an actual record, so that its extremes are in the peak; other years differ.",
    "actual record with an imposed heat wave": "The weather is an actual record with a heat wave laid on its "
    "hottest days, which did not happen then.",
}
"""How far a kind of weather carries."""
QUESTION = "What can this campus really do, hour by hour, and what will break first?"


def page(run: Run) -> Page:
    """Return the page a decision is taken on."""
    return Page(
        "decision",
        "Decision",
        _title(run),
        (
            Lead("Question.", str(run.info.get("question") or QUESTION)),
            Lead("Answer.", _answer(run)),
        ),
        (import_over_time(run),),
        (TableSpec("What will break first", _first_to_break(run), (0.55, 1.15, 2.05)),),
        tuple(_cards(run)),
        closing=(Lead("Confidence.", _confidence(run)),),
    )


def _title(run: Run) -> str:
    peak, firm = run.value("power.poi_peak") or 0.0, run.value("power.poi_firm") or 0.0
    room = run.value("power.headroom_min") or 0.0
    limit = run.info["firm_limit"]
    if room < 0:
        return (
            f"Import peaks {wording.megawatts(-room)} above the firm "
            f"{wording.megawatts(firm)} ({limit}): the firm import does not carry the peak"
        )
    return (
        f"The campus peaks at {wording.megawatts(peak)} and stays {wording.megawatts(room)} "
        f"under its firm import of {wording.megawatts(firm)} ({limit})"
    )


def _answer(run: Run) -> str:
    start = run.start
    end = start + pd.Timedelta(seconds=float(run.info["duration_s"]))
    text = (
        f"From {wording.day(start)} to {wording.day(end)}, "
        f"{run.value('site.accelerators_installed'):,.0f} accelerators spend "
        f"{wording.percent(run.value('fleet.utilization'))} of their hours on useful work at a PUE "
        f"of {run.value('power.pue_mean'):.3f}."
    )
    jobs = [_job(run, str(j)) for j in run.first.tables["jobs"]["job"]]
    return " ".join([text, *jobs[:JOBS_TOLD], *_network(run), *_serving(run)])


def _network(run: Run) -> list[str]:
    slower = network.slowdown(run)
    if slower is None:
        return []
    steps = metrics_of_network.steps(run.first)
    worst = steps.loc[(steps["step_time_s"] / steps["planned_step_time_s"]).astype(float).idxmax()]
    whole = steps[steps["job"] == worst["job"]].iloc[0]
    return [
        (
            f"{slower[0].upper()}{slower[1:]}; MFU goes from {wording.percent(whole['mfu'])} to "
            f"{wording.percent(worst['mfu'])}, chip power from "
            f"{wording.percent(whole['dynamic_power_frac'])} to "
            f"{wording.percent(worst['dynamic_power_frac'])} of idle to TDP."
        )
    ]


def _job(run: Run, job: str) -> str:
    finish = run.value(f"training.{job}.finish_time")
    ettr = wording.percent(run.value(f"training.{job}.ettr"))
    end = f"finishes on {wording.day(finish)}" if finish else "is unfinished when the run ends"
    return f"Training job “{job}” {end} (ETTR {ettr})."


def _serving(run: Run) -> list[str]:
    pools = [str(p) for p in run.first.tables["pools"]["pool"]]
    if not pools:
        return []
    shares = serving.attained(run, pools)
    worst = min(shares, key=lambda p: shares[p])
    which = f"Of the served models “{worst}”" if len(shares) > 1 else f"The served model “{worst}”"
    return [
        (
            f"{which} meets its objectives {'least often, ' if len(shares) > 1 else ''}for "
            f"{wording.percent(shares[worst], 2)} of arrivals."
        )
    ]


def _cards(run: Run) -> list[Card]:
    rows = [
        (
            "Peak import, 15 min",
            "power.poi_peak",
            wording.megawatts,
            "firm " + wording.megawatts(run.value("power.poi_firm")),
        ),
        ("Headroom after N-1", "power.headroom_min", wording.megawatts, "in the peak minute"),
        (
            "Accelerators",
            "site.accelerators_installed",
            lambda v: f"{v:,.0f}",
            f"{wording.large(run.value('site.accelerators_available_mean'))} in service",
        ),
        ("Useful hours", "fleet.utilization", wording.percent, "of installed"),
        (
            "PUE",
            "power.pue_mean",
            lambda v: f"{v:.3f}",
            f"WUE {wording.number(run.value('cooling.wue'), 2)} L/kWh",
        ),
        (
            "Failures",
            "failures.count",
            lambda v: f"{v:,.0f}",
            f"{wording.number((run.value('failures.count') or 0.0) / run.days)} a day",
        ),
        ("Energy cost", "cost.energy", _millions, f"{wording.large(run.value('energy.poi'))} MWh"),
        (
            "Per useful hour",
            "cost.energy_per_useful_accelerator_hour",
            wording.dollars,
            "energy only",
        ),
    ]
    return [_card(run, *row) for row in rows if run.value(row[1]) is not None]


def _millions(value_usd: float) -> str:
    return (
        f"${wording.number(value_usd / 1e6)} M" if value_usd >= 1e6 else wording.dollars(value_usd)
    )


def _card(run: Run, label_text: str, name: str, shown, note_text: str) -> Card:  # type: ignore[no-untyped-def]
    spread = run.spread(name)
    if spread is not None and shown(spread[0]) != shown(spread[1]):
        note_text = f"{shown(spread[0])}–{shown(spread[1])}"
    return Card(label_text, shown(run.value(name)), note_text)


def import_over_time(run: Run) -> FigureSpec:
    """Draw the range of import by period against firm import."""
    each = [bands(demand_w(results), run.period) for results in run.results]
    data = pd.DataFrame({how: getattr(pd.concat([e[how] for e in each], axis=1), how)(axis=1)
                         for how in ("min", "mean", "max")})  # fmt: skip
    firm_w = float(run.info["firm_w"])
    scale = wording.power_scale(firm_w)
    fig, ax = canvas(height_in=2.6)
    ax.fill_between(
        data.index,
        data["min"] / scale.factor,
        data["max"] / scale.factor,
        color=SKY,
        alpha=0.5,
        linewidth=0,
    )
    ax.plot(data.index, data["mean"] / scale.factor, color=BLUE)
    ax.axhline(firm_w / scale.factor, color=VERMILLION, linestyle="--")
    note(
        ax,
        0.995,
        firm_w / scale.factor,
        f"firm import {wording.power(firm_w)}",
        dark(VERMILLION),
        ha="right",
        va="bottom",
        transform=ax.get_yaxis_transform(),
    )
    time_axis(ax, data.index)
    ax.set_ylim(0, 1.18 * max(firm_w, float(data["max"].max())) / scale.factor)
    span = {"D": "day", "h": "hour"}.get(run.period, "half hour")
    heading(ax, f"Import at the point of interconnection ({scale.unit})")
    label(ax)
    thousands(ax.yaxis)
    top = data["max"].idxmax()
    return FigureSpec(
        fig,
        "import",
        f"Band of import over time. The largest quarter hour is "
        f"{wording.power(float(data['max'].max()))} on {wording.day(top)}; the mean is "
        f"{wording.power(float(data['mean'].mean()))}; firm import is {wording.power(firm_w)}.",
        data.add_suffix("_w").rename_axis("time").reset_index(),
        f"Mean (line) and range (band) of quarter hours in each {span}"
        + (f", over {len(run.results)} replicates." if len(run.results) > 1 else "."),
    )


def _first_to_break(run: Run) -> pd.DataFrame:
    """Return what is nearest to its limit in power, cooling, compute and service."""
    rows = [*_plant_limits(run), *_chips(run), *_loss(run), *_service_limit(run), *_failure(run)]
    return pd.DataFrame(rows, columns=["Where", "What", "How close"])


def _plant_limits(run: Run) -> list[tuple[str, str, str]]:
    plant = run.most_loaded("element")
    groups = {
        "Supply": ("poi", "line_bank", "transformer_bank"),
        "Distribution": ("feeder", *headroom.BELOW_FEEDERS, "hall", "block"),
        "Cooling": ("loop",),
    }
    rows = []
    for where, levels in groups.items():
        own = plant[plant["level"].isin(levels)].nlargest(1, "firm_loading_frac")
        rows += [
            (
                where,
                SUPPLY.get(r.level, f"{wording.plain(r.level)} {r.element}"),
                (
                    f"{wording.percent(r.firm_loading_frac, 0)} of firm rating in the peak minute, "
                    f"{wording.power(r.headroom_w)} left"
                ),
            )
            for r in own.itertuples()
        ]
    return rows


def _chips(run: Run) -> list[tuple[str, str, str]]:
    """Return how near the chips of the hall that is worst off come to where they begin to slow."""
    hours = coolant_map.tightest_hours(run)
    if hours.empty:
        return []
    worst = hours.loc[hours["margin_k"].idxmin()]
    margin_k = float(worst["margin_k"])
    side = "below" if margin_k >= 0.0 else "beyond"
    told = f"{wording.number(abs(margin_k))} K {side} where they begin to slow, on {wording.day(worst['time'])}"
    return [("Heat", f"chips of {worst['element']}", told)]


def _loss(run: Run) -> list[tuple[str, str, str]]:
    hours = pd.Series(run.named("fleet.hours."), dtype=float)
    lost = hours[hours.index.str.startswith("lost_")]
    if lost.sum() <= 0:
        return []
    worst = str(lost.idxmax())
    return [
        (
            "Compute",
            f"hours lost to {cause_of(worst)}",
            f"{wording.percent(lost.max() / hours.sum(), 2)} of installed accelerator-hours",
        )
    ]


def _service_limit(run: Run) -> list[tuple[str, str, str]]:
    hours = [results.timeseries["pool"] for results in run.results if "pool" in results.timeseries]
    pools = pd.concat(hours, ignore_index=True) if hours else pd.DataFrame()
    if not len(pools):
        return []
    busy = pools.loc[pools["load_frac"].idxmax()]
    unserved = run.value(f"inference.{busy['element']}.unserved")
    return [
        (
            "Serving",
            f"{busy['element']}",
            (
                f"{wording.percent(float(busy['load_frac']), 0)} of capacity in its busiest hour; "
                f"{wording.large(unserved)} requests unserved"
            ),
        )
    ]


def _failure(run: Run) -> list[tuple[str, str, str]]:
    causes = run.averaged(partial(failures, by="cause"), ["cause"], absent_is_zero=True)
    if not len(causes):
        return []
    top = causes.loc[causes["count"].idxmax()]
    return [
        (
            "Hardware",
            f"{wording.plain(top['cause'])} failures",
            (
                f"{top['count'] / run.days:,.3g} a day, {wording.large(float(top['repair_h']))} h of "
                "repair in all"
            ),
        )
    ]


def _confidence(run: Run) -> str:
    count = len(run.results)
    worst = max((v if v is not None else 1.0) for v in run.summary["checks"].values())
    closed = (
        f"The balances of energy, heat and accelerator-hours close (largest relative error "
        f"{worst:.0e})."
        if worst <= LIMIT
        else f"A balance does not close (relative error {worst:.1e}): do not use these numbers."
    )
    weather = WEATHER[wording.weather_kind(run.info)]
    draws = (
        "One replicate: numbers are one draw of failures, without an interval."
        if count == 1
        else _resolution(run, count)
    )
    return (
        f"{weather} Weather source: {run.info['weather']}. {draws} {closed} "
        f"Evidence of the inputs: {wording.percent(run.evidence['assumed'], 0)} assumed. "
        f"Fidelity: {run.info['fidelity']}."
    )


def _resolution(run: Run, count: int) -> str:
    """Return how sure the means are, and which percentiles so many replicates cannot tell."""
    text = f"{count} replicates: values are means, ranges are P10 to P90."
    surest = [_half_width(run, name, shown) for name, shown in BANDS.items()]
    bands = ", ".join(band for band in surest if band)
    text += f" 95 % intervals of the means: {bands}." if bands else ""
    text += "".join(f" Stopped by {told['text']}." for told in run.info.get("stopping", ()))
    return " ".join([text, *(f"Not resolvable: {told}." for told in kpis.unresolved(count))])


def _half_width(run: Run, name: str, shown: tuple[str, Callable[[float], str]]) -> str:
    ends = (run.summary["kpis"].get(name, {}).get("ci95") or {}).get("value")
    return "" if ends is None else f"{shown[0]} {shown[1](ends[0])}–{shown[1](ends[1])}"
