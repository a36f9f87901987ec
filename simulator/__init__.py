"""Simulator of AI campuses: from a scenario file to a planning report.

In a notebook: `import simulator as gw`, then `gw.Scenario`, `gw.Sweep`, `gw.load`. They are loaded
on first use, so that the import itself costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.2.0"

_FACE = ("Run", "Scenario", "Sweep", "compare", "load")


def __getattr__(name: str) -> Any:
    if name in _FACE:
        return getattr(importlib.import_module("simulator.api"), name)
    raise AttributeError(f"module 'simulator' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FACE])
