"""Drawings become pages and pictures: typst sets both, so that a figure looks the same in either."""

import json
import shutil
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import typst

PIXELS_PER_INCH = 150
METRES_PER_INCH = 0.0254
TEMPLATE = Path(__file__).with_name("report.typ")
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
"""The fonts the figures use, so that the document needs none of the host's."""
PICTURES = """#set page(width: auto, height: auto, margin: 0pt)
#json("pictures.json").map(name => image(name + ".svg")).join(pagebreak())
"""
"""A page for each drawing, of its size."""
HEADER_BYTES = 33
"""Signature and header of a PNG; what is said of it may follow."""


def pdf(scratch: Path, dated: str) -> bytes:
    """Compile the template over the folder that holds the data and the drawings."""
    shutil.copy(TEMPLATE, scratch / TEMPLATE.name)
    start = int(pd.Timestamp(dated).timestamp())
    found = _compile(scratch, TEMPLATE.name, format="pdf", pdf_standards=["ua-1"], timestamp=start)
    assert isinstance(found, bytes)
    return found


def pictures(alts: Mapping[str, str], scratch: Path, folder: Path) -> None:
    """Save drawings of the scratch folder as PNG, each with the sentence that replaces it.

    Parameters
    ----------
    alts : the sentence of each drawing, by its name
    """
    if not alts:
        return
    (scratch / "pictures.json").write_text(json.dumps(list(alts)))
    (scratch / "pictures.typ").write_text(PICTURES)
    found = _compile(scratch, "pictures.typ", format="png", ppi=PIXELS_PER_INCH)
    pages = [found] if isinstance(found, bytes) else found
    for (name, alt), page in zip(alts.items(), pages, strict=True):
        (folder / f"{name}.png").write_bytes(_described(page, alt))


def _compile(scratch: Path, template: str, **form: Any) -> Any:
    """Return what typst makes of a template in a folder, without a font of the host."""
    return typst.compile(
        scratch / template, root=scratch, font_paths=[FONTS], ignore_system_fonts=True, **form
    )


def _described(png: bytes, words: str) -> bytes:
    """Return a PNG with its description and its pixels per metre (PNG specification, 11.3.3.4 and
    11.3.4.3)."""
    per_metre = round(PIXELS_PER_INCH / METRES_PER_INCH)
    told = _chunk(b"iTXt", b"Description\0\0\0\0\0" + words.encode())
    size = _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    return png[:HEADER_BYTES] + told + size + png[HEADER_BYTES:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
