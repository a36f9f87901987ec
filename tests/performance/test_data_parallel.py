"""Data parallelism: once a step or in every micro-batch, hidden or not, within a site or across."""

from typing import Any

import pytest

from simulator.components.fabric.tier import Tier
from simulator.components.from_catalog import accelerator, language_model, stack
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.stack import Stack
from simulator.performance.collectives import Fabric, fabric_of
from simulator.performance.data_parallel import DataTime, data_time
from simulator.performance.layer import stage_time
from simulator.performance.setting import Setting
from simulator.performance.training import setting_of

H100 = accelerator("H100")


def setting(
    dp: int = 64, fabric: Fabric | None = None, exposed: dict[str, float] | None = None, **plan: Any
) -> Setting:
    made: Stack = stack("mlperf-v3.1")
    shares = made.exposed.model_copy(update=exposed or {})
    made = made.model_copy(update={"exposed": shares})
    asked = ParallelPlan(**{"global_batch_sequences": 256, "sequence_length": 4096} | plan)
    return setting_of(language_model("llama-3.1-8b"), H100, asked, dp, fabric, made)


def spent(made: Setting) -> DataTime:
    return data_time(made, stage_time(made))


def test_one_rank_exchanges_nothing_and_updates_everything() -> None:
    alone = spent(setting(dp=1))
    assert alone.exposed_s == 0.0
    assert alone.optimizer_s == pytest.approx(34 * 8.03e9 / 3.35e12, rel=0.25)


def test_what_is_sharded_is_updated_once() -> None:
    shared, copied = spent(setting()), spent(setting(sharding="none"))
    assert copied.optimizer_s / shared.optimizer_s == pytest.approx(64, rel=0.05)


def test_nothing_hides_where_the_stack_hides_nothing() -> None:
    bare, hidden = spent(setting(exposed={"data": 1.0})), spent(setting(exposed={"data": 0.0}))
    assert bare.exposed_s > hidden.exposed_s == 0.0


def test_what_does_not_fit_beside_the_compute_waits() -> None:
    slow = fabric_of(H100, (Tier("leaf", "scaleout", 1 << 20, 1e9, 2e-6),))
    made = setting(fabric=slow, exposed={"data": 0.0})
    fast = setting(exposed={"data": 0.0})
    all_s = spent(setting(fabric=slow, exposed={"data": 1.0})).exposed_s
    assert spent(made).exposed_s == pytest.approx(all_s - stage_time(made).compute_s)
    assert spent(fast).exposed_s == 0.0


def test_fully_sharded_weights_are_fetched_in_every_micro_batch() -> None:
    one = spent(setting(sharding="full", global_batch_sequences=64, exposed={"weights": 1.0}))
    four = spent(setting(sharding="full", global_batch_sequences=256, exposed={"weights": 1.0}))
    assert four.exposed_s == pytest.approx(4 * one.exposed_s)
    once = spent(setting(exposed={"data": 1.0}))
    assert one.exposed_s == pytest.approx(1.5 * once.exposed_s, rel=0.02)


def two_sites(rate: float = 1e9, latency_s: float = 5e-3) -> Fabric:
    tiers = (
        Tier("spine", "scaleout", 32, 50e9, 2e-6),
        Tier("wan", "wan", 1 << 20, rate, latency_s),
    )
    return fabric_of(H100, tiers)


def test_periodic_exchange_across_sites_costs_its_share() -> None:
    every = {n: spent(setting(fabric=two_sites(), sites={"sites": 2, "every": n})) for n in (1, 100)}
    within = spent(setting(dp=32, global_batch_sequences=128)).exposed_s
    wide_s = {n: time.exposed_s - within for n, time in every.items()}
    assert wide_s[1] / wide_s[100] == pytest.approx(100, rel=0.02)
    # Each of 32 chips of a site sums its 1/32 of 2-byte gradients with one partner: size over rate.
    assert wide_s[1] == pytest.approx(2 * 8.03e9 / 32 / (0.85 * 1e9), rel=0.1)


def test_sites_far_apart_add_their_round_trips() -> None:
    near = spent(setting(fabric=two_sites(latency_s=1e-3), sites={"sites": 2}))
    far = spent(setting(fabric=two_sites(latency_s=50e-3), sites={"sites": 2}))
    assert far.exposed_s - near.exposed_s == pytest.approx(2 * 49e-3, rel=0.01)
