"""`gigawatt batch`: a trace of requests on identical replicas, request by request."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from simulator import request_trace as traces
from simulator import rng
from simulator.kernels import batching_state, calendar, dispatch
from simulator.kernels import speculation as steps
from simulator.kernels.batching_state import GRAIN, REJECTED, SERVED, Rules, Trace, World
from simulator.request_trace import RequestTrace
from simulator.studies import StudyError
from simulator.studies.batch_deployment import (
    Deployment,
    Question,
    deploy,
    seen_tokens,
    with_images,
)
from simulator.studies.batch_routes import check_dispatch, routed

SHARES = 4
"""Parts of the replicas that run side by side; not the number of cores, on which sums of floats
would depend."""
BINS = 1024
"""Of the record over time; half of them reach to the last arrival."""
LEAST_BIN_S = 1e-3
MOST_BYTES = 8e9
"""Of state that replicas may keep; they would take more than a common machine has."""
BYTES_PER_EVENT, BYTES_PER_BLOCK = 8, 32
NO_ROUTE = len(batching_state.OUTCOMES)
OUTCOMES = (*batching_state.OUTCOMES, "no_route")
"""What became of a request; `no_route`: the trace names another model."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Replicas that take the same part of the work, after they have done it."""

    replicas: int
    busy_s: Floats
    """Per replica."""
    dynamic_s: Floats
    """Seconds at full dynamic power that give each replica's dynamic energy."""
    peak_tokens: Floats
    iterations: int
    preemptions: int
    series: Floats
    bin_s: float


@dataclass(frozen=True)
class Batch:
    """A trace after it has been served; arrays of one value per request."""

    asked: Question
    trace: RequestTrace
    deployment: Deployment
    outcome: NDArray[np.int8]
    replica: NDArray[np.int32]
    admitted_s: Floats
    first_s: Floats
    finish_s: Floats
    preemptions: NDArray[np.int32]
    hit_tokens: NDArray[np.int32]
    pools: dict[str, Pool]
    """`replicas`, or `prefill` and `decode`."""
    counted: NDArray[np.int64]
    """Requests served, rejected, shed and still there, as the replicas counted them."""
    elsewhere: dict[str, int]
    """Requests for each other model that the trace names."""


def serve(asked: Question) -> Batch:
    """Return a trace served; problems of the trace as ScenarioError, the rest as StudyError."""
    check_dispatch(asked)
    trace = traces.read(asked.trace)
    trace = with_images(asked, trace)
    if trace.requests >= calendar.REQUESTS:
        raise StudyError(f"{trace.requests} requests; {calendar.REQUESTS - 1} at most")
    return serve_trace(asked, trace, deploy(asked, trace))


def serve_trace(asked: Question, trace: RequestTrace, deployment: Deployment) -> Batch:
    """Return a trace served on a deployment."""
    mine, elsewhere = routed(asked, trace)
    parts = _split if asked.prefill_replicas else _together
    found = parts(asked, trace, deployment, mine)
    return Batch(asked, trace, deployment, **found, elsewhere=elsewhere)


def _together(
    asked: Question, trace: RequestTrace, deployment: Deployment, mine: NDArray[np.bool_]
) -> dict[str, Any]:
    """Serve on replicas that do both, prompts and decoding."""
    rows = np.flatnonzero(mine)
    work = decode_steps(asked, trace.output_tokens[rows])
    w = _run(asked, trace, deployment, rows, trace.arrival_s[rows], work, asked.replicas)
    kept = {"pools": {"replicas": _pool(w)}, "counted": batching_state.ends(w.replicas)}
    return _columns(trace, rows, w, deployment) | kept


def _split(
    asked: Question, trace: RequestTrace, deployment: Deployment, mine: NDArray[np.bool_]
) -> dict[str, Any]:
    """Serve prompts on some replicas, and what follows the first token on the others.

    Keys and values that are on their way are in no replica's memory.
    """
    longest = trace.input_tokens + trace.output_tokens - 1
    fits = longest <= deployment.kv_tokens
    rows = np.flatnonzero(mine & fits)
    nothing = np.zeros(len(rows), np.int64)
    first = _run(
        asked, trace, deployment, rows, trace.arrival_s[rows], nothing, asked.prefill_replicas
    )
    found = _columns(trace, rows, first, deployment)
    found["outcome"][mine & ~fits] = REJECTED
    found["finish_s"][mine & ~fits] = trace.arrival_s[mine & ~fits]
    more = (first.requests["outcome"] == SERVED) & (trace.output_tokens[rows] > 1)
    going = rows[more]
    arrival_s = first.requests["first_s"][more] + deployment.transfer_s(trace.input_tokens[going])
    order = np.argsort(arrival_s, kind="stable")
    going, arrival_s = going[order], arrival_s[order]
    work = decode_steps(asked, trace.output_tokens[going])
    second = _run(asked, trace, deployment, going, arrival_s, work, asked.replicas, ready=True)
    later = _columns(trace, going, second, deployment)
    for name in ("outcome", "replica", "finish_s"):
        found[name][going] = later[name][going]
    found["preemptions"] += later["preemptions"]
    counted = batching_state.ends(first.replicas) + batching_state.ends(second.replicas)
    counted += [-len(going), int((mine & ~fits).sum()), 0, 0]  # served later, refused before
    pools = {"prefill": _pool(first), "decode": _pool(second)}
    return found | {"pools": pools, "counted": counted}


def decode_steps(
    asked: Question, output_tokens: NDArray[np.int64], part: int = 0
) -> NDArray[np.int64]:
    """Return the decode steps of requests after their first token; each part of a stream has draws of
    its own."""
    if not asked.drafts:
        return output_tokens - 1
    assert asked.accepted is not None
    if not asked.drawn:
        return np.asarray(steps.expected_steps(output_tokens, asked.accepted))
    chance = _accept_frac(asked.drafts, asked.accepted)
    key = rng.key(asked.seed, part, "accepted")
    return np.asarray(steps.drawn_steps(output_tokens, asked.drafts, chance, *key))


def _accept_frac(drafts: int, accepted: float) -> float:
    """Return the chance of each draft after right ones with which a step gives `accepted` tokens."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        given = sum(middle**k for k in range(drafts + 1))
        low, high = (middle, high) if given < accepted else (low, middle)
    return low


def _run(
    asked: Question,
    trace: RequestTrace,
    deployment: Deployment,
    rows: NDArray[np.int64],
    arrival_s: Floats,
    work: NDArray[np.int64],
    replicas: int,
    ready: bool = False,
) -> World:
    """Return replicas after they have served rows of a trace, `work` decode steps each."""  # fmt: skip
    output = np.where(work > 0, trace.output_tokens[rows], 1)
    rules = deployment.rules._replace(block_tokens=0) if ready else deployment.rules
    blocks = None
    if rules.block_tokens and trace.blocks:
        blocks = _blocks_of(trace.blocks, rows)
    _check_size(rules, len(deployment.cost.limits), replicas)
    asking = Trace(
        arrival_s, trace.input_tokens[rows], work, steps.rates(output, work),
        trace.priority[rows], trace.cached_tokens[rows], ready,
        None if trace.images is None else seen_tokens(deployment, trace.images[rows]),
    )  # fmt: skip
    last_s = float(arrival_s[-1]) if len(arrival_s) else 0.0
    bin_s = max(2.0 * last_s / BINS, LEAST_BIN_S)
    w = batching_state.world(asking, replicas, rules, deployment.cost, blocks, BINS, bin_s)
    policy = dispatch.POLICIES.index(asked.dispatch)
    if policy == dispatch.ROUND_ROBIN:
        return _round_robin(w, replicas)
    key = rng.key(asked.seed, 0, "dispatch")
    ends, loads = (dispatch.tournament(replicas, value) for value in (np.inf, 0.0))
    dispatch.serve_chosen(w, policy, *key, np.inf, ends, loads)
    return w


def _check_size(rules: Rules, limits: int, replicas: int) -> None:
    """Raise a StudyError for replicas whose state is more than fits a machine."""
    kept = rules.max_sequences * (1 + limits) * BYTES_PER_EVENT
    if rules.block_tokens:
        kept += rules.capacity // (GRAIN * rules.block_tokens) * BYTES_PER_BLOCK
    if kept * replicas > MOST_BYTES:
        raise StudyError(
            f"{replicas} replicas keep {kept * replicas / 1e9:.0f} GB of calendars and prefix caches: "
            "fewer replicas, fewer --max-sequences, larger blocks, or a stream with --rate"
        )


def _blocks_of(
    blocks: tuple[NDArray[np.int64], NDArray[np.int32]], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the blocks of some rows."""
    start, numbers = blocks
    if len(rows) == len(start) - 1:
        return blocks
    kept = np.concatenate([numbers[start[i] : start[i + 1]] for i in rows] or [numbers[:0]])
    return np.concatenate(([0], np.cumsum(np.diff(start)[rows]))), kept


def _round_robin(w: World, replicas: int) -> World:
    """Serve each request on the next replica; shares of the replicas side by side."""
    count = len(w.requests)
    order = np.concatenate([np.arange(r, count, replicas) for r in range(replicas)])
    start = np.concatenate(
        ([0], np.cumsum([len(range(r, count, replicas)) for r in range(replicas)]))
    )
    edges = np.unique(np.linspace(0, replicas, SHARES + 1).astype(int))
    parts = [w._replace(series=np.zeros_like(w.series), bin_s=w.bin_s.copy()) for _ in edges[1:]]

    def serve_share(part: World, share: tuple[int, int]) -> None:
        dispatch.serve_assigned(part, order, start, *share, np.inf)

    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        list(pool.map(serve_share, parts, pairwise(edges.tolist())))
    bin_s = max(float(part.bin_s[0]) for part in parts)
    summed = [folded(part.series, float(part.bin_s[0]), bin_s) for part in parts]
    return w._replace(series=np.sum(summed, axis=0), bin_s=np.array([bin_s]))


def folded(series: Floats, bin_s: float, wanted_s: float) -> Floats:
    """Return a record over time in wider bins, a power of two as wide."""
    while bin_s < wanted_s:
        joined = series[0::2] + series[1::2]
        series, bin_s = np.concatenate((joined, np.zeros_like(joined))), 2.0 * bin_s
    return series


def _columns(
    trace: RequestTrace, rows: NDArray[np.int64], w: World, deployment: Deployment
) -> dict[str, Any]:
    """Return what the kernel says of each row of the trace; rows it has not seen have no route."""
    way_s = deployment.setting.request_s
    empty: dict[str, Any] = {
        "outcome": np.int8(NO_ROUTE), "replica": np.int32(-1), "admitted_s": np.nan,
        "first_s": np.nan, "finish_s": np.nan, "preemptions": np.int32(0),
        "hit_tokens": np.int32(0),
    }  # fmt: skip
    found = {name: np.full(trace.requests, value) for name, value in empty.items()}
    for name in found:
        found[name][rows] = w.requests["hit" if name == "hit_tokens" else name]
    served = found["outcome"] == SERVED
    found["first_s"] += way_s
    found["finish_s"][served] += way_s
    return found


def _pool(w: World) -> Pool:
    replicas = w.replicas
    return Pool(
        len(replicas), replicas["busy_s"].copy(), replicas["dynamic_s"].copy(),
        replicas["peak"] / batching_state.GRAIN, int(replicas["total_iterations"].sum()),
        int(replicas["preemptions"].sum()), w.series, float(w.bin_s[0]),
    )  # fmt: skip
