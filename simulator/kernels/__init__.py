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


def _keep_in(folder: Path) -> None:
    """Let Numba keep machine code in a folder, unless somebody told it another. It is told by the environment
    as well, which Numba reads anew whenever a variable of its own changes; a folder of kernels there is what
    the process that started this one, maybe of another version, had told itself."""
    told = os.environ.get("NUMBA_CACHE_DIR")
    if not told or Path(told).parent == folder.parent:
        os.environ["NUMBA_CACHE_DIR"] = config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]


_keep_in(_cache_folder())
