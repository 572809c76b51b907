"""``hsiaug generate`` and ``hsiaug inspect`` for image–mask pairs."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hsiaug.base.errors import HsiaugError
from hsiaug.cli.main import app
from hsiaug.data import load_pairs

pytestmark = pytest.mark.usefixtures("few_steps")

TOY = load_pairs("toy", "segmentation").class_names
MASKS = ("toy", "--generator", "duplicate-balanced")


def run(*words: str) -> str:
    answer = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_pairs_are_written_as_a_set_that_can_be_read_again(tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    table = run(
        "generate", *MASKS, "-n", "6", "--out", str(out), "--store", str(tmp_path / "store")
    )
    assert table.splitlines()[0] == "class\tname\treal in the file %\tsynthetic %"
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["pairs"] == len(manifest["files"]) == 6
    assert (
        manifest["generator"]["name"] == "duplicate-balanced"
        and manifest["audit"]["centre_overlap_percent"] == 0
    )
    assert (out / "contact_sheet.png").read_bytes().startswith(b"\x89PNG")
    assert manifest["reliability"]["measures"][0]["name"] == "agreement"
    assert all(0 <= row["agreement"] <= 1 for row in manifest["files"])

    again = load_pairs(out / "pairs.toml", "segmentation")
    scene = load_pairs("toy", "segmentation")
    assert len(again.places) == 6 and again.class_names == scene.class_names
    tile = again.places[0].images
    # A duplicate is a real tile: the scene holds it somewhere.
    windows = np.lib.stride_tricks.sliding_window_view(
        scene.places[0].images, tile.shape[-2:], axis=(2, 3)
    )
    assert (windows == tile[:, :, None, None]).all(axis=(0, 1, 4, 5)).any()


def test_rare_classes_can_be_asked_for(tmp_path: Path) -> None:
    out, store = tmp_path / "rare", str(tmp_path / "store")
    rarest = list(TOY[-2:])
    words = ("-n", "5", "--show", ", ".join(rarest), "--out", str(out), "--store", store)
    answer = CliRunner().invoke(app, ["generate", *MASKS, *words], catch_exceptions=False)
    assert f"of 5 pairs show {rarest[0]}" in answer.stderr
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["pairs"] == 5 and manifest["show"] == rarest
    ids = [TOY.index(name) + 1 for name in rarest]
    masks = [np.asarray(Image.open(out / f["mask"])) for f in manifest["files"]]
    # Three of the first, two of the second: a duplicate of a tile shows what it is asked for.
    assert all((mask == ids[0]).any() for mask in masks[:3]) and all(
        (mask == ids[1]).any() for mask in masks[3:]
    )


def test_lambda_counts_pairs_for_each_real_one(tmp_path: Path) -> None:
    pairs = {}
    for lam in ("0.5", "1"):
        words = ("--lambda", lam, "--out", str(tmp_path / lam))
        run("generate", *MASKS, *words, "--store", str(tmp_path / "store"))
        pairs[lam] = json.loads((tmp_path / lam / "manifest.json").read_text())["pairs"]
    assert pairs["0.5"] == round(0.5 * pairs["1"])


def test_inspection_writes_pictures_and_numbers_and_sees_copies(tmp_path: Path) -> None:
    out = tmp_path / "look"
    text = run("inspect", *MASKS, "--out", str(out), "--store", str(tmp_path / "store"))
    quality = json.loads((out / "quality.json").read_text())
    pictures = {path.name for path in out.glob("*.png")}
    assert pictures == {"contact_sheet.png", "spectra.png", "nearest.png", "shares.png"}
    measures = {m["name"]: m["value"] for m in quality["fidelity"]["measures"]}
    assert measures["copies"] == 100
    structure = {row["name"]: row for row in quality["structure"]["measures"]}
    assert structure["components"]["training"] > 0 and structure["tiny"]["unit"] == "%"
    # Labelled fields of the toy scene do not touch: their masks have no edge.
    assert structure["mask_edges"]["value"] is None
    assert "copies of training tiles" in text and "connected regions a tile" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("generate", *MASKS, "-n", "0"), "at least one pair"),
        (("generate", *MASKS, "-n", "4", "--show", "Atlantis"), "--show must name classes"),
        (("generate", *MASKS, "-n", "1", "--show", ",".join(TOY)), "one for each class of --show"),
        (("generate", "toy", "-n", "4"), "-n is an option of masks"),
        (("generate", "toy", "--show", "Water"), "--show is an option of masks"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, words, message):
    with pytest.raises(HsiaugError, match=message):
        run(*words, "--out", str(tmp_path / "out"), "--store", str(tmp_path / "store"))
    assert not (tmp_path / "out").exists()


def test_a_folder_with_files_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(HsiaugError, match="empty folder"):
        run("generate", *MASKS, "--out", str(tmp_path), "--store", str(tmp_path / "store"))


def plan(folder: Path, codes: dict[int, tuple[slice, slice]]) -> Path:
    """A mask of 24×32 pixels as PNG."""
    mask = np.zeros((24, 32), dtype=np.uint8)
    for code, place in codes.items():
        mask[place] = code
    path = folder / "plan.png"
    Image.fromarray(mask).save(path)
    return path


SPECDM = ("toy", "--generator", "specdm")


def test_an_image_is_made_for_a_mask_of_ones_own(tmp_path: Path) -> None:
    path = plan(tmp_path, {1: np.s_[:, :16], 2: np.s_[8:16, 20:]})
    out = tmp_path / "new"
    store = ("--store", str(tmp_path / "store"))
    run("generate", *SPECDM, "--mask", str(path), "--out", str(out), *store)
    (pair,) = load_pairs(out / "pairs.toml", "segmentation").places
    assert (pair.mask == np.array(Image.open(path))).all()
    assert pair.images.shape[-2:] == (24, 32) and np.isfinite(pair.images).all()


@pytest.mark.parametrize(
    ("codes", "value"),
    [
        ({77: np.s_[:4]}, "found 77"),
        ({1: np.s_[:]}, "code 1 everywhere"),
        ({}, "code 0 everywhere"),
    ],
)
def test_a_mask_that_cannot_be_used_is_refused_before_the_fit(
    tmp_path: Path, codes: dict[int, tuple[slice, slice]], value: str
) -> None:
    path = plan(tmp_path, codes)
    with pytest.raises(HsiaugError) as caught:
        run("generate", *SPECDM, "--mask", str(path), "--out", str(tmp_path / "new"))
    assert value in str(caught.value) and not (tmp_path / "new").exists()


CHANGE = """
name = "dates"
task = "change"
[images]
files = ["{{place}}_first.npy", "{{place}}_second.npy"]
[masks]
files = ["{{place}}_mask.npy"]
names = ["unchanged", "changed"]
codes = {codes}
[places]
train = ["a"]
test = ["b"]
tile = 16
"""


def change_set(folder: Path, codes: str, in_masks: tuple[int, int]) -> Path:
    """The card of two places with random images of two dates, and these two codes in its masks."""
    rng = np.random.default_rng(0)
    for place in "ab":
        for date in ("first", "second"):
            np.save(folder / f"{place}_{date}.npy", rng.random((64, 64, 3), dtype=np.float32))
        np.save(folder / f"{place}_mask.npy", rng.choice(in_masks, (64, 64)).astype(np.int16))
    card = folder / "dates.toml"
    card.write_text(CHANGE.format(codes=codes))
    return card


@pytest.mark.parametrize("in_masks", [(1, 2), (0, 255)])
def test_all_codes_of_a_class_are_read_in_a_mask_of_change(
    tmp_path: Path, in_masks: tuple[int, int]
) -> None:
    card = change_set(tmp_path, "[[1, 0], [2, 255]]", in_masks)
    words = ("generate", str(card), "--generator", "specdm")
    out = ("--out", str(tmp_path / "new"), "--store", str(tmp_path / "store"))
    path = plan(tmp_path, {1: np.s_[:, :16]})
    with pytest.raises(HsiaugError, match="codes 0, 1, all of one class"):
        run(*words, "--mask", str(path), *out)
    path = plan(tmp_path, {255: np.s_[:, :16]})
    run(*words, "--mask", str(path), *out)
    (pair,) = load_pairs(tmp_path / "new" / "pairs.toml", "change").places
    assert ((pair.mask == 2) == (np.array(Image.open(path)) == 255)).all()


def test_a_mask_has_a_class_everywhere_if_training_tiles_have(tmp_path: Path) -> None:
    card = change_set(tmp_path, "[[1], [2]]", (1, 2))
    path = plan(tmp_path, {1: np.s_[:, :16], 2: np.s_[8:16, 20:]})
    out = tmp_path / "new"
    with pytest.raises(HsiaugError, match=r"found 288 pixels of code 0.*unchanged 1, changed 2"):
        run(
            *("generate", str(card), "--generator", "specdm"),
            *("--mask", str(path), "--out", str(out)),
        )
    assert not out.exists()
