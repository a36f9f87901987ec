"""Progress on stderr: a bar on a terminal, a line every half minute elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self

EVERY_S = 30.0


def say(text: str = "") -> None:
    """Write a line of log to stderr."""
    print(text, file=sys.stderr, flush=True)


class Stages:
    """Names the stage that works; within one, shows how much of its total is done.

    On a terminal a bar with the time left; otherwise one line per stage and one every half minute. The time
    left goes by the pace since the first report: what comes before that is also preparation, on a
    fresh machine the compiling of kernels.
    """

    def __init__(self, unit: str, scale: float = 1.0) -> None:
        self.unit, self.scale = unit, scale
        self.bar: Any = None
        self.task: Any = None
        self.total = 0.0
        self.began_s = self.told_s = time.monotonic()
        self.first: tuple[float, float] | None = None
        self.name = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self.bar = _bar()
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def stage(self, name: str, total: float = 0.0) -> None:
        """Begin a stage; `total` is what `__call__` counts up to."""
        self.name, self.total = name, total * self.scale
        self.began_s = self.told_s = time.monotonic()
        self.first = None
        if self.bar is None:
            say(f"{name}{f' {self._count(0.0)}' if total else ''}")
            return
        if self.task is not None:
            self.bar.remove_task(self.task)
        self.task = self.bar.add_task(name, total=self.total or None, count="")

    def __call__(self, done: float) -> None:
        """Show how much is done."""
        shown, now_s = done * self.scale, time.monotonic()
        if self.first is None:
            self.first = (now_s, shown)
        if self.bar is not None:
            self.bar.update(self.task, completed=shown, count=self._count(shown))
        elif now_s - self.told_s >= EVERY_S:
            self.told_s = now_s
            say(f"{self.name} {self._count(shown)}, {now_s - self.began_s:.0f} s{self._left(now_s, shown)}")

    def _left(self, now_s: float, shown: float) -> str:
        """Return the time left in words; nothing before a second report tells a pace."""
        first_s, first = self.first or (now_s, shown)
        if shown <= first:
            return ""
        return f", about {(now_s - first_s) * (self.total - shown) / (shown - first):.0f} s left"

    def _count(self, shown: float) -> str:
        return f"{shown:.0f} of {self.total:.6g} {self.unit}"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
