"""Maps on the page: drawn only from the very scene, draw and predictions of the records."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from html_pages import Node, parsed
from numpy.typing import NDArray
from PIL import Image
from report_records import ABSENT_SCENES, audit_of, predicted

from hsiaug.base.colours import TRAIN, class_colours, rgb_of
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.report import build_report, render_html
from hsiaug.report.sections.maps import palette_png
from hsiaug.trial.store import Store
from tests.blank_pictures import leave_pictures_blank

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def split(toy: Scene) -> Split:
    return draw_split(toy, parse_protocol("issd:0.05"), 0, 5)


@pytest.fixture
def store(toy: Scene, split: Split, tmp_path: Path) -> Store:
    """See :func:`filled`."""
    return filled(tmp_path / "store", toy, split)


def filled(folder: Path, toy: Scene, split: Split) -> Store:
    """Trials on the toy scene: each calls one of so many test pixels by the wrong class."""
    kept = Store(folder, create=True)
    for generator, every in (("none", 2), ("duplicate", 3), ("smote", 4), ("mixup", 5)):
        kept.put(*predicted(toy, split, every, generator=generator))
    return kept


def page_of(store: Store, change: dict | None = None) -> Node:
    records = [{**r, **(change or {})} for r in store.each()]
    return parsed(render_html(build_report(records, store="results"), store))


@pytest.fixture(scope="module")
def page(toy: Scene, split: Split, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The page of such a store."""
    with pytest.MonkeyPatch.context() as patch:
        leave_pictures_blank(patch)
        return page_of(filled(tmp_path_factory.mktemp("maps") / "store", toy, split))


def maps(page: Node) -> dict[str, Image.Image]:
    """Caption → picture."""
    found = {}
    for figure in page.all("figure", **{"class": "map"}):
        data = figure.all("img")[0].attributes["src"].partition("base64,")[2]
        found[figure.all("figcaption")[0].text] = Image.open(io.BytesIO(base64.b64decode(data)))
    return found


def called(page: Node, name: str) -> NDArray[np.uint8]:
    """(H, W, 4) of the map of a trial."""
    (image,) = (
        image
        for caption, image in maps(page).items()
        if caption.startswith(f"{name}") and "AA" in caption
    )
    return np.asarray(image.convert("RGBA"))


def test_the_scene_its_classes_the_split_the_arm_to_use_and_others_are_drawn(
    page: Node,
) -> None:
    names = [name.split(": AA")[0] for name in maps(page) if "how many" not in name]
    assert names == [
        "colours",
        "true classes",
        "split 0",
        "mixup λ=1 with svm",
        "duplicate λ=1 with svm",
        "none with svm",
    ]


def test_a_map_shows_what_the_trial_called_each_pixel(page: Node, split: Split) -> None:
    true = np.asarray(maps(page)["true classes"].convert("RGBA"))
    drawn = called(page, "duplicate")
    wrong = (true[..., :3] != drawn[..., :3]).any(axis=-1) & split.test
    assert sorted(np.flatnonzero(wrong)) == list(np.flatnonzero(split.test)[::3])


def test_what_is_not_tested_is_transparent(page: Node, split: Split) -> None:
    assert np.array_equal(called(page, "none")[..., 3] > 0, split.test)


def test_the_map_of_the_split_shows_training_pixels(page: Node, split: Split) -> None:
    drawn = np.asarray(maps(page)["split 0"].convert("RGB"))
    assert np.array_equal((drawn == rgb_of(TRAIN)).all(axis=-1), split.train)


def test_another_draw_than_the_records_is_not_drawn(store: Store) -> None:
    page = page_of(store, {"audit": audit_of()})
    assert "split 0" not in maps(page)


@pytest.mark.parametrize(("change", "why"), ABSENT_SCENES)
def test_a_scene_that_is_not_here_is_not_downloaded(store, change, why, monkeypatch, tmp_path):
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    page = page_of(store, change)
    assert not maps(page)
    assert f"No maps: {why}." in page.text


def test_predictions_that_give_another_confusion_are_not_drawn(store: Store) -> None:
    (one,) = (r for r in store.each() if r["spec"]["generator"]["name"] == "none")
    index, called = store.predictions(one["hash"])
    store.put(one, (index[::-1].copy(), called))
    page = page_of(store)
    assert not maps(page)
    assert f"No maps: the scene toy here is not the one of record {one['hash']}." in page.text


def test_records_without_predictions_have_no_map(store: Store) -> None:
    for path in store.root.glob("records/*/*/predictions.npz"):
        path.unlink()
    assert "has no predictions" in page_of(store).text


def test_a_map_shows_each_class_in_a_colour_of_its_own() -> None:
    ids = np.arange(256, dtype=np.uint8).reshape(1, -1)
    colours = [(r, g, b) for r, g, b in class_colours(255).tolist()]
    drawn = np.asarray(Image.open(io.BytesIO(palette_png(ids, colours))).convert("RGBA"))

    assert [tuple(rgb) for rgb in drawn[0, :, :3].tolist()] == colours
    assert drawn[0, :, 3].tolist() == [0, *[255] * 255]
