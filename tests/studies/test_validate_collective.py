"""Topic `collective`: what it refuses, its networks, and the errors on the published table."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from simulator.studies.validate import collective

TABLE = Path(__file__).parents[3] / "shared" / "validation" / "collective.csv"
ROW = {"network": "H100-SXM-80GB NVLink", "operation": "all_reduce", "n_ranks": "8",
       "ranks_per_node": "8", "message_bytes": "134217728", "unit": "ms"}  # fmt: skip


def ms(**changes: str) -> float:
    return collective.simulate(ROW | changes).value


def test_units_and_order():
    assert ms() == pytest.approx(1e3 * ms(unit="s"))
    assert ms(n_ranks="4") > 0
    assert ms(network="h100_dgx") == pytest.approx(ms())
    assert ms(network="B200 NVLink") < ms() < ms(network="A100-SXM-80GB NVLink")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"network": "h200_dgx"}, "no network 'h200_dgx'; one of a100_dgx"),
        ({"operation": "gather"}, "no operation 'gather'; one of all_gather"),
        ({"n_ranks": ""}, "n_ranks is not given"),
        ({"message_bytes": "many"}, "message_bytes is 'many'"),
        ({"unit": "W"}, "W"),
    ],
)
def test_what_cannot_be_simulated_is_said(changes, told):
    with pytest.raises((ValueError, KeyError), match=told):
        ms(**changes)


def test_an_unknown_accelerator_brings_the_nearest():
    with pytest.raises(KeyError, match="B200"):
        ms(network="B201 NVLink")


def test_pairs_are_bridged_and_others_go_over_pcie():
    pair = {"network": "h100_pairwise_nvlink", "n_ranks": "2", "ranks_per_node": "2"}
    four = pair | {"n_ranks": "4", "ranks_per_node": "4"}
    apart = pair | {"operation": "send_recv", "ranks_per_node": "1"}
    assert ms(**pair) < ms(**four) / 4 < ms(**apart)
    assert ms(**four) < ms(**four | {"network": "a100_pairwise_nvlink"})


def test_the_host_issues_no_faster_than_it_can():
    small = {"network": "h100_dgx", "message_bytes": "2048"}
    assert ms(**small) == pytest.approx(1e3 * collective.NETWORKS["h100_dgx"].host_s)


@pytest.fixture(scope="module")
def errors():
    if not TABLE.exists():
        pytest.skip("no collective.csv beside the repository")
    found = defaultdict(list)
    with TABLE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            made = collective.simulate(row).value
            key = "domain" if row["network"].endswith(" NVLink") else row["operation"]
            found[key].append(abs(made / float(row["measured"]) - 1))
    return {key: np.array(values) for key, values in found.items()}


@pytest.mark.parametrize(
    ("key", "median", "p90"),
    [("domain", 0.05, 0.15), ("all_reduce", 0.14, 0.75), ("send_recv", 0.15, 0.55)],
)
def test_published_times_are_met(errors, key, median, p90):
    assert np.median(errors[key]) < median
    assert np.quantile(errors[key], 0.9) < p90


def test_the_whole_table_is_simulated(errors):
    everything = np.concatenate(list(errors.values()))
    assert len(everything) == 866
    assert np.median(everything) < 0.065
