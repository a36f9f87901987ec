"""Many futures of one moment: each in a forked process that begins where this one stands.

A fork shares the memory of its parent until one of them writes to it, so that a simulation that took
minutes to reach its state, generators and all, is there again at once and as often as wanted.
"""

import gc
import os
import pickle
import selectors
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from simulator.studies import StudyError, huge_pages

PIECE = 1 << 16
"""Bytes read at a time."""
FORKS_UNTIL_SPLIT = 48
"""Futures after which memory is put into large pages anew: what the parent writes to between two forks
takes the page it stands in apart."""
MOST_CPU_S = 300
"""CPU time of one future; what takes longer is ended, as if it had died."""


@dataclass
class Answer:
    """What one future gave, or why it gave nothing."""

    value: Any = None
    error: str = ""


@dataclass
class _Child:
    index: int
    pid: int
    pieces: list[bytes] = field(default_factory=list)


def check() -> None:
    """Raise StudyError where processes cannot be forked."""
    if not hasattr(os, "fork"):
        raise StudyError(
            "this study forks the simulation at one moment, which this operating system cannot; "
            "use Linux or macOS (on Windows: the Windows Subsystem for Linux)"
        )


def each(count: int, work: Callable[[int], Any], workers: int) -> Iterator[tuple[int, Answer]]:
    """Yield (i, answer) of `work(i)` for i below `count`, as they end, each from the state as it is now.

    What a future raises, or dies of, is its answer's error; it harms no other. When the caller stops
    early, those under way are ended.
    """
    check()
    import resource  # here, once, and not in every child; not on Windows, where nobody comes here

    limit = partial(resource.setrlimit, resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S + 1))
    waiting, running = iter(range(count)), selectors.DefaultSelector()
    alive: dict[int, _Child] = {}
    gc.collect()
    gc.freeze()  # a collection in a child would write to, and so copy, all that is shared
    try:
        while True:
            while len(alive) < workers and (index := next(waiting, None)) is not None:
                if index % FORKS_UNTIL_SPLIT == 0:
                    huge_pages.collapse()
                reader, child = _start(index, work, limit)
                alive[reader] = child
                running.register(reader, selectors.EVENT_READ)
            if not alive:
                return
            for key, _ in running.select():
                piece = os.read(key.fd, PIECE)
                if piece:
                    alive[key.fd].pieces.append(piece)
                    continue
                running.unregister(key.fd)
                os.close(key.fd)
                child = alive.pop(key.fd)
                yield child.index, _answer(child)
    finally:
        for reader, child in alive.items():
            os.close(reader)
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        running.close()
        gc.unfreeze()


def _start(
    index: int, work: Callable[[int], Any], limit: Callable[[], None]
) -> tuple[int, _Child]:
    """Fork a child that works on one case; return the end of the pipe to read, and the child."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _live(index, work, limit, writer)
    os.close(writer)
    return reader, _Child(index, pid)


def _live(
    index: int, work: Callable[[int], Any], limit: Callable[[], None], writer: int
) -> None:
    """Be the child: answer and leave, without a trace in what is shared with the parent."""
    status = 1
    try:
        limit()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
        gc.disable()
        try:
            answer = Answer(work(index))
        except Exception as error:
            answer = Answer(error=f"{type(error).__name__}: {error}")
        with os.fdopen(writer, "wb") as stream:
            pickle.dump(answer, stream)
        status = 0
    finally:
        os._exit(status)


def _answer(child: _Child) -> Answer:
    """Return what a child sent, once it has ended."""
    _, status = os.waitpid(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:
        return Answer(error=f"its process did not end within {MOST_CPU_S} s of CPU time")
    if code:
        return Answer(error=f"its process ended with {'signal' if code < 0 else 'code'} {abs(code)}")
    answer: Answer = pickle.loads(b"".join(child.pieces))
    return answer
