"""The words and degrees of a training row: spelled as people spell them, and what was not understood or
only nearly holds is told."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.errors import nearest, squash
from simulator.studies.validate.topic import Cells

NOT_GIVEN = ("", "na", "null", "unknown", "unspecified", "notgiven", "notpublished")
"""Letters and digits of cells that say nothing."""
RECOMPUTE = {
    "none": r"^(no|none|0|off|false|disabled?|without|not|never)$",
    "selective": r"^(selective\w*|partial|attention|attn|core|sac|moe|mlp|norms?|layernorm|mla)$",
    "full": r"^(full\w*|block|uniform|complete|all|on|yes|true|1|layers?|checkpoint\w*)$",
}
"""Words by what is computed again; the first word that is known holds."""
SHARDING = {
    "full": r"(zero|stage)3|full|fsdp|hsdp",
    "gradients": r"(zero|stage)2|grad",
    "optimizer": r"(zero|stage)1|optim|distopt",
    "none": r"(zero|stage)0|^(no|none|0|off|false|ddp|dp|replicated|unsharded)$",
}
"""Letters by what data-parallel ranks share out; of several, the one furthest up."""
PRECISIONS = {
    "fp4": r"fp4|float4|e2m1",
    "int8": r"int8",
    "fp8": r"fp8|float8|e4m3|e5m2",
    "bf16": r"bf16|bfloat16|fp16|float16|half|16bit|16mixed|fp32|float32|tf32|fp6",
}
"""Letters by what products are multiplied in; the first that is known holds."""
NEARLY = r"hsdp|block|fp32|float32|tf32|fp6|mlp|moe"
"""Letters of what is not modelled by itself: it is taken as the nearest word, and told."""


@dataclass(frozen=True)
class Word:
    """What a cell says."""

    value: str | None
    """None: not given, or not understood."""
    remark: str = ""
    """What was made of a cell that was not understood or holds nearly."""


def blank(cell: str) -> bool:
    """Tell whether a cell says nothing."""
    return squash(cell) in NOT_GIVEN


def recompute(row: Cells) -> Word:
    """Return what a row computes again in backward."""
    words = re.findall(r"[a-z0-9]+", row.get("recompute", "").lower())
    found = (value for word in words for value in RECOMPUTE if re.match(RECOMPUTE[value], word))
    return _word(row, "recompute", next(found, None), RECOMPUTE)


def sharding(row: Cells) -> Word:
    """Return what a row's data-parallel ranks share out."""
    letters = squash(row.get("sharding", ""))
    found = (value for value, known in SHARDING.items() if re.search(known, letters))
    return _word(row, "sharding", next(found, None), SHARDING)


def precision(row: Cells) -> Word:
    """Return what a row's products were multiplied in."""
    letters = squash(row.get("precision", ""))
    places = {value: re.search(known, letters) for value, known in PRECISIONS.items()}
    found = {value: place.start() for value, place in places.items() if place}
    value = min(found, key=lambda each: found[each]) if found else None
    return _word(row, "precision", value, PRECISIONS)


def _word(row: Cells, column: str, value: str | None, known: Mapping[str, str]) -> Word:
    """Return the word of a cell, with the remark that it needs."""
    cell = row.get(column, "")
    if blank(cell):
        return Word(None)
    if value is None:
        near = nearest(cell, known)
        told = f"{column} '{cell}' is none of {', '.join(known)}{near}: taken as not given"
        return Word(None, told)
    nearly = re.search(NEARLY, squash(cell)) and squash(cell) != value
    return Word(value, f"{column} '{cell}' taken as {value}" if nearly else "")


def degree(row: Cells, column: str) -> int | None:
    """Return the whole number of a cell, None where it is not given.

    `1 (2)` is 1: published tables put what another chip used in brackets. ValueError for anything
    else than a whole number of one or more.
    """
    cell = row.get(column, "")
    if blank(cell):
        return None
    found = re.fullmatch(r"(\d+)(\.0*)?\s*(\(.*\))?", cell.strip())
    if found is None or int(found[1]) < 1:
        raise ValueError(f"{column} is '{cell}', not a whole number of one or more")
    return int(found[1])


def understood(row: Cells, column: str) -> bool:
    """Tell whether a column's cell is given and holds something that is known."""
    return bool(WORDS[column](row).value) if column in WORDS else not blank(row.get(column, ""))


def remarks(row: Cells, numbers: Iterable[str]) -> list[str]:
    """Return what was made of words that were not understood, and of numbers with brackets."""
    told = [word(row).remark for word in WORDS.values()]
    told += [f"{c} '{row[c]}' taken as {degree(row, c)}" for c in numbers if "(" in row.get(c, "")]
    return [remark for remark in told if remark]


WORDS = {"recompute": recompute, "sharding": sharding, "precision": precision}
"""How the columns that hold words are read."""
