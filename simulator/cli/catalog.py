"""`gigawatt catalog`: equipment with its key figures, evidence and sources."""

from collections.abc import Iterator
from typing import Any

from simulator import catalog as entries
from simulator.cli.exits import usage
from simulator.cli.text import table

EVIDENCE = ("measured", "vendor", "derived", "assumed")
HEADER = ("name", "figure", "value", "range", "evidence", "source")
LONGEST = 60


def catalog(kind: str | None) -> None:
    """Carry out the command."""
    if kind is None:
        print("\n".join(_overview()))
        return
    found = next((k for k in entries.kinds() if k.rstrip("s") == kind.lower().rstrip("s")), None)
    if found is None:
        from simulator.errors import nearest

        of = _kind_of(kind)
        known = f"{nearest(kind, entries.kinds())}; one of {', '.join(entries.kinds())}"
        raise usage(f"no kind '{kind}'{f': it is among the {of}' if of else known}")
    rows = [row for name in entries.names(found) for row in _rows(found, name)]
    print("\n".join(table(HEADER, rows)))


def _kind_of(name: str) -> str | None:
    """Return the kind that has an entry of this name."""
    for kind in entries.kinds():
        try:
            entries.load(kind, name)
        except KeyError:
            continue
        return kind
    return None


def _overview() -> list[str]:
    """Return one line per entry: how many figures it has, by evidence."""
    rows = []
    for kind in entries.kinds():
        for name in entries.names(kind):
            classes = [figure[3] for figure in entries.figures(kind, name)]
            counts = [str(classes.count(evidence)) for evidence in EVIDENCE]
            rows.append([kind, name, str(len(classes)), *counts])
    return table(["kind", "name", "figures", *EVIDENCE], rows, right=range(2, 7))


def _rows(kind: str, name: str) -> Iterator[list[str]]:
    for path, value, source, evidence, limits in entries.figures(kind, name):
        span = f"{limits[0]} .. {limits[1]}" if limits else ""
        yield [name, path, _short(value), span, evidence, source]


def _short(value: Any) -> str:
    text = str(entries.plain(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
