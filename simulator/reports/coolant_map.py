"""Page: where and when the coolant is warm, and how near that brings the chips to throttling."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.metrics import modes, thermal
from simulator.metrics.series import local
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import FULL, HALF, POINT, canvas, heading, label

LEAST_DAYS, LEAST_HALLS = 2.0, 4
"""A run shorter than this of fewer halls has no map: its page on cooling tells it all."""
ROWS_DRAWN, LISTED = 22, 3
TILES_ACROSS = {7: 5, 9: 4, 13: 3}
"""Tiles in a row by the longest name, in characters, that fits on one."""
MOST_DAYS = 92
"""Columns of a map are days up to here, weeks in longer runs."""
WARM, CLOSE = "cividis", "cividis_r"
"""Colours of a temperature and of a room below a limit: in both, yellow is what to look at."""
DARK_FRAC = 0.55
"""Share of a colour scale below which text on it is white."""
PANEL_IN = 2.2
OUTLIERS_PCT, BEYOND = (1.0, 99.0), 0.5
"""A colour scale ends at these percentiles where single values lie further out than half its span: on the side where
nothing is remarkable, for the other end is what the page tells of."""
LEAST_SPAN_K = 2.0
"""Smaller differences are no matter, and get no contrast."""
STEADY_K = LEAST_SPAN_K / 10.0
"""A map of hours that all lie within this would be one colour, of which an eye tells some ten in a scale."""


def mapped(run: Run) -> bool:
    """Return whether the run has halls enough for a map, or is long enough and some hour differs."""
    if run.first.timeseries["hall"]["element"].nunique() >= LEAST_HALLS:
        return True
    if run.days < LEAST_DAYS:
        return False
    return not all(_flat(own, one) for own, one in _drawn(warmest_hours(run), tightest_hours(run)))


def page(run: Run) -> Page:
    """Return the page of the coolant's map."""
    loops, halls = warmest_hours(run), tightest_hours(run)
    top = loops.loc[loops["supply_max_c"].idxmax()]
    return Page(
        "coolant-map",
        "Coolant heat map",
        f"The warmest coolant is {top['supply_max_c']:.1f} °C, of {top['element']} on "
        f"{wording.day(top['time'])}; {_margin_words(halls)}",
        (_spread(loops), *_steady(run, loops, halls)),
        _figures(run, loops, halls),
        (TableSpec("Warmest loops", _table(loops)),),
    )


def warmest_hours(run: Run) -> pd.DataFrame:
    """Return the hours of the warm loops (of all, where none has heat) on the campus's clock: the warmest
    minute of any replicate."""
    frames = []
    for results in run.results:
        loops = modes.loops_with_heat(results)
        warm = loops[loops["kind"] == "warm"]
        frames.append((warm if len(warm) else loops)[["time", "element", "supply_c", "supply_max_c", "units_up"]])
    table = pd.concat(frames, ignore_index=True)
    how = {"supply_c": "mean", "supply_max_c": "max", "units_up": "min"}
    table = table.groupby(["element", "time"], sort=False).agg(how).reset_index()
    return table.assign(time=local(run.first, table["time"]))


def tightest_hours(run: Run) -> pd.DataFrame:
    """Return the smallest room below the throttle point of any replicate, by hall and hour."""
    table = pd.concat([thermal.margins(results) for results in run.results], ignore_index=True)
    if table.empty:
        return table
    table = table.groupby(["element", "time"], sort=False)["margin_k"].min().reset_index()
    return table.assign(time=local(run.first, table["time"]))


def _margin_words(halls: pd.DataFrame) -> str:
    if halls.empty:
        return "how near chips came to throttling was not recorded"
    worst = halls.loc[halls["margin_k"].idxmin()]
    if worst["margin_k"] >= 0.0:
        return (
            f"chips of {worst['element']} come closest to throttling, "
            f"{wording.number(worst['margin_k'])} K below it"
        )
    return f"chips of {worst['element']} go {wording.number(-worst['margin_k'])} K beyond where they throttle"


def _spread(loops: pd.DataFrame) -> str:
    """Return whether loops differ more from each other or from hour to hour."""
    most = loops.groupby("element")["supply_max_c"].agg(["min", "max"])
    between, within = most["max"].max() - most["max"].min(), (most["max"] - most["min"]).max()
    if len(most) == 1:
        return f"From hour to hour the loop's warmest minute moves by up to {wording.number(within)} K."
    return (
        f"The warmest minutes of {len(most)} loops lie within {wording.number(between)} K of each other, "
        f"{_short(str(most['max'].idxmin()))} the coolest; from hour to hour one loop moves by up to "
        f"{wording.number(within)} K."
    )


def _steady(run: Run, loops: pd.DataFrame, halls: pd.DataFrame) -> tuple[str, ...]:
    """Return what is told instead of drawn, of quantities that no hour moves."""
    flat = [one.words for own, one in _drawn(loops, halls) if _flat(own, one)]
    if run.days < LEAST_DAYS or not flat or _many(loops, halls):
        return ()
    told = " and ".join(flat).lower()
    return (f"No map of hours is drawn of {told}: 98 % of hours lie within {STEADY_K:g} K.",)


def _many(loops: pd.DataFrame, halls: pd.DataFrame) -> bool:
    """Return whether there are enough halls, or loops, to draw them against each other."""
    return (halls if len(halls) else loops)["element"].nunique() >= LEAST_HALLS


def _flat(table: pd.DataFrame, quantity: "_Quantity") -> bool:
    """Return whether hour by hour the one that went furthest stays where it is."""
    name = table.loc[quantity.place(table[quantity.column]), "element"]
    low, high = np.nanpercentile(table.loc[table["element"] == name, quantity.column], OUTLIERS_PCT)
    return bool(high - low < STEADY_K)


def _drawn(loops: pd.DataFrame, halls: pd.DataFrame) -> list[tuple[pd.DataFrame, "_Quantity"]]:
    supply = _Quantity("supply_max_c", "coolant", WARM, "max", "Warmest coolant", "°C")
    margin = _Quantity("margin_k", "margin", CLOSE, "min", "Margin below throttling", "K")
    return [(loops, supply)] + ([(halls, margin)] if len(halls) else [])


def _figures(run: Run, loops: pd.DataFrame, halls: pd.DataFrame) -> tuple[FigureSpec, ...]:
    """Return plan and maps of many halls, or the hours of the day of few."""
    worst = "any replicate" if len(run.results) > 1 else "the hour"
    drawn = _drawn(loops, halls)
    table, quantity = drawn[-1]
    many = _many(loops, halls)
    figures = [plan(table, quantity)] if many else []
    if run.days >= LEAST_DAYS:
        single, width = (drawn[-1:], HALF) if figures else (drawn, FULL)
        figures += [by_hour(own, one, worst, width) for own, one in single if many or not _flat(own, one)]
    if many:
        figures += [by_time(own, one, worst, run.days) for own, one in drawn]
    return tuple(figures)


class _Quantity:
    """What a map shows: its column, its name in files, colours, how it condenses, words and unit."""

    def __init__(self, column: str, name: str, colors: str, how: str, words: str, unit: str) -> None:
        self.column, self.name, self.colors, self.how = column, name, colors, how
        self.words, self.unit = words, unit

    def of(self, values: Any) -> float:
        """Return the most remarkable of values."""
        return float(np.nanmax(values) if self.how == "max" else np.nanmin(values))

    def place(self, values: pd.Series) -> Any:
        """Return where the most remarkable value is."""
        return values.idxmax() if self.how == "max" else values.idxmin()


def plan(table: pd.DataFrame, quantity: _Quantity) -> FigureSpec:
    """Draw a tile per hall or loop, in the order of the scenario, with its most remarkable value."""
    values = table.groupby("element", sort=False)[quantity.column].agg(quantity.how)
    shown = values.iloc[: 2 * ROWS_DRAWN]
    longest = max(len(_short(str(name))) for name in shown.index)
    across = next((n for length, n in TILES_ACROSS.items() if longest <= length), 2)
    rows = -(-len(shown) // across)
    grid = np.full(rows * across, np.nan)
    grid[: len(shown)] = shown.to_numpy()
    fig, ax = canvas(HALF, max(PANEL_IN, 0.3 + 0.36 * rows))
    ax.grid(False)
    ax.pcolormesh(grid.reshape(rows, -1), cmap=quantity.colors, edgecolor="white", linewidth=2)
    low, high = float(shown.min()), float(shown.max())
    for i, (name, value) in enumerate(shown.items()):
        color = _ink((value - low) / (high - low) if high > low else 0.0, quantity)
        ax.text(i % across + 0.5, i // across + 0.5, f"{_short(str(name))}\n{value:.1f}",
                ha="center", va="center", fontsize=POINT, color=color, linespacing=0.95)  # fmt: skip
    ax.invert_yaxis()
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    heading(ax, f"{quantity.words} ({quantity.unit})")
    at = quantity.place(values)
    return FigureSpec(
        fig,
        f"{quantity.name}-plan",
        f"Tiles of {len(values)} halls or loops: {quantity.words.lower()} is {values[at]:.1f} {quantity.unit} at {at}; "
        f"the median is {float(values.median()):.1f} {quantity.unit}.",
        values.rename_axis("element").reset_index(),
        "Each at its worst, in the order of the scenario, which knows no positions.",
    )


def _ink(share: float, quantity: _Quantity) -> str:
    bright = share if quantity.colors == WARM else 1.0 - share
    return "white" if bright < DARK_FRAC else "black"


def _short(name: str) -> str:
    return name.removesuffix("/warm").removesuffix("/chilled")


def by_hour(table: pd.DataFrame, quantity: _Quantity, worst: str, width_in: float) -> FigureSpec:
    """Draw hour of day against date for the hall or loop that went furthest."""
    name = table.loc[quantity.place(table[quantity.column]), "element"]
    own = table[table["element"] == name]
    column, every = _columns(own["time"])
    cells = own.groupby([own["time"].dt.hour, column])[quantity.column].agg(quantity.how)
    grid = cells.unstack().reindex(range(24))
    fig, ax = canvas(width_in, PANEL_IN)
    _mesh(fig, ax, grid, quantity)
    ax.set_yticks(np.arange(0, 24, 6) + 0.5, [f"{h:02d}:00" for h in range(0, 24, 6)])
    heading(ax, f"{_short(str(name))}: {quantity.words.lower()} ({quantity.unit})")
    label(ax)
    ax.grid(False)
    daily = cells.groupby(level=0).mean()
    hour = quantity.place(daily)
    return FigureSpec(
        fig,
        f"{quantity.name}-by-hour",
        f"Heat map of {quantity.words.lower()} of {name} by hour of the day and {every}: "
        f"{quantity.of(own[quantity.column]):.1f} {quantity.unit} at worst; on average the hour from {hour:02d}:00 is "
        f"the worst, with {daily[hour]:.1f} {quantity.unit}.",
        _long(grid, quantity, "hour"),
        f"Hour of the campus’s clock against {every}, worst of {worst}."
        + (" White: not recorded, or a block was without coolant." if grid.isna().to_numpy().any() else ""),
    )


def by_time(table: pd.DataFrame, quantity: _Quantity, worst: str, days: float) -> FigureSpec:
    """Draw halls or loops against time."""
    column, every = _columns(table["time"], hours=days < LEAST_DAYS)
    cells = table.groupby([table["element"], column], sort=False)[quantity.column].agg(quantity.how)
    grid = cells.unstack()
    reach = grid.max(axis=1) if quantity.how == "max" else -grid.min(axis=1)
    grid = grid[reach.rank(method="first", ascending=False) <= ROWS_DRAWN]
    fig, ax = canvas(HALF, 0.75 + 0.135 * max(len(grid), 6))
    _mesh(fig, ax, grid, quantity)
    ax.set_yticks(np.arange(len(grid)) + 0.5, [_short(str(name)) for name in grid.index])
    ax.invert_yaxis()
    heading(ax, f"{quantity.words} ({quantity.unit})")
    label(ax)
    ax.grid(False)
    at = quantity.place(cells)
    cut = f" The {ROWS_DRAWN} that went furthest are drawn." if len(reach) > ROWS_DRAWN else ""
    return FigureSpec(
        fig,
        f"{quantity.name}-map",
        f"Heat map of {quantity.words.lower()} of {len(grid)} halls or loops by {every}: "
        f"{cells[at]:.1f} {quantity.unit} at worst, of {at[0]}.",
        _long(grid, quantity, "element"),
        f"{quantity.words} by {every}, worst of {worst}.{cut}",
    )


def _columns(times: pd.Series, hours: bool = False) -> tuple[pd.Series, str]:
    """Return the column of a map that each time belongs to, and what it is."""
    if hours:
        return times.dt.floor("h").rename("time"), "hour"
    days = times.dt.floor("D")
    if (days.max() - days.min()).days < MOST_DAYS:
        return days.rename("time"), "day"
    return (days - pd.to_timedelta(days.dt.day_of_week, unit="D")).rename("time"), "week"


def _span(values: np.ndarray, how: str) -> tuple[float, float, str]:
    """Return where a colour scale begins and ends, and which end values lie beyond: never the remarkable one."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    first, last = np.nanpercentile(values, OUTLIERS_PCT)
    if how == "max" and low < first - BEYOND * (last - first):
        return float(first), high, "min"
    if how == "min" and high > last + BEYOND * (last - first):
        return low, float(last), "max"
    return low, high, "neither"


def _mesh(fig: Figure, ax: Axes, grid: pd.DataFrame, quantity: _Quantity) -> None:
    values = grid.to_numpy(float)
    low, high, ends = _span(values, quantity.how)
    middle, half = 0.5 * (low + high), 0.5 * max(high - low, LEAST_SPAN_K)
    shown = ax.pcolormesh(values, cmap=quantity.colors, rasterized=True, vmin=middle - half, vmax=middle + half)
    bar = fig.colorbar(shown, ax=ax, pad=0.02, aspect=14, extend=ends)
    bar.ax.tick_params(labelsize=POINT)
    times = list(grid.columns)
    stride = max(1, -(-len(times) // (4 if fig.get_figwidth() <= HALF else 8)))
    same_day = times[0].floor("D") == times[-1].floor("D")
    ax.set_xticks(np.arange(len(times))[::stride] + 0.5,
                  [f"{t:%H:%M}" if same_day else f"{t:%d %b}" for t in times[::stride]])  # fmt: skip


def _long(grid: pd.DataFrame, quantity: _Quantity, rows: str) -> pd.DataFrame:
    table = grid.rename_axis(rows).reset_index().melt(rows, var_name="time", value_name=quantity.column)
    return table.dropna(subset=quantity.column)


def _table(loops: pd.DataFrame) -> pd.DataFrame:
    most = loops.loc[loops.groupby("element", sort=False)["supply_max_c"].idxmax()]
    means = loops.groupby("element")["supply_c"].mean()
    top = most.nlargest(LISTED, "supply_max_c")
    return pd.DataFrame(
        {
            "Loop": top["element"].astype(str),
            "Warmest minute": [f"{v:.1f} °C" for v in top["supply_max_c"]],
            "In the hour from": [f"{t:%H:%M}, {wording.day(t)}" for t in top["time"]],
            "Mean of the run": [f"{means[e]:.1f} °C" for e in top["element"]],
            "Plant units then": [f"{v:.0f}" for v in top["units_up"]],
        }
    )
