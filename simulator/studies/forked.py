"""Many futures of one moment: each in a forked process that begins where this one stands.

A fork shares the memory of its parent until one of them writes to it, so that a simulation that took
minutes to reach its state, generators and all, is there again at once and as often as wanted. What
forks is itself a copy that does nothing else: it stays as small as the moment was, while the answers
pile up here.
"""

import gc
import os
import pickle
import selectors
import signal
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from simulator.studies import StudyError, huge_pages

PIECE = 1 << 16
"""Bytes read at a time."""
HEAD = struct.Struct("<qiq")
"""What stands before an answer: its number, the exit code of its process, its bytes."""
FAILED = -1
"""Number of what is no answer, but why there are no more of them."""
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
    gc.collect()
    gc.freeze()  # a collection in a child would write to, and so copy, all that is shared
    huge_pages.collapse()
    (reader, writer), (ends, holds) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.close(holds)
        _fork_all(count, partial(_start, work=work, limit=limit), workers, writer, ends)
    os.close(writer)
    os.close(ends)
    try:
        with os.fdopen(reader, "rb") as stream:
            for _ in range(count):
                yield _next(stream)
    finally:
        os.close(holds)
        os.waitpid(pid, 0)
        gc.unfreeze()


def _next(stream: BinaryIO) -> tuple[int, Answer]:
    """Return the next answer, and whose it is; StudyError where there will be none."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        raise StudyError("the process that forks has ended before its time")
    index, code, size = HEAD.unpack(head)
    told = stream.read(size)
    if index == FAILED:
        raise StudyError(f"processes cannot be forked: {told.decode()}")
    return index, _answer(code, told)


def _answer(code: int, told: bytes) -> Answer:
    """Return what a child sent, by the exit code with which it ended."""
    if code == -signal.SIGXCPU:
        return Answer(error=f"its process did not end within {MOST_CPU_S} s of CPU time")
    if code:
        return Answer(error=f"its process ended with {'signal' if code < 0 else 'code'} {abs(code)}")
    answer: Answer = pickle.loads(told)
    return answer


def _fork_all(
    count: int, start: Callable[[int], tuple[int, _Child]], workers: int, writer: int, ends: int
) -> None:
    """Be the process that forks: have so many children at a time, pass on what they answer, and leave with
    them as soon as nobody holds the other end of `ends`."""
    waiting, running = iter(range(count)), selectors.DefaultSelector()
    alive: dict[int, _Child] = {}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides what an interruption means
        gc.disable()
        running.register(ends, selectors.EVENT_READ)
        while True:
            while len(alive) < workers and (index := next(waiting, None)) is not None:
                reader, child = start(index)
                alive[reader] = child
                running.register(reader, selectors.EVENT_READ)
            if not alive:
                return
            for key, _ in running.select():
                if key.fd == ends:
                    return
                piece = os.read(key.fd, PIECE)
                if piece:
                    alive[key.fd].pieces.append(piece)
                    continue
                running.unregister(key.fd)
                os.close(key.fd)
                _pass_on(alive.pop(key.fd), writer)
    except OSError as error:
        _write(writer, HEAD.pack(FAILED, 0, len(told := str(error).encode())) + told)
    finally:
        for child in alive.values():
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        os._exit(0)


def _pass_on(child: _Child, writer: int) -> None:
    """Say what a child sent, once it has ended."""
    _, status = os.waitpid(child.pid, 0)
    told = b"".join(child.pieces)
    _write(writer, HEAD.pack(child.index, os.waitstatus_to_exitcode(status), len(told)))
    _write(writer, told)


def _write(writer: int, told: bytes) -> None:
    """Write all bytes to a pipe."""
    left = memoryview(told)
    while left:
        left = left[os.write(writer, left) :]


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
        try:
            answer = Answer(work(index))
        except Exception as error:
            answer = Answer(error=f"{type(error).__name__}: {error}")
        with os.fdopen(writer, "wb") as stream:
            pickle.dump(answer, stream)
        status = 0
    finally:
        os._exit(status)
