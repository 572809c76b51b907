"""Masks on the page and in comparisons: the places of a set of pairs, drawn and resampled one by
one.
"""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from html_pages import parsed
from PIL import Image
from report_records import hash_of, record

from hsiaug.core.pairs import PairSet
from hsiaug.data import load_pairs
from hsiaug.metrics.accuracy import confusion, dense_score
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import draw_tiles
from hsiaug.quality.mask_samples import class_codes, codes_of_classes
from hsiaug.report import build_report, render_html
from hsiaug.trial.store import Store

CARD = """
name = "fields"
task = "segmentation"

[images]
files = ["{place}_image.npy"]
[masks]
files = ["{place}_mask.npy"]
names = ["low", "high"]
ignore = [0]
[places]
train = ["a"]
test = ["b", "c", "d"]
"""
TILE = 16


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four places of 80 columns; of the tested ones d is the smallest, and b ends in the middle of
    a block.
    """
    folder = tmp_path_factory.mktemp("fields")
    rng = np.random.default_rng(0)
    for name, height in (("a", 64), ("b", 56), ("c", 48), ("d", 32)):
        mask = rng.integers(0, 3, (height // 8, 10)).repeat(8, 0).repeat(8, 1).astype(np.int16)
        np.save(folder / f"{name}_mask.npy", mask)
        np.save(folder / f"{name}_image.npy", rng.random((height, 80, 3)).astype(np.float32))
    path = folder / "fields.toml"
    path.write_text(CARD)
    return path


@pytest.fixture(scope="module")
def pairs(card: Path) -> PairSet:
    return load_pairs(card, "segmentation")


def flat_mask(pairs: PairSet) -> np.ndarray:
    """The masks of all places, place by place and row by row, as predictions are."""
    return np.concatenate([place.mask.ravel() for place in pairs.places])


@pytest.fixture(scope="module")
def kept(card: Path, pairs: PairSet, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two draws: none is wrong at a third of the test pixels, specdm at a fifth."""
    store = Store(tmp_path_factory.mktemp("kept"), create=True)
    for seed in (0, 1):
        split = draw_tiles(pairs, parse_protocol("places"), seed, TILE)
        tested = np.concatenate([mask.ravel() for mask in split.tested])
        index = np.flatnonzero(tested & (flat_mask(pairs) > 0))
        true = flat_mask(pairs)[index]
        for generator, every in (("none", 3), ("specdm", 5)):
            called = true.copy()
            called[::every] = true[::every] % 2 + 1
            made = record(
                scene="fields",
                patch=TILE,
                generator=generator,
                classifier="unet",
                seed=seed,
                protocol=("places", "", "centre"),
                audit=split.audit.as_json(),
            )
            made["spec"]["task"] = "segmentation"
            made["hash"] = hash_of(made["spec"])
            made["metrics"] = dense_score(confusion(true, called, 2), change=False)
            made |= {"scene_ref": str(card), "class_names": ["low", "high"]}
            made["samples"] = {"real": [5, 12], "synthetic": [7, 0]}
            store.put(made, (index.astype(np.int32), called.astype(np.int16)))
    return store


def test_without_images_there_are_the_same_masks_and_the_same_draw(
    card: Path, pairs: PairSet
) -> None:
    bare = load_pairs(card, "segmentation", masks_only=True)
    assert np.array_equal(flat_mask(bare), flat_mask(pairs))
    draws = [
        draw_tiles(p, parse_protocol("blocks:16"), 0, TILE).audit.sha256 for p in (bare, pairs)
    ]
    assert draws[0] == draws[1]
    assert bare.places[0].images.base is not None and bare.places[0].images.strides == (0, 0, 0, 0)


def test_the_largest_tested_places_are_drawn_with_split_and_classes(
    kept: Store, pairs: PairSet
) -> None:
    page = parsed(render_html(build_report(list(kept.each()), store="results"), kept))
    found = {}
    for figure in page.all("figure", **{"class": "map"}):
        if "in how many of" in figure.text:
            continue
        data = figure.all("img")[0].attributes["src"].removeprefix("data:image/png;base64,")
        found[figure.all("figcaption")[0].text] = np.asarray(
            Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
        )
    assert [name.split(", ")[-1] for name in found][:8] == ["b", "b", "c", "c"] + ["b", "c"] * 2
    assert "Of 4 places the 2 with most test pixels are drawn." in page.text

    drawn = next(
        image for name, image in found.items() if name.startswith("none") and name.endswith(", c")
    )
    wrong = (drawn[..., :3] != found["true classes, c"][..., :3]).any(axis=-1) & (drawn[..., 3] > 0)
    first = pairs.offsets[2]
    index = np.flatnonzero(flat_mask(pairs)[pairs.offsets[1] :] > 0) + pairs.offsets[1]
    expected = [i - first for i in index[::3] if first <= i < pairs.offsets[3]]
    assert list(np.flatnonzero(wrong)) == expected


def test_masks_have_a_third_control_that_old_records_lack(kept: Store) -> None:
    report = build_report(list(kept.each()))
    controls = {gain.control for gain in report.tables[0].gains}
    assert {"none", "duplicate", "duplicate-balanced"} <= controls


def test_the_codes_of_classes_in_maps_are_those_of_the_masks(card: Path, pairs: PairSet) -> None:
    assert class_codes(str(card), pairs) == (1, 2)
    own = card.with_name("own.toml")
    own.write_text(CARD.replace("ignore", "codes = [[7, 8], [2]]\nignore"))
    assert class_codes(str(own), pairs) == (7, 2)
    assert codes_of_classes(str(own), pairs) == ((7, 8), (2,))
