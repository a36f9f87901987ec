"""Support racks at work: rate, finish, and the energy they draw beyond their own."""

import pytest
from small import load_tree, pod_tree

from simulator.components.sizing import support_w
from simulator.engine import support
from simulator.metrics import balance
from simulator.simulation import simulate
from simulator.site import compile_site
from simulator.workloads.data_preparation import DataPreparation, DataPreparationRun, throughput_of

WORK = {"kind": "data_preparation", "name": "corpus", "tokens": 1e12}


def tree_of(*workloads, cpus=2):
    tree = pod_tree()
    hall = tree["topology"]["halls"][0]
    hall["support"] = [*hall["support"], {"name": "cpu", "rack": "CPU", "count": cpus}]
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank]["rating"] = "4 MVA"
    tree["workloads"] = list(workloads)
    tree["reliability"] = {"rate_scale": 0}
    return tree


def site_of(folder, **changes):
    return compile_site(load_tree(tree_of(**changes), folder).spec.topology)


@pytest.mark.parametrize(("bandwidth", "bound_by", "rate"), [
    ("100 GB/s", "racks", 2e7), ("1 GB/s", "storage", 1e7)])
def test_the_slower_of_racks_and_storage_sets_the_rate(bandwidth, bound_by, rate, tmp_path):
    spec = DataPreparation.model_validate(WORK | {"storage_bandwidth": bandwidth})
    found = throughput_of(spec, site_of(tmp_path))
    assert (found.racks, found.bound_by, found.tokens_s) == (2, bound_by, pytest.approx(rate))
    assert found.utilization == pytest.approx(0.9 * rate / 2e7)


def test_racks_that_are_not_there_cannot_work(tmp_path):
    with pytest.raises(ValueError, match="type 'CPU'"):
        throughput_of(DataPreparation.model_validate(WORK), site_of(tmp_path, cpus=0))


@pytest.mark.parametrize("start", ["0 s", "3610.5 s"])
def test_it_ends_after_tokens_over_rate_and_draws_until_then(start, tmp_path):
    idle = simulate(load_tree(tree_of(), tmp_path))
    results = simulate(load_tree(tree_of(WORK | {"tokens": 5e11, "start": start}), tmp_path))
    row = results.tables["preparations"].iloc[0]
    began, done = (
        results.events.query("kind == @kind")["time"].iloc[0] for kind in ("job_start", "job_finish"))
    assert (done - began).total_seconds() == pytest.approx(25_000.0)
    assert row["tokens"] == row["target_tokens"] == 5e11
    rack = next(e.rack for e in site_of(tmp_path).support if e.rack.name == "CPU")
    beyond_w = 2.0 * (support_w(rack, 0.9) - support_w(rack, rack.utilization))
    drawn_j = [r.tables["energy"].set_index("element").at["it", "energy_j"] for r in (idle, results)]
    assert drawn_j[1] - drawn_j[0] == pytest.approx(beyond_w * 25_000.0, rel=1e-6)
    assert max(balance.checks(results).values()) <= 1e-9


def test_what_is_cut_off_by_the_end_has_delivered_its_part(tmp_path):
    row = simulate(load_tree(tree_of(WORK | {"tokens": 1e13}), tmp_path)).tables["preparations"].iloc[0]
    assert row["tokens"] == pytest.approx(2e7 * 86_400.0)
    assert row["finish"] is None


def test_a_run_leaves_the_site_as_it_was(tmp_path):
    """The draw of support racks belongs to a run, not to the compiled site that runs share."""
    given = load_tree(tree_of(WORK), tmp_path)
    first, second = simulate(given), simulate(given)
    assert first.timeseries["site"].equals(second.timeseries["site"])


@pytest.mark.parametrize(("servers", "share"), [(20, 0.5), (40, 0.0)])
def test_servers_that_are_out_deliver_nothing(servers, share, tmp_path, monkeypatch):
    """Two racks of twenty servers; half of them, or all, out from hour one to hour three."""
    of_cpus = next(
        i for i, entry in enumerate(site_of(tmp_path).support) if entry.rack.name == "CPU")
    run = DataPreparationRun.run

    def struck(self):
        for at_s, change in ((3600.0, servers), (10_800.0, -servers)):
            self.world.env.timeout(at_s).callbacks.append(
                lambda _, change=change: support.lose_servers(self.world, of_cpus, float(change)))
        yield from run(self)

    monkeypatch.setattr(DataPreparationRun, "run", struck)
    row = simulate(load_tree(tree_of(WORK | {"tokens": 5e11}), tmp_path))
    done = row.events.query("kind == 'job_finish'")["duration_s"].iloc[0]
    assert done == pytest.approx(25_000.0 + 7200.0 * (1.0 - share))
    assert row.tables["preparations"].iloc[0]["tokens"] == 5e11
