"""Fan walls: one wall of fans and coils along a hall, hot aisles contained."""

from typing import Literal

from simulator.components.cooling.air_side import AirSide


class FanWall(AirSide):
    """Large, slow fans behind coils; supply air fills the hall, return air comes from hot aisles."""

    kind: Literal["fan_wall"] = "fan_wall"
