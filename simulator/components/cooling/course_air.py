"""The air of a hall whose chips sit on coolant, once something of what cools that air fails.

    C_air dT/dt = q - what fans and chilled water carry away - what walls and roof lose

q is what racks of chips, lights and power chain give to the air, and what racks without accelerators draw,
which fade between the two intakes they bear by the law of the engine's step (`kernels/racks.py`). Racks of
chips switch themselves off in air that nothing carries away, as in `engine/physics.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.components.cooling.course_parts import ALWAYS, Heat, Steps, Water, share_at
from simulator.kernels.racks import FADE

INTAKE = "intake"
"""The limit of racks that air cools, beside those of a chip."""
FADE_S = -60.0 / math.log1p(-FADE)
"""Time in which racks without accelerators follow their air: of the engine's share a minute."""


@dataclass(frozen=True)
class Air:
    """The air of a hall and its chilled loop at the moment of the failure."""

    intake_c: float
    mass_j_k: float
    """Of the air and of what it touches."""
    settle_s: float
    """Time in which it gives off what it held once it moves again."""
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
    fans_w: float
    """Into the air, while they turn; with the cube of the heat, as their airflow follows it."""
    pumps_w: float
    """Into the loop."""
    water: Water
    told_c: float
    """Supply air that the coils' valve holds as long as its water allows."""
    open_k: Callable[[float], float]
    """(heat in W) -> supply air over chilled water of coils whose valve is open."""
    outdoor_c: float
    """Supply air that outdoor air alone holds."""
    outdoors: float
    """Share of the heat that outdoor air takes while fans turn."""
    envelope_w_k: float
    """Conductance of walls and roof (`kernels/standing_heat.lost_outdoors_w`)."""
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
    warmer_k: float = 0.0
    """Of the intake, at once: exhaust that is mixed in."""


NOTHING = AirFailure()
LEAST_W = 1.0
"""Heat of a hall's air below which its fans' is not followed."""


class HallAir:
    """The same as it changes."""

    def __init__(self, air: Air, failure: AirFailure) -> None:
        self.air, self.failure = air, failure
        self.held_k, self.share, self.water_c = 0.0, air.support_share, air.water.supply_c
        self.made_w = air.racks.at(1.0, 1.0, 1.0) + self.share * air.support_w
        """Of racks, lights and power chain, in the step before."""
        self.first_w = max(self.made_w, LEAST_W)
        self.over_k = air.intake_c - self._supplied_c()
        self.stands = False
        """Whether nothing carries the heat away."""

    def intake_c(self, time_s: float) -> float:
        """Return what racks take in, in degC."""
        return self._supplied_c() + self.over_k + self.held_k + self.failure.warmer_k * (time_s > 0.0)

    def advance(self, time_s: float, dt_s: float, racks_w: float) -> None:
        """Let a step pass in which racks of chips, lights and power chain give `racks_w` to the air."""
        air, told = self.air, self.failure
        fans, flow, units = (share_at(steps, time_s) for steps in (told.fans, told.water, told.plant))
        self.stands = fans * flow * units <= 0.0
        first_c, last_c = air.support_c
        target = min(max((last_c - self.intake_c(time_s)) / (last_c - first_c), 0.0), 1.0)
        self.share += (target - self.share) * -math.expm1(-dt_s / FADE_S)
        lost_w = air.envelope_w_k * max(self.intake_c(time_s) - air.loses_above_c, 0.0)
        self.made_w = racks_w + self.share * air.support_w
        fans_w = fans * air.fans_w * (self.made_w / self.first_w) ** 3
        given_w = self._gives_w(self.made_w - lost_w + fans_w, fans > 0.0, flow > 0.0, dt_s)
        chilled_w = given_w * (1.0 - air.outdoors) + air.pumps_w
        self.water_c = air.water.after(self.water_c, chilled_w, units, flow, dt_s)

    def _supplied_c(self) -> float:
        return min(max(self.air.told_c, self.water_c + self.air.open_k(self.made_w)), self.air.outdoor_c)

    def _gives_w(self, made_w: float, turns: bool, flows: bool, dt_s: float) -> float:
        """Return what leaves the air; the rest warms it (`kernels/standing_heat.passed`)."""
        moves = (self.air.outdoors + (1.0 - self.air.outdoors) * flows) * turns
        left_k = self.held_k * math.exp(-moves * dt_s / self.air.settle_s)
        freed_w = (self.held_k - left_k) * self.air.mass_j_k / dt_s
        self.held_k = left_k + (1.0 - moves) * made_w * dt_s / self.air.mass_j_k
        return moves * made_w + freed_w
