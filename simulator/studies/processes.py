"""Work shared out to processes of this machine; results come as they are finished.

Where only the main thread runs (a command on Linux) processes are forked: they begin with everything
imported and compiled, and end with their parent. Elsewhere (notebooks, macOS, Windows) loky starts
them anew: a fork of a process with threads may find a lock that nobody opens.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from itertools import islice
from typing import Any

from simulator.studies.threads import THREADS

AHEAD = 2
"""Calls handed out per process, so that none waits for its next."""
PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent has died."""


def may_fork() -> bool:
    """Say whether a fork of this process is safe."""
    return sys.platform == "linux" and threading.active_count() == 1


def each(
    function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], n_jobs: int
) -> Iterator[Any]:
    """Yield `function(*call)` of each call as `n_jobs` processes finish them; BrokenExecutor when one
    of them dies.

    joblib's own loop over its executor waits for ever for a process that died, so it is not used.
    """
    before = set(multiprocessing.active_children())
    executor, waiting = _executor(n_jobs), iter(calls)
    open_ones = {executor.submit(function, *call) for call in islice(waiting, AHEAD * n_jobs)}
    own = set(multiprocessing.active_children()) - before
    try:
        while open_ones:
            finished, open_ones = wait(open_ones, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
                open_ones |= {executor.submit(function, *call) for call in islice(waiting, 1)}
    finally:
        if isinstance(executor, ProcessPoolExecutor):
            for process in own if open_ones else ():  # interrupted, or broken
                process.kill()
            executor.shutdown(cancel_futures=True)
        elif open_ones:
            executor.shutdown(wait=False, kill_workers=True)  # type: ignore[call-arg]


def _executor(n_jobs: int) -> Executor:
    if may_fork():
        context = multiprocessing.get_context("fork")
        return ProcessPoolExecutor(n_jobs, context, _end_with, (os.getpid(),))
    from joblib.executor import get_memmapping_executor

    # The kind that joblib's own calls can go on with.
    pool: Executor = get_memmapping_executor(n_jobs, env=dict.fromkeys(THREADS, "1"))
    return pool


def _end_with(parent: int) -> None:
    """Have this forked process killed when its parent dies, and leave interruptions to the parent."""
    import ctypes

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
