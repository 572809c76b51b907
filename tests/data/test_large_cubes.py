"""Cubes that stay on disk: the same scene, mapped from its file or from a copy that is made once."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from spectral.io import envi

from hsiaug.base.errors import SceneError
from hsiaug.core.scene import Scene
from hsiaug.data import cube_copies, load_scene, readers_geotiff, toy_scene
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.data.readers import read_cube_file
from tests.leavings import age, files_of_others, left_in, paths_in

Make = Callable[[Path, NDArray[Any]], str]

TOY = toy_scene(height=34, width=28, bands=8, classes=3)
RAW = np.rint(TOY.cube * 10_000).astype(np.int16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With labels; the cache lies beside it."""
    monkeypatch.setenv("HSIAUG_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "scene").mkdir()
    np.save(tmp_path / "scene" / "labels.npy", TOY.labels)
    return tmp_path / "scene"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cube counts as large from now on."""
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")


def card(folder: Path, cube: str) -> Path:
    path = folder / "scene.toml"
    labels = 'file = "labels.npy"\nnames = ["hay", "rye", "track"]'
    path.write_text(f'name = "own"\n[cube]\n{cube}\n[labels]\n{labels}\n')
    return path


def as_envi(interleave: str, dtype: Any = np.float32, byteorder: int = 0) -> Make:
    def make(folder: Path, cube: NDArray[Any]) -> str:
        kind = {"dtype": dtype, "interleave": interleave, "byteorder": byteorder}
        envi.save_image(str(folder / "cube.hdr"), cube, ext=".img", force=True, **kind)
        return 'file = "cube.hdr"'

    return make


def as_npy(folder: Path, cube: NDArray[Any]) -> str:
    np.save(folder / "cube.npy", cube)
    return 'file = "cube.npy"'


def as_geotiff(**options: Any) -> Make:
    def make(folder: Path, cube: NDArray[Any]) -> str:
        rasterio = pytest.importorskip("rasterio")
        height, width, bands = cube.shape
        place = rasterio.Affine(2, 0, 5e5, 0, -2, 5e6)
        with rasterio.open(
            folder / "cube.tif", "w", driver="GTiff", height=height, width=width, count=bands, dtype=cube.dtype,
            transform=place, crs="EPSG:32633", **options,
        ) as file:  # fmt: skip
            file.write(cube.transpose(2, 0, 1))
        return 'file = "cube.tif"'

    return make


TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
KINDS: dict[str, tuple[Make, NDArray[Any], str]] = {
    "BIP": (as_envi("bip"), TOY.cube, ""),
    "BSQ": (as_envi("bsq"), TOY.cube, ""),
    "BIL, other byte order": (as_envi("bil", byteorder=1), TOY.cube, ""),
    "integers, scaled": (as_envi("bsq", np.int16), RAW, "scale = 1e-4\noffset = 0.25"),
    ".npy": (as_npy, TOY.cube, ""),
    ".npy of doubles": (as_npy, TOY.cube.astype(np.float64) / 3, ""),
    "other axes": (as_npy, TOY.cube.transpose(2, 0, 1), 'axes = "bhw"'),
    "bands dropped": (as_envi("bip"), TOY.cube, "bad_bands = [0, 3]"),
    "cropped": (
        as_envi("bip"),
        np.pad(TOY.cube, ((2, 3), (1, 4), (0, 0))),
        f"rows = [2, {2 + 34}]\ncolumns = [1, {1 + 28}]",
    ),
    "GeoTIFF": (as_geotiff(), RAW, "scale = 1e-4"),
    "GeoTIFF of tiles": (as_geotiff(**TILES, interleave="pixel"), TOY.cube, ""),
    "GeoTIFF of tiles, cropped": (
        as_geotiff(**TILES, interleave="band"),
        np.pad(TOY.cube, ((5, 1), (9, 2), (0, 0))),
        f"rows = [5, {5 + 34}]\ncolumns = [9, {9 + 28}]\nbad_bands = [7]",
    ),
}


def loads(scene: Scene, expected: Scene) -> bool:
    """Whether a scene is another one, and lies in a mapped file."""
    base: Any = scene.cube
    while isinstance(base, np.ndarray):
        base = base.base
    same = scene.sha256 == expected.sha256 and np.array_equal(scene.cube, expected.cube)
    return same and isinstance(base, mmap.mmap | memoryview) and not scene.cube.flags.writeable


@pytest.mark.parametrize("stripe", [1, 2**26])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cube_on_disk_is_the_one_in_memory(
    kind: str, stripe: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, values, said = KINDS[kind]
    path = card(folder, f"{make(folder, values)}\n{said}")
    expected = load_scene(path)
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")
    for module in (cube_copies, readers_geotiff):
        monkeypatch.setattr(module, "STRIPE_BYTES", stripe)

    assert loads(load_scene(path), expected)
    assert len(list((folder.parent / "cache" / "cubes").glob("*.npy"))) == (kind not in ("BIP", ".npy"))


def test_indian_pines_too(indian_pines: Scene, large: None) -> None:
    assert loads(load_scene("indian_pines"), indian_pines)


def test_a_cube_is_converted_and_looked_through_once(
    folder: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = card(folder, as_envi("bsq")(folder, TOY.cube))
    first = load_scene(path)
    monkeypatch.setattr(cube_copies, "_save", pytest.fail)
    monkeypatch.setattr(cube_copies, "scene_checksum", pytest.fail)
    monkeypatch.setattr("hsiaug.core.scene.scene_checksum", pytest.fail)

    assert loads(load_scene(path), first)


def test_other_labels_are_another_scene_of_the_same_copy(folder: Path, large: None) -> None:
    path = card(folder, as_envi("bsq")(folder, TOY.cube))
    first = load_scene(path)
    np.save(folder / "labels.npy", TOY.labels[::-1])
    turned = load_scene(path)
    np.save(folder / "labels.npy", TOY.labels)

    assert turned.sha256 != first.sha256 == load_scene(path).sha256
    assert turned.sha256 == Scene("own", TOY.cube, TOY.labels[::-1], TOY.class_names[:3]).sha256
    assert len(list((folder.parent / "cache" / "cubes").iterdir())) == 2


@pytest.mark.parametrize("make", [as_envi("bsq"), as_envi("bip"), as_npy])
def test_a_source_that_changed_is_read_anew_and_its_old_copy_removed(
    make: Make, folder: Path, large: None
) -> None:
    path = card(folder, make(folder, TOY.cube))
    first = load_scene(path)
    make(folder, TOY.cube + 1)
    again = load_scene(path)

    assert again.sha256 != first.sha256
    assert np.array_equal(again.cube, TOY.cube + 1)
    assert len(list((folder.parent / "cache" / "cubes").glob("*.npy"))) <= 1


def test_copies_of_files_that_are_gone_and_leavings_of_killed_processes_are_removed(
    folder: Path, large: None
) -> None:
    load_scene(card(folder, as_envi("bsq")(folder, TOY.cube)))
    (folder / "cube.img").unlink()
    cubes = folder.parent / "cache" / "cubes"
    before = set(cubes.iterdir())
    files_of_others(cubes)
    (cubes / "mine.json").write_text("{}")
    for name in (".old.npy", "mine.npy", f"{'a' * 24}.npy"):
        (cubes / name).write_bytes(b"mine")
    (copy,) = (path.stem for path in before if path.suffix == ".npy")
    left, kept = left_in(cubes).name, paths_in(cubes)
    age(cubes)
    load_scene(card(folder, as_geotiff()(folder, TOY.cube)))

    assert kept - paths_in(cubes) == {name for name in kept if name.startswith((copy, left))}


def test_a_note_and_a_copy_that_are_links_are_neither_followed_nor_removed(folder: Path, large: None) -> None:
    load_scene(card(folder, as_envi("bsq")(folder, TOY.cube)))
    cubes, theirs = folder.parent / "cache" / "cubes", folder / "theirs"
    theirs.mkdir()
    for path in list(cubes.iterdir()):
        path.rename(theirs / path.name)
        path.symlink_to(theirs / path.name)
    before = {path: path.read_bytes() for path in theirs.iterdir()}
    (folder / "cube.img").unlink()
    load_scene(card(folder, as_geotiff()(folder, TOY.cube)))

    assert {path: path.read_bytes() for path in theirs.iterdir()} == before
    assert {path.name for path in before} <= {path.name for path in cubes.iterdir()}


def test_a_disk_without_room_is_one_error_and_nothing_is_written(
    folder: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = card(folder, as_envi("bsq")(folder, TOY.cube))
    monkeypatch.setattr(cube_copies.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))

    with pytest.raises(SceneError, match="HSIAUG_CACHE_DIR") as failure:
        load_scene(path)
    assert "a copy of cube.img, of 30.5 kB" in str(failure.value) and "1.0 kB free" in str(failure.value)
    assert not list((folder.parent / "cache" / "cubes").iterdir())


def test_a_disk_that_fills_up_leaves_no_half_copy(
    folder: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = card(folder, as_envi("bsq")(folder, TOY.cube))

    def full(fresh: Path, *_: Any) -> None:
        fresh.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(SceneError, match="No space left on device"):
        patch.setattr(cube_copies, "_save", full)
        load_scene(path)
    cubes = folder.parent / "cache" / "cubes"
    assert not list(cubes.glob("*.npy")) and not list(cubes.glob(".*"))
    assert np.array_equal(load_scene(path).cube, TOY.cube)


def test_a_copy_that_was_cut_short_is_made_again(folder: Path, large: None) -> None:
    path = card(folder, as_envi("bsq")(folder, TOY.cube))
    checksum = load_scene(path).sha256
    (copy,) = (folder.parent / "cache" / "cubes").glob("*.npy")
    os.truncate(copy, 500)
    again = load_scene(path)

    assert again.sha256 == checksum and np.array_equal(again.cube, TOY.cube)


@pytest.mark.parametrize("make", [as_envi("bsq"), as_envi("bip")])
def test_values_that_are_no_numbers_are_refused_as_ever(
    make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = TOY.cube.copy()
    cube[3, 4, 5] = np.nan
    cube[20, 4, 2] = np.inf
    path = card(folder, make(folder, cube))
    with pytest.raises(SceneError) as expected:
        load_scene(path)
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")

    with pytest.raises(SceneError) as failure:
        load_scene(path)
    assert str(failure.value) == str(expected.value)
    assert "at 2 pixels, in 2 bands (counted from 0: 2, 5)" in str(failure.value)
    assert not list((folder.parent / "cache").rglob("*.npy"))


def test_without_a_cache_folder_what_needs_no_copy_works_all_the_same(
    folder: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("HSIAUG_CACHE_DIR", str(folder / "file"))

    assert np.array_equal(load_scene(card(folder, as_envi("bip")(folder, TOY.cube))).cube, TOY.cube)
    with pytest.raises(SceneError, match="must take a copy of"):
        load_scene(card(folder, as_envi("bsq")(folder, TOY.cube)))


@pytest.mark.parametrize("kind", ["BSQ", "GeoTIFF", "GeoTIFF of tiles"])
def test_adding_a_large_scene_writes_the_card_of_a_small_one(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, values, _ = KINDS[kind]
    name = make(folder, values).split('"')[1]

    def added(out: str) -> tuple[str, Scene]:
        made = add_scene(folder / name, folder / "labels.npy", folder / out, ImportOptions(name="own"))
        return (folder / out).read_text(), made.scene

    text, scene = added("small.toml")
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")
    again, other = added("large.toml")

    assert again == text and other.sha256 == scene.sha256
    assert len(list((folder.parent / "cache" / "cubes").glob("*.npy"))) == 1


def test_a_large_geotiff_is_read_along_its_blocks(folder: Path, large: None) -> None:
    as_geotiff(**TILES, interleave="pixel")(folder, TOY.cube)
    raster: Any = read_cube_file(folder / "cube.tif").array

    windows = [(rows.start, columns.start) for rows, columns in raster.windows()]
    assert raster.block == (16, 16) and windows == [(0, 0)]
    assert [np.asarray(raster[5:9, 3:20]).shape, raster.shape] == [(4, 17, 8), (34, 28, 8)]
    with pytest.raises(SceneError, match="order hwb"):
        load_scene(card(folder, 'file = "cube.tif"\naxes = "whb"'))


@pytest.mark.parametrize("dropped", ["", "bad_bands = [7]"])
def test_a_small_part_of_a_large_geotiff_is_held_in_memory(
    dropped: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = as_geotiff(**TILES, interleave="pixel")
    crop = f"rows = [99, {99 + 34}]\ncolumns = [70, {70 + 28}]\n{dropped}"
    path = card(folder, f"{make(folder, np.pad(TOY.cube, ((99, 80), (70, 99), (0, 0))))}\n{crop}")
    expected = load_scene(path)
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "1")
    monkeypatch.setattr(readers_geotiff, "STRIPE_BYTES", 5000)

    assert load_scene(path).sha256 == expected.sha256
    assert not (folder.parent / "cache").exists()


def test_a_large_geotiff_that_holds_next_to_nothing_is_refused(folder: Path, large: None) -> None:
    rasterio = pytest.importorskip("rasterio")
    options = {"SPARSE_OK": True, "transform": rasterio.Affine(2, 0, 5e5, 0, -2, 5e6), **TILES}
    with rasterio.open(
        folder / "cube.tif", "w", driver="GTiff", height=4000, width=4000, count=8, dtype="float32", **options
    ):
        pass
    with pytest.raises(SceneError, match="must store what it announces"):
        read_cube_file(folder / "cube.tif")


def test_the_note_says_which_files_and_scenes(folder: Path, large: None) -> None:
    scene = load_scene(card(folder, as_envi("bsq")(folder, TOY.cube)))
    (note,) = (folder.parent / "cache" / "cubes").glob("*.json")
    said = json.loads(note.read_text())

    assert sorted(map(os.path.basename, said["files"])) == ["cube.hdr", "cube.img"]
    assert list(said["scenes"].values()) == [scene.sha256]


LIMITED = """
import resource, sys
import numpy as np
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view

resource.setrlimit(resource.RLIMIT_DATA, (500 * 2**20,) * 2)
scene = load_scene(sys.argv[1], progress=False)
view = train_view(scene, draw_split(scene, parse_protocol("issd"), 0, 5), "none")
print(scene.cube.nbytes, len(view.real))
try:
    np.array(scene.cube)
except MemoryError:
    print("no room for a copy")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's memory is Linux's")
def test_a_cube_of_a_gigabyte_is_split_and_shown_in_half_of_its_size(folder: Path) -> None:
    cube = np.lib.format.open_memmap(folder / "cube.npy", mode="w+", dtype=np.float32, shape=(1024, 1024, 256))
    cube[: len(TOY.cube), : TOY.cube.shape[1], : TOY.bands] = TOY.cube
    del cube
    np.save(folder / "labels.npy", np.pad(TOY.labels, [(0, 1024 - side) for side in TOY.labels.shape]))
    path = card(folder, 'file = "cube.npy"')
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[0].startswith(f"{2**30} "), done.stderr
    assert "no room for a copy" in done.stdout
