"""Samples on the page: pictures of what generators made, beside real patches, from records
alone.
"""

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_pages import Node, parsed
from PIL import Image
from report_records import believable, benchmark, record

from hsiaug.report import build_report, render_html
from hsiaug.report.sections import samples as sample_pictures
from hsiaug.trial.sheet import MeanSpectra, SampleSheet, mean_spectra, with_test_pixels
from hsiaug.trial.store import Store
from tests.blank_pictures import leave_pictures_blank

pytestmark = pytest.mark.usefixtures("blank_pictures")

DRAWS = 2


def sheet_of(classes: int, shade: int = 0) -> SampleSheet:
    """Two patches of each class; generated ones are of one shade, the nearest real ones lighter by
    50.
    """
    ids = np.repeat(np.arange(1, classes + 1), 2).astype(np.int16)
    real = np.full((len(ids), 1, 5, 5, 3), 200, dtype=np.uint8)
    made = np.full_like(real, shade)
    return SampleSheet(
        real, made, made + 50, ids, ids, ids, np.array("Red, green, blue: 660, 560, 490 nm")
    )


def tiles_of(dates: int) -> SampleSheet:
    masks = np.ones((2, 16, 16), dtype=np.int16)
    masks[:, 4:8, 4:8] = 2
    images = np.full((2, dates, 16, 16, 3), 100, dtype=np.uint8)
    return SampleSheet(
        images, images, images, masks, masks, masks, np.array("Red, green, blue: components")
    )


def spectra_of(classes: int, bands: int = 6) -> MeanSpectra:
    """Mean spectra of two samples of each class, without test pixels in the last class."""
    y = np.repeat(np.arange(1, classes + 1), 2)
    real = np.ones((len(y), bands), dtype=np.float32)
    waves = np.array([400.0, 500.0, 600.0, 1800.0, 1900.0, 2000.0])
    spectra = mean_spectra((real, y), (real * y[:, None].astype(np.float32), y), waves)
    tested = dict.fromkeys(range(1, classes), real[0] * 2)
    return with_test_pixels(spectra, tested)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Trials of four generators, one of which was made before samples were kept. It is only
    read.
    """
    kept = Store(tmp_path_factory.mktemp("samples") / "store", create=True)
    for made in benchmark(DRAWS, ("none", "duplicate", "smote", "mixup", "noise")):
        one = believable(made)
        name, classes = one["spec"]["generator"]["name"], len(one["class_names"])
        predictions = np.arange(4, dtype=np.int32), np.ones(4, dtype=np.int16)
        sheet = None if name in ("none", "noise") else sheet_of(classes, shade=len(name))
        if sheet is not None and name == "smote":
            sheet = replace(sheet, spectra=spectra_of(classes))
        kept.put(one, predictions, sheet)
    return kept


def page_of(store: Store, *, alone: bool = False) -> Node:
    return parsed(
        render_html(build_report(list(store.each()), store="results"), None if alone else store)
    )


@pytest.fixture(scope="module")
def page(store: Store) -> Node:
    """The page of the store."""
    with pytest.MonkeyPatch.context() as patch:
        leave_pictures_blank(patch)
        return page_of(store)


def pictures(page: Node) -> list[tuple[str, Any]]:
    """Caption and picture of each figure of the section."""
    shown = []
    for figure in page.all("figure", **{"class": "sample"}):
        data = figure.all("img")[0].attributes["src"].partition("base64,")[2]
        drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
        shown.append((figure.all("figcaption")[0].text, drawn))
    return shown


def test_each_generator_has_a_picture_of_each_class(store: Store, page: Node) -> None:
    (part,) = page.all("section", id="t0-samples")
    names = next(store.each())["class_names"]

    # Copies show nothing new, and what was run before samples were kept has none.
    headings = [heading.text for heading in part.all("h4")]
    assert [heading.split()[0] for heading in headings] == [
        "mixup",
        "smote",
    ] and "split 0" in headings[0]
    assert [caption for caption, _ in pictures(page)] == names * 2
    assert "Red, green, blue: 660, 560, 490 nm" in part.text
    assert page.all("a", href="#t0-samples")


def test_a_picture_has_real_patches_above_generated_ones_and_the_nearest_below(
    page: Node,
) -> None:
    _, drawn = pictures(page)[0]
    shades = drawn[:, 3, 0]
    rows = [int(shades[i]) for i in range(len(shades)) if i == 0 or shades[i] != shades[i - 1]]
    assert rows == [200, 255, len("mixup"), 255, len("mixup") + 50]


def test_every_picture_says_what_it_shows_to_those_who_do_not_see_it(page: Node) -> None:
    figures = page.all("figure", **{"class": "sample"})
    assert figures
    for figure in figures:
        (image,) = figure.all("img")
        assert "real training, generated, nearest real" in image.attributes["alt"]


def test_without_thumbnails_the_page_has_no_such_section(store: Store, tmp_path: Path) -> None:
    assert not page_of(store, alone=True).all("details", id="t0-samples")
    older = Store(tmp_path / "older", create=True)
    for one in store.each():
        older.put(one, store.predictions(one["hash"]))
    assert not page_of(older).all("details", id="t0-samples")
    assert [one["hash"] for one in older.each()] == [one["hash"] for one in store.each()]


def test_pictures_end_where_the_page_would_grow_large(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_pictures, "ROOM", 1)
    (samples,) = page_of(store).all("section", id="t0-samples")
    drawn, named = samples.all("div", **{"class": "samples"})
    assert len(samples.all("h4")) == 2
    assert drawn.all("img") and not named.all("img")
    assert "Not drawn here, to keep the page small" in samples.text


def test_the_best_rate_of_a_generator_is_shown_and_no_thumbnail_of_other_classes(
    tmp_path: Path,
) -> None:
    kept = Store(tmp_path / "store", create=True)
    predictions = np.arange(4, dtype=np.int32), np.ones(4, dtype=np.int16)
    for lam, aa in ((0.25, 0.5), (0.5, 0.7), (1.0, 0.6)):
        one = believable(record(aa, aa, generator="smote", lam=lam))
        kept.put(one, predictions, sheet_of(len(one["class_names"])))
    other = believable(record(generator="mixup"))
    kept.put(other, predictions, sheet_of(len(other["class_names"]) + 1))
    (heading,) = page_of(kept).all("section", id="t0-samples")[0].all("h4")
    assert heading.text == "smote λ=0.5, split 0"


@pytest.mark.parametrize("dates", [1, 2])
def test_tiles_are_shown_with_their_masks(tmp_path: Path, dates: int) -> None:
    store = Store(tmp_path / "store", create=True)
    one = believable(record(generator="smote"))
    predictions = np.arange(4, dtype=np.int32), np.ones(4, dtype=np.int16)
    store.put(one, predictions, tiles_of(dates))
    page = page_of(store)
    shown = pictures(page)
    assert [caption for caption, _ in shown] == ["real training", "generated", "nearest real"]
    (part,) = page.all("section", id="t0-samples")
    legend = [span.text for span in part.all("p", **{"class": "legend"})[0].all("span")]
    # Of a change only what changed is outlined.
    assert legend == one["class_names"][dates - 1 :]
    side = shown[0][1].shape[1] // 2
    assert shown[0][1].shape[0] > 2 * (side - 20)


def test_mean_spectra_of_each_class_stand_beside_its_pictures(store: Store, page: Node) -> None:
    names = next(store.each())["class_names"]
    plots = page.all("figure", **{"class": "spectrum"})

    # Of mixup, whose file was made before mean spectra were kept, there are none.
    assert [plot.all("figcaption")[0].text for plot in plots] == [
        f"{name}1 to 2" if at == 0 else f"{name}1 to {max(2, at + 1)}"
        for at, name in enumerate(names)
    ]
    drawn = [[path.attributes["class"] for path in plot.all("path")] for plot in plots]
    assert drawn == [["held_out", "real", "made"]] * (len(names) - 1) + [["real", "made"]]
    # No line spans the bands that were removed.
    assert {path.attributes["d"].count("M") for plot in plots for path in plot.all("path")} == {2}
    assert "400 to 2,000 nm" in page.text
