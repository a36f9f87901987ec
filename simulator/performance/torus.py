"""What a group of ranks gets of a torus: links in use, steps, and the bisection."""

from math import prod


def extents(dimensions: tuple[int, ...], ranks: int, stride: int) -> list[int]:
    """Return how many ranks of a group stand along each axis.

    Chips are numbered along the first axis, then the second and so on; a group of ranks `stride`
    chips apart fills what its stride leaves of an axis before it turns into the next.
    """
    left, below, found = ranks, 1, []
    for size in dimensions:
        free = max(1, min(size, below * size // max(stride, below)))
        taken = min(left, free)
        found.append(taken)
        left = -(-left // taken)
        below *= size
    return found


def is_closed(dimensions: tuple[int, ...], axis: int, ranks: int) -> bool:
    """Tell whether links lead from the last of `ranks` along an axis back to the first.

    Tori of three axes are built of cubes of 4 x 4 x 4 whose faces meet in optical switches, which
    close an axis at any multiple of 4 (Jouppi et al., ISCA 2023).
    """
    return ranks == dimensions[axis] or (len(dimensions) == 3 and ranks % 4 == 0)


def ring_bytes_s(bytes_s: float, dimensions: tuple[int, ...], taken: list[int]) -> float:
    """Return the bandwidth per chip that ring collectives use.

    Rings run on the links of every axis the group has ranks on, both ways around; an axis that the
    group does not close has no way back, so a ring along it gets half.
    """
    axes = [axis for axis, n in enumerate(taken) if n > 1]
    used = sum(1.0 if is_closed(dimensions, axis, taken[axis]) else 0.5 for axis in axes)
    return bytes_s * used / len(dimensions)


def ring_steps(taken: list[int]) -> int:
    """Return the steps of one pass: half around each axis, as rings run both ways."""
    return sum(n // 2 for n in taken)


def exchange_s(
    bytes_s: float, dimensions: tuple[int, ...], taken: list[int], sent_bytes: float
) -> float:
    """Return the time of an all-to-all of `sent_bytes` per chip at full links.

    Half of all bytes cross the middle of the longest axis: N/2 chips send S/2 each over
    2 N/n links of B/2d one way, where n is that axis, closed, and d the number of axes;
    half as many links where the group does not close it. Never faster than the chip's own links.
    """
    link = bytes_s / (2 * len(dimensions))
    chips, slowest_s = prod(taken), 0.0
    for axis, n in enumerate(taken):
        links = (2 if is_closed(dimensions, axis, n) and n > 2 else 1) * chips / n
        if n > 1:
            slowest_s = max(slowest_s, chips / 2 * sent_bytes / 2 / (links * link))
    used = sum(n > 1 for n in taken) * 2 * link
    return max(slowest_s, sent_bytes * (chips - 1) / chips / used) if used else 0.0
