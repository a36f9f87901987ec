"""Page: what weather does to the power a campus needs, and how its loops give their heat away."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.metrics import derating, modes, thermal
from simulator.metrics.kpi import ratio
from simulator.metrics.series import local
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    FULL,
    GREEN,
    GREY,
    HALF,
    LINES,
    ORANGE,
    PALETTE,
    SKY,
    VERMILLION,
    canvas,
    dark,
    heading,
    label,
    legend,
    note,
    period_names,
    thousands,
)

BIN_C = 1.0
POINTS = 9000
"""Hours that the cloud of points holds; of longer series every second, third... is drawn."""
CURVE_POINTS = 201
LOOKS = {"free": (SKY, ""), "partial": (ORANGE, "///"), "mechanical": (VERMILLION, "xx"),
         "dry": (GREY, "..")}  # fmt: skip
WORDS = {"dry": "no water, nothing rejected"}
"""Modes that the legend calls otherwise."""
FLUIDS = {"warm": "warm: coolant at plates", "chilled": "chilled: water to fan walls"}
"""What the supply of each kind of loop is; what warm plants deliver is facility water, colder than that."""
LABELS = 12
"""Names of bars that the width of the page holds."""
TIMES = {"MS": "month", "7D": "week", "D": "day", "h": "hour"}


def page(run: Run) -> Page:
    """Return the page on cooling."""
    hours = working(run)
    worst = hours.loc[hours["pue"].idxmax()]
    return Page(
        "cooling",
        "Cooling",
        f"{_pue(run, hours)}; {_carried(run)}",
        (_weather(run, hours, worst), _heat(run)),
        (against_weather(run, hours), supply(run), duration(run), *_modes(run)),
        (TableSpec("Coolant loops: mean heat, power of plants and pumps, supply", _loops(run)),),
    )


def _pue(run: Run, hours: pd.DataFrame) -> str:
    """Return mean and worst PUE over the same hours: all, or those in which racks work."""
    count, of = _worked(run)
    worst = _ratio(run, "power.pue_peak")
    if count == of or not count:
        return f"PUE is {_ratio(run, 'power.pue_mean')} on average and {worst} in the worst hour"
    mean = ratio(float((hours["pue"] * hours["it_w"]).sum()), float(hours["it_w"].sum()))
    of_them = f"of the {count:.4g} of {of:.4g} hours in which racks work"
    return f"PUE is {mean:.3f} on average and {worst} in the worst {of_them}"


def _worked(run: Run) -> tuple[float, float]:
    """Return hours in which racks work and all hours, of a replicate."""
    tables = [derating.derating(results) for results in run.results]
    return float(np.mean([table["working"].sum() for table in tables])), float(len(tables[0]))


def _carried(run: Run) -> str:
    """Return what racks the import carries in the hour that leaves least, and how long plants carry none."""
    tables = pd.concat([derating.derating(results) for results in run.results])
    watered = tables.loc[tables["working"] & ~tables["dry"], "usable_it_w"]
    dry_h = float(tables["dry"].sum()) / len(run.results)
    if dry_h:
        rest = f", in others the firm import carries {wording.power(watered.min())} of racks or more"
        return f"for {dry_h:.4g} hours plants without water carry none{rest if len(watered) else ''}"
    least_w = 1e6 * (run.value("cooling.usable_it_min") or 0.0)
    share = ratio(least_w, float(working(run)["usable_it_w"].mean()))
    return (
        f"the firm import carries {wording.power(least_w)} of racks in the hour that leaves least, "
        f"{wording.percent(share)} of the mean"
    )


def _ratio(run: Run, kpi: str) -> str:
    value = run.value(kpi)
    return wording.MISSING if value is None else f"{value:.3f}"


def working(run: Run) -> pd.DataFrame:
    """Return the hours that count (`metrics.derating`), each the mean of the replicates."""
    tables = [derating.derating(results) for results in run.results]
    some = pd.concat([table[table["working"]] for table in tables])
    if some.empty:
        some = tables[0].assign(pue=1.0, usable_it_w=0.0)
    table = some.drop(columns="working").groupby("time", as_index=False).mean()
    return table.assign(time=local(run.first, table["time"]))


def _weather(run: Run, hours: pd.DataFrame, worst: pd.Series) -> str:
    dry, wet = hours["dry_bulb_c"], hours["wet_bulb_c"]
    share = ratio(float(hours["cooling_w"].sum()), float(hours["it_w"].sum()))
    return (
        f"Weather: {run.info['weather']}, {dry.min():.1f} to {dry.max():.1f} °C dry bulb, up to "
        f"{wet.max():.1f} °C wet bulb. Cooling takes {wording.percent(share)} of rack power on average. "
        f"PUE is worst in the hour from {worst['time']:%H:%M} on {wording.day(worst['time'])}, at "
        f"{worst['dry_bulb_c']:.1f} °C dry and {worst['wet_bulb_c']:.1f} °C wet bulb."
    )


def _heat(run: Run) -> str:
    """Return what heat did to chips, and the water that was or was not taken for it."""
    slowed = run.value("thermal.throttled_accelerator_hours")
    hottest_c = max(float(results.timeseries["site"]["junction_max_c"].max()) for results in run.results)
    told = f"The hottest chip reached {wording.number(hottest_c)} °C. "
    margins = [thermal.margins(results)["margin_k"] for results in run.results]
    margin = min((float(own.min()) for own in margins if len(own)), default=None)
    if margin is not None and margin >= 0.0:
        told += f"Chips with coolant stayed {wording.number(margin)} K or more below where they begin to slow; "
    elif margin is not None:
        told += f"Chips with coolant went {wording.number(-margin)} K beyond where they begin to slow; "
    told += f"heat cost {wording.number(slowed)} accelerator-hours of speed." if slowed else "heat slowed none."
    trips = np.mean([len(thermal.heat_trips(results)) for results in run.results])
    if trips:
        per = " per replicate" if len(run.results) > 1 else ""
        told += f" Blocks that switched off for heat: {wording.number(float(trips))}{per}{_why(run)}."
    reused_mwh = run.value("cooling.heat_reused")
    if reused_mwh:
        told += (
            f" Users took {wording.number(reused_mwh)} MWh of the loops' heat; less that, energy per rack energy is "
            f"{_ratio(run, 'cooling.ere')}."
        )
    if not run.value("cooling.water_withdrawn"):
        told += " Heat rejection takes no water: every plant gives its heat to dry air."
    return told[0].upper() + told[1:]


def _why(run: Run) -> str:
    """Return what the log says of blocks that switched off, most frequent first."""
    trips = pd.concat([thermal.heat_trips(results) for results in run.results])
    reasons = [str(why) for why in trips["detail"].value_counts().index if why]
    return f" ({', '.join(reasons)})" if reasons else ""


def against_weather(run: Run, hours: pd.DataFrame) -> FigureSpec:
    """Draw power used per rack watt against dry and wet bulb, hour by hour, with the mean per degree."""
    fig, axes = canvas(FULL, 1.6, columns=2, sharey=True)
    drawn = hours.iloc[:: max(1, -(-len(hours) // POINTS))]
    names = {"dry_bulb_c": "Outdoor dry bulb (°C)", "wet_bulb_c": "Outdoor wet bulb (°C)"}
    for ax, (column, words) in zip(axes, names.items(), strict=True):
        ax.plot(drawn[column], drawn["pue"], "o", color=SKY, markersize=1.8, alpha=0.5, rasterized=True,
                markeredgewidth=0)  # fmt: skip
        means = _by_temperature(hours["pue"], hours[column])
        ax.plot(means["temperature_c"], means["mean"], color=BLUE)
        label(ax, words, grid="both")
    heading(axes[0], "PUE: power used ÷ power into racks")
    low, high = (hours.nsmallest(_few(hours), "dry_bulb_c"), hours.nlargest(_few(hours), "dry_bulb_c"))
    return FigureSpec(
        fig,
        "pue-against-weather",
        f"Points of {len(hours)} hours: power used per watt into racks is {low['pue'].mean():.3f} in the "
        f"coldest hours, near {low['dry_bulb_c'].mean():.0f} °C dry bulb, and {high['pue'].mean():.3f} in "
        f"the hottest, near {high['dry_bulb_c'].mean():.0f} °C.",
        hours[["time", "dry_bulb_c", "wet_bulb_c", "pue", "cooling_w", "it_w", "usable_it_w"]],
        f"Hours of the run{_mean_of(run)}; line: mean per degree.",
    )


def _few(hours: pd.DataFrame) -> int:
    return max(len(hours) // 50, 1)


def _mean_of(run: Run) -> str:
    count = len(run.results)
    return f", means of {count} replicates" if count > 1 else ""


def supply(run: Run) -> FigureSpec:
    """Draw the supply temperature of each kind of loop, and its plants' set point, against outdoor air."""
    loops = _loop_hours(run)
    fig, ax = canvas(HALF, 1.7)
    parts = []
    for i, (name, own) in enumerate(loops.groupby("kind", sort=False)):
        data = _by_temperature(own["supply_c"], own["dry_bulb_c"])
        color, x = PALETTE[i % len(PALETTE)], data["temperature_c"]
        ax.fill_between(x, data["min"], data["max"], color=color, alpha=0.2, linewidth=0)
        ax.plot(x, data["mean"], color=color, linestyle=LINES[i % len(LINES)])
        if own["setpoint_c"].notna().any():
            data["setpoint"] = _by_temperature(own["setpoint_c"], own["dry_bulb_c"])["mean"]
            ax.plot(x, data["setpoint"], color=dark(color), linestyle=":", linewidth=1.2)
        left = data["max"].iloc[: len(data) // 2 + 1].max()
        told = FLUIDS.get(str(name), f"{name} loops")
        note(ax, x.iloc[0], left, told, dark(color), va="bottom", fontweight="bold")
        parts.append(data.assign(loops=name))
    ax.margins(y=0.18)
    heading(ax, "Supply temperature (°C)")
    label(ax, "Outdoor dry bulb (°C)")
    data = pd.concat(parts, ignore_index=True)
    warmest = data.loc[data["max"].idxmax()]
    dots = (
        ". Dots: facility water that plants are told to deliver; coolant is warmer by the approach of its units"
        if "setpoint" in data else ""
    )  # fmt: skip
    return FigureSpec(
        fig,
        "supply-against-weather",
        f"Supply temperature of {loops['element'].nunique()} coolant loops against outdoor dry bulb. The "
        f"warmest hour is {warmest['max']:.1f} °C in the {warmest['loops']} loops at "
        f"{warmest['temperature_c']:.0f} °C outdoors.",
        data.rename(columns={c: f"supply_{c}_c" for c in ("min", "mean", "max")} | {"setpoint": "setpoint_c"}),
        "Lines: coolant at the cold plates of the warmest block, and chilled facility water into fan walls; mean and "
        f"range of the hours, per degree{dots}.",
    )


def _loop_hours(run: Run) -> pd.DataFrame:
    """Return the hours of loops with heat of all replicates, with the outdoor dry bulb."""
    frames = []
    for results in run.results:
        loops = modes.loops_with_heat(results)
        hours = derating.derating(results).set_index("time")["dry_bulb_c"]
        frames.append(loops.assign(dry_bulb_c=loops["time"].map(hours)))
    table = pd.concat(frames, ignore_index=True)
    return table if "setpoint_c" in table else table.assign(setpoint_c=np.nan)


def _by_temperature(values: pd.Series, outdoor_c: pd.Series) -> pd.DataFrame:
    steps = (np.floor(outdoor_c / BIN_C) + 0.5) * BIN_C
    return (
        values.groupby(steps).agg(["min", "mean", "max"]).rename_axis("temperature_c").reset_index()
    )


def duration(run: Run) -> FigureSpec:
    """Draw how much rack power the firm import carries for what share of hours."""
    frac = np.linspace(0.0, 1.0, CURVE_POINTS)
    curves = [_usable(derating.derating(results), frac) for results in run.results]
    p10, middle, p90 = np.quantile(curves, [0.1, 0.5, 0.9], axis=0)
    scale = wording.power_scale(float(p90.max()))
    fig, ax = canvas(HALF, 1.7)
    ax.fill_between(100 * frac, p10 / scale.factor, p90 / scale.factor, color=SKY, alpha=0.45, linewidth=0)
    ax.plot(100 * frac, middle / scale.factor, color=BLUE)
    mean_w = run.value("power.it_mean")
    lines = [(1e6 * mean_w, "mean draw", GREY)] if mean_w else []
    lines.append((_nameplate_w(run), "nameplate built", GREEN))
    shown = [line for line in lines if 0.5 * p10.min() < line[0] < 1.5 * p90.max()]
    for value, text, color in shown:
        ax.axhline(value / scale.factor, color=color, linestyle="--", linewidth=1)
        note(ax, 1, value / scale.factor, text, dark(color), va="bottom")
    ax.set_xlim(0, 100)
    ax.margins(y=0.15)
    heading(ax, f"Racks the firm import carries ({scale.unit})")
    label(ax, "Share of hours reached or exceeded (%)")
    thousands(ax.yaxis)
    at = {q: float(np.interp(q, frac, middle)) for q in (0.05, 0.5, 0.95)}
    return FigureSpec(
        fig,
        "derate-duration",
        f"Duration curve of rack power that the firm import carries: {wording.power(at[0.95])} or more in "
        f"95 % of hours, {wording.power(at[0.5])} in half of them, {wording.power(at[0.05])} in 5 %.",
        pd.DataFrame({"exceeded_frac": frac, "p10_w": p10, "p50_w": middle, "p90_w": p90}),
        "What cooling, losses and house leave of the firm import"
        + (" (median and P10–P90 of replicates)" if len(run.results) > 1 else "")
        + ("; 0 in hours without water" if p10.min() == 0.0 else ". The vertical axis does not start at zero") + ".",
    )


def _usable(table: pd.DataFrame, frac: np.ndarray) -> np.ndarray:
    some = derating.carried(table).to_numpy()
    return np.quantile(some, 1.0 - frac) if len(some) else np.zeros(len(frac))


def _nameplate_w(run: Run) -> float:
    racks = run.first.tables["racks"]
    return float((racks["racks"] * racks["nameplate_w"]).sum())


def _modes(run: Run) -> tuple[FigureSpec, ...]:
    """Draw hours by mode where any compressor ran, or plants had no water."""
    tables = [modes.modes(results, every=run.bars) for results in run.results]
    if all(table.empty for table in tables):
        return ()
    table = pd.concat(tables).groupby(["kind", "time"], sort=False).mean().reset_index()
    ran = table.groupby("kind", sort=False)[["partial_h", "mechanical_h", "dry_h"]].sum().sum(axis=1)
    kinds = [kind for kind, hours in ran.items() if hours > 0.0]
    if not kinds:
        return ()
    fig, axes = canvas(FULL, 1.25, columns=len(kinds), squeeze=False)
    for ax, kind in zip(axes[0], kinds, strict=True):
        _bars(ax, table[table["kind"] == kind], run.bars, LABELS // len(kinds))
        what = "share by hour (%)" if run.bars == "h" else f"hours per {TIMES[run.bars]}"
        heading(ax, f"{wording.sentence(str(kind))} loops: {what}")
    legend(fig, max(axes[0], key=lambda ax: len(ax.containers)), "lower center", len(LOOKS))
    told = "; ".join(
        f"{kind} loops run {wording.percent(own['mechanical_h'].sum() / _hours_of(own))} of hours on "
        f"compressors alone and {wording.percent(own['free_h'].sum() / _hours_of(own))} without any{_dry(own)}"
        for kind, own in table[table["kind"].isin(kinds)].groupby("kind", sort=False)
    )
    rest = sorted(set(table["kind"]) - set(kinds))
    counted = "Loops of a kind" if run.bars == "h" else "Hours"
    others = f" The {' and '.join(rest)} loops never ran a compressor." if rest else ""
    return (
        FigureSpec(
            fig, "cooling-modes", f"Stacked bars of hours by mode: {told}.", table,
            f"{counted} without compressors, with part of the heat through them, or with all of it{_mean_of(run)}"
            + ("; in grey, those without water, in which plants reject nothing." if table["dry_h"].any() else ".")
            + others,
        ),
    )  # fmt: skip


def _hours_of(table: pd.DataFrame) -> float:
    return float(table[modes.COLUMNS].to_numpy().sum())


def _dry(own: pd.DataFrame) -> str:
    share = own["dry_h"].sum() / _hours_of(own)
    return f", and reject nothing in {wording.percent(share)} for want of water" if share else ""


def _bars(ax: Axes, table: pd.DataFrame, every: str, most: int) -> None:
    """Stack the hours by mode of each bar; of an hour, the share of the loops in each."""
    x, bottom = np.arange(len(table)), np.zeros(len(table))
    for mode, (color, hatch) in LOOKS.items():
        if mode == "dry" and not table["dry_h"].any():
            continue
        height = table[f"{mode}_h"].to_numpy() * (100.0 if every == "h" else 1.0)
        ax.bar(x, height, bottom=bottom, color=color, hatch=hatch, width=0.75, edgecolor="white",
               linewidth=0.5, label=WORDS.get(mode, mode))  # fmt: skip
        bottom = bottom + height
    ax.set_xticks(*period_names(table["time"], every, most))
    label(ax)


def _loops(run: Run) -> pd.DataFrame:
    """Return one row per kind of loop, means of the replicates; loops without heat are left out."""
    hours = _loop_hours(run)
    return pd.DataFrame([_loop_row(str(kind), own) for kind, own in hours.groupby("kind", sort=False)])


def _loop_row(kind: str, own: pd.DataFrame) -> dict[str, str]:
    means = own.groupby("element")[["heat_w", "power_w"]].mean()
    heat_w, power_w = means["heat_w"].sum(), means["power_w"].sum()
    warmest = own.loc[own["supply_max_c"].idxmax()]
    row = {
        "Loops": wording.sentence(kind),
        "Count": f"{len(means):,}",
        "Heat": wording.power(heat_w),
        "Power": wording.power(power_w),
        "Per heat": wording.percent(power_w / heat_w),
        "Supply": f"{own['supply_c'].mean():.1f} °C",
        "Warmest": f"{warmest['supply_max_c']:.1f} °C",
        "In": str(warmest["element"]),
    }
    if "mechanical_frac" in own and own["mechanical_frac"].notna().any():
        moved_w = (own["mechanical_frac"] * own["heat_w"]).sum()
        row["Compressors"] = wording.percent(moved_w / own["heat_w"].sum(), 0)
    return row
