"""What the docstrings of a spec's fields say, for manual and register."""

from simulator.components.kinds import Spec, told


class Plain(Spec):
    """A spec."""

    rating: float = 1.0
    """Of one unit,
    at rest."""
    count: int = 1
    spread: float = 0.0
    """Between units."""


class Special(Plain):
    """One that says some of it anew."""

    count: int = 2
    """Of units."""
    spread: float = 0.1


def test_a_field_is_told_by_the_docstring_below_it() -> None:
    assert told(Plain) == {"rating": "Of one unit,\nat rest.", "spread": "Between units."}


def test_a_field_declared_anew_is_told_anew_or_not_at_all() -> None:
    assert told(Special) == {"rating": "Of one unit,\nat rest.", "count": "Of units."}


def test_what_was_typed_in_and_not_written_in_a_file_is_not_told() -> None:
    typed = type("Typed", (Spec,), {"__module__": "builtins", "__annotations__": {"x": float}, "x": 1.0})
    assert told(typed) == {}
