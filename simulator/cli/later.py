"""Libraries that a command needs at its end, if at all: imported when something first asks for what they hold.

pandas and pyarrow take half a second to load, which `check` need not wait for; and a process that is forked
a thousand times copies, and gives back, what they have mapped each time.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

TABLES = ("pandas", "pyarrow", "pyarrow.compute", "pyarrow.csv", "pyarrow.json", "pyarrow.parquet")
"""What reads and writes tables; a package stands before its parts."""


class _Later(ModuleType):
    """Stands in for a module until one of its names is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_load(self), name)


def put_off(names: tuple[str, ...] = TABLES) -> None:
    """Have modules imported when they are first used; those that are there already stay, and those that
    are not installed fail where they are imported, as ever."""
    for name in names:
        package, _, own = name.rpartition(".")
        above = sys.modules.get(package)
        if name in sys.modules or (package and not isinstance(above, _Later)):
            continue
        found = PathFinder.find_spec(name, _folders(above))
        if found is not None:
            stand_in = _Later(name)
            stand_in.__spec__ = found
            sys.modules[name] = stand_in
            if above is not None:
                setattr(above, own, stand_in)


def _folders(package: ModuleType | None) -> list[str] | None:
    """Return where the parts of a package lie, or None: where all modules do."""
    found: ModuleSpec | None = getattr(package, "__spec__", None)
    return None if found is None else found.submodule_search_locations


def _load(stand_in: _Later) -> ModuleType:
    """Import the module for which one stands in, its package with it, and return it; whoever holds the
    stand-in then finds everything there."""
    name = stand_in.__name__
    package = name.partition(".")[0]
    for other, module in list(sys.modules.items()):
        if isinstance(module, _Later) and other.partition(".")[0] == package:
            del sys.modules[other]
    module = importlib.import_module(name)
    vars(stand_in).update(vars(module))
    return module
