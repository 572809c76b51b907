"""The card of SegMunich, on made tiles in the layout that its makers document."""

from pathlib import Path

import numpy as np
import pytest

from hsiaug.data import load_pairs

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
def test_its_ten_bands_begin_with_blue_and_none_of_them_is_the_aerosol_band(
    segmunich: Path,
) -> None:
    pairs = load_pairs("segmunich", "segmentation")
    assert pairs.wavelengths is not None
    assert pairs.wavelengths.tolist() == [490, 560, 665, 705, 740, 783, 842, 865, 1610, 2190]
    image = pairs.places[0].images
    assert image.shape == (1, 10, 128, 128)
    assert np.allclose(image.min(axis=(0, 2, 3)), 0.01 * np.arange(1, 11), atol=1e-3)
