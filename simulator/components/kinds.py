"""What every spec is, and how a folder of kinds becomes one YAML union."""

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Evidence = Literal["measured", "vendor", "derived", "assumed"]


class Spec(BaseModel):
    """A frozen, strict piece of the document: unknown keys are errors, docstrings the manual."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


def kinds_of(package: ModuleType, base: type[Spec]) -> tuple[type[Spec], ...]:
    """Import each module of `package`; return the `base` subclasses found, by name."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(sorted(_leaves(base), key=lambda kind: kind.__name__))


def union_of(kinds: Iterable[type[Spec]]) -> Any:
    """Return the tagged union of `kinds`, told apart by their `kind` key."""
    return Annotated[Union[tuple(kinds)], Field(discriminator="kind")]  # noqa: UP007


def union_or(default: type[Spec], kinds: Iterable[type[Spec]]) -> Any:
    """Return the tagged union of `kinds`; a mapping that names no kind is of the kind `default`."""
    tag = default.model_fields["kind"].default

    def named(given: Any) -> Any:
        return {"kind": tag, **given} if isinstance(given, dict) and "kind" not in given else given

    return Annotated[union_of(kinds), BeforeValidator(named)]


def _leaves(base: type[Spec]) -> Iterable[type[Spec]]:
    for child in base.__subclasses__():
        if "kind" in child.model_fields:
            yield child
        yield from _leaves(child)
