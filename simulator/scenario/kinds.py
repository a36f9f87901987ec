"""What goes on to another kind of cooling equipment that an override puts in the place of one."""

from collections.abc import Sequence

from simulator.components.cooling import AIR_KINDS, PLANT_KINDS, RACK_SIDE_KINDS
from simulator.components.kinds import Spec

PLACES: dict[str, tuple[Sequence[type[Spec]], str | None]] = {
    "topology.cooling.warm": (PLANT_KINDS, None),
    "topology.cooling.chilled": (PLANT_KINDS, None),
    "topology.cooling.coolant_unit": (RACK_SIDE_KINDS, "coolant_unit"),
    "topology.cooling.fan_wall": (AIR_KINDS, "fan_wall"),
}
"""The kinds that may stand there, and the one that does where none is named."""


def carried(path: str, before: str | None, named: str) -> frozenset[str] | None:
    """Return the keys that go on from one kind to another: those that must be given or have one default in both, as
    units, spares and pumps of a loop. The rest starts from the new kind's defaults. None: all, for the kind is
    the same, unknown, or of something else.
    """
    kinds, default = PLACES.get(path, ((), None))
    by_name = {kind.model_fields["kind"].default: kind.model_fields for kind in kinds}
    old, new = by_name.get(before or default), by_name.get(named)
    if old is None or new is None or old is new:
        return None
    return frozenset(
        key for key in new if key in old and (new[key].is_required() or new[key].default == old[key].default)
    )
