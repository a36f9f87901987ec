"""How well measurements are predicted that the constants never saw.

`python benchmarks/leave_one_out.py TABLE.csv` takes a table of published training steps, and for each
group of stacks that share constants leaves out one chip, one model, or one scale at a time, fits the
product shares again without it, predicts it, and prints the errors as a table. Constants of a chip
that is left out are those of the stack's other chips. Everything else stays as the catalog has it.

Tables of serving leave out one model or one chip at a time, fit the figures of the engine anew
(`serving_fit.py`) and predict it; a chip that is left out takes the figures of the engine.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import serving_fit as fitting
from scipy.optimize import minimize_scalar

from simulator.components import from_catalog
from simulator.components.stack import OTHER, Stack
from simulator.studies.validate import training

Row = dict[str, str]
SCALES = (64, 512, 4096)
FIT_LIMIT = 0.35
"""Relative error above which a row counts no further in a fit: an outlier says nothing of a share."""
LEFT_OUT = {
    "chip": lambda row: from_catalog.accelerator(row["accelerator"]).name,
    "model": lambda row: row["model"].split(" (")[0],
    "scale": lambda row: str(int(np.searchsorted(SCALES, int(row["n_accelerators"])))),
}


def main(paths: list[str]) -> None:
    """Print the table."""
    with Path(paths[0]).open(newline="", encoding="utf-8") as file:
        trained = next(csv.DictReader(file)).get("topic") == "training"
    if trained:
        training_steps(paths[0])
    else:
        served(paths)


def training_steps(path: str) -> None:
    """Print the table of training steps."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["tp"]]
    print("| stacks | left out | folds | n | median % | p90 % |\n|---|---|--:|--:|--:|--:|")
    for family, members in families(rows).items():
        for what, key in LEFT_OUT.items():
            errors, folds = predicted(members, key)
            if folds > 1:
                cells = f"{np.median(errors):.1f} | {np.quantile(errors, 0.9):.1f}"
                print(f"| {family} | {what} | {folds} | {len(errors)} | {cells} |", flush=True)


def served(paths: list[str]) -> None:
    """Print the table of serving: median and 90th percentile of rows, in the fit and left out."""
    everything = fitting.measured(paths)
    taken = fitting.slopes(fitting.few(everything))
    print("| engine | left out | quantity | folds | n | now | left out |\n|---|---|---|--:|--:|--:|--:|")
    for engine in sorted({m.engine for m in everything}):
        rows = [m for m in everything if m.engine == engine]
        now = fitting.errors(rows, {})
        for what in ("model", "chip"):
            groups = sorted({getattr(m, what) for m in rows})
            if len(groups) > 1:
                found = np.full(len(rows), np.nan)
                for group in groups:
                    left = [i for i, m in enumerate(rows) if getattr(m, what) == group]
                    found[left] = without_group(taken, engine, what, group, [rows[i] for i in left])
                    tell(engine, f"{what} {group}", 1, [rows[i] for i in left], now[left], found[left])
                tell(engine, f"each {what}", len(groups), rows, now, found)


def without_group(
    taken: fitting.Slopes, engine: str, what: str, group: str, left: list[fitting.Measured]
) -> np.ndarray:
    """Return the errors of rows with the figures that the others ask for."""
    keep = [getattr(m, what) != group for m in taken.rows]
    own, common = fitting.solved(taken, engine, keep)
    seen = {m.chip for m, k in zip(taken.rows, keep, strict=True) if k and m.engine == engine}
    figures = {key: log if key[1] in seen else common[key[2]] for key, log in own.items()}
    for chip in {m.chip for m in left} - {key[1] for key in figures}:
        figures |= {(engine, chip, place): log for place, log in common.items()}
    return fitting.errors(left, fitting.engines_with(figures))


def tell(
    engine: str, what: str, folds: int, rows: list[fitting.Measured], *both: np.ndarray
) -> None:
    """Print a line for every quantity."""
    for quantity in dict.fromkeys(m.quantity for m in rows):
        chosen = [i for i, m in enumerate(rows) if m.quantity == quantity]
        shown = []
        for found in both:
            off = 100.0 * np.abs(np.expm1(found[chosen]))
            off = off[np.isfinite(off)]
            shown.append(f"{np.median(off):.1f} / {np.quantile(off, 0.9):.0f}" if len(off) else "-")
        print(f"| {engine} | {what} | {quantity} | {folds} | {len(chosen)} | {' | '.join(shown)} |", flush=True)


def families(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows by the stack whose constants they take."""
    found = defaultdict(list)
    for row in rows:
        found[from_catalog.stack(row["stack"]).name.rpartition("-")[0]].append(row)
    return found


def predicted(rows: list[Row], key: Callable[[Row], str]) -> tuple[np.ndarray, int]:
    """Return the absolute errors in percent of every row, each predicted without its group."""
    errors: list[float] = []
    groups = sorted({key(row) for row in rows})
    for group in groups:
        kept = [row for row in rows if key(row) != group]
        left = [row for row in rows if key(row) == group]
        stacks = {name: without(stack_of(name), kept) for name in {stack_name(r) for r in rows}}
        shares = {(stack_name(r), place_of(stacks, r)) for r in kept}
        for name, place in sorted(shares):
            fit(stacks, name, place, [r for r in kept if (stack_name(r), place_of(stacks, r)) == (name, place)])
        errors += [abs(error(row, stacks)) for row in left]
    return 100.0 * np.array(errors), len(groups)


def stack_name(row: Row) -> str:
    """Return the stack that a row takes."""
    return from_catalog.stack(row["stack"]).name


def stack_of(name: str) -> Stack:
    """Return a stack that may be changed."""
    return from_catalog.stack(name)


def without(stack: Stack, rows: list[Row]) -> Stack:
    """Return a stack without the figures of chips that no row has; others stand in for them."""
    chips = {from_catalog.accelerator(row["accelerator"]).name for row in rows} | {OTHER}
    shares = {chip: dict(s) for chip, s in stack.product_share.items() if chip in chips}
    if not shares:
        shares = {chip: dict(s) for chip, s in stack.product_share.items()}
    return stack.model_copy(update={
        "product_share": shares,
        "attention_share": {c: s for c, s in stack.attention_share.items() if c in chips},
        "host_product": {c: s for c, s in stack.host_product.items() if c in chips},
    })  # fmt: skip


def place_of(stacks: dict[str, Stack], row: Row) -> tuple[str, str]:
    """Return where a row's product share stands: chip or `other`, and precision."""
    stack = stacks[stack_name(row)]
    chip = from_catalog.accelerator(row["accelerator"])
    place = chip.name if chip.name in stack.product_share else OTHER
    return place, training.precision_of(row, chip, stack)


def fit(stacks: dict[str, Stack], name: str, place: tuple[str, str], rows: list[Row]) -> None:
    """Set the share at `place` to what makes the mean error of the rows least."""
    chip, precision = place
    shares = stacks[name].product_share[chip]
    old = shares.get(precision, min(shares.values()))

    def cost(log_factor: float) -> float:
        shares[precision] = old * float(np.exp(log_factor))
        return float(np.mean([min(abs(error(row, stacks)), FIT_LIMIT) for row in rows]))

    best = minimize_scalar(cost, bounds=(-0.4, 0.4), method="bounded", options={"xatol": 5e-3})
    shares[precision] = old * float(np.exp(best.x))


def error(row: Row, stacks: dict[str, Stack]) -> float:
    """Return the relative error of a row."""
    made = training.simulate(row, stacks[stack_name(row)])
    return made.value / float(row["measured"]) - 1.0


if __name__ == "__main__":
    main(sys.argv[1:])
