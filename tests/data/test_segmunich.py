"""The card of SegMunich, on made tiles in the layout that its makers document."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import SceneError
from hsiaug.data import load_pairs
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import dense_view, draw_tiles
from hsiaug.tasks.task import get_task
from hsiaug_builtin.specdm.params import LatentParams

CORINE = (21, 22, 23, 31, 5, 32, 33, 41, 13, 14, 11, 12)
"""Codes of the classes 1 to 12, in the makers' order."""
NAMELESS = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def write_tile(folder: Path, name: str, image: np.ndarray, mask: np.ndarray) -> None:
    """Write an image (10, 128, 128) and its mask of codes (128, 128), as GeoTIFFs."""
    rasterio = pytest.importorskip("rasterio")
    for kind, bands in (("img", image.astype(np.uint16)), ("label", mask.astype(np.uint8)[None])):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        profile = {"driver": "GTiff", "width": 128, "height": 128, "count": len(bands)}
        with rasterio.open(
            folder / kind / f"{name}.tif", "w", dtype=bands.dtype, interleave="pixel", **profile
        ) as file:
            file.write(bands)


def blocks_of(codes: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """(128, 128) blocks of 16 pixels, each of one of the codes; the first ones are all there."""
    rng = np.random.default_rng(seed)
    cells = np.concatenate([codes, rng.choice(codes, 64 - len(codes))])
    return cells.reshape(8, 8).repeat(16, 0).repeat(16, 1)


def image_of(seed: int) -> np.ndarray:
    """(10, 128, 128) digital numbers; those of band b begin with 100·(b + 1)."""
    rng = np.random.default_rng(seed)
    return 100 * np.arange(1, 11)[:, None, None] + rng.integers(0, 90, (10, 128, 128))


@pytest.fixture
def segmunich(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tiles of training, the second with the makers' numbers in its mask, and one of test."""
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    folder = tmp_path / "segmunich"
    write_tile(folder / "train", "a", image_of(0), blocks_of((*CORINE, 0)))
    write_tile(folder / "train", "b", image_of(1), blocks_of((*range(1, 13), 0)))
    write_tile(folder / "val", "c", image_of(2), blocks_of((*CORINE, 0)))
    return folder


@NAMELESS
def test_corine_codes_and_the_makers_numbers_are_the_same_classes(segmunich: Path) -> None:
    pairs = load_pairs("segmunich", "segmentation")
    assert [(p.name, p.part) for p in pairs.places] == [
        ("train/a", "train"),
        ("train/b", "train"),
        ("val/c", "test"),
    ]
    for place in pairs.places:
        assert place.mask[0, :128:16].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert place.mask[16, :80:16].tolist() == [9, 10, 11, 12, 0]
    assert pairs.class_names[0] == "arable land" and pairs.class_names[-1] == "buildings"
    assert len(pairs.class_names) == 12


@NAMELESS
def test_blank_tiles_are_left_out_and_counted(segmunich: Path) -> None:
    half = blocks_of(CORINE)
    half[: 64 + 16] = 0
    write_tile(segmunich / "train", "mostly_blank", image_of(3), half)
    write_tile(segmunich / "val", "blank", image_of(4), np.zeros((128, 128)))
    for masks_only in (False, True):
        pairs = load_pairs("segmunich", "segmentation", masks_only=masks_only)
        assert [p.name for p in pairs.places] == ["train/a", "train/b", "val/c"]
        (said,) = (note for note in pairs.notes if "blank" in note)
        assert said.endswith("are left out: 1 of 3 of train, 1 of 2 of test")


@NAMELESS
@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("reflected", lambda tile: tile[..., ::-1]),
        ("turned", lambda tile: np.rot90(tile, axes=(-2, -1))),
        ("overlaps_by_half", lambda tile: np.concatenate([tile[..., 64:], tile[..., :64] + 1], -1)),
    ],
)
def test_a_training_tile_that_shows_ground_of_a_test_tile_is_left_out(
    segmunich: Path, name: str, turned: Callable[[np.ndarray], np.ndarray]
) -> None:
    write_tile(segmunich / "train", name, turned(image_of(2)), blocks_of(CORINE))
    pairs = load_pairs("segmunich", "segmentation")
    assert [p.name for p in pairs.places] == ["train/a", "train/b", "val/c"]
    assert any(note.endswith("are left out: 1 of 3 places of train") for note in pairs.notes)
    split = draw_tiles(pairs, parse_protocol("places"), 0, 128)
    assert set(pairs.notes) <= set(split.audit.notes)


@NAMELESS
def test_without_another_place_of_training_there_is_one_clear_error(segmunich: Path) -> None:
    for name in "ab":
        write_tile(segmunich / "train", name, image_of(2), blocks_of(CORINE))
    with pytest.raises(SceneError, match=r"found none of 2 of train.*near_duplicates"):
        load_pairs("segmunich", "segmentation")


@NAMELESS
def test_its_samples_are_whole_tiles_and_a_usual_draw_trains_on_two_thousand(
    segmunich: Path,
) -> None:
    pairs = load_pairs("segmunich", "segmentation")
    task = get_task("segmentation")
    usual = task.settings.on(pairs)
    assert (usual.protocol, usual.patch) == ("places", 128)
    train = pairs.places[0]
    many = replace(pairs, places=(*pairs.places, *[train] * 2000))
    assert task.settings.on(many).protocol == "places:2000"
    assert LatentParams().factor_of(128) == 4


@NAMELESS
def test_images_of_a_large_set_stay_in_their_files(
    segmunich: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = load_pairs("segmunich", "segmentation")
    monkeypatch.setattr("hsiaug.data.pair_loading.LARGEST_IN_MEMORY", 0)
    stored = load_pairs("segmunich", "segmentation")
    assert stored.in_files and not held.in_files
    image = stored.places[0].images
    assert not isinstance(image, np.ndarray) and image.nbytes == held.places[0].images.nbytes
    for one, other in zip(stored.places, held.places, strict=True):
        assert np.array_equal(one.images[0, 2:4, 5], other.images[0, 2:4, 5])
    protocol = parse_protocol("places:1")
    views = [
        dense_view(pairs, draw_tiles(pairs, protocol, 3, 128).blind)
        for pairs in (held, pickle.loads(pickle.dumps(stored.unlabelled)))
    ]
    assert np.array_equal(views[0].real.images, views[1].real.images)

    before = stored.sha256
    write_tile(segmunich / "train", "a", image_of(9), blocks_of((*CORINE, 0)))
    assert load_pairs("segmunich", "segmentation").sha256 != before
