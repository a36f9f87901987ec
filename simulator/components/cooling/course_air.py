"""The air of a hall, once something of what cools it fails.

    C_air dT/dt = q - what fans and chilled water carry away - what walls and roof lose

by the law of the engine's step (`kernels/hall_air.py`). q is what racks of chips, lights and power chain give to
the air, and what racks without accelerators draw, which fade between the two intakes they bear
(`kernels/racks.py`). Racks of chips switch themselves off in air too hot for them, as in `engine/physics.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.components.cooling.course_parts import ALWAYS, Heat, Steps, Water, share_at
from simulator.kernels import hall_air
from simulator.kernels.racks import FADE

INTAKE = "intake"
"""The limit of racks that air cools, beside those of a chip."""
FADE_S = -60.0 / math.log1p(-FADE)
"""Time in which racks without accelerators follow their air: of the engine's share a minute."""
STILL = (0.0, 0.0, 0.0, 0.0)
"""Lines of `hall_air.carriers` where nothing turns."""


@dataclass(frozen=True)
class Air:
    """The air of a hall and its chilled loop at the moment of the failure."""

    intake_c: float
    told_c: float
    """Intake that the coils' valve holds as long as its water allows."""
    mixed_k: float
    """By which that lies above their supply air: exhaust that always comes round."""
    mass_j_k: float
    """Of the air and of what it touches."""
    range_k: float
    """Warming of the air in the racks."""
    design_w: float
    """Heat for which the fans are sized."""
    full: float
    """Most airflow over what racks take at that heat."""
    racks: Heat
    """Of racks of chips, lights and power chain."""
    support_w: float
    """Of racks without accelerators, all at work."""
    support_share: float
    """Of them at work."""
    support_c: tuple[float, float]
    """Intakes at which the first of them slow, and the last is off."""
    off_c: float
    """Intake at which racks of chips switch themselves off."""
    fans_w: Callable[[float, float], float]
    """(heat in W, share of fans that turns) -> what they draw, into the air."""
    pumps_w: float
    """Into the loop."""
    water: Water
    open_k: Callable[[float, float, float], float]
    """(heat in W, share of fans that turns, flow) -> supply air over chilled water of coils whose valve is open."""
    outdoor_c: float
    """Supply air that outdoor air alone holds."""
    outdoors: float
    """Share of the heat that outdoor air takes while fans turn."""
    envelope_w_k: float
    """Conductance of walls and roof."""
    loses_above_c: float
    """Air from which on they lose heat: outdoors, or what is meant to be indoors."""


@dataclass(frozen=True)
class AirFailure:
    """What of the air side works from the failure on."""

    fans: Steps = ALWAYS
    """Share of them that turns."""
    water: Steps = ALWAYS
    """Flow of the chilled loop."""
    plant: Steps = ALWAYS
    """Share of the chilled plant's units that runs."""


NOTHING = AirFailure()


class HallAir:
    """The same as it changes."""

    def __init__(self, air: Air, failure: AirFailure) -> None:
        self.air, self.failure = air, failure
        self.over_k, self.share, self.water_c = air.intake_c - air.told_c, air.support_share, air.water.supply_c

    @property
    def intake_c(self) -> float:
        """What racks take in, in degC."""
        return self.air.told_c + self.over_k

    def advance(self, time_s: float, dt_s: float, racks_w: float) -> None:
        """Let a step pass in which racks of chips, lights and power chain give `racks_w` to the air."""
        air, told = self.air, self.failure
        fans, flow, units = (share_at(steps, time_s) for steps in (told.fans, told.water, told.plant))
        first_c, last_c = air.support_c
        target = min(max((last_c - self.intake_c) / (last_c - first_c), 0.0), 1.0)
        self.share += (target - self.share) * -math.expm1(-dt_s / FADE_S)
        air_w = racks_w + self.share * air.support_w
        made_w = air_w + (air.fans_w(air_w, fans) if fans > 0.0 else 0.0)
        moves = (1.0 if flow > 0.0 else air.outdoors) if fans > 0.0 else 0.0
        carried = self._carriers(air_w, fans, flow) if fans > 0.0 else STILL
        walls, before_k = (air.envelope_w_k, air.loses_above_c - air.told_c), self.over_k
        self.over_k, lost_j = hall_air.warmed(before_k, carried, moves, made_w, walls, air.mass_j_k, dt_s)
        given_w = made_w - (air.mass_j_k * (self.over_k - before_k) + lost_j) / dt_s
        self.water_c = air.water.after(self.water_c, given_w * (1.0 - air.outdoors) + air.pumps_w, units, flow, dt_s)

    def _carriers(self, air_w: float, fans: float, flow: float) -> tuple[float, float, float, float]:
        air, supply_c = self.air, self.air.told_c - self.air.mixed_k
        mixed_k = air.range_k * max(air_w / air.design_w / (fans * air.full) - 1.0, 0.0)
        told = self.water_c - supply_c, air.outdoor_c - supply_c
        moved_w_k = fans * air.full * air.design_w / air.range_k
        found: tuple[float, float, float, float] = hall_air.carriers(
            air_w, moved_w_k, mixed_k, told, air.open_k(air_w, fans, flow))
        return found
