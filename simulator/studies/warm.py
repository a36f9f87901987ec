"""Kernels that are compiled once per machine, and loaded once for all processes forked from this one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from numba import config

from simulator.metrics import kpis
from simulator.scenario import Scenario
from simulator.simulation import outcome

TRIED_S = 3600.0
"""Simulated time of what is run to have every kernel at hand."""
_ready: set[frozenset[str]] = set()
"""Kinds of work whose kernels this process has."""


def cold() -> bool:
    """Return whether no kernel of this version has been compiled on this machine."""
    return not any(Path(config.CACHE_DIR).rglob("*.nbc"))  # type: ignore[attr-defined]


def make_ready(scenario: Scenario) -> None:
    """Have at hand the kernels that a scenario needs, by an hour of it whose result nobody looks at.

    Whoever comes first on a machine compiles them; others wait, then load what was compiled.
    """
    kinds = frozenset(type(work).__name__ for work in scenario.spec.workloads)
    if kinds in _ready:
        return
    period = scenario.spec.period
    short = period.model_copy(update={"duration": min(period.duration, TRIED_S)})
    tried = replace(scenario, spec=scenario.spec.model_copy(update={"period": short}))
    with _by_turns(), suppress(Exception):  # what is wrong with it is told when it is run
        kpis.summary([outcome(tried)])
    _ready.add(kinds)


@contextmanager
def _by_turns() -> Iterator[None]:
    """Wait until no other process of this machine compiles; where files cannot be locked, go on."""
    try:
        import fcntl

        folder = Path(config.CACHE_DIR)  # type: ignore[attr-defined]
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".compiling").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except (ImportError, OSError):
        yield
