"""Folders of image–mask pairs without a card: what they are taken for, and what is asked where that is in doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from hsiaug.base.errors import InputError, SceneError
from hsiaug.cli.main import app
from hsiaug.data import load_pairs
from hsiaug.data.pair_sets import find_pairs, task_of

TWO = np.array([[0, 255], [255, 0]], dtype=np.uint8).repeat(16, 0).repeat(16, 1)
SPECTRA = np.random.default_rng(0).random((3, 32, 32)).astype(np.float32)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def put(path: Path, array: NDArray[Any]) -> None:
    """Write an array as its path's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path)


def flat(folder: Path, kinds: str, names: str, mask: NDArray[Any] = TWO, ending: str = ".npy") -> None:
    """Images of each kind but the last, which is that of masks."""
    *images, masks = kinds.split()
    image = SPECTRA if ending == ".npy" else (255 * SPECTRA.transpose(1, 2, 0)).astype(np.uint8)
    for name in names.split():
        for kind in images:
            put(folder / kind / f"{name}{ending}", image)
        put(folder / masks / f"{name}.png", mask)


@pytest.mark.parametrize(("ending", "most"), [(".npy", 1.0), (".png", 255.0)])
def test_dates_and_masks_side_by_side_are_read(tmp_path: Path, ending: str, most: float) -> None:
    flat(tmp_path / "train", "A B label", "x y", ending=ending)
    flat(tmp_path / "val", "A B label", "x", ending=ending)
    flat(tmp_path / "test", "A B label", "z", ending=ending)
    pairs = load_pairs(tmp_path, "change")
    assert [(p.name, p.part) for p in pairs.places] == [
        ("train/x", "train"),
        ("train/y", "train"),
        ("test/z", "test"),
    ]
    np.testing.assert_allclose(pairs.places[0].images[0], np.floor(SPECTRA * most) if most > 1 else SPECTRA)
    assert "val left out" in find_pairs(tmp_path).taken_for


@pytest.mark.parametrize(
    ("codes", "names", "ignored"),
    [
        ((0, 255), ("class 0", "class 255"), ()),
        ((0, 1), ("class 0", "class 1"), ()),
        ((0, 1, 255), ("class 0", "class 1"), (255,)),
        ((0, 3, 5, 255), ("class 3", "class 5"), (0, 255)),
        ((1, 2, 3), ("class 1", "class 2", "class 3"), ()),
    ],
)
def test_classes_are_the_codes_that_masks_hold(
    tmp_path: Path, codes: tuple[int, ...], names: tuple[str, ...], ignored: tuple[int, ...]
) -> None:
    mask = np.resize(np.array(codes, dtype=np.uint8), (32, 32))
    flat(tmp_path, "images masks", "x y", mask)
    card = find_pairs(tmp_path).card
    assert (card.task, card.masks.names, card.masks.ignore) == ("segmentation", names, ignored)
    assert load_pairs(tmp_path, "segmentation").places[1].mask.max() == len(names)


def test_codes_that_are_in_doubt_are_named(tmp_path: Path) -> None:
    three = np.resize(np.array([0, 1, 2], dtype=np.uint8), (32, 32))
    flat(tmp_path, "A B label", "x y", three)
    with pytest.raises(SceneError, match=r"two codes.*codes 0, 1, 2.*docs/masks\.md"):
        task_of(tmp_path, None)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "masks" / "x.png").unlink(), "nothing in masks for x"),
        (lambda folder: (folder / "images").rename(folder / "photos"), "found masks, photos"),
        (lambda folder: put(folder / "images" / "y.png", TWO), r"files of \.npy, \.png"),
        (
            lambda folder: put(folder / "masks" / "x.png", 0 * TWO) or put(folder / "masks" / "y.png", 0 * TWO),
            "codes 0",
        ),
    ],
)
def test_a_folder_that_does_not_fit_says_what_was_found(tmp_path: Path, spoil: Any, message: str) -> None:
    flat(tmp_path, "images masks", "x y")
    spoil(tmp_path)
    with pytest.raises(SceneError, match=message):
        find_pairs(tmp_path)


def test_a_folder_of_nothing_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="found no folder"):
        find_pairs(tmp_path)


def test_the_only_card_of_a_folder_goes_before_its_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat(tmp_path, "images masks", "x y")
    card = 'name = "mine"\ntask = "segmentation"\n[images]\nfiles = ["images/{name}.npy"]\naxes = "bhw"\n'
    card += '[masks]\nfiles = ["masks/{name}.png"]\nnames = ["no", "yes"]\ncodes = [[0], [255]]\n[places]\nany = ["*"]\n'
    (tmp_path / "a.toml").write_text(card)
    (tmp_path / "suite.toml").write_text('[[run]]\nname = "x"\n')
    assert load_pairs(tmp_path, "segmentation").class_names == ("no", "yes")
    (tmp_path / "b.toml").write_text(card)
    with pytest.raises(InputError, match=r"must hold one card.*a\.toml, b\.toml"):
        find_pairs(tmp_path)
    # A folder called as a set of the catalogue is not meant by its name.
    (tmp_path / "oscd").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_pairs("oscd").public


def test_commands_take_a_folder_and_say_what_it_was_taken_for(tmp_path: Path) -> None:
    flat(tmp_path / "towns", "A B label", "lyon turin")
    asked = 'generators = "duplicate"\nclassifiers = "majority"\nseeds = 1\npatch = 16\n'
    (tmp_path / "suite.toml").write_text(f'[[run]]\nname = "one"\nscenes = "towns"\n{asked}')
    told = run("benchmark", tmp_path / "suite.toml", "--dry-run")
    assert "one\ttowns\tblocks:16" in told.stdout
    told = run("split", tmp_path / "towns", "--patch", "16")
    assert (
        "changed" in told.stdout and "has no card: taken for change between two dates in 2 places" in told.stderr
    )
    told = run("labels", tmp_path / "towns")
    assert isinstance(told.exception, InputError | SceneError)
