"""What a folder of runs was made from: whoever finds the same again need not read it again.

Nothing here loads the simulator, so that a sweep which is all done says so at once.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from simulator import __version__
from simulator.studies.written import write_whole

PLAN, FINISHED = "plan.json", "finished.json"
CODE = (".py", ".yaml", ".typ")
DONE_BEGINS, DONE_ENDS = b'{"status": "done"', b"}\n"


@cache
def code_version() -> str:
    """Return the version with a hash of the package's code and catalog.

    Two results may share a study only if this is the same for both.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in CODE):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:16]}"


def write(
    folder: Path, name: str, sweep: Path, asked: Sequence[str], files: Iterable[Path],
    told: Mapping[str, Any],
) -> None:
    """Keep what was found out from a sweep file and what it names; `asked` is what the command line adds."""
    hashes = {str(path.resolve()): _digest(path) for path in {sweep, *files}}
    text = json.dumps({**_given(sweep, asked), "files": dict(sorted(hashes.items())), **told})
    write_whole(folder / name, text + "\n")


def close(folder: Path, sweep: Path, asked: Sequence[str], told: Mapping[str, Any]) -> None:
    """Keep what was found out when all was done, if the inputs are still those of the plan."""
    planned = held(folder, PLAN, sweep, asked)
    if planned is not None:
        head = {key: planned[key] for key in ("version", "sweep", "asked", "files")}
        write_whole(folder / FINISHED, json.dumps({**head, **told}) + "\n")


def held(folder: Path, name: str, sweep: Path, asked: Sequence[str]) -> dict[str, Any] | None:
    """Return what was found out from the same file, code and inputs; None where anything differs."""
    try:
        known: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
        same = {key: known[key] for key in ("version", "sweep", "asked")} == _given(sweep, asked)
        same = same and all(_digest(Path(file)) == digest for file, digest in known["files"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return known if same else None


def finished(folder: Path, sweep: Path, asked: Sequence[str]) -> str | None:
    """Return what a sweep had to tell when every run was done, if it still is so."""
    known = held(folder, FINISHED, sweep, asked)
    if known is None or not all((folder / name).is_file() for name in known["tables"]):
        return None
    return str(known["told"]) if all(is_done(folder / "runs" / name) for name in known["runs"]) else None


def is_done(file: Path) -> bool:
    """Say whether a file is the whole record of a run that is done."""
    try:
        content = file.read_bytes()
    except OSError:
        return False
    return content.startswith(DONE_BEGINS) and content.endswith(DONE_ENDS)


def _given(sweep: Path, asked: Sequence[str]) -> dict[str, Any]:
    return {"version": code_version(), "sweep": str(sweep.resolve()), "asked": list(asked)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
