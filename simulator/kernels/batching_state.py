"""What request-level serving works on: requests and replicas as records, rules and costs as arrays.

Cached tokens are counted in 1/1024 tokens, so that sums over sequences stay whole numbers even
where a step of speculative decoding gives 2.3 tokens; no order of adding them changes a result.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

GRAIN = 1024
"""Units of a cached token."""
NONE = -1

QUEUED, RUNNING, SERVED, REJECTED, SHED = range(5)
OUTCOMES = ("queued", "unfinished", "served", "rejected", "shed")

# Where a waiting request's keys and values are: nowhere, handed over at arrival, swapped out.
FRESH, READY, SWAPPED = range(3)

# Rows of `Cost.each`; those of limit k follow at LIMITED + 2 k, in the order context, pair.
PROMPTS, SEQUENCE, CONTEXT, PAIR, LIMITED = range(5)

# Columns of `World.lines`.
FIRST, LAST, NEWEST = range(3)

# Columns of the record over time, all integrals over the bin.
BUSY_S, BATCH_S, KV_TOKEN_S, DYNAMIC_S = range(4)
SERIES_COLUMNS = 4

REQUEST = np.dtype(
    [
        ("arrival_s", "f8"), ("admitted_s", "f8"), ("first_s", "f8"), ("finish_s", "f8"),
        ("kv", "i8"),  # cached units when its decoding began, or when it was swapped out
        ("since", "i8"),  # replica's decode step at that moment
        ("turn", "i8"),  # iteration that can admit it first
        ("input", "i4"), ("goal", "i4"),  # tokens to prefill before the next token comes out
        ("done", "i4"), ("chunk", "i4"),  # prefilled already, and in the iteration under way
        ("left", "i4"),  # decode steps after the next emission of its prefill
        ("rate", "i4"),  # units that a decode step adds
        ("given", "i4"),  # tokens that the trace says are cached
        ("hit", "i4"),  # tokens that its first admission found cached
        ("seen", "i4"),  # tokens of images, which are encoded when its prompt begins
        ("shared", "i4"),  # blocks that it holds in the prefix cache
        ("before", "i4"), ("after", "i4"),  # running requests of its level, by admission
        ("next", "i4"),  # in the waiting line, or among the prefilling
        ("replica", "i4"), ("preemptions", "i4"),
        ("level", "i2"), ("growing", "i2"),  # bit of each limit that its context is below
        ("kept", "i1"), ("outcome", "i1"),
    ],
    align=True,
)  # fmt: skip

REPLICA = np.dtype(
    [
        ("clock", "f8"), ("end", "f8"),  # of the planned iterations; end is infinite when idle
        ("first_s", "f8"), ("more_s", "f8"),  # first iteration, and what each adds to the last
        ("drawn_s", "f8"), ("drawn_more_s", "f8"),
        ("pairs", "f8"), ("extra_s", "f8"),
        ("iterations", "i8"), ("step", "i8"), ("decodes", "i8"), ("events", "i8"),
        ("held", "i8"), ("context", "i8"), ("growth", "i8"),  # units in use; of decoding sequences
        ("cached", "i8"),  # units of unused blocks that the prefix cache keeps
        ("running", "i8"), ("waiting", "i8"), ("queued_tokens", "i8"),
        ("chunks", "i8"), ("chunk_tokens", "i8"), ("longest", "i8"),
        ("seen", "i8"),  # tokens of images that are encoded in the iteration under way
        ("polled", "i8"),  # an iteration at which it looked at what had arrived
        ("first_chunk", "i4"), ("last_chunk", "i4"), ("decoding", "i4"),
        ("free_node", "i4"), ("oldest", "i4"), ("latest", "i4"),
        ("ended", "i4"),  # the last that was answered, to which the one before is linked
        ("busy_s", "f8"), ("dynamic_s", "f8"),
        ("total_iterations", "i8"), ("peak", "i8"), ("preemptions", "i8"),
        ("served", "i8"), ("rejected", "i8"), ("shed", "i8"),  # requests, as they leave
    ],
    align=True,
)  # fmt: skip

NODE = np.dtype([("block", "i4"), ("users", "i4"), ("before", "i4"), ("after", "i4")], align=True)


class Cost(NamedTuple):
    """Seconds of an iteration; last axis: time, and time at all of the power between idle and TDP."""

    table: np.ndarray
    """By tokens processed, from none; shape (tokens + 1, 2)."""
    each: np.ndarray
    """Once if there are prompts; per sequence; per cached token a decoding sequence attends to; per
    pair of query and key of prefill attention; the last two again for each limit; shape
    (4 + 2 limits, 2)."""
    limits: np.ndarray
    """Spans in whole tokens of attention that sees the nearest positions only; shape (limits,)."""
    local: np.ndarray = np.zeros((1, 2))
    """The part of `table` that each group does for its own tokens, by tokens of all groups if they
    had the same; needed with more groups than one."""


class Rules(NamedTuple):
    """How an engine batches."""

    capacity: int
    """Units of keys and values that fit a replica."""
    max_sequences: int
    max_tokens: int
    """Tokens of an iteration at most."""
    chunked: bool
    """Prompts share iterations with decoding, in chunks; else they come first, whole."""
    ahead: bool
    """An iteration is made up while the one before it runs: it takes in what came before that one
    began, unless nothing runs."""
    swap: bool
    """A preempted sequence's cache goes to the host and comes back; else it is computed again."""
    swap_s: float
    """Seconds to move one token's keys and values, one way."""
    verified: int
    """Tokens that a decoding sequence brings to an iteration, drafted ones included."""
    block_tokens: int
    """Tokens of a block of the prefix cache; 0: there is none."""
    patience_s: float
    """A request that has waited longer is shed when its turn comes."""
    groups: int = 1
    """Groups of chips that take different sequences: a prompt is computed by one of them, and all
    wait for the one with most tokens."""
    hold: int = 0
    """Iterations that a prompt waits beside decoding for others, until there is one for each group."""
    poll: int = 1
    """Iterations without prompts between two looks at what has arrived."""
    image_s: float = 0.0
    """Seconds to encode what gives one token of an image."""
    image_drawn_s: float = 0.0
    """What that draws, as seconds at all of the power between idle and TDP."""


class Cache(NamedTuple):
    """Prefix caches of the replicas, and the blocks of the prompts."""

    start: np.ndarray
    """First block of each request, and the end; shape (requests + 1,)."""
    blocks: np.ndarray
    """Numbers of blocks, equal for equal prefixes, from 0."""
    table: np.ndarray
    """Open hash table of nodes; shape (replicas, slots)."""
    nodes: np.ndarray
    """Records of `NODE`; shape (replicas, blocks that fit)."""


class World(NamedTuple):
    """Everything a kernel call reads and writes."""

    requests: np.ndarray
    replicas: np.ndarray
    calendar: np.ndarray
    """Heap of each replica's coming ends and crossings, by decode step; shape (replicas, size)."""
    lines: np.ndarray
    """First and last of each waiting line, and the newest running; (replicas, levels, 3)."""
    limited: np.ndarray
    """Units of decoding contexts cut at each limit, and their growth; (replicas, limits, 2)."""
    limited_pairs: np.ndarray
    cost: Cost
    rules: Rules
    cache: Cache
    series: np.ndarray
    """What happened over time; shape (bins, SERIES_COLUMNS)."""
    bin_s: np.ndarray
    """Width of a bin; it doubles when time runs out of them; shape (1,)."""


class Trace(NamedTuple):
    """Requests in the order they arrive; shape (requests,)."""

    arrival_s: np.ndarray
    input_tokens: np.ndarray
    steps: np.ndarray
    """Decode steps after the first token."""
    rate: np.ndarray
    """Units of tokens that a step gives."""
    level: np.ndarray
    """Priority: lower goes first."""
    given: np.ndarray
    """Leading tokens whose keys and values are there at arrival."""
    ready: bool
    """All keys and values come with the request: it decodes at once."""
    seen: np.ndarray | None = None
    """Of the input, tokens that stand for images; None: none."""


def world(
    trace: Trace,
    replicas: int,
    rules: Rules,
    cost: Cost,
    blocks: tuple[np.ndarray, np.ndarray] | None = None,
    bins: int = 2,
    bin_s: float = 1.0,
) -> World:
    """Return replicas at rest and requests that have not arrived.

    `blocks` are the first block of each request (and the end), and the blocks' numbers. The record
    over time begins with bins of `bin_s`; their number is even.
    """
    levels = int(trace.level.max(initial=0)) + 1
    limits = len(cost.limits)
    requests = np.empty(len(trace.arrival_s), REQUEST).view(np.recarray)
    seen = np.zeros(len(trace.arrival_s), np.int64) if trace.seen is None else trace.seen
    load(requests, *trace._replace(seen=seen))
    resting = np.zeros(replicas, REPLICA).view(np.recarray)
    reset(resting)
    return World(
        requests, resting,
        np.zeros((replicas, rules.max_sequences * (1 + limits)), np.int64),
        np.full((replicas, levels, 3), NONE, np.int32),
        np.zeros((replicas, limits, 2), np.int64), np.zeros((replicas, limits)),
        cost, rules, _cache(resting, rules, blocks), np.zeros((bins, SERIES_COLUMNS)),
        np.array([bin_s]),
    )  # fmt: skip


@njit(cache=True)
def load(requests, arrival_s, input_tokens, steps, rate, level, given, ready, seen):
    """Write requests as they are before they arrive."""
    for i in range(arrival_s.size):
        request = requests[i]
        request.arrival_s = arrival_s[i]
        request.admitted_s = request.first_s = request.finish_s = np.nan
        request.input = request.goal = input_tokens[i]
        request.kv = request.goal * GRAIN if ready else 0
        request.since = request.turn = 0
        request.done = request.chunk = 0
        request.left, request.rate = steps[i], rate[i]
        request.given, request.hit, request.shared = given[i], 0, 0
        request.seen = 0 if ready else seen[i]
        request.before = request.after = request.next = request.replica = NONE
        request.preemptions = request.growing = 0
        request.level = level[i]
        request.kept = READY if ready else FRESH
        request.outcome = QUEUED


def reset(replicas: np.ndarray) -> None:
    """Put replicas to rest."""
    replicas.fill(0)
    replicas["end"] = np.inf
    for name in ("first_chunk", "last_chunk", "free_node", "oldest", "latest", "ended"):
        replicas[name] = NONE


def ends(replicas: np.ndarray) -> np.ndarray:
    """Return requests served, rejected, shed and still there, as the replicas counted them; shape (4,)."""
    there = replicas["waiting"] + replicas["running"]
    return np.array(
        [*(replicas[name].sum() for name in ("served", "rejected", "shed")), there.sum()]
    )


def ends_of(outcome: np.ndarray) -> np.ndarray:
    """Return the same as the outcomes of the requests have it; shape (4,)."""
    counts = np.bincount(outcome, minlength=len(OUTCOMES))
    return np.array([*counts[[SERVED, REJECTED, SHED]], counts[QUEUED] + counts[RUNNING]])


def _cache(
    replicas: np.ndarray, rules: Rules, blocks: tuple[np.ndarray, np.ndarray] | None
) -> Cache:
    """Return empty prefix caches; of no size where there is none."""
    count, most = len(replicas), 0
    if rules.block_tokens:
        most = rules.capacity // (GRAIN * rules.block_tokens) + 1
    slots = 1 << (2 * most).bit_length()
    start, numbers = blocks if blocks else (np.zeros(1, np.int64), np.zeros(0, np.int32))
    nodes = np.zeros((count, most), NODE).view(np.recarray)
    nodes["after"] = np.arange(1, most + 1)
    nodes["after"][:, most - 1 :] = NONE
    replicas["free_node"] = 0 if most else NONE
    return Cache(start, numbers, np.full((count, slots), NONE, np.int32), nodes)
