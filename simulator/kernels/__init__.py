"""Numba loops: arrays in, arrays out. No project imports from above, no objects, no units.

Numba's cache looks at the file of a function, not at the files of what it calls, so a change in one
kernel would leave stale machine code in another. The cache folder is therefore named after the
hash of all kernels (and lies outside the package, which may be read-only).
"""

import hashlib
import os
from pathlib import Path

from numba import config


def _cache_folder() -> Path:
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gigawatt" / f"kernels-{hashlib.sha256(sources).hexdigest()[:12]}"


if not os.environ.get("NUMBA_CACHE_DIR"):
    config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]
