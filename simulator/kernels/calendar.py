"""A replica's calendar: a heap of the decode steps at which something happens to a request.

An entry is one whole number, step x 2^32 + kind x 2^28 + request, so that entries of one step are
ordered by kind and request, and comparing is one instruction.
"""

from simulator.kernels.compiled import inlined, inner

STEP_SHIFT, KIND_SHIFT = 32, 28
REQUESTS = 1 << KIND_SHIFT
"""Requests that one call can number."""


@inlined
def entry(step, kind, request):
    """Return the entry of something that happens once `step` decode steps are done."""
    return (step << STEP_SHIFT) | (kind << KIND_SHIFT) | request


@inlined
def push(heap, r, size, new):
    """Add an entry to row r of the heaps, of `size`."""
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if heap[r, parent] <= new:
            break
        heap[r, at] = heap[r, parent]
        at = parent
    heap[r, at] = new


@inlined
def sink(heap, r, size, at, new):
    """Put an entry at a place whose children are in order."""
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[r, child + 1] < heap[r, child]:
            child += 1
        if heap[r, child] >= new:
            break
        heap[r, at] = heap[r, child]
        at = child
    heap[r, at] = new


@inlined
def pop(heap, r, size):
    """Take the first entry off row r."""
    if size > 1:
        sink(heap, r, size - 1, 0, heap[r, size - 1])


@inner
def strike(heap, r, size, request):
    """Take all entries of a request off row r; return how many are left."""
    left = 0
    for at in range(size):
        if heap[r, at] & (REQUESTS - 1) != request:
            heap[r, left] = heap[r, at]
            left += 1
    for at in range(left // 2 - 1, -1, -1):
        sink(heap, r, left, at, heap[r, at])
    return left
