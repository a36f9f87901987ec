"""A trace of single requests as demand: its rate and mean lengths hour by hour, over and over."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator import request_trace
from simulator.request_trace import RequestTrace

Floats = NDArray[np.float64]
HOUR_S = 3600.0


@lru_cache(maxsize=8)
def read_once(path: Path, stamp: tuple[int, int]) -> RequestTrace:
    """Return a trace; `stamp` is the time and size of the file, so that a changed one is read anew."""
    return request_trace.read(path)


def trace_of(path: Path) -> RequestTrace:
    """Return the trace of a file, read once as long as it does not change."""
    status = path.stat()
    return read_once(path, (status.st_mtime_ns, status.st_size))


def length_s(trace: RequestTrace) -> float:
    """Return the time a trace stands for: to its last arrival, and the mean gap after it."""
    span_s = float(trace.arrival_s[-1] - trace.arrival_s[0])
    return span_s * trace.requests / max(trace.requests - 1, 1) or 1.0


@dataclass(frozen=True)
class TraceDemand:
    """A trace that begins with the run and begins again when it ends, at `rate_s` on the mean."""

    trace: RequestTrace
    rate_s: float | None = None
    """None: as in the trace."""

    @property
    def scale(self) -> float:
        """Requests for each of the trace."""
        own_s = self.trace.requests / length_s(self.trace)
        return 1.0 if self.rate_s is None else self.rate_s / own_s

    def hourly(self, hours: int, most: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return rate in requests/s on each of `hours` + 1 boundaries, the share of requests longer
        than `most` tokens, and mean input and output of the others.

        Each boundary has the mean of the hour around it (of the half hour after the start), so that
        lines between them keep the number of requests but for the two ends.
        """
        edges = np.asarray((np.arange(hours + 2) - 0.5) * HOUR_S, np.float64)
        edges[0] = 0.0
        counted = np.diff(self._until(np.ones(self.trace.requests), edges))
        sides = (self.trace.input_tokens, self.trace.output_tokens)
        fits = sides[0] + sides[1] <= most
        held = np.diff(self._until(fits.astype(float), edges))
        tokens = [np.diff(self._until(side * fits.astype(float), edges)) for side in sides]
        means = [
            np.where(held > 0.0, total / np.maximum(held, 1.0), side[fits].mean() if fits.any() else 1.0)
            for total, side in zip(tokens, sides, strict=True)
        ]
        rejected = 1.0 - np.where(counted > 0.0, held / np.maximum(counted, 1.0), 1.0)
        return self.scale * counted / np.diff(edges), rejected, means[0], means[1]

    def _until(self, values: Floats, at_s: Floats) -> Floats:
        """Return the sum of a column over requests that arrive before each moment."""
        whole, part = np.divmod(at_s, length_s(self.trace))
        sums = np.concatenate(([0.0], np.cumsum(values)))
        arrival_s = self.trace.arrival_s - self.trace.arrival_s[0]
        return whole * sums[-1] + sums[np.searchsorted(arrival_s, part)]
