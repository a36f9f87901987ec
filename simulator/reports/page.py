"""What a page is made of: a finding, its text, its figures with their data, its tables."""

from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureSpec:
    """A drawing, the sentence that replaces it for those who cannot see it, and its data."""

    fig: Figure
    name: str
    alt: str
    data: pd.DataFrame
    caption: str
    of_first: bool = False
    """Whether it follows single events of the first replicate, which a run of several must say."""


@dataclass(frozen=True)
class TableSpec:
    """A small table of ready text. `widths` are column shares; 0 fits the column to its cells."""

    heading: str
    frame: pd.DataFrame
    widths: tuple[float, ...] = ()


def fitted(frame: pd.DataFrame) -> tuple[float, ...]:
    """Return widths of columns by their cells and by the longest word of their heads, which may wrap."""
    return tuple(
        2.0 + max(max((len(str(cell)) for cell in frame[name]), default=0), *(1.2 * len(w) for w in name.split()))
        for name in frame
    )


@dataclass(frozen=True)
class Lead:
    """A paragraph that opens with words in bold."""

    lead: str
    text: str


@dataclass(frozen=True)
class Card:
    """One number at a glance."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """One page. The title is the finding, a sentence with numbers."""

    name: str
    topic: str
    title: str
    text: tuple[str | Lead, ...] = ()
    figures: tuple[FigureSpec, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    cards: tuple[Card, ...] = ()
    closing: tuple[str | Lead, ...] = field(default=())
    """Paragraphs below figures and tables."""
