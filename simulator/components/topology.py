"""The campus as its author writes it: templates and counts, not half a million rows."""

from typing import Annotated

from pydantic import Field

from simulator.components.cooling import AnyAirSide, CoolantSide, Plant
from simulator.components.cooling.heat_reuse import HeatReuse
from simulator.components.cooling.indoor_heat import IndoorHeat
from simulator.components.cooling.setpoint import Setpoint
from simulator.components.cooling.water import Water
from simulator.components.fabric import Fabric
from simulator.components.fabric.wan import Wan
from simulator.components.kinds import Spec
from simulator.components.power.bank import Bank
from simulator.components.power.battery import Battery
from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.block import Block
from simulator.components.power.breaker import Protection
from simulator.components.power.control import Control
from simulator.components.power.distribution import Distribution
from simulator.components.power.generator import Generators
from simulator.components.power.grid import Grid
from simulator.components.power.medium_voltage import MediumVoltage
from simulator.components.power.ride_through import RideThrough
from simulator.components.power.tolerance import Tolerances
from simulator.components.power.ups import Ups
from simulator.components.rack import Rack
from simulator.components.storage import Storage
from simulator.units import Duration, Fraction, NonNegative, Power, Temperature, Within


class SupportRacks(Spec):
    """Racks without accelerators: CPU, storage, network."""

    name: str
    rack: str
    """Rack type, from `topology.racks` or the catalog."""
    count: Annotated[int, Field(ge=0, le=100_000)]


class Hall(Spec):
    """`count` equal halls; each has its own feeders, plants, blocks and network rooms."""

    name: str
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    rack: str
    """Accelerator rack type, from `topology.racks` or the catalog."""
    age: Annotated[Duration, Within("0 s", "50 years")] | None = None
    """Age of what stands in these halls at the start; blank: `reliability.age`."""
    blocks: Annotated[int, Field(ge=1, le=1000)]
    """Groups of racks with a coolant unit."""
    block: Block
    """Unit substation and busway: of each block, or of each lineup of `distribution`."""
    racks_per_block: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Blank: as many as the block's continuous rating feeds at nameplate, times
    1 + `topology.oversubscription`, and as feeders and connection take by
    `topology.control.oversubscription`."""
    feeders: Bank
    """Medium-voltage feeders of one hall."""
    path: str | None = None
    """Named chain of conversions, from the catalog's `power_paths`: its losses replace those of the
    block's substation and busway and of the accelerator racks' shelves. Blank: as written there."""
    battery_backup: BatteryBackup | None = None
    """Batteries of each accelerator rack, in it or in its row; blank: those of the rack type."""
    distribution: Distribution | None = None
    """How the blocks are fed; blank: each by a unit substation and a busway of its own."""
    support: tuple[SupportRacks, ...] = ()
    fabric: Fabric | None = None  # type: ignore[valid-type]
    """Back-end fabric of this group of halls; blank: of the kind at `topology.fabric`. Each group
    has a fabric of its own."""
    house: Annotated[Power, NonNegative()] = 0.0
    """Lights, controls and offices of one hall."""


class Cooling(Spec):
    """Two loops that share no setpoint: warm liquid for cold plates, chilled water for air."""

    supply: Annotated[Temperature, Within("15 degC", "100 degC")]
    """Coolant supplied to the cold plates; below 15 degC the dew point of the room is near."""
    warm: Plant
    """Rejects the heat of the cold plates."""
    coolant_unit: CoolantSide  # type: ignore[valid-type]
    """What stands between the plant's loop and the racks: a coolant unit with pumps and cold plates
    (without a `kind`), or tanks in which the racks are immersed."""
    chilled_supply: Annotated[Temperature, Within("4 degC", "60 degC")]
    """Chilled water supplied to fan walls."""
    chilled: Plant
    """Rejects the heat of the air."""
    fan_wall: AnyAirSide  # type: ignore[valid-type]
    """What brings the heat of the halls' air to chilled water; a mapping without a kind is a
    `fan_wall`."""
    setpoint: Setpoint = Setpoint()
    """What tells the warm plant how warm its water is to be; `supply` less the coolant unit's approach
    at rest."""
    chilled_setpoint: Setpoint = Setpoint()
    """The same for the chilled plant and `chilled_supply`."""
    indoors: IndoorHeat = IndoorHeat()
    """Heat of lights, UPS, busways and substations that the halls' air side carries."""
    heat_reuse: HeatReuse | None = None
    """Users of the warm loops' heat; blank: none."""
    water: Water = Water()
    """How much water the site may take."""
    pumps_on_ups: bool = True
    """Whether the pumps of coolant units hang on the hall's pump UPS; else they stop with the plants."""
    loop_pumps_on_ups: bool = True
    """The same of the pumps of the warm and the chilled loop."""
    inspection: Annotated[Duration, Within("1 s", "168 h")] = 14_400.0
    """From when racks switched themselves off for heat until they are looked at and may boot (assumed, 2-8 h)."""


class Topology(Spec):
    """Everything that is built."""

    name: str
    oversubscription: Annotated[Fraction, Field(ge=0, le=1)] = 0.0
    """Accelerator racks installed beyond the nameplate their blocks can feed."""
    power_margin: Annotated[Fraction, Field(ge=0, lt=0.5)] = 0.0
    """Share of the firm import held back before loads are capped."""
    control: Control = Control()
    """What acts when an element carries more than it may."""
    grid: Grid
    medium_voltage: MediumVoltage | None = None
    """Buses, ties and rings between main transformers and halls; blank: one bus for all."""
    ups: Ups
    """Of a hall's pumps, and of each of the two sides of its support racks, which carries all of them alone."""
    mechanical: Block
    """Unit substation that feeds the plants of a hall, sized on their design load."""
    generators: Generators | None = None
    battery: Battery | None = None
    ride_through: RideThrough = RideThrough()
    """How loads take a voltage sag, and come back."""
    tolerances: Tolerances = Tolerances()
    """How long elements carry more than their rating, where it is not the default."""
    protection: Protection = Protection()
    """When the breakers of elements open: the earlier of that and of `tolerances` counts."""
    cooling: Cooling
    fabric: Fabric  # type: ignore[valid-type]
    """Back-end fabric of hall groups that do not name their own."""
    wan: tuple[Wan, ...] = ()
    """Links between the fabrics of hall groups; without them no job spans two groups."""
    storage: Storage | None = None
    """Bandwidth of the storage racks, whose draw then follows their use; blank: those that stand in
    the halls, at the default bandwidth and their own steady draw."""
    racks: tuple[Rack, ...] = ()
    """Rack types of this site, beside the catalog's."""
    halls: Annotated[tuple[Hall, ...], Field(min_length=1)]
