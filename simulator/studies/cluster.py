"""Work shared out to the workers of a Dask cluster; results come as they are finished."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from simulator.studies.processes import AHEAD

Call = tuple[Any, ...]


def each(
    client: Any, function: Callable[..., Any], calls: Iterable[Call]
) -> Iterator[tuple[Call, Any]]:
    """Yield (call, `function(*call)`) as the workers of a `distributed.Client` finish them; the result is
    None where the workers died of it.

    Dask gives a call up when workers died that had it in hand, at work on it or on another one with
    it next. So what was given up is made once more, one call at a time: what kills workers then has
    no other to blame.
    """
    given_up = []
    for call, result in _together(client, function, calls):
        if result is None:
            given_up.append(call)
        else:
            yield call, result
    for call in given_up:
        yield from _together(client, function, [call])


def _together(
    client: Any, function: Callable[..., Any], calls: Iterable[Call]
) -> Iterator[tuple[Call, Any]]:
    """Yield (call, result or None) with as many calls handed out as the cluster is large just now."""
    from distributed import wait
    from distributed.scheduler import KilledWorker

    waiting = iter(calls)
    open_ones: dict[Any, Call] = {}
    while True:
        room = AHEAD * max(sum(client.nthreads().values()), 1) - len(open_ones)
        for call in islice(waiting, max(room, 0)):
            open_ones[client.submit(function, *call, pure=False)] = call
        if not open_ones:
            return
        for future in wait(list(open_ones), return_when="FIRST_COMPLETED").done:
            call = open_ones.pop(future)
            try:
                result = future.result()
            except KilledWorker:
                result = None
            yield call, result
