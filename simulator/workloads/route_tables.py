"""The tables of a run about its traffic: who went where by the hour, and what came of each class."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from simulator.components.sizing import rack_named, steady_w
from simulator.kernels.columns import Records
from simulator.kernels.serving import LOAD_FRAC
from simulator.kernels.site_step import HOUR_STEPS, STEP_S
from simulator.kernels.streams import (
    ARRIVED,
    LOST,
    PASSED,
    REJECTED,
    SERVED,
    SHED,
    USER,
    WAITING,
)
from simulator.workloads.inference import image_frac, surface_of
from simulator.workloads.route_plan import RoutedClass, RoutePlan, StreamOf
from simulator.workloads.routed_requests import prompt_s
from simulator.workloads.routing_run import RoutingRun

COUNTS = {
    "arrived": ARRIVED, "served": SERVED, "passed_on": PASSED, "shed": SHED, "lost": LOST,
    "waiting": WAITING, "rejected": REJECTED,
}  # fmt: skip


def routes_table(router: RoutingRun, records: Records, start: datetime) -> pd.DataFrame:
    """Return the `routes` table: requests of every stream that had any, hour by hour."""
    hours = router.world.state.pools.streams.hours
    used = np.flatnonzero(hours[:, :, ARRIVED].any(axis=0))
    stamps = pd.date_range(start, periods=hours.shape[0], freq="h")
    table = pd.DataFrame({
        "time": np.repeat(stamps, used.size),
        "stream": np.tile(used, hours.shape[0]),
        **{name: hours[:, used, column].ravel() for name, column in COUNTS.items()},
    })
    table["latency_s"] = _latencies_s(router, records)[:, used].ravel()
    return table


def streams_table(router: RoutingRun) -> pd.DataFrame:
    """Return the `streams` table: what each stream is, and its totals."""
    plan, hours = router.plan, router.world.state.pools.streams.hours
    rows = [_of_stream(plan, s) for s in range(len(plan.streams))]
    table = pd.DataFrame(rows)
    for name, column in COUNTS.items():
        values = hours[:, :, column]
        table[name] = values[-1] if name == "waiting" else values.sum(axis=0)
    return table


def classes_table(router: RoutingRun) -> pd.DataFrame:
    """Return the `classes` table: requests of each class by outcome, and the traces kept of them."""
    return pd.DataFrame([
        _outcomes(router, c) | _traces(router, cls) for c, cls in enumerate(router.plan.classes)
    ])


def _of_stream(plan: RoutePlan, s: int) -> dict[str, Any]:
    stream = plan.streams[s]
    stage = plan.stages[stream.stage]
    return {
        "stream": s, "class": plan.classes[stage.cls].spec.name, "stage": stage.label,
        "pool": plan.names[stream.pool], "role": stream.role, "work": stream.work,
        "input_tokens": stream.input_tokens, "output_tokens": stream.output_tokens,
        "quality": np.nan if stream.quality is None else stream.quality,
        "cut_frac": stream.cut_frac,
    }


def _outcomes(router: RoutingRun, c: int) -> dict[str, Any]:
    """Return what came of the requests of a class; arrived = served + shed + lost + waiting +
    rejected."""
    plan, streams = router.plan, router.world.state.pools.streams
    cls = plan.classes[c]
    mine = [s for s, st in enumerate(plan.streams) if plan.stages[st.stage].cls == c]
    begin = [s for s in mine if plan.stages[plan.streams[s].stage].begins]
    last = [s for s in mine if plan.kept[plan.streams[s].stage] == USER]
    total = streams.hours[:, mine].sum(axis=(0, 1))
    done = streams.hours[:, last].sum(axis=(0, 1))
    waiting = streams.hours[-1, mine, WAITING].sum() + streams.entering[plan.of_class(c)].sum()
    return {
        "class": cls.spec.name, "traffic": cls.traffic.name, "task": cls.spec.task,
        "policy": cls.policy.kind, "arrived": streams.hours[:, begin, ARRIVED].sum(),
        "served": done[SERVED] - done[PASSED], "shed": total[SHED], "lost": total[LOST],
        "waiting": waiting, "rejected": total[REJECTED],
    }


def _traces(router: RoutingRun, cls: RoutedClass) -> dict[str, Any]:
    """Return the bytes kept of one request, for how long, and the racks that hold them."""
    kept = cls.spec.retention
    if kept is None:
        return {"trace_bytes": 0.0, "token_bytes": 0.0, "keep_s": 0.0, "rack_bytes": np.nan,
                "rack_w": 0.0}
    rack = rack_named(router.world.site.topology, kept.storage)
    return {
        "trace_bytes": kept.share * kept.bytes_per_request,
        "token_bytes": kept.share * kept.bytes_per_token, "keep_s": kept.keep,
        "rack_bytes": kept.rack_capacity, "rack_w": steady_w(rack),
    }


def _latencies_s(router: RoutingRun, records: Records) -> np.ndarray:
    """Return the mean time of a stream's requests in its pool by hour, (hours, streams): backlog,
    first token, tokens; at the load of the hour."""
    plan, streams = router.plan, router.world.state.pools.streams
    steps = np.full(streams.hours.shape[0], float(HOUR_STEPS))
    steps[-1] = records.site.shape[0] - (steps.size - 1) * HOUR_STEPS
    load = records.pool[:, :, LOAD_FRAC] / steps[:, None]
    waits_s = _waits_s(router, steps * STEP_S)
    found = [_unqueued_s(plan, s, load[:, s.pool]) + waits_s[:, s.pool] for s in plan.streams]
    return np.array(found).T


def _unqueued_s(plan: RoutePlan, stream: StreamOf, load: np.ndarray) -> np.ndarray:
    """Return the time to the last token at a pool's loads, without its backlog."""
    pool = plan.model(stream.pool)
    served = surface_of(pool)
    longer_s = prompt_s(pool, stream.input_tokens, stream.image_frac)
    longer_s -= prompt_s(pool, pool.input_tokens, image_frac(pool))
    first_s = np.maximum(np.interp(load, served.load, served.ttft_mean_s) + longer_s, 0.0)
    return first_s + (stream.output_tokens - 1.0) * np.interp(load, served.load, served.tpot_s)


def _waits_s(router: RoutingRun, seconds: np.ndarray) -> np.ndarray:
    """Return the mean wait in every pool's backlog by hour, (hours, pools), by Little's law."""
    plan, hours = router.plan, router.world.state.pools.streams.hours
    waiting, served = np.zeros((2, hours.shape[0], len(plan.pools)))
    for s, stream in enumerate(plan.streams):
        waiting[:, stream.pool] += hours[:, s, WAITING]
        served[:, stream.pool] += hours[:, s, SERVED]
    before = np.vstack([np.zeros(waiting.shape[1]), waiting[:-1]])
    mean, rate = 0.5 * (before + waiting), served / seconds[:, None]
    return np.divide(mean, rate, out=np.zeros_like(mean), where=rate > 0.0)
