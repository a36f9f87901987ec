"""Studies: one run kept in its folder, or many runs of many designs, as tables."""

from simulator.errors import StudyError

__all__ = ["StudyError"]
