"""Storage shared by who saves, with racks out, and what it draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import Bench, load_tree, pod_site, pod_tree

from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.components.sizing import support_w
from simulator.components.storage import Storage
from simulator.engine import effects, support
from simulator.engine.storage import Store, Writer

STORAGE = from_catalog.rack("STORAGE")


def store(*most, racks=2.0, write=1e10):
    found = Store(pod_site())
    found.racks, found.spec = racks, Storage(write=f"{write / 1e9} GB/s")
    for load, one in enumerate(most):
        found.join(load, Writer(one, 0.0, lambda: None))
    return found


def test_the_pod_has_one_storage_rack():
    assert Store(pod_site()).racks == 1


@given(st.lists(st.floats(1e6, 1e12), min_size=1, max_size=6))
def test_writers_share_max_min_fairly(most):
    found = store(*most)
    rates = [found.write_bytes_s(load) for load in range(len(most))]
    assert sum(rates) <= 2e10 * (1.0 + 1e-9)
    held_back = [rate for rate, limit in zip(rates, most, strict=True) if rate < limit * (1 - 1e-9)]
    if held_back:
        assert sum(rates) == pytest.approx(2e10)
        assert max(held_back) == pytest.approx(min(held_back))
        assert max(rates) <= max(held_back) * (1 + 1e-9)


def test_racks_out_of_service_take_their_bandwidth_with_them_and_everyone_is_told():
    found, told = store(), []
    found.join(0, Writer(1e12, 0.0, lambda: told.append("first")))
    found.join(1, Writer(1e12, 0.0, lambda: told.append("second")))
    assert told == ["first"]  # who joins knows
    assert found.write_bytes_s(0) == pytest.approx(1e10)
    found.lose_servers(from_catalog.rack("CPU"), 5)
    assert told == ["first"]
    found.lose_servers(STORAGE, 1.5 * STORAGE.servers)
    assert told == ["first", "first", "second"]
    assert found.write_bytes_s(1) == pytest.approx(0.25e10)
    found.lose_servers(STORAGE, -1.5 * STORAGE.servers)
    assert found.write_bytes_s(1) == pytest.approx(1e10)


def test_reading_takes_as_long_as_the_slower_of_store_and_readers():
    found = store()
    assert found.read_s(1e12, 4) == pytest.approx(1e12 / (4 * found.spec.read_limit))
    assert found.read_s(1e12, 1e6) == pytest.approx(1e12 / (2 * found.spec.read))
    found.lose_servers(STORAGE, 2 * STORAGE.servers)
    assert found.read_s(1e12, 4) == float("inf")
    assert found.used() == 0.0


def test_the_draw_of_storage_racks_follows_their_use(tmp_path):
    tree = pod_tree()
    tree["topology"]["storage"] = {"idle": "20 %"}
    bench = Bench(load_tree(tree, tmp_path))
    world = bench.world
    entry = support.of_type(world.site, "STORAGE")[0]
    before_w = world.state.blocks.support_w.copy()
    support.follow_storage(world)
    idle_w = world.state.blocks.support_w - before_w
    assert idle_w.sum() == pytest.approx(support_w(entry.rack, 0.2) - entry.power_w)
    world.store.join(0, Writer(1e12, 0.5 * world.store.spec.write, lambda: None))
    support.follow_storage(world)
    used_w = world.state.blocks.support_w - before_w
    assert used_w.sum() == pytest.approx(support_w(entry.rack, 0.6) - entry.power_w)
    world.store.readers["corpus"] = 0.25 * world.store.spec.read
    assert world.store.used() == pytest.approx(0.75)


def test_storage_that_nobody_describes_draws_what_it_drew(tmp_path):
    bench = Bench(load_tree(pod_tree(), tmp_path))
    before_w = bench.world.state.blocks.support_w.copy()
    support.follow_storage(bench.world)
    assert (bench.world.state.blocks.support_w == before_w).all()


def test_a_storage_server_that_fails_takes_its_share_until_it_is_back(tmp_path):
    bench = Bench(load_tree(pod_tree(), tmp_path))
    world = bench.world
    kind = [entry.rack.name for entry in world.site.support].index("STORAGE")
    cls = FailureClass(name="server", per="support_server", rate="1 /year", effect="support", repair="1 h")
    effects.EFFECTS["support"](world, cls, kind, 0, 600.0)
    assert world.store.in_service == pytest.approx(15 / 16)
    bench.run(660.0)
    assert world.store.in_service == pytest.approx(1.0)
