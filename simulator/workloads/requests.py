"""What the requests to a pool look like: a profile of the catalog or a trace, in which languages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import ndtr, ndtri

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.request_profile import RANKS, Lengths
from simulator.units import Fraction

Ints = NDArray[np.int64]


class Spoken(Spec):
    """Share of the requests in a language other than English."""

    language: str
    """From the catalog's `languages`."""
    share: Annotated[Fraction, Field(gt=0, le=1)]


class Requests(Spec):
    """Lengths of requests and how they change: with languages, with longer chains of thought."""

    profile: str | None = None
    """Kind of request, from the catalog's `demand`: its lengths and the shape of its day."""
    trace: str | None = None
    """File of single requests, relative to the document: its rate over time and its lengths."""
    languages: tuple[Spoken, ...] = ()
    """What the profile's text tokens are multiplied by; the rest is English."""
    reasoning_factor: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Multiplies the profile's chains of thought."""

    @model_validator(mode="after")
    def _one_origin(self) -> "Requests":
        if (self.profile is None) == (self.trace is None):
            raise ValueError("give a profile of the catalog or a trace, one of them")
        if sum(spoken.share for spoken in self.languages) > 1.0 + 1e-9:
            raise ValueError("the languages are more than all requests")
        changed = self.languages or self.reasoning_factor != 1.0
        if self.trace is not None and changed:
            raise ValueError("languages and reasoning_factor change a profile, not a trace")
        return self


def premium(languages: Sequence[Spoken]) -> float:
    """Return mean tokens of a text over those in English; KeyError for an unknown language."""
    known = catalog.plain(catalog.load("languages", "premiums"))["tokens"]
    return 1.0 + sum(spoken.share * (known[spoken.language] - 1.0) for spoken in languages)


def mean_lengths(requests: Requests) -> dict[str, float]:
    """Return mean tokens and the spread of a profile's requests as a pool gives them.

    Images have as many tokens in any language; chains of thought grow by their factor.
    """
    profile = from_catalog.request_profile(str(requests.profile))
    spoken = premium(requests.languages)
    text = profile.input.mean - profile.image_tokens
    thought = 1.0 + profile.reasoning_frac * (requests.reasoning_factor - 1.0)
    return {
        "input_tokens": profile.image_tokens + spoken * text,
        "output_tokens": spoken * thought * profile.output.mean,
        "length_cv": 0.5 * (profile.input.cv + profile.output.cv),
    }


def fill(given: Any) -> Any:
    """Return a pool as written with the mean lengths of its profile; what is not understood is left
    to other validators."""
    asked = given.get("requests") if isinstance(given, dict) else None
    try:
        requests = Requests.model_validate(asked) if asked else None
        found = mean_lengths(requests) if requests and requests.profile else {}
    except (KeyError, ValueError):
        found = dict.fromkeys(("input_tokens", "output_tokens"), 2.0)
    return {**given, **found} if found else given


def draw(profile: str, count: int, uniforms: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """Return input and output tokens of requests, jointly, as a profile has them.

    A Gaussian copula with the rank correlation of the profile: for ranks r that of the normals is
    2 sin(pi r / 6). `uniforms` has two rows of `count` draws in (0, 1).
    """
    found = from_catalog.request_profile(profile)
    normal = 2.0 * np.sin(np.pi / 6.0 * found.rank_correlation)
    first = ndtri(uniforms[0])
    second = normal * first + np.sqrt(1.0 - normal**2) * ndtri(uniforms[1])
    return _lengths(found.input, ndtr(first)), _lengths(found.output, ndtr(second))


def drawn_mean(lengths: Lengths) -> float:
    """Return the mean of lengths drawn from a table: between two entries it is the logarithmic one."""
    low, high = np.maximum(lengths.table[:-1], 1.0), np.maximum(lengths.table[1:], 1.0)
    same = high < 1.001 * low
    inside = np.where(same, low, (high - low) / np.where(same, 1.0, np.log(high / low)))
    return float((inside * np.diff(RANKS)).sum())


def lognormal(mean: float, cv: float, uniforms: NDArray[np.float64]) -> Ints:
    """Return lengths with a mean and a coefficient of variation, at least one token."""
    sigma = np.sqrt(np.log1p(cv * cv))
    tokens = mean * np.exp(sigma * ndtri(uniforms) - 0.5 * sigma * sigma)
    return np.maximum(np.rint(tokens), 1.0).astype(np.int64)


def scaled(tokens: Ints, factor: float) -> Ints:
    """Return lengths times a factor, at least one token."""
    return np.maximum(np.rint(tokens * factor), 1.0).astype(np.int64)


def _lengths(lengths: Lengths, ranks: NDArray[np.float64]) -> Ints:
    """Return tokens at ranks: between the entries of the table as the logarithm goes."""
    table = np.log(np.maximum(lengths.table, 1.0))
    return np.maximum(np.rint(np.exp(np.interp(ranks, RANKS, table))), 1.0).astype(np.int64)


def trace_file(requests: Requests, folder: Path) -> Path:
    """Return the file of a trace; relative names are taken from `folder`."""
    return folder / str(requests.trace)
