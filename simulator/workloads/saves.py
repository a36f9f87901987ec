"""The saves of a running job: what each tier holds, what of it a failure leaves."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

IN_HOSTS = ("local", "peer")
"""Tiers whose saves go with the hosts of the job."""


class Save(NamedTuple):
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
    gone: set[int] = field(default_factory=set)
    """Slots of the job whose host was lost since the newest save was made, where saves are in hosts."""
    made: int = 0
    lost: int = 0
    """On their way when a failure struck."""

    def add(self, save: Save) -> None:
        """Keep a save; the oldest goes when the newest is safe as well."""
        self.kept.append(save)
        while len(self.kept) > self.keep + 1:
            self.kept.popleft()

    def newest(self, now_s: float, clean_s: float) -> Save | None:
        """Return the newest save that is finished and was taken before a time."""
        for save in reversed(self.kept):
            if save.safe_s <= now_s and save.taken_s <= clean_s:
                return save
        return None

    def cut_short(self, now_s: float) -> None:
        """Throw away what is still on its way."""
        while self.kept and self.kept[-1].safe_s > now_s:
            self.kept.pop()
            self.lost += 1


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
            if tier.gone:
                _made_up(tier, since_s, now_s)

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
            tier.cut_short(now_s)
            if tier.name in IN_HOSTS:
                tier.gone.update(int(slot) for slot in slots)
            alone = tier.name == "local" and len(tier.gone) > 0
            both = tier.name == "peer" and _both_gone(tier.gone, copies)
            if alone or both or (dark and tier.memory):
                tier.kept.clear()
                tier.gone.clear()

    def best(self, now_s: float, clean_s: float = np.inf) -> tuple[TierSaves | None, float]:
        """Return the tier to load and the work that it holds: the newest save there is, of the
        fastest tier that has it. None and 0 if nothing is saved.

        With corruption that began at `clean_s`, the newest save from before; if none is left, the
        oldest. Saves that are spoilt are thrown away.
        """
        held = [(tier.newest(now_s, clean_s), tier) for tier in self.tiers]
        found = [(save, tier) for save, tier in held if save is not None]
        if not found:
            every = [(t.kept[0], t) for t in self.tiers if t.kept and t.kept[0].safe_s <= now_s]
            found = [min(every, key=lambda pair: pair[0].taken_s)] if every else []
        if not found:
            return None, 0.0
        best, of = max(found, key=lambda pair: pair[0].work_s)
        for tier in self.tiers if clean_s < np.inf else ():
            tier.kept = deque(save for save in tier.kept if save.work_s <= best.work_s)
        return of, best.work_s


def _made_up(tier: TierSaves, since_s: float, now_s: float) -> None:
    """Forget lost hosts, and the older saves they left incomplete, once a newer save is whole."""
    fresh = [save for save in tier.kept if save.taken_s > since_s]
    if any(save.safe_s <= now_s for save in fresh):
        tier.kept = deque(fresh)
        tier.gone.clear()


def _both_gone(gone: set[int], copies: Callable[[], np.ndarray | None]) -> bool:
    """Return whether some host is gone together with the one that has its copy."""
    held = copies() if len(gone) > 1 else None
    return held is not None and any(int(held[slot]) in gone for slot in gone)


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
