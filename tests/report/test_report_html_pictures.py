"""Pictures on the page: every colour and every pixel of what ``hsiaug inspect`` wrote."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from html_pages import Node, parsed
from numpy.typing import NDArray
from PIL import Image
from report_records import benchmark

from hsiaug.core.tiles import DenseSamples
from hsiaug.report import build_report, render_html
from hsiaug.report.html.maps import _class_colours
from hsiaug.report.html.pictures import palette_png

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><path d="M0 0L4 3" stroke="#1f5fa8"/></svg>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "quality.json").write_text(json.dumps({"format": 1}), encoding="utf-8")
    return tmp_path


def pictures(folder: Path) -> list[Node]:
    page = parsed(render_html(build_report(benchmark(2)), quality=[folder]))
    (section,) = page.all("section", id="samples-0")
    return section.all("img")


def content(image: Node) -> bytes:
    start = "data:image/png;base64,"
    assert image.attributes["src"].startswith(start)
    return base64.b64decode(image.attributes["src"].removeprefix(start))


def decoded(image: Node) -> Image.Image:
    return Image.open(io.BytesIO(content(image)))


def noise(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("name", ["spectra", "pca", "contact_sheet", "nearest", "shifts"])
def test_an_embedded_picture_is_its_file_pixel_for_pixel(folder: Path, name: str) -> None:
    values = noise(40, 60)
    Image.fromarray(values).save(folder / f"{name}.png")
    (image,) = pictures(folder)

    assert np.array_equal(np.asarray(decoded(image).convert("RGB")), values)


def test_a_picture_wider_than_the_page_keeps_its_pixels(folder: Path) -> None:
    values = noise(20, 3000)
    Image.fromarray(values).save(folder / "contact_sheet.png")
    Image.fromarray(values).save(folder / "pca.png")
    chart, tiles = pictures(folder)

    assert all(np.array_equal(np.asarray(decoded(image).convert("RGB")), values) for image in (tiles, chart))
    assert (chart.attributes["width"], tiles.attributes["width"]) == ("1400", "3000"), "tiles one to one"


def test_few_colours_make_a_palette_that_loses_none(folder: Path) -> None:
    colours = noise(1, 200)[0]
    values = colours[np.random.default_rng(1).integers(0, 200, (50, 50))]
    Image.fromarray(values).convert("RGBA").save(folder / "contact_sheet.png")
    (image,) = pictures(folder)

    assert decoded(image).mode == "P"
    assert np.array_equal(np.asarray(decoded(image).convert("RGB")), values)


def test_what_is_seen_through_stays_so(folder: Path) -> None:
    values = noise(30, 30, 4)
    Image.fromarray(values).save(folder / "pca.png")
    (image,) = pictures(folder)

    assert np.array_equal(np.asarray(decoded(image)), values)


def test_a_chart_is_the_svg_where_there_is_one(folder: Path) -> None:
    (folder / "spectra.svg").write_text(SVG, encoding="utf-8")
    Image.fromarray(noise(4, 4)).save(folder / "spectra.png")
    (image,) = pictures(folder)

    assert unquote(image.attributes["src"].removeprefix("data:image/svg+xml,")) == SVG
    assert image.attributes["alt"].startswith("Mean spectra")


@pytest.mark.parametrize("name", ["pca.png", "spectra.svg"])
@pytest.mark.parametrize(
    "text", [b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\xff\xfe"]
)
def test_what_is_no_picture_is_said_to_be_none(folder: Path, name: str, text: bytes) -> None:
    (folder / name).write_bytes(text)
    page = parsed(render_html(build_report(benchmark(2)), quality=[folder]))
    (section,) = page.all("section", id="samples-0")

    assert not section.all("img") and f"{name} cannot be read as a picture." in section.text


def test_a_contact_sheet_on_the_page_keeps_the_noise_of_its_tiles(folder: Path) -> None:
    from hsiaug.quality.sheets import contact_sheet
    from hsiaug.report.figures.files import figure_bytes

    rng = np.random.default_rng(0)
    images = rng.normal(0.5, 0.1, (4, 1, 3, 32, 32)).astype(np.float32)
    pairs = DenseSamples.made(images, np.ones((4, 32, 32), dtype=np.int16))
    sheet = contact_sheet([("real", pairs)], ["field"], None)
    (folder / "contact_sheet.png").write_bytes(figure_bytes(sheet, "png"))
    (image,) = pictures(folder)

    drawn, shown = Image.open(folder / "contact_sheet.png").convert("RGB"), decoded(image).convert("RGB")
    assert np.array_equal(np.asarray(shown), np.asarray(drawn))
    assert len(shown.getcolors(2**24) or ()) > 3000, "four tiles of 1,024 pixels, hardly two alike"


@pytest.mark.parametrize("classes", [3, 20, 255])
def test_a_map_shows_each_class_in_a_colour_of_its_own(classes: int) -> None:
    ids = np.arange(classes + 1, dtype=np.uint8).reshape(1, -1)
    colours = _class_colours(classes)
    drawn = np.asarray(Image.open(io.BytesIO(palette_png(ids, colours, transparent=0))).convert("RGBA"))

    assert len(set(colours)) == classes + 1
    assert [tuple(rgb) for rgb in drawn[0, :, :3].tolist()] == colours
    assert drawn[0, :, 3].tolist() == [0, *[255] * classes]
