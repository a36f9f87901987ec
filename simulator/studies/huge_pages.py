"""Memory in large pages, so that a fork has few of them to copy.

A fork copies the table of its parent's pages, and a process that ends gives every one of them back: with
200 MB in pages of 4 kB that takes longer than an hour of a campus. Pages of 2 MB are a five-hundredth of
that. Linux collapses pages on request since 6.1; elsewhere nothing happens, and nothing but time is lost.
"""

import ctypes
import re
import sys
from collections.abc import Iterator

LARGE = 2 << 20
"""Bytes of a large page on x86-64 and, with 4 kB pages, on 64-bit ARM."""
MADV_COLLAPSE = 25
"""`madvise(2)`: make large pages of what is there, now."""
_OWN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s")


def collapse() -> None:
    """Give back what this process has freed, and put the rest of its own memory into large pages, as far as
    the system does so."""
    if not sys.platform.startswith("linux"):
        return
    system = ctypes.CDLL(None)
    if hasattr(system, "malloc_trim"):  # of glibc
        system.malloc_trim(ctypes.c_size_t(0))
    madvise = system.madvise
    for first, last in _ranges():
        for page in range(first, last, LARGE):  # one by one: a call ends at the first that is empty
            madvise(ctypes.c_void_p(page), ctypes.c_size_t(LARGE), MADV_COLLAPSE)


def _ranges() -> Iterator[tuple[int, int]]:
    """Yield the addresses of private memory that large pages fill."""
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        lines = maps.readlines()
    for found in filter(None, map(_OWN.match, lines)):
        first, last = (int(word, 16) for word in found.groups())
        first, last = -(-first // LARGE) * LARGE, last // LARGE * LARGE
        if first < last:
            yield first, last
