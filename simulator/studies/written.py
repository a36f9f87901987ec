"""Files that are written whole or not at all."""

import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, text: str) -> None:
    """Write a file so that readers see the old one or the new one, never a part."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, "utf-8")
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def write_table(table: Any, path: Path) -> None:
    """Write a data frame as Parquet likewise."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        table.to_parquet(fresh, index=False, compression="zstd")
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
