"""Codes of labels: which are classes, which pixels have no label, and what is asked where two
readings fit.
"""

from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import HsiaugError
from hsiaug.data import load_scene, toy_scene
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.data.labels import class_ids

FARM = toy_scene(seed=3, height=40, width=32, bands=12, classes=3)
ZERO_BASED = np.where(FARM.labels == 0, 255, FARM.labels - 1).astype(np.uint8)
NAMES = ("hay", "rye", "track")


def add(folder: Path, codes: np.ndarray, **options: object) -> Added:
    np.save(folder / "cube.npy", FARM.cube)
    np.save(folder / "codes.npy", codes)
    paths = (folder / name for name in ("cube.npy", "codes.npy", "mine.toml"))
    return add_scene(*paths, ImportOptions(overwrite=True, **options))


def rows(added: Added) -> list[tuple[str, str]]:
    return [(row.code, row.meaning) for row in added.codes]


def test_codes_of_one_byte_have_the_class_ids_of_wider_ones() -> None:
    codes = np.random.default_rng(0).choice(np.array([0, 1, 2, 7, 255], np.uint8), (30, 20))
    void = codes == 255
    of_bytes, of_words = (
        class_ids(codes.astype(kind), {7: 1, 1: 2, 300: 3, -1: 4}, {0, 2, 999}, "a file", void)
        for kind in (np.uint8, np.int32)
    )
    assert np.array_equal(of_bytes, of_words) and of_bytes.dtype == of_words.dtype
    assert np.bincount(of_bytes.ravel())[1:].tolist() == [(codes == 7).sum(), (codes == 1).sum()]
    for kind in (np.uint8, np.float32):
        with pytest.raises(HsiaugError, match=r"found codes 7 \([\d,]+ px\), 255 \("):
            class_ids(codes.astype(kind), {1: 1}, {0, 2}, "a file")


def test_the_table_names_every_code_and_counts_every_pixel(tmp_path: Path) -> None:
    added = add(tmp_path, FARM.labels, classes=NAMES, ignore=("track",))
    assert rows(added) == [
        ("1", "hay"),
        ("2", "rye"),
        ("3", "unlabelled (track, as asked)"),
        ("0", "unlabelled (by default)"),
    ]
    assert sum(row.pixels for row in added.codes) == 40 * 32


@pytest.mark.parametrize("far", [255, 99, 9999])
def test_a_code_far_above_the_others_is_asked_about(tmp_path: Path, far: int) -> None:
    codes = np.where(FARM.labels == 0, far, FARM.labels - 1).astype(np.int32)
    said = " ".join(add(tmp_path, codes).warnings)
    assert (
        f"code {far} (" in said
        and f"`unlabelled='0,{far}'`, or `unlabelled='{far}'` if 0 (" in said
    )


def test_what_the_error_says_gives_the_classes_that_are_meant(tmp_path: Path) -> None:
    added = add(tmp_path, ZERO_BASED, classes=NAMES, unlabelled=(255,))
    assert np.array_equal(added.scene.labels, FARM.labels) and added.scene.class_names == NAMES
    assert np.array_equal(load_scene(tmp_path / "mine.toml").labels, FARM.labels)
    other = add(tmp_path, ZERO_BASED, classes=NAMES, unlabelled=(0,))
    assert np.array_equal(other.scene.labels == 3, ZERO_BASED == 255)


def test_every_code_may_be_a_class(tmp_path: Path) -> None:
    codes = np.maximum(FARM.labels - 1, 0)
    added = add(tmp_path, codes, unlabelled=(), classes=NAMES)
    assert np.array_equal(added.scene.labels, codes + 1)


def test_a_pixel_without_data_has_no_label_where_0_is_a_class(tmp_path: Path) -> None:
    cube = FARM.cube.copy()
    cube[:3] = np.nan
    paths = (tmp_path / name for name in ("cube.npy", "codes.npy", "mine.toml"))
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "codes.npy", ZERO_BASED)
    added = add_scene(*paths, ImportOptions(unlabelled=(255,)))
    assert not added.scene.labels[:3].any() and np.array_equal(
        added.scene.labels[3:], FARM.labels[3:]
    )


def test_marks_of_class_0_are_counted_and_may_be_a_class(tmp_path: Path) -> None:
    marks = [
        (row, column, FARM.labels[row, column] - 1)
        for row, column in np.argwhere(FARM.labels > 0)[::5]
    ]
    np.save(tmp_path / "cube.npy", FARM.cube)
    lines = ["row,col,class", *(",".join(map(str, mark)) for mark in marks)]
    (tmp_path / "marks.csv").write_text("\n".join(lines))
    paths = [tmp_path / name for name in ("cube.npy", "marks.csv", "mine.toml")]
    zeros = sum(mark[2] == 0 for mark in marks)
    said = " ".join(add_scene(*paths, ImportOptions()).warnings)
    assert (
        f"{zeros:,} labels are of class 0, which counts as unlabelled: if it is a class, say"
        " `unlabelled='none'`" in said
    )

    added = add_scene(*paths, ImportOptions(overwrite=True, unlabelled=(), classes=NAMES))
    assert added.scene.class_counts.sum() == len(marks) and added.scene.class_names == NAMES
    with pytest.raises(HsiaugError, match="must fit one reading"):
        add_scene(*paths, ImportOptions(overwrite=True, classes=NAMES))
