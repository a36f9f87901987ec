"""Folders that results go to: whether one may be written to, and how a new one takes its place."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.studies import StudyError


class FolderError(StudyError):
    """A folder that cannot be written to or read as a run."""


def refuse_other(folder: Path, mark: str, what: str) -> None:
    """Refuse a place for results that is a file, or a folder in use that lacks the file `mark` of
    `what` such folders hold; FolderError."""
    if folder.is_file():
        raise FolderError(f"{folder} is a file; choose another folder with -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
        told = f"{folder} is not empty and holds no {what} (no {mark})"
        raise FolderError(f"{told}; choose another with -o, or empty it")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield a fresh sibling folder that takes the place of `folder` when all went well."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        fresh, old = Path(scratch) / "new", Path(scratch) / "old"
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
