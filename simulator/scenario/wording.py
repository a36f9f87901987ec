"""Errors of validation in plain words, with the nearest name of what may stand there."""

import re
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.documents import TreePath
from simulator.errors import nearest

Trouble = tuple[TreePath, str]
"""A path of the document and what is wrong there."""
Models = list[type[BaseModel]]

_ABOUT_THE_TEXT = ("import", "templates", "overrides", "scenarios")
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
}
_MOMENT = "write a date and time with its UTC offset, e.g. '2027-01-01T00:00:00-05:00'"
_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "model": "a mapping of keys",
    "dict": "a mapping of keys",
    "tuple": "a list, each item after '- '",
    "list": "a list, each item after '- '",
}
_LONGEST = 60


def problems(spec: type[BaseModel], error: ValidationError, whole: bool = True) -> list[Trouble]:
    """Return (path, message) of every error; a key missing next to its misspelling is told once.

    Parameters
    ----------
    spec : the model that was validated
    error : what pydantic found
    whole : whether the text was read whole; otherwise missing keys stay unsaid
    """
    details = error.errors(include_url=False)
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    found = []
    for detail in details:
        missing = detail["type"] in ("missing", "union_tag_not_found")
        if missing and (not whole or _misspelt(detail["loc"], unknown)):
            continue
        if unknown and detail["loc"][-1:] == ("<<",):  # the text's own problem says it already
            continue
        if detail["type"] == "too_short" and _within(detail["loc"], details):
            continue  # items that are not valid were not counted
        found.append(_problem(spec, detail))
    return found


def _misspelt(loc: TreePath, unknown: list[TreePath]) -> bool:
    """Return whether an unknown key beside a missing one is most likely meant to be it."""
    beside = [str(other[-1]) for other in unknown if other[:-1] == loc[:-1]]
    return any(nearest(name, [loc[-1]]) for name in beside)


def _within(loc: TreePath, details: list[ErrorDetails]) -> bool:
    """Return whether an item of the list at `loc` has an error of its own."""
    return any(len(d["loc"]) > len(loc) and d["loc"][: len(loc)] == loc for d in details)


def _problem(spec: type[BaseModel], detail: ErrorDetails) -> Trouble:
    """Return one error with its path in the document and its message."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in ("missing", "extra_forbidden"):
        path, models = _follow(spec, detail["loc"][:-1])
        key = str(detail["loc"][-1])
        told = f"missing key '{key}'" if kind == "missing" else _unknown_key(key, path, models)
        return (*path, key), told
    path, models = _follow(spec, detail["loc"])
    if kind == "union_tag_not_found":
        return (*path, "kind"), f"missing key 'kind'; one of {_listed(map(_tag, models))}"
    if kind == "union_tag_invalid":
        near = nearest(str(context["tag"]), map(_tag, models))
        told = f"unknown kind {_shown(context['tag'])}{near}; one of {_listed(map(_tag, models))}"
        return (*path, "kind"), told
    return path, _message(kind, given, context, detail["msg"]) + _spelt_out(kind, given, models)


def _spelt_out(kind: str, given: Any, models: Models) -> str:
    """Return how to write as a mapping what was given as a bare word: its kind, or the first name."""
    if not kind.startswith(("model_", "dict_")) or not isinstance(given, str):
        return ""
    tags = [tag for tag in map(_tag, models) if tag]
    meant = next((tag for tag in tags if nearest(given, [tag])), None)
    if tags:
        return f"; write {{kind: {meant}}} and its keys" if meant else f"; one of {{kind: ...}} {_listed(tags)}"
    named = (key for model in models for key, field in model.model_fields.items() if field.annotation is str)
    key = next(named, None)
    return f"; write {{{key}: {given}}}" if key else ""


def _message(kind: str, given: Any, context: dict[str, Any], fallback: str) -> str:
    """Return what is wrong with a value, and what should stand there."""
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"{_shown(given)} is not known{nearest(str(given), known)}; one of {_listed(known)}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = words.format(_as_given(context[key], given))
        return f"{_shown(given)} is out of range: must be {bound}"
    if kind == "value_error":
        return str(context["error"])
    if kind.startswith(("timezone", "datetime")):
        why = "has no time zone" if kind == "timezone_aware" else "is not a date and time"
        return f"{_shown(given)} {why}; {_MOMENT}"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    expected = _EXPECTED.get(kind.split("_")[0])
    if expected is None:
        return fallback
    quotable = expected == "text" and isinstance(given, int | float)
    cure = f': write it in quotes, "{given}"' if quotable else ""
    return f"must be {expected}, not {_shown(given)}{cure}"


def _shown(given: Any) -> str:
    """Return the given value short enough for a message."""
    if given is None:
        return "empty"
    if isinstance(given, dict | list | tuple):
        return "a mapping of keys" if isinstance(given, dict) else "a list"
    if isinstance(given, bool):
        return f"'{str(given).lower()}'"
    text = f"{given:g}" if isinstance(given, float) else str(given)
    return f"'{text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}'"


def _as_given(bound: float, given: Any) -> str:
    """Return a bound as a percentage when the value was written as one."""
    percent = isinstance(given, str) and given.rstrip().endswith("%")
    return f"{bound * 100:g} %" if percent else f"{bound:,}".removesuffix(".0")


def _listed(names: Any) -> str:
    return ", ".join(str(name) for name in names)


def _unknown_key(name: str, path: TreePath, models: Models) -> str:
    """Return an unknown key with the nearest of those allowed beside it, or all of them."""
    known = list(dict.fromkeys(key for model in models for key in model.model_fields))
    known += [] if path else _ABOUT_THE_TEXT
    return f"unknown key '{name}'{nearest(name, known) or f'; keys here are {_listed(known)}'}"


def _follow(spec: type[BaseModel], loc: TreePath) -> tuple[TreePath, Models]:
    """Return the path in the document and the models that an error's location leads to.

    Between keys, a location also holds the kind that was chosen in a union; no document does.
    """
    models, path, choosing, named = [spec], [], False, False
    for part in loc:
        chosen = [model for model in models if _tag(model) == part] if choosing else []
        choosing = not chosen
        if chosen or is_tag(part):
            models = chosen or models
            continue
        path.append(part)
        if isinstance(part, str) and not named:
            named = any(_is_mapping(model, part) for model in models)
            models = [inner for model in models for inner in _models_at(model, part)]
        else:
            named = False
    return tuple(path), models


def is_tag(part: Any) -> bool:
    """Return whether a part of a location is the tag of a choice, which stands in no document."""
    return isinstance(part, str) and part[:1] == "<" and part[-1:] == ">"


def _is_mapping(model: type[BaseModel], key: str) -> bool:
    """Return whether a field is a mapping whose keys are the document's own."""
    field = model.model_fields.get(key)
    return field is not None and any(get_origin(part) is dict for part in _parts(field.annotation))


def _parts(annotation: Any) -> list[Any]:
    """Return an annotation and everything it is a choice of."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return [part for inner in get_args(annotation) for part in _parts(inner)]
    return [annotation]


def _models_at(model: type[BaseModel], key: str) -> Models:
    field = model.model_fields.get(key)
    return _models(field.annotation) if field else []


def _models(annotation: Any) -> Models:
    """Return every model an annotation holds: of lists, of unions, of optional fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = get_origin(annotation)
    inner = get_args(annotation)[:1] if origin is Annotated else get_args(annotation)
    if origin in (Annotated, Union, UnionType, tuple, list, dict):
        return [model for part in inner for model in _models(part)]
    return []


def _tag(model: type[BaseModel]) -> str | None:
    """Return the kind that a model is of, in a union of kinds."""
    field = model.model_fields.get("kind")
    words = get_args(field.annotation) if field else ()
    return str(words[0]) if words else None
