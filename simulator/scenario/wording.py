"""Errors of validation in plain words, with the nearest name of what may stand there."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.documents import TreePath
from simulator.errors import nearest, squash

Trouble = tuple[TreePath, str]
"""A path of the document and what is wrong there."""

_ABOUT_THE_TEXT = ("import", "templates", "overrides", "scenarios")
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
}
_MOMENT = "write a date and time with its UTC offset, e.g. '2027-01-01T00:00:00-05:00'"
_KINDS_OF_VALUE = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "model": "a mapping of keys",
    "dict": "a mapping of keys",
    "tuple": "a list",
    "list": "a list",
    "datetime": "a date and time",
}


def problems(spec: type[BaseModel], error: ValidationError, whole: bool = True) -> list[Trouble]:
    """Return (path, message) of every error; a key missing next to its misspelling is told once.

    Parameters
    ----------
    spec : the model that was validated
    error : what pydantic found
    whole : whether the text was read whole; otherwise missing keys stay unsaid
    """
    details = error.errors(include_url=False)
    given = {detail["loc"] for detail in details if detail["type"] == "extra_forbidden"}
    found = []
    for detail in details:
        missing = detail["type"] in ("missing", "union_tag_not_found")
        if missing and (not whole or _misspelt(detail["loc"], given)):
            continue
        path = detail["loc"] if detail["type"] != "union_tag_not_found" else _kind(detail)
        found.append((tuple(path), _message(spec, detail)))
    return found


def _kind(detail: ErrorDetails) -> TreePath:
    return (*detail["loc"], str(detail.get("ctx", {}).get("discriminator", "")).strip("'"))


def _misspelt(loc: TreePath, given: set[TreePath]) -> bool:
    """Return whether an unknown key beside a missing one is most likely meant to be it."""
    beside = [str(other[-1]) for other in given if other[:-1] == loc[:-1]]
    return any(nearest(name, [loc[-1]]) for name in beside)


def _message(spec: type[BaseModel], detail: ErrorDetails) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"missing key '{detail['loc'][-1]}'"
    if kind == "extra_forbidden":
        return _unknown_key(spec, detail["loc"])
    if kind == "union_tag_not_found":
        return f"missing key 'kind'; one of {context['expected_tags']}"
    if kind == "union_tag_invalid":
        return _not_one_of(context["tag"], context["expected_tags"], "unknown kind ")
    if kind == "literal_error":
        return _not_one_of(given, context["expected"])
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = _as_given(context[key], given)
        return f"'{given}' is out of range: must be {words.format(bound)}"
    if kind == "value_error":
        return str(context["error"])
    if kind.startswith(("timezone", "datetime", "date_")):
        why = "has no time zone" if kind == "timezone_aware" else "is not a date and time"
        return f"{_shown(given)} {why}; {_MOMENT}"
    return _wrong_type(kind, given, context, detail["msg"])


def _wrong_type(kind: str, given: Any, context: dict[str, Any], fallback: str) -> str:
    """Return what kind of value is expected instead of the one given."""
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind in ("too_long", "string_too_long"):
        return f"must not have more than {context['max_length']} items"
    expected = _KINDS_OF_VALUE.get(kind.split("_")[0])
    if expected is None:
        return fallback
    cure = f": write it in quotes, '{given}'" if _quotable(kind, given) else ""
    return f"{_shown(given)} is not {expected}{cure}"


def _quotable(kind: str, given: Any) -> bool:
    return kind.startswith("string") and isinstance(given, int | float)


def _shown(given: Any) -> str:
    """Return the given value short enough for a message."""
    if given is None:
        return "an empty value"
    if isinstance(given, dict):
        return "a mapping of keys"
    if isinstance(given, list | tuple):
        return "a list"
    text = str(given).lower() if isinstance(given, bool) else str(given)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def _as_given(bound: float, given: Any) -> str:
    """Return a bound as a percentage when the value was written as one."""
    percent = isinstance(given, str) and given.rstrip().endswith("%")
    return f"{bound * 100:g} %" if percent else f"{bound:g}" if bound < 1e6 else f"{bound}"


def _not_one_of(given: Any, expected: str, what: str = "") -> str:
    """Return the near ones among the quoted words of `expected`, and all of them."""
    known = re.findall(r"'([^']*)'", expected)
    shown = _shown(given) if what == "" else f"{what}'{given}'"
    verb = " is not known" if what == "" else ""
    return f"{shown}{verb}{nearest(str(given), known)}; one of {', '.join(known)}"


def _unknown_key(spec: type[BaseModel], loc: TreePath) -> str:
    """Return an unknown key with the nearest of those allowed beside it, or all of them."""
    name, known = str(loc[-1]), list(_keys_at(spec, loc[:-1]))
    if len(loc) == 1:
        known += _ABOUT_THE_TEXT
    like = nearest(name, known)
    same = next((key for key in known if squash(key) == squash(name)), None)
    all_keys = "" if like or same else f"; keys here are {', '.join(known)}"
    return f"unknown key '{name}'{like}{all_keys}"


def _keys_at(spec: type[BaseModel], loc: TreePath) -> Iterator[str]:
    """Yield the keys of the model that an error's location leads to."""
    models = _models(spec)
    for part in loc:
        tagged = [m for m in models if _tag(m) == part]
        if tagged and len(models) > 1:
            models = tagged
        elif isinstance(part, str):
            models = [inner for m in models for inner in _models_of_field(m, part)]
    for model in models:
        yield from model.model_fields


def _models_of_field(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    info = model.model_fields.get(key)
    return _models(info.annotation) if info else []


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return every model an annotation holds: of lists, of unions, of optional fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = get_origin(annotation)
    inner = get_args(annotation)[:1] if origin is Annotated else get_args(annotation)
    if origin in (Annotated, Union, UnionType, tuple, list):
        return [model for part in inner for model in _models(part)]
    return []


def _tag(model: type[BaseModel]) -> str | None:
    info = model.model_fields.get("kind")
    words = get_args(info.annotation) if info else ()
    return str(words[0]) if words else None
