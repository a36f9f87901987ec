"""Assumptions of a document that give a range, as inputs to vary."""

from dataclasses import dataclass

from pydantic import ValidationError

from simulator.scenario import Scenario
from simulator.studies import StudyError, inverse
from simulator.studies.distributions import Distribution

WEAKNESS = {"measured": 0.25, "vendor": 0.5, "derived": 0.75, "assumed": 1.0}
"""How much of an assumption's influence its evidence leaves open: an order, not a measurement."""


@dataclass(frozen=True)
class Assumed:
    """One figure, wherever the document uses it."""

    paths: tuple[str, ...]
    distribution: Distribution
    source: str
    evidence: str
    whole: bool = False
    """A count: scenarios take the whole number next to what is drawn."""


def ranged(scenario: Scenario) -> dict[str, Assumed]:
    """Return the figures with a range by the first key they stand at.

    A figure of a template or an alias stands once in the text and at several keys: it varies as one.
    Its distribution is PERT over its range. StudyError without any.
    """
    places: dict[tuple[str, int, str], list[int]] = {}
    figures = scenario.document.figures
    for index, figure in enumerate(figures):
        if figure.range is not None:
            leaf = figure.path.rpartition(".")[2]
            places.setdefault((figure.file, figure.line, leaf), []).append(index)
    found = {}
    for indices in places.values():
        first = figures[indices[0]]
        assert first.range is not None
        try:
            spread = Distribution(pert=(first.range[0], first.text, first.range[1]))
        except ValidationError:
            continue  # a range that is no interval around a number: a choice in words
        paths = tuple(figures[i].path for i in indices)
        told = (first.text, *first.range)
        whole = all(str(text).isdecimal() for text in told) and _is_count(scenario, first.path)
        found[first.path] = Assumed(paths, spread, first.source, first.evidence, whole)
    if not found:
        raise StudyError("no figure of the scenario gives a range: there is nothing to vary")
    return found


def _is_count(scenario: Scenario, key: str) -> bool:
    """Return whether a key takes whole numbers only: the resolved document writes others with a point."""
    return isinstance(inverse.present(scenario, key), int)
