"""Names for random streams: (seed, replicate, purpose) to a Philox key, a name to a counter word.

The k-th draw of an entity depends on nothing but these, so plan A and plan B share their draws
wherever they share entities (common random numbers), on any number of workers.
"""

import hashlib

import numpy as np


def key(seed: int, replicate: int, purpose: str) -> tuple[int, int]:
    """Return the two 32-bit key words of a stream."""
    words = np.frombuffer(_digest(f"{seed}/{replicate}/{purpose}"), np.uint32)
    return int(words[0]), int(words[1])


def word(name: str) -> int:
    """Return a 32-bit counter word for the name of an entity."""
    return int(np.frombuffer(_digest(name), np.uint32)[0])


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
