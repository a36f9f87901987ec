"""The saves of a running job: what each tier holds, what of it a failure leaves."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Save:
    """One save of the whole job."""

    taken_s: float
    safe_s: float
    """When its transfer is finished."""
    work_s: float
    """Work of the job that it holds."""


@dataclass
class TierSaves:
    """One tier: every n-th snapshot goes there."""

    name: str
    every: int
    transfer_s: float
    keep: int
    memory: bool = False
    """Whether it is lost with the power of the racks."""
    kept: deque[Save] = field(default_factory=deque)
    """Oldest first."""
    made: int = 0
    lost: int = 0
    """On their way when a failure struck."""

    def add(self, save: Save) -> None:
        """Keep a save; the oldest goes when the newest is safe as well."""
        self.kept.append(save)
        while len(self.kept) > self.keep + 1:
            self.kept.popleft()

    def safe(self, now_s: float, clean_s: float) -> list[Save]:
        """Return the saves that are finished and were taken before a time."""
        return [s for s in self.kept if s.safe_s <= now_s and s.taken_s <= clean_s]


class Saves:
    """All tiers of a job, over stretches of steady computing.

    In a stretch every cycle ends with a snapshot, so what is safe at a moment is arithmetic; nothing
    happens at a save.
    """

    def __init__(self, tiers: Sequence[TierSaves], cycle_s: float) -> None:
        self.tiers = tiers
        self.cycle_s = cycle_s
        self.opened: tuple[float, float] | None = None
        """Since when the present stretch lasts, and the work done before."""
        self._gone: set[int] = set()
        """Slots whose memory was lost since the copies in it were made."""

    def retune(self, tiers: Sequence[TierSaves], cycle_s: float) -> None:
        """Go on in another rhythm; what is kept stays."""
        self.cycle_s = cycle_s
        for mine, other in zip(self.tiers, tiers, strict=True):
            mine.every, mine.transfer_s = other.every, other.transfer_s

    def open(self, at_s: float, work_s: float) -> None:
        """Begin a stretch."""
        self.opened = (at_s, work_s)

    def settle(self, now_s: float, work_s: float) -> None:
        """End the stretch and keep what was saved in it; work went on evenly."""
        if self.opened is None:
            return
        since_s, before_s = self.opened
        self.opened = None
        elapsed_s, done_s = now_s - since_s, work_s - before_s
        if elapsed_s < self.cycle_s:
            return
        for tier in self.tiers:
            count = int(elapsed_s // (self.cycle_s * tier.every))
            tier.made += count
            for nth in range(max(count - tier.keep, 1), count + 1):
                taken_s = nth * tier.every * self.cycle_s
                frac = min(taken_s / elapsed_s, 1.0)
                at_s = since_s + taken_s
                tier.add(Save(at_s, at_s + tier.transfer_s, before_s + done_s * frac))
        self._replicated(since_s, now_s)

    def save_all(self, now_s: float, work_s: float, at_once: bool = False) -> None:
        """Save to every tier outside the rhythm; `at_once`, wait until it is safe."""
        for tier in self.tiers:
            tier.made += 1
            tier.add(Save(now_s, now_s + (0.0 if at_once else tier.transfer_s), work_s))

    def hit(
        self, now_s: float, slots: np.ndarray, copies: Callable[[], np.ndarray | None], dark: bool
    ) -> None:
        """Strike what a failure takes: transfers under way; copies in the memory of the slots that
        lost theirs; all memory where the power is gone.

        Parameters
        ----------
        copies : callable
            Returns the slot that holds the copy of each slot's memory, int64 (slots of the job,), or
            None; asked when that matters.
        """
        for tier in self.tiers:
            on_way = [save for save in tier.kept if save.safe_s > now_s]
            tier.lost += len(on_way)
            for save in on_way:
                tier.kept.remove(save)
        self._gone.update(int(slot) for slot in slots)
        for tier in self.tiers:
            alone = tier.name == "local" and len(self._gone) > 0
            both = tier.name == "peer" and self._both_gone(copies)
            if alone or both or (dark and tier.memory):
                tier.kept.clear()

    def best(self, now_s: float, clean_s: float = np.inf) -> tuple[TierSaves | None, float]:
        """Return the tier to load and the work that it holds: the newest save there is, of the
        fastest tier that has it. None and 0 if nothing is saved.

        With corruption that began at `clean_s`, the newest save from before; if none is left, the
        oldest. Saves that are spoilt are thrown away.
        """
        found = [(s, tier) for tier in self.tiers for s in tier.safe(now_s, clean_s)]
        if not found:
            every = [(s, tier) for tier in self.tiers for s in tier.safe(now_s, np.inf)]
            found = [min(every, key=lambda pair: pair[0].taken_s)] if every else []
        best, of = max(found, key=lambda pair: pair[0].work_s) if found else (None, None)
        work_s = best.work_s if best is not None else 0.0
        for tier in self.tiers if clean_s < np.inf else ():
            tier.kept = deque(save for save in tier.kept if save.work_s <= work_s)
        return of, work_s

    def _replicated(self, since_s: float, now_s: float) -> None:
        """Forget lost memory, and what older saves it left incomplete, once a newer save is whole."""
        if not self._gone:
            return
        for tier in self.tiers:
            if tier.name in ("local", "peer"):
                fresh = [s for s in tier.kept if s.taken_s > since_s]
                if any(s.safe_s <= now_s for s in fresh):
                    tier.kept = deque(fresh)
        copies = [t for t in self.tiers if t.name in ("local", "peer")]
        if all(t.kept and t.kept[0].taken_s > since_s for t in copies):
            self._gone.clear()

    def _both_gone(self, copies: Callable[[], np.ndarray | None]) -> bool:
        """Return whether some memory is gone together with its copy."""
        held = copies() if len(self._gone) > 1 else None
        return held is not None and any(int(held[slot]) in self._gone for slot in self._gone)


def partners(domains: np.ndarray) -> np.ndarray:
    """Return for each slot of a job the slot that holds its copy, in another domain.

    Slots in the order of their domains hand their copies on by the size of the largest one, so that
    none stays inside; where one holds more than half of the job, by half of the job instead.
    """
    order = np.argsort(domains, kind="stable")
    n = domains.size
    largest = int(np.bincount(np.unique(domains, return_inverse=True)[1]).max())
    shift = largest if 2 * largest <= n else n // 2
    found = np.empty(n, np.int64)
    found[order] = order[(np.arange(n) + shift) % n]
    return found
