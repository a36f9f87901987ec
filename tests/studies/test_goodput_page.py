"""The tables of `docs/models/goodput.md` are what this version computes. Run as a script, this file
prints them anew."""

import math
import re
from pathlib import Path

import pytest
from test_rare import CASES as RARE
from test_rare import exact_hours, exact_probability

from simulator.policies.checkpointing import INTERVALS
from simulator.studies import checkpoint_interval, clockwork, ettr_scale, rare
from simulator.studies.clockwork import Practice
from simulator.studies.validate import goodput, reliability

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
KOKOLIS, LLAMA = "Kokolis et al., arXiv:2410.21680", "Llama 3 Herd, arXiv:2407.21783"
PUBLISHED = [  # what, published, row of `reliability`
    ("interruptions of Llama 3 in 54 days", "419", ("unexpected interruptions", "count", "", LLAMA)),
    ("its time between them, h", "3.09", ("mean time to unexpected interruption", "h", "", LLAMA)),
    ("its share of hardware, %", "78", ("share of unexpected interruptions from hardware", "%", "", LLAMA)),
    ("its effective time, %", ">90", ("effective training time", "%",
     "16,384 H100, 54-day; at least one planned interruption per day", LLAMA)),
    ("MTTF of 16,384 on RSC-1, h", "1.8", ("projected MTTF, 16,384-GPU job", "h", "RSC-1", KOKOLIS)),
    ("MTTF of 131,072 on RSC-1, h", "0.23", ("projected MTTF, 131,072-GPU job", "h", "RSC-1", KOKOLIS)),
    ("MTTF of 1,024 as measured, h", "7.9", ("measured MTTF, 1024-GPU jobs", "h", "RSC-1", KOKOLIS)),
    ("ETTR of 16k, hourly saves", "0.70", ("ETTR, 16k-GPU job, 60-min checkpoints", "-", "u0=5 min", KOKOLIS)),
    ("ETTR of 16k, saves every 5 min", "0.93", ("ETTR, 16k-GPU job, 5-min checkpoints", "-", "u0=5 min", KOKOLIS)),
    ("ETTR of 2,048-4,096, hourly saves", ">0.9", ("ETTR of 2,048-4,096-GPU runs at hourly checkpoints", "-",
     "RSC-1", KOKOLIS)),
    ("restarts of MegaScale in weeks", ">100", ("repairs and restarts in a multi-week run", "count",
     "several weeks", "MegaScale, arXiv:2402.15627")),
    ("effective time of MegaScale, %", ">90", ("effective training time rate", "%", "", "MegaScale, arXiv:2402.15627")),
]  # fmt: skip


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


def published():
    """Return rows of published runs; a bound is kept or not."""
    for what, value, (quantity, unit, configuration, source) in PUBLISHED:
        cells = {"quantity": quantity, "unit": unit, "configuration": configuration, "source": source,
                 "id": "RSC" if source == KOKOLIS else ""}  # fmt: skip
        found = reliability.simulate(cells).value
        number = float(value.lstrip(">"))
        kept = "kept" if found > number else f"{100.0 * (found / number - 1.0):+.1f} %"
        told = kept if value[0] == ">" else f"{100.0 * (found / number - 1.0):+.1f} %"
        yield what, value, f"{found:.4g}", told


def scales():
    """Return rows of effective training time against scale, RSC-1's rate."""
    table = ettr_scale.table(clockwork.mttf_s(1, 8, 6.5), 30.0, 600.0)
    for row in table.itertuples():
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
    "Daly": daly, "intervals": best_intervals, "rare": combinations, "published": published,
    "scale": scales, "control": gains,
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
    rows = {what: (value, told_) for what, value, _, told_ in published()}
    assert all(told_ == "kept" for value, told_ in rows.values() if value[0] == ">")


if __name__ == "__main__":
    for table in TABLES:
        print(f"<!-- {table} -->\n\n" + "\n".join(lines(table)) + "\n")
