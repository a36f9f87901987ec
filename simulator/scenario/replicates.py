"""How often a scenario is run: a number, or until intervals are narrow enough."""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from simulator.components.kinds import Spec

MOST = 100_000
CONFIDENCE = 0.95


class ReplicateRule(Spec):
    """Replicates in batches until the mean of each named indicator is known closely enough."""

    min: Annotated[int, Field(ge=2, le=MOST)] = 10
    """Of the first batch; fewer say little about their own spread."""
    max: Annotated[int, Field(ge=2, le=MOST)] = 200
    """Where it ends, met or not."""
    until: Annotated[dict[str, str | float], Field(min_length=1)]
    """By indicator: largest half-width of its mean's interval, with the indicator's unit (`0.5 MW`), or
    as a share of the mean (`2 % of mean`)."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = CONFIDENCE
    """Of those intervals."""

    @field_validator("until", mode="before")
    @classmethod
    def _dotted(cls, given: Any) -> Any:
        """Take names apart at dots, as overrides and `--set` do, back together."""
        return dict(_joined("", given)) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        return self


def _joined(path: str, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            yield from _joined(name, value)
        else:
            yield name, value


def _number_or_rule(value: Any) -> str:
    return "<rule>" if isinstance(value, dict | ReplicateRule) else "<number>"


Replicates = Annotated[
    Annotated[int, Field(ge=1, le=MOST), Tag("<number>")]
    | Annotated[ReplicateRule, Tag("<rule>")],
    Discriminator(_number_or_rule),
]
"""A number of replicates or a rule. The tags are in angle brackets: no key of a document is."""


def most_of(replicates: int | ReplicateRule) -> int:
    """Return the largest number of replicates there can be."""
    return replicates if isinstance(replicates, int) else replicates.max
