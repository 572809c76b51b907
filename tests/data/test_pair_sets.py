"""Sets of image–mask pairs: cards, files, codes, and the traps of the public ones."""

import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hsiaug.base.errors import DataUnavailableError, InputError, SceneError
from hsiaug.data import load_pairs

CARD = """
name = "mine"
task = "segmentation"

[images]
files = ["{group}/img/{name}.npy"]
axes = "bhw"
scale = 0.001
bands = ["red", "nir"]

[masks]
files = ["{group}/label/{name}.png"]
names = ["water", "land"]
codes = [[7], [3, 4]]
ignore = [0]

[places]
train = ["train/*"]
test = ["val/*"]
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    for group, names in (("train", "ab"), ("val", "c")):
        for folder in ("img", "label"):
            (tmp_path / group / folder).mkdir(parents=True)
        for name in names:
            np.save(
                tmp_path / group / "img" / f"{name}.npy", np.full((2, 8, 8), 500, dtype=np.uint16)
            )
            mask = np.array([[0, 7], [3, 4]], dtype=np.uint8).repeat(4, 0).repeat(4, 1)
            Image.fromarray(mask).save(tmp_path / group / "label" / f"{name}.png")
    (tmp_path / "mine.toml").write_text(CARD)
    return tmp_path / "mine.toml"


def test_a_card_says_where_images_and_masks_lie_and_what_codes_mean(mine: Path) -> None:
    pairs = load_pairs(mine, "segmentation")
    assert [(p.name, p.part) for p in pairs.places] == [
        ("train/a", "train"),
        ("train/b", "train"),
        ("val/c", "test"),
    ]
    assert pairs.places[0].images.shape == (1, 2, 8, 8)
    assert pairs.places[0].images[0, 0, 0, 0] == pytest.approx(0.5)
    assert pairs.places[0].mask[::4, ::4].tolist() == [[0, 1], [2, 2]]
    assert pairs.class_names == ("water", "land")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ignore = [0]", "ignore = []", "codes 0"),
        ('task = "segmentation"', 'task = "change"', "needs 2 pattern"),
        ("codes = [[7], [3, 4]]", "codes = [[7]]", "codes needs one entry"),
        ('axes = "bhw"', 'axis = "bhw"', "known keys"),
        ('test = ["val/*"]', 'test = ["val/missing"]', "every place of its card"),
        ('bands = ["red", "nir"]', 'bands = ["red"]', "must have the 1 bands"),
        ('"{group}/label/{name}.png"', '"{group}/mask/{name}.png"', "nothing at train/mask/a.png"),
    ],
)
def test_what_is_wrong_with_a_card_is_said(mine: Path, old: str, new: str, message: str) -> None:
    mine.write_text(CARD.replace(old, new))
    with pytest.raises(SceneError, match=message):
        load_pairs(mine, "segmentation")


def test_a_set_of_the_other_task_is_refused(mine: Path) -> None:
    with pytest.raises(InputError, match="two dates"):
        load_pairs(mine, "change")


def test_a_scene_is_a_set_of_one_pair() -> None:
    pairs = load_pairs("toy", "segmentation")
    assert len(pairs.places) == 1 and pairs.places[0].images.shape[0] == 1
    with pytest.raises(InputError, match="Did you mean toy"):
        load_pairs("toyy", "segmentation")


def test_a_public_set_that_cannot_be_had_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    for name in ("taizhou", "oscd"):
        with pytest.raises(DataUnavailableError, match=f"{name} cannot be downloaded"):
            load_pairs(name, "change")


@pytest.fixture(scope="module")
def oscd(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for city in ("rennes", "montpellier"):
        with tarfile.open(shared_data / "OSCD" / f"{city}.tar.xz", "r:xz") as file:
            file.extractall(folder / "oscd", filter="data")
    return folder


@pytest.mark.shared_data
def test_oscd_is_read_with_its_two_codings(oscd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(oscd))
    pairs = load_pairs("oscd", "change")
    assert [(p.name, p.part) for p in pairs.places] == [
        ("rennes", "train"),
        ("montpellier", "test"),
    ]
    assert pairs.bands == 13 and pairs.dates == 2
    changed = [float((p.mask == 2).mean()) for p in pairs.places]
    # The training city's tif has 1 and 2, the test city's png 0 and 255: read by one rule, one
    # would be all changed.
    assert all(0.005 < share < 0.15 for share in changed)
    assert all((p.mask > 0).all() for p in pairs.places)


@pytest.mark.shared_data
def test_taizhou_is_read_from_a_mask_per_class(shared_data, tmp_path, monkeypatch):
    (tmp_path / "taizhou").symlink_to(shared_data / "Taizhou")
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    pairs = load_pairs("taizhou", "change")
    assert np.bincount(pairs.places[0].mask.ravel()).tolist() == [
        400 * 400 - 4227 - 17163,
        17163,
        4227,
    ]
    assert pairs.places[0].images.shape == (2, 6, 400, 400) and pairs.places[0].images.max() <= 1


@pytest.mark.parametrize(
    "pattern",
    [
        "{",
        "}",
        "{}",
        "{0}",
        "{nope}",
        "{place.__class__}",
        "{place!r}",
        "{place:>1000000000}",
        "{name.__init__.__globals__}",
        "/etc/{place}",
        "**/{place}.npy",
        ".",
    ],
)
def test_a_pattern_names_files_beside_the_card_and_nothing_else(mine: Path, pattern: str) -> None:
    for known in ("{group}/img/{name}.npy", "{group}/label/{name}.png"):
        mine.write_text(CARD.replace(known, pattern))
        with pytest.raises(SceneError, match=r"mine.toml: \[(images|masks)\.files\[0\]\]"):
            load_pairs(mine, "segmentation")


def test_values_that_overflow_are_an_error_and_no_warning(mine: Path) -> None:
    mine.write_text(CARD.replace("scale = 0.001", "scale = 1e308"))
    with pytest.raises(SceneError, match="finite"):
        load_pairs(mine, "segmentation")


def test_bands_are_chosen_by_name_behind_a_colon(mine: Path) -> None:
    mine.write_text(CARD.replace('"nir"]', '"nir"]\nwavelengths = [665.0, 842.0]'))
    for path in mine.parent.glob("*/img/*.npy"):
        np.save(path, np.arange(128, dtype=np.uint16).reshape(2, 8, 8))
    whole = load_pairs(mine, "segmentation")
    nir = load_pairs(f"{mine}:nir", "segmentation")
    assert nir.name == "mine:nir" and nir.wavelengths is not None
    assert nir.wavelengths.tolist() == [842]
    assert np.array_equal(nir.places[0].images, whole.places[0].images[:, 1:])
    turned = load_pairs(f"{mine}:nir+red", "segmentation")
    assert np.array_equal(turned.places[0].images, whole.places[0].images[:, ::-1])
    assert nir.drawn_as == whole.drawn_as, "the draws are the same"
    for names in ("blue", "nir+nir", ""):
        with pytest.raises(InputError, match="Names: red, nir"):
            load_pairs(f"{mine}:{names}", "segmentation")


def test_only_the_files_of_chosen_bands_are_needed(mine: Path) -> None:
    places = CARD.replace('"train/*"', '"train/a", "train/b"').replace("val/*", "val/c")
    mine.write_text(places.replace("{name}.npy", "{name}_{band}.npy"))
    for path in mine.parent.glob("*/img/*.npy"):
        np.save(path.with_name(f"{path.stem}_nir.npy"), np.full((8, 8), 7))
    assert load_pairs(f"{mine}:nir", "segmentation").bands == 1
    with pytest.raises(SceneError, match="a_red"):
        load_pairs(mine, "segmentation")


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ("most_blank = 2", "most_blank"),
        ('near_duplicates = "names"', "near_duplicates"),
        ("tile = 8", "tile"),
    ],
)
def test_what_a_card_says_of_its_places_is_checked(mine: Path, places: str, message: str) -> None:
    mine.write_text(f"{CARD}{places}\n")
    with pytest.raises(SceneError, match=re.escape(message)):
        load_pairs(mine, "segmentation")


def test_a_place_is_no_path_from_the_root(mine: Path) -> None:
    mine.write_text(CARD.replace('"train/*"', '"/etc/*"'))
    with pytest.raises(SceneError, match=r"places\.train"):
        load_pairs(mine, "segmentation")
    mine.write_text(CARD.replace('"train/*"', '"top"').replace("{group}/img", "{group}/"))
    with pytest.raises(SceneError):
        load_pairs(mine, "segmentation")
