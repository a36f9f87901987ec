"""Requests of one kind as they were observed: joint lengths, burstiness, the shape of their day."""

from typing import Annotated

from pydantic import Field, model_validator

from simulator.components.kinds import Spec

RANKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0)
"""Shares of requests that are shorter than the entries of a length table."""
Tokens = Annotated[float, Field(ge=0)]


class Lengths(Spec):
    """Tokens of a request on one side of it."""

    mean: Annotated[float, Field(gt=0)]
    cv: Annotated[float, Field(ge=0)]
    """Coefficient of variation."""
    table: tuple[Tokens, ...]
    """Tokens at the ranks 0, 1, 5, 10, 20, ... 80, 90, 95, 99, 99.9, 99.99 and 100 %."""

    @model_validator(mode="after")
    def _ascending(self) -> "Lengths":
        if len(self.table) != len(RANKS):
            raise ValueError(f"a length table has {len(RANKS)} entries, not {len(self.table)}")
        if list(self.table) != sorted(self.table):
            raise ValueError("a length table ascends")
        return self


class RequestProfile(Spec):
    """What requests of a kind look like, whoever serves them."""

    name: str
    task: str
    input: Lengths
    output: Lengths
    rank_correlation: Annotated[float, Field(gt=-1, lt=1)]
    """Spearman's, of input and output."""
    reasoning_frac: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the output that is chain of thought, on the mean of requests."""
    image_tokens: Tokens = 0.0
    """Of the mean input, tokens that stand for images."""
    arrival_cv: Annotated[float, Field(gt=0)] = 1.0
    """Coefficient of variation of the times between arrivals; 1 is a Poisson stream."""
    hours: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """Rate in the hours of the observed day over the day's mean; blank: not observed."""
    variability: Annotated[float, Field(ge=0)] | None = None
    """Log-standard deviation of hourly rates around the day's shape; blank: not observed."""
    persistence: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Correlation of that from hour to hour."""

    @model_validator(mode="after")
    def _whole_day(self) -> "RequestProfile":
        if self.hours and len(self.hours) != 24:
            raise ValueError(f"a day has 24 hours, not {len(self.hours)}")
        return self
