"""Topic reliability: published rows in words, read, simulated where they can be, two-sided."""

import csv
import math
from pathlib import Path

import pytest

from simulator.components import from_catalog
from simulator.studies import clockwork
from simulator.studies.validate import reference_tables, reliability, study, table
from simulator.studies.validate import reliability_words as words

PUBLISHED = Path(__file__).parents[3] / "shared" / "validation" / "reference" / "reliability.csv"
KOKOLIS = "Kokolis et al., Revisiting Reliability, arXiv:2410.21680 (HPCA25)"
COLUMNS = ("id", "topic", "quantity", "value", "unit", "configuration", "source")


def row(quantity, unit="1", configuration="", source="", id="X", value=""):
    return dict(zip(COLUMNS, (id, "reliability", quantity, value, unit, configuration, source),
                    strict=True))  # fmt: skip


def simulated(*cells, **more):
    return reliability.simulate(row(*cells, **more)).value


# Reading


@pytest.mark.parametrize(("value", "measured", "least", "most"), [
    ("419", "419", "", ""), ("3.09e2", "3.09e2", "", ""), ("~10", "10", "", ""),
    (">90", "90", "90", ""), (">=35", "35", "35", ""), ("<10", "10", "", "10"),
    ("<=15", "15", "", "15"), ("51.7-58.9", "55.3", "51.7", "58.9"), ("HELD-OUT", "", "", ""),
    ("", "", "", ""), ("14 -> 4", "", "", ""), ("13 in 35M GPU-h", "", "", ""),
    ("178,000", "178000", "", ""),
])  # fmt: skip
def test_values_bounds_and_ranges(value, measured, least, most):
    (read,) = reference_tables.figure({"value": value, "id": "x", "topic": "t"}, "here")
    assert (read["measured"], read["least"], read["most"]) == (measured, least, most)
    assert read["value"] == value and read["id"] == "x"


@pytest.fixture
def rows(tmp_path):
    def read(*given):
        path = tmp_path / "r.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(given)
        return table.read([path])

    return read


def error(rows, value):
    job = row("effective training time", "%", "16,384 H100", "Llama 3 Herd", value=value)
    (record,) = study.validate(rows(job)).to_dict("records")
    return record


def test_a_bound_that_is_kept_has_no_error_and_one_that_is_not_has_the_distance(rows):
    kept, broken = error(rows, ">80"), error(rows, ">99")
    assert kept["error_pct"] == 0.0 and kept["measured"] == 80.0
    assert broken["error_pct"] == pytest.approx(100.0 * (broken["simulated"] - 99.0) / 99.0)
    assert error(rows, "80-95")["error_pct"] == 0.0
    over = error(rows, "<=80")
    assert over["error_pct"] == pytest.approx(100.0 * (over["simulated"] - 80.0) / 80.0)
    assert over["error_pct"] > 0.0


def test_a_row_to_be_predicted_blind_is_simulated_and_has_no_error(rows):
    blind = error(rows, "HELD-OUT")
    assert blind["measured"] is None and blind["error_pct"] is None
    assert blind["simulated"] > 80.0


# What is simulated


@pytest.mark.parametrize(("n", "per_1000", "hours"), [("16,384", 6.5, 1.80), ("131,072", 6.5, 0.225)])
def test_projected_mttf(n, per_1000, hours):
    found = simulated(f"projected MTTF, {n}-GPU job", "h", "", KOKOLIS, id="RSC-MTTF")
    assert found == pytest.approx(hours, rel=0.01)
    exact_s = clockwork.mttf_s(int(n.replace(",", "")), 8, per_1000)
    assert found == pytest.approx(exact_s / 3600.0, rel=0.005)


@pytest.mark.parametrize(("minutes", "published"), [(60, 0.70), (5, 0.93)])
def test_ettr_of_a_cluster_within_two_points(minutes, published):
    found = simulated(f"ETTR, 16k-GPU job, {minutes}-min checkpoints", "-", "u0=5 min", KOKOLIS,
                      id="RSC-ETTR")  # fmt: skip
    assert found == pytest.approx(published, abs=0.02)


def test_the_interval_for_a_wanted_ettr_gives_it_back():
    minutes = simulated("100k-GPU: checkpoint interval for ETTR 0.5, RSC-1 rate", "min", "u0=5 min",
                        KOKOLIS, id="RSC-ETTR")  # fmt: skip
    practice = clockwork.Practice(clockwork.mttf_s(100_000, 8, 6.5), minutes * 60.0, 1e-9, 300.0)
    assert clockwork.complete(practice) == pytest.approx(0.5, abs=0.005)


def test_an_ettr_that_no_interval_reaches_says_so():
    with pytest.raises(ValueError, match="not reached"):
        simulated("1000k-GPU: checkpoint interval for ETTR 0.9", "min", "u0=20 min", id="RSC")


def test_causes_of_the_published_run_add_up():
    causes = [simulated(f"unexpected interruptions: {name}", "count") for name in reliability.CAUSES]
    total = simulated("unexpected interruptions", "count")
    assert total == pytest.approx(419, rel=0.02)
    assert sum(causes) == pytest.approx(419, rel=0.02)
    assert simulated("mean time to unexpected interruption", "h") == pytest.approx(
        54 * 24 / total, rel=1e-9)


def test_the_fleet_of_the_published_run_is_its_table():
    classes = {c.name: c for c in from_catalog.failure_classes("llama3-405b")}
    assert set(classes) == set(reliability.CAUSES.values())
    units = {"accelerator": 16_384, "server": 2048}
    counts = {name: c.rate * units[c.per] * 54 * 86_400.0 for name, c in classes.items()}
    assert sum(counts.values()) == pytest.approx(419, rel=1e-3)
    assert counts["faulty_gpu"] == pytest.approx(148, rel=1e-3)
    assert all(count == pytest.approx(round(count), rel=1e-3) for count in counts.values())


def test_effective_time_holds_what_was_published_of_two_runs():
    llama = simulated("effective training time", "%", "16,384 H100, 54-day; at least one planned "
                      "interruption per day", "Llama 3 Herd")  # fmt: skip
    megascale = simulated("effective training time rate", "%", "", "MegaScale, arXiv:2402.15627")
    assert 90.0 < llama < 93.0 and 90.0 < megascale < 95.0


def test_a_question_in_words_is_answered_in_words():
    with pytest.raises(ValueError, match=r"a save every \d+(\.\d+)? min"):
        simulated("8,000-GPU run reaches ETTR 0.9 with", "condition", "RSC-1", KOKOLIS, id="RSC")


@pytest.mark.parametrize(("quantity", "reason"), [
    ("RSC-1 failure rate r_f", "told"), ("average detect+diagnose time", "practice"),
    ("checkpoint 2.3 TB", "how long a save takes"), ("job outcome shares", "not a question"),
    ("unexpected interruptions: Gremlins", "no class"), ("projected MTTF", "accelerators"),
])  # fmt: skip
def test_what_is_not_simulated_says_why(quantity, reason):
    with pytest.raises(ValueError, match=reason):
        simulated(quantity)


# Words


@pytest.mark.parametrize(("text", "n"), [
    ("measured MTTF, 8-GPU jobs", 8), ("ETTR, 16k-GPU job", 16_384), ("100k-GPU: interval", 100_000),
    ("ETTR of 2,048-4,096-GPU runs", 4096), ("failures on ~100k-GPU cluster", 100_000),
    ("9,600 GPUs, 3-month dense", 9600), ("16,384 H100-80GB (2,048 nodes x 8)", 16_384),
])  # fmt: skip
def test_how_many_accelerators(text, n):
    assert words.accelerators(row(text)) == (n, words.GIVEN)


@pytest.mark.parametrize(("cells", "rate"), [
    ({"configuration": "RSC-2 rate", "id": "RSC-ETTR-100k-3"}, 2.34), ({"id": "RSC-MTTF-8"}, 6.5),
    ({"source": "The Llama 3 Herd"}, 3.7887), ({"configuration": "992 A100-80GB"}, 6.5),
    ({"id": "META100K", "configuration": "~100k H100"}, 3.7887), ({}, 3.7887),
])  # fmt: skip
def test_whose_rate(cells, rate):
    assert words.fleet(row("q") | cells)[0] == rate


def test_how_long_and_how_often():
    assert words.length_days(row("q", configuration="54-day snapshot")) == (54.0, words.GIVEN)
    assert words.length_days(row("q", configuration="a 3-month run")) == (90.0, words.GIVEN)
    assert words.length_days(row("q", configuration="several weeks"))[0] == 21.0
    assert words.interval_s(row("at hourly checkpoints")) == (3600.0, words.GIVEN)
    assert words.interval_s(row("ETTR, 16k-GPU job, 5-min checkpoints")) == (300.0, words.GIVEN)
    assert words.restart_s(row("q", configuration="u0=20 min")) == (1200.0, words.GIVEN)


@pytest.mark.parametrize("read", [words.interval_s, words.stall_s, words.restart_s, words.length_days])
@pytest.mark.parametrize("source", ["Llama 3 Herd", "MegaScale", "ByteRobust", KOKOLIS, ""])
def test_what_a_row_does_not_tell_is_called_assumed(read, source):
    assert read(row("q", source=source))[1].startswith("assumed")


def test_the_note_tells_every_assumption():
    llama = reliability.simulate(row("effective training time", "%", "16,384 H100, 54-day", "Llama 3")).note
    assert "saves every 10 min (assumed" in llama and "stall 3 s (assumed" in llama
    assert "restart 10 min (assumed" in llama and "54 days (given)" in llama
    weeks = reliability.simulate(row("repairs and restarts in a run", "count", "several weeks", "MegaScale"))
    assert "10,000 accelerators (assumed" in weeks.note and "21 days (assumed" in weeks.note
    given = reliability.simulate(row("ETTR, 16k-GPU job, 5-min checkpoints", "-", "u0=5 min", KOKOLIS)).note
    assert "every 5 min (given)" in given and "restart 5 min (given)" in given


@pytest.mark.parametrize(("n", "unit", "measured"), [(8, "days", 47.7), (1024, "h", 7.9), (4096, "h", 10.0)])
def test_a_measured_mttf_says_how_often_its_own_failures_came(n, unit, measured):
    cells = row(f"measured MTTF, {n}-GPU jobs", unit, "", KOKOLIS, id="RSC")
    found = reliability.simulate(cells | {"measured": str(measured)})
    exact = clockwork.mttf_s(n, 8, 6.5) / (86_400.0 if unit == "days" else 3600.0)
    told = float(found.note.rpartition("came ")[2].split()[0])
    assert told == pytest.approx(exact / measured, abs=0.02)
    assert "failure of a job" not in reliability.simulate(cells).note


# The published file itself


@pytest.fixture(scope="module")
def published():
    if not PUBLISHED.is_file():
        pytest.skip("the tables of published measurements are not here")
    return study.validate(table.read([PUBLISHED])).set_index("id")


def test_every_row_is_told_and_none_is_a_defect(published):
    assert len(published) == 97
    reasons = published.loc[published["simulated"].isna(), "reason"]
    assert reasons.notna().all() and not reasons.str.contains("defect").any()
    assert (published["simulated"].notna()).sum() >= 38


def test_published_rows_come_out(published):
    within = {"LL3-unexpected": 2.0, "LL3-MTTI": 2.0, "LL3-HW": 2.0, "LL3-EFF": 0.0,
              "RSC-MTTF-16384": 2.0, "RSC-MTTF-131072": 2.5, "RSC-ETTR-60": 3.0, "RSC-ETTR-5": 1.0,
              "RSC-ETTR-2k4k": 0.0, "MS-RESTARTS": 0.0, "MS-EFF": 0.0, "RSC-ETTR-approx": 10.0}  # fmt: skip
    errors = published["error_pct"]
    assert {name: abs(errors[name]) <= most for name, most in within.items()} == dict.fromkeys(
        within, True)


@pytest.mark.parametrize("name", ["RSC-MTTF-100k", "RSC-ETTR-100k-1", "BR-ETTR", "META100K"])
def test_held_out_rows_are_predicted(published, name):
    assert published.loc[name, "measured"] is None
    assert math.isfinite(published.loc[name, "simulated"])
