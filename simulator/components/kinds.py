"""What every spec is, and how a folder of kinds becomes one YAML union."""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Evidence = Literal["measured", "vendor", "derived", "assumed"]


class Spec(BaseModel):
    """A frozen, strict piece of the document: unknown keys are errors, docstrings the manual."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@cache
def told(kind: type[BaseModel]) -> dict[str, str]:
    """Return what the docstrings below the fields of a spec say, by field.

    Asked when a schema or a register is written: to read the source of every spec at import costs
    more than all else that pydantic does then.
    """
    found: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        own = _docstrings(cls.__module__).get(cls.__name__, {}) if issubclass(cls, Spec) else {}
        found = {key: text for key, text in found.items() if key not in vars(cls).get("__annotations__", {})} | own
    return found


def kinds_of(package: ModuleType, base: type[Spec]) -> tuple[type[Spec], ...]:
    """Import each module of `package`; return the `base` subclasses found, by name."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(sorted(set(_leaves(base)), key=lambda kind: kind.__name__))


def union_of(kinds: Iterable[type[Spec]]) -> Any:
    """Return the tagged union of `kinds`, told apart by their `kind` key."""
    return Annotated[Union[tuple(kinds)], Field(discriminator="kind")]  # noqa: UP007


def union_or(default: type[Spec], kinds: Iterable[type[Spec]]) -> Any:
    """Return the tagged union of `kinds`; a mapping that names no kind is of the kind `default`."""
    tag = default.model_fields["kind"].default

    def named(given: Any) -> Any:
        return {"kind": tag, **given} if isinstance(given, dict) and "kind" not in given else given

    return Annotated[union_of(kinds), BeforeValidator(named)]


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Return the docstrings below annotated names of every class of a module."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):  # typed in, not written in a file
        return {}
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name: dict(_below_names(node)) for node in classes}


def _below_names(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for named, below in pairwise(node.body):
        match named, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


def _leaves(base: type[Spec]) -> Iterable[type[Spec]]:
    for child in base.__subclasses__():
        if "kind" in child.model_fields:
            yield child
        yield from _leaves(child)
