"""Models that telemetry can be held against, one file per kind: the plan engine's own equations, for
one part of the plant, with measured inputs in place of simulated ones."""

import sys

from simulator.components.kinds import kinds_of, union_of
from simulator.studies.calibrate.models._base import Inputs, Quantity, TelemetryModel

Model = union_of(kinds_of(sys.modules[__name__], TelemetryModel))
"""Any of them, told apart by `kind`."""

__all__ = ["Inputs", "Model", "Quantity", "TelemetryModel"]
