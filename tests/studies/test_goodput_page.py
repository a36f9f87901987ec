"""The tables of `docs/models/goodput.md` are what this version computes. Run as a script, this file
prints them anew."""

import math
import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from test_rare import CASES as RARE
from test_rare import exact_hours, exact_probability

from simulator.policies.checkpointing import INTERVALS
from simulator.studies import checkpoint_interval, clockwork, ettr_scale, rare
from simulator.studies.clockwork import Practice
from simulator.studies.validate import goodput, reliability, study, table

PAGE = Path(__file__).parents[2] / "docs" / "models" / "goodput.md"
DALY = [  # accelerators, failures per 1,000 node-days, pause, restart
    (n, rate, *practice)
    for rate, sizes in ((6.5, (16_384, 32_768, 65_536, 100_000, 131_072, 262_144)),
                        (2.34, (16_384, 100_000, 262_144)))
    for n in sizes
    for practice in ((30.0, 600.0), (2.0, 120.0))
]  # fmt: skip
INTERVAL = {  # mean time between failures, pause, restart
    "16,384 of RSC-1, 30 s to disk": (6490.4, 30.0, 600.0),
    "32,768 of RSC-1, 2 s in memory": (3245.2, 2.0, 120.0),
    "100,000 of RSC-1, 30 s to disk": (1063.4, 30.0, 600.0),
    "16,384 of Llama 3, 3 s": (11_135.0, 3.0, 600.0),
}
RELIABILITY = Path(__file__).parents[3] / "shared" / "validation" / "reference" / "reliability.csv"
CHECKS = {"own rate": reliability.OWN_RATE, "own formula": reliability.OWN_FORMULA}
"""Tables of rows that predict nothing, by the end of their notes; all others are `published`."""
HELD_OUT = "HELD-OUT"


def daly():
    """Return rows against Daly's complete model."""
    for n, rate, stall_s, restart_s in DALY:
        mttf_s = clockwork.mttf_s(n, 8, rate)
        p = Practice(mttf_s, INTERVALS["young"](stall_s, mttf_s), stall_s, restart_s)
        cells = {
            "quantity": "ettr", "n_accelerators": str(n), "accelerators_per_node": "8", "days": "30",
            "failures_per_1000_node_days": str(rate), "checkpoint_stall_s": str(stall_s),
            "checkpoint_interval_s": repr(p.interval_s), "restart_s": str(restart_s), "unit": "1",
        }  # fmt: skip
        found, exact = goodput.simulate(cells).value, clockwork.complete(p)
        yield (f"{n:,}", f"{rate:g}", f"{stall_s:g}", f"{restart_s:g}", f"{exact:.4f}", f"{found:.4f}",
               f"{found - exact:+.4f}", f"{clockwork.first_order(p):.4f}")  # fmt: skip


def best_intervals():
    """Return rows of the best interval against Daly's."""
    for name, (mttf_s, stall_s, restart_s) in INTERVAL.items():
        _, best = checkpoint_interval.study(Practice(mttf_s, 1.0, stall_s, restart_s))
        daly_s = INTERVALS["daly"](stall_s, mttf_s)
        yield (name, f"{daly_s:.1f}", f"{best.interval_s:.1f}", f"{best.low_s:.1f}–{best.high_s:.1f}",
               f"{100.0 * (best.interval_s / daly_s - 1.0):+.1f} %")  # fmt: skip


def combinations():
    """Return rows of rare combinations against the exact chain."""
    for name, g in RARE.items():
        found, exact = rare.study([g]).iloc[0], exact_probability(g)
        yield (name, f"{exact:.3g}", f"{found['probability']:.3g}",
               f"{100.0 * (found['probability'] / exact - 1.0):+.1f} %",
               f"{100.0 * found['relative_error']:.1f} %", f"{exact_hours(g):.3g}",
               f"{found['hours']:.3g}", f"{found['gain']:,.0f}")  # fmt: skip


@cache
def simulated_rows():
    """Return every row of `reliability` that is simulated, with the value as it was published."""
    if not RELIABILITY.is_file():
        pytest.skip("the tables of published measurements are not here")
    found = study.validate(table.read([RELIABILITY]))
    told = pd.read_csv(RELIABILITY, dtype=str).set_index("id")["value"]
    return found[found["simulated"].notna()].assign(value=lambda rows: rows["id"].map(told))


def of_kind(kind):
    """Return the rows of one of the page's tables."""
    rows = simulated_rows()
    ends = {name: rows["note"].str.endswith(note) for name, note in CHECKS.items()}
    return rows[ends[kind]] if kind in ends else rows[~ends["own rate"] & ~ends["own formula"]]


def published(kind):
    """Return a function that yields rows of published figures; a bound is kept or not."""

    def cells():
        for row in of_kind(kind).itertuples():
            bound = row.value[0] in "<>"
            error = "–" if row.error_pct is None else f"{row.error_pct:+.1f} %"
            yield (row.id, row.quantity, as_printed(row.value), row.unit, f"{row.simulated:.4g}",
                   "kept" if bound and row.error_pct == 0.0 else error)  # fmt: skip

    return cells


def as_printed(value):
    """Return a published value for the page: a quotient of the table's makers has four digits."""
    if value == HELD_OUT:
        return "held out"
    return f"{float(value):.4g}" if re.fullmatch(r"\d+\.\d{6,}", value) else value


def medians():
    """Return rows of the median error of each kind; bounds are counted, not averaged."""
    for kind in (*CHECKS, "published"):
        rows = of_kind(kind)
        bound = rows["value"].str[0].isin(["<", ">"])
        errors = rows.loc[~bound, "error_pct"].dropna().astype(float).abs()
        kept = (rows.loc[bound, "error_pct"] == 0.0).sum()
        yield (kind, f"{len(rows)}", f"{len(errors)}", f"{errors.median():.1f} %", f"{errors.max():.1f} %",
               f"{kept} of {bound.sum()}")  # fmt: skip


def scales():
    """Return rows of effective training time against scale, RSC-1's rate."""
    found = ettr_scale.table(clockwork.mttf_s(1, 8, 6.5), 30.0, 600.0)
    for row in found.itertuples():
        yield (f"{row.accelerators:,}", f"{row.mttf_h:.3g}", f"{row.interval_s:.0f}",
               f"{row.first_order:.3f}", f"{row.complete:.3f}", f"{row.ettr:.3f}",
               f"{row.p10:.3f}–{row.p90:.3f}")  # fmt: skip


def gains():
    """Return rows of what the control variate is worth."""
    cases = {
        "Llama 3's 54 days": (Practice(clockwork.mttf_s(16_384, 8, 3.7887), 600.0, 3.0, 600.0), 54.0),
        "100,000 of RSC-1, 30 s to disk, 30 days": (
            Practice(clockwork.mttf_s(100_000, 8, 6.5), 252.593, 30.0, 600.0), 30.0),
        "1,024 of RSC-1, hourly saves, 30 days": (
            Practice(clockwork.mttf_s(1024, 8, 6.5), 3600.0, 30.0, 600.0), 30.0),
    }  # fmt: skip
    for name, (practice, days) in cases.items():
        useful_s, hits = clockwork.follow(practice, days)
        plain = useful_s / (days * clockwork.DAY_S)
        _, deviation, gain = clockwork.controlled(practice, useful_s, hits, days)
        before = plain.std(ddof=1) / math.sqrt(len(plain))
        yield name, f"{plain.mean():.4f}", f"{before:.5f}", f"{deviation:.5f}", f"{gain:.1f}"


TABLES = {
    "Daly": daly, "intervals": best_intervals, "rare": combinations, "scale": scales, "control": gains,
    "medians": medians, **{kind: published(kind) for kind in (*CHECKS, "published")},
}  # fmt: skip


def lines(name):
    """Return the body of a table as Markdown."""
    return [f"| {' | '.join(row)} |" for row in TABLES[name]()]


def told(name):
    """Return the body of a table as the page has it, below a mark with its name."""
    text = PAGE.read_text()
    block = re.search(rf"<!-- {name} -->\n\n((?:\|.*\n)+)", text)
    assert block, f"no table '{name}' in the page"
    return block[1].splitlines()[2:]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_page_is_what_is_computed(name):
    assert told(name) == lines(name)


def test_no_closed_form_is_missed_by_more_than_a_hundredth():
    assert max(abs(float(row[6])) for row in daly()) < 0.01


def test_no_best_interval_is_further_than_a_tenth_from_dalys():
    assert all(abs(float(row[4].split()[0])) < 10.0 for row in best_intervals())


def test_every_published_bound_is_kept():
    rows = simulated_rows()
    bound = rows[rows["value"].str[0].isin(["<", ">"])]
    assert len(bound) >= 4 and (bound["error_pct"] == 0.0).all()


def test_every_simulated_row_stands_in_one_table_of_the_page():
    listed = [line.split("|")[1].strip() for kind in (*CHECKS, "published") for line in told(kind)]
    assert sorted(listed) == sorted(simulated_rows()["id"])


if __name__ == "__main__":
    for mark in TABLES:
        print(f"<!-- {mark} -->\n\n" + "\n".join(lines(mark)) + "\n")
