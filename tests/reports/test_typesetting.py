"""Drawings as pictures: their size, what is said of them, and one alone as well as several."""

import pytest
from matplotlib.figure import Figure
from PIL import Image

from simulator.reports import style, typesetting

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{w}pt" height="36pt" viewBox="0 0 {w} 36">'
    '<rect width="{w}" height="36" fill="#0072B2"/></svg>'
)


@pytest.mark.parametrize("widths", [(72,), (72, 144)])
def test_every_drawing_is_a_picture_of_its_size_with_its_words(tmp_path, widths):
    alts = {f"bar-{w}": f"A bar of {w} points; 10 m³ – all of it." for w in widths}
    for w in widths:
        (tmp_path / f"bar-{w}.svg").write_text(DRAWING.format(w=w))
    typesetting.pictures(alts, tmp_path, tmp_path)
    for w in widths:
        with Image.open(tmp_path / f"bar-{w}.png") as image:
            image.load()
            assert image.size == (w / 72 * typesetting.PIXELS_PER_INCH, 75)
            assert image.info["dpi"] == pytest.approx((150, 150), abs=0.02)
            assert image.info["Description"] == alts[f"bar-{w}"]
            assert image.convert("RGB").getpixel((5, 5)) == (0, 0x72, 0xB2)


def test_no_drawings_make_no_pictures(tmp_path):
    typesetting.pictures({}, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_decades_are_plain_text():
    ax = Figure().subplots()
    ax.set(xscale="log", xlim=(1e-3, 1e2))
    style.powers_of_ten(ax.xaxis)
    ticks = {tick: label.get_text() for tick, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)}
    assert ticks[1e-2] == "10⁻²" and ticks[1.0] == "10⁰" and ticks[1e1] == "10¹"
