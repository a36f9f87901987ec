"""Problems a planner can act on: where, what, the nearest cure; collected, never one at a time."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with the input; `line` and `column` count from 1, 0 is "the whole file"."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{display_name(self.file)}:{self.line}:{self.column}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(ValueError):
    """All problems of one input, sorted by place and each told once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class StudyError(ValueError):
    """A study that cannot be carried out as asked; the message says what to do."""


def display_name(file: str) -> str:
    """Return the file's name relative to the working directory when it lies below it."""
    path = Path(file)
    if not path.is_absolute():
        return file
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


def squash(name: str) -> str:
    """Return the letters and digits of a name in lower case: how people remember it."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def nearest(name: str, candidates: Iterable[object], most: int = 3) -> str:
    """Return ` (did you mean 'a', 'b'?)` with the candidates most like `name`, or nothing."""
    known = list(dict.fromkeys(str(candidate) for candidate in candidates))
    same = [candidate for candidate in known if squash(candidate) == squash(name)]
    turned = [one for one in known if sorted(squash(one)) == sorted(squash(name))]
    found = same[:most] or turned[:most] or _similar(name, known, most)
    if not found:
        return ""
    return f" (did you mean {', '.join(repr(candidate) for candidate in found)}?)"


def nearest_of(name: str, candidates: Iterable[object], what: str, most: int = 6) -> str:
    """Return the candidates most like `name`; where none is, `; WHAT are a, b, ...` with the first of all,
    or that there are none."""
    known = [str(candidate) for candidate in candidates]
    if not known:
        return f"; there are no {what} here"
    more = ", ..." if len(known) > most else ""
    return nearest(name, known) or f"; {what} are {', '.join(known[:most])}{more}"


def _similar(name: str, known: list[str], most: int) -> list[str]:
    """Return the known names whose letters are close to those of `name`, closest first."""
    by_letters: dict[str, list[str]] = {}
    for candidate in known:
        by_letters.setdefault(squash(candidate), []).append(candidate)
    cutoff = 0.6 if len(squash(name)) > 2 else 0.5  # one of two letters
    close = difflib.get_close_matches(squash(name), by_letters, n=most, cutoff=cutoff)
    return [candidate for letters in close for candidate in by_letters[letters]][:most]
