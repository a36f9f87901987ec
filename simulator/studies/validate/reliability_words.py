"""What the prose of a published row on reliability says: how many chips, whose rate, which practice."""

import re

from simulator.studies.validate.topic import Cells

FLEETS = {
    "RSC-2": (2.34, "RSC-2, A100; arXiv:2410.21680"),
    "RSC": (6.50, "RSC-1, A100; arXiv:2410.21680"),
    "Llama 3": (3.7887, "Llama 3, H100; arXiv:2407.21783"),
    "MegaScale": (6.50, "assumed: RSC-1's, A100 too"),
    "A100": (6.50, "assumed: RSC-1's, A100 too"),
    "": (3.7887, "assumed: Llama 3's H100, the row names no fleet"),
}
"""Failures per 1,000 node-days by a word of the row, the first that fits, and where they come from."""
GIVEN = "given"
"""Of a practice that the row itself tells."""
NEWER_RESTART_S = (600.0, "assumed: as on 100,000 H100")
"""Restart where none is given: about ten minutes on 100,000 H100 (Meta, in `reliability.csv`)."""
RSC_RESTART_S = (300.0, "assumed: its authors' u0")
"""Restart of RSC's own estimates (u0 = 5 min)."""
INTERVALS_S = {
    "Llama 3": (600.0, "assumed"),
    "MegaScale": (900.0, "assumed: it catches up within 15 min"),
    "ByteRobust": (10.0, "assumed: every step, in memory"),
    "": (3600.0, "assumed: hourly"),
}
"""Useful time between saves where the row gives none, by a word of its source."""
STALLS_S = {
    "Llama 3": (3.0, "assumed: 405e9 x 14 bytes at 2 TB/s"),
    "": (0.0, "assumed: in the background"),
}
"""Pause for a save, which no row gives, by a word of its source."""
SEVERAL_WEEKS_DAYS = (21.0, "assumed: several weeks")
MONTH_DAYS = 30.0
DAYS = (30.0, "assumed")
"""Length of a run that the row does not tell."""
MEGASCALE = (10_000, "assumed: more than 10,000")
"""Accelerators of MegaScale's run."""
_CHIPS = re.compile(r"(?:[\d,.]+-)?([\d][\d,.]*)\s*(k)?[-\s]*(?:GPUs?|H100|A100)\b")


def accelerators(row: Cells) -> tuple[int, str]:
    """Return the size of the job, of a range the larger, and where it comes from."""
    if "MegaScale" in row.get("source", ""):
        return MEGASCALE
    for text in (row.get("quantity", ""), row.get("configuration", "")):
        if found := _CHIPS.search(text):
            number = float(found[1].replace(",", ""))
            return int(number * (_thousand(number) if found[2] else 1)), GIVEN
    raise ValueError("the number of accelerators is not given")


def _thousand(number: float) -> int:
    """Return what k means: 16k GPUs are 16,384, 100k are 100,000."""
    return 1024 if number.is_integer() and int(number) & (int(number) - 1) == 0 else 1000


def fleet(row: Cells) -> tuple[float, str]:
    """Return failures per 1,000 node-days, and whose they are."""
    text = " ".join(row.get(c, "") for c in ("id", "quantity", "configuration", "source"))
    return next(found for word, found in FLEETS.items() if re.search(rf"\b{word}", text))


def restart_s(row: Cells) -> tuple[float, str]:
    """Return the time from a failure to the first step after it, and where it comes from."""
    if found := re.search(r"u0 ?= ?([\d.]+) min", row.get("configuration", "")):
        return float(found[1]) * 60.0, GIVEN
    return RSC_RESTART_S if "RSC" in row.get("id", "") else NEWER_RESTART_S


def interval_s(row: Cells) -> tuple[float, str]:
    """Return the useful time between saves, and where it comes from."""
    quantity = row.get("quantity", "")
    if found := re.search(r"([\d.]+)-min checkpoints", quantity):
        return float(found[1]) * 60.0, GIVEN
    return (3600.0, GIVEN) if "hourly" in quantity else _of_source(INTERVALS_S, row)


def stall_s(row: Cells) -> tuple[float, str]:
    """Return the pause for a save, and where it comes from."""
    return _of_source(STALLS_S, row)


def length_days(row: Cells) -> tuple[float, str]:
    """Return how long the run lasted, and where it comes from."""
    text = row.get("configuration", "")
    if found := re.search(r"(\d+)-(day|month)", text):
        return float(found[1]) * (1.0 if found[2] == "day" else MONTH_DAYS), GIVEN
    return SEVERAL_WEEKS_DAYS if "several weeks" in text else DAYS


def _of_source(table: dict[str, tuple[float, str]], row: Cells) -> tuple[float, str]:
    """Return the first entry whose word the row's source has; every source has the empty one."""
    return next(found for word, found in table.items() if word in row.get("source", ""))
