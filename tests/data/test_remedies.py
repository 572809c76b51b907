"""What an error tells a user to type works as it stands, until a card is written."""

import bz2
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy.io import netcdf_file, savemat

import hsiaug
from hsiaug.base.errors import HsiaugError
from hsiaug.data import load_scene, toy_scene
from tests.in_process import hsiaug as command

FARM = toy_scene(seed=3, height=40, width=32, bands=12, classes=3)
CUBE, LABELS = FARM.cube, FARM.labels.astype(np.uint8)
NAMES = ("hay", "rye", "track")
MOST_STEPS = 4

COMMAND = re.compile(r"(python -c .+?), and name (\S+\.npy)(?: with ((?:--\S+ ?(?:\S+=\S+)?)+))?")
UNPACK = re.compile(r"(tar -xf \S+|python -m zipfile -e \S+ \.|python -c \S.+)$")
VALUE = r"=(?:'[^']*'|[^\s;'])+"
OPTION = re.compile(rf"--set \w+{VALUE}|--(?:unlabelled|field|classes){VALUE}")
SWAP = re.compile(r"Swap them: (\S+) --labels (\S+?)\.?$")


def typed(folder: Path, line: str) -> None:
    """Do what a line does that is typed in a folder."""
    words = shlex.split(line)
    if words[:2] != ["python", "-c"]:
        in_shell(folder, line)
        return
    with chdir(folder):
        exec(words[2], {})


def in_shell(folder: Path, line: str) -> None:
    """Run a line in a shell, with this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", line], cwd=folder, env={**os.environ, "PATH": path}, check=True)


def follow(folder: Path, cube: str, labels: str, *options: str) -> list[str]:
    """Add a scene, and do what each error says; returns the errors."""
    said = []
    words = list(options)
    for _ in range(MOST_STEPS):
        answer = command(
            *("datasets", "add", cube, "--labels", labels, *words, "--out", "mine.toml", "--force"),
            cwd=folder,
        )
        if answer.returncode == 0:
            return said
        message = " ".join(answer.stderr.split()).removeprefix("error: ")
        said.append(message)
        assert message not in said[:-1], message
        hint = message.partition("; found ")[2]
        if swapped := SWAP.search(hint):
            cube, labels = swapped.groups()
        elif saved := COMMAND.search(hint):
            typed(folder, saved[1])
            words += shlex.split(saved[3] or "")
            cube, labels = (saved[2], labels) if message.startswith(cube) else (cube, saved[2])
            if message.startswith(labels) and "three axes" not in message and cube == labels:
                labels = saved[2]
        elif option := OPTION.search(hint):
            words += shlex.split(option[0].rstrip(".,"))
        elif unpacked := UNPACK.search(hint):
            typed(folder, unpacked[1])
            stem = labels.removesuffix(".tar.gz").removesuffix(".zip")
            labels = Path(stem).stem if labels.endswith((".gz", ".bz2")) else stem
            labels = labels if labels.endswith(".npy") else f"{Path(labels).stem}.npy"
        else:
            raise AssertionError(f"no remedy in: {message}")
    raise AssertionError(f"no card after {MOST_STEPS} steps: {said}")


def matlab(path: Path, write: Callable[[h5py.File], object]) -> None:
    """A file of version 7.3."""
    with h5py.File(path, "w", userblock_size=512) as file:
        write(file)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def put(group: h5py.Group, name: str, array: np.ndarray, kind: str) -> h5py.Dataset:
    item = group.create_dataset(name, data=array.T)
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item


def masks73(file: h5py.File) -> None:
    for code, name in enumerate(NAMES, start=1):
        put(file, name, (code == LABELS).astype("u1"), "logical")


def onehot73(file: h5py.File) -> None:
    put(file, "gt", np.stack([code == LABELS for code in (1, 2, 3)], 2).astype("u1"), "uint8")


def struct73(file: h5py.File) -> None:
    group = file.create_group("data/truth")
    put(group, "gt", LABELS, "uint8")
    file["data"].attrs["MATLAB_class"] = group.attrs["MATLAB_class"] = np.bytes_("struct")


def cell73(file: h5py.File) -> None:
    inner = put(file, "#refs#/a", LABELS, "uint8")
    references = np.array([[inner.ref]], dtype=h5py.ref_dtype)
    cell = file.create_dataset("gt", data=references, dtype=h5py.ref_dtype)
    cell.attrs["MATLAB_class"] = np.bytes_("cell")


def cell(array: np.ndarray) -> np.ndarray:
    made = np.empty((1, 2), dtype=object)
    made[0, 0], made[0, 1] = array, "made up"
    return made


MASKS = {name: code == LABELS for code, name in enumerate(NAMES, start=1)}
WORDS = np.array(["", *NAMES])[LABELS]


def tiff(path: Path, array: np.ndarray, **facts: object) -> None:
    bands = np.atleast_3d(array).transpose(2, 0, 1)
    size = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    place = {"transform": rasterio.Affine(5, 0, 500000, 0, -5, 5400000), "crs": "EPSG:32633"}
    with rasterio.open(path, "w", driver="GTiff", dtype=bands.dtype.name, **size, **place) as file:
        file.write(bands)
        for name, value in facts.items():
            setattr(file, name, value)


def packed(path: Path, content: bytes) -> None:
    kinds = {".gz": gzip.compress, ".bz2": bz2.compress}
    path.write_bytes(kinds[path.suffix](content))


def archive(path: Path) -> None:
    np.save(path.parent / "t.npy", LABELS)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            file.write(path.parent / "t.npy", "t.npy")
    else:
        with tarfile.open(path, "w:gz") as file:
            file.add(path.parent / "t.npy", "t.npy")
    (path.parent / "t.npy").unlink()


def npy_bytes(array: np.ndarray) -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def netcdf3(path: Path) -> None:
    with netcdf_file(str(path), "w") as file:
        for name, length in (("y", 40), ("x", 32)):
            file.createDimension(name, length)
        file.createVariable("gt", "i2", ("y", "x"))[:] = LABELS


def hdf(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["group/gt"] = LABELS


def envi(path: Path, array: np.ndarray, further: str = "") -> None:
    array = np.atleast_3d(array)
    path.with_suffix(".img").write_bytes(np.ascontiguousarray(array).tobytes())
    path.write_text(
        f"ENVI\nsamples = 32\nlines = 40\nbands = {array.shape[2]}\ndata type = 1\n"
        f"interleave = bip\nbyte order = 0\n{further}\n"
    )


HEIGHTS = (np.arange(40 * 32) % 250).reshape(40, 32).astype(np.uint8)

SQUARES = [(1, 1, 9, 7, 1), (12, 4, 20, 12, 2), (22, 20, 30, 30, 3)]
"""First column and row, those behind the last, and code."""


def corners(x: int, y: int, right: int, below: int) -> list[list[int]]:
    return [[x, y], [right, y], [right, below], [x, below]]


def annotations(path: Path) -> None:
    """The squares as LabelMe, COCO and Label Studio keep them, by the name of the file."""
    content: object = {
        "shapes": [
            {"label": NAMES[code - 1], "shape_type": "polygon", "points": corners(*box)}
            for *box, code in SQUARES
        ],
        "imagePath": "a.png",
        "imageHeight": 40,
        "imageWidth": 32,
    }
    if path.stem == "coco":
        content = {
            "images": [{"id": 7, "width": 32, "height": 40}],
            "categories": [{"id": 5 + i, "name": name} for i, name in enumerate(NAMES)],
            "annotations": [
                {
                    "image_id": 7,
                    "category_id": 4 + code,
                    "segmentation": [np.ravel(corners(*box)).tolist()],
                }
                for *box, code in SQUARES
            ],
        }
    if path.stem == "studio":
        results = [
            {
                "original_width": 32,
                "original_height": 40,
                "value": {
                    "points": [[100 * x / 32, 100 * y / 40] for x, y in corners(*box)],
                    "polygonlabels": [NAMES[code - 1]],
                },
            }
            for *box, code in SQUARES
        ]
        content = [{"annotations": [{"result": results}]}]
    path.write_text(json.dumps(content))


OF_LABELS: dict[str, Callable[[Path], object]] = {
    "masks.mat": lambda path: savemat(path, MASKS),
    "O'Brien masks.mat": lambda path: savemat(path, MASKS),
    "50 $ & more.mat": lambda path: savemat(path, MASKS),
    "bytes.mat": lambda path: savemat(path, {k: v.astype("u1") for k, v in MASKS.items()}),
    "masks73.mat": lambda path: matlab(path, masks73),
    "onehot73.mat": lambda path: matlab(path, onehot73),
    "struct73.mat": lambda path: matlab(path, struct73),
    "cell73.mat": lambda path: matlab(path, cell73),
    "onehot.mat": lambda path: savemat(path, {"gt": np.stack(list(MASKS.values()), 2) * 1}),
    "struct.mat": lambda path: savemat(path, {"gt": {"map": LABELS, "names": "hay"}}),
    "nested.mat": lambda path: savemat(path, {"a": {"b": {"map": LABELS}}}),
    "cell.mat": lambda path: savemat(path, {"gt": cell(LABELS)}),
    "several.mat": lambda path: savemat(path, {"gt": LABELS, "n": 3.0, "i": np.arange(9.0)}),
    "column.mat": lambda path: savemat(path, {"gt": LABELS.reshape(-1, 1, order="F")}),
    "two.npz": lambda path: np.savez(path, cube=CUBE, gt=LABELS),
    "objects.npy": lambda path: np.save(path, LABELS.astype(object), allow_pickle=True),
    "words.npy": lambda path: np.save(path, WORDS.astype(object), allow_pickle=True),
    "texts.npy": lambda path: np.save(path, WORDS),
    "deep.npy": lambda path: np.save(path, LABELS[None, :, :, None]),
    "layers.npy": lambda path: np.save(path, np.stack(list(MASKS.values()), 2)),
    "first.npy": lambda path: np.save(path, np.stack(list(MASKS.values()))),
    "smaller.npy": lambda path: np.save(path, LABELS[:, :-1]),
    "bands.tif": lambda path: tiff(path, np.stack([HEIGHTS, LABELS], 2)),
    "constant.tif": lambda path: tiff(path, np.stack([LABELS * 0 + 1, LABELS], 2)),
    "scaled.tif": lambda path: tiff(path, LABELS, scales=(0.5,)),
    "bands.hdr": lambda path: envi(path, np.stack([HEIGHTS, LABELS], 2)),
    "named.hdr": lambda path: envi(path, LABELS, "class names = {meadow, hay, rye, track}"),
    "twice.hdr": lambda path: envi(path, LABELS, "class names = {none, hay bale, hay bale, track}"),
    "gt.h5": hdf,
    "gt.nc": netcdf3,
    "gt.npy.gz": lambda path: packed(path, npy_bytes(LABELS)),
    "gt.npy.bz2": lambda path: packed(path, npy_bytes(LABELS)),
    "t.zip": archive,
    "t.tar.gz": archive,
}
"""Files of labels that are refused with a remedy."""


@pytest.mark.parametrize("name", OF_LABELS)
def test_the_remedy_of_a_file_of_labels_ends_in_a_card(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "cube.npy", CUBE)
    OF_LABELS[name](tmp_path / name)
    said = follow(tmp_path, "cube.npy", name)
    assert said
    scene = load_scene(tmp_path / "mine.toml")
    expected = np.where(FARM.labels > 0, FARM.labels, 0)
    if name == "smaller.npy":
        expected[:, -1] = 0
    if name == "named.hdr":
        expected = expected + 1
    assert np.array_equal(scene.labels, expected), said
    if "masks" in name or name in ("words.npy", "texts.npy"):
        assert set(scene.class_names) <= {*NAMES, "class 1", "class 2", "class 3"}


def both(path: Path) -> None:
    savemat(path, {"data": {"cube": CUBE, "gt": LABELS}})


def both73(path: Path) -> None:
    def write(file: h5py.File) -> None:
        group = file.create_group("data")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        put(group, "cube", CUBE, "single")
        put(group, "gt", LABELS, "uint8")

    matlab(path, write)


def pages(path: Path) -> None:
    first, *others = (Image.fromarray(band) for band in CUBE.transpose(2, 0, 1))
    first.save(path, save_all=True, append_images=others)


OF_BOTH: dict[str, Callable[[Path], object]] = {
    "both.mat": both,
    "both73.mat": both73,
    "both.npz": lambda path: np.savez(path, cube=CUBE, gt=LABELS),
}


@pytest.mark.parametrize("name", OF_BOTH)
def test_cube_and_labels_of_one_file_are_saved_side_by_side(tmp_path: Path, name: str) -> None:
    OF_BOTH[name](tmp_path / name)
    said = []
    cube = labels = name
    for _ in range(2):
        answer = command(
            *("datasets", "add", cube, "--labels", labels, "--out", "mine.toml"), cwd=tmp_path
        )
        message = " ".join(answer.stderr.split())
        said.append(message)
        saved = COMMAND.search(message)
        assert saved is not None, message
        typed(tmp_path, saved[1])
        cube, labels = (saved[2], labels) if cube == name else (cube, saved[2])
    assert cube != labels
    answer = command(
        *("datasets", "add", cube, "--labels", labels, "--out", "mine.toml"), cwd=tmp_path
    )
    assert answer.returncode == 0, answer.stderr
    scene = load_scene(tmp_path / "mine.toml")
    assert np.array_equal(scene.labels, FARM.labels) and np.allclose(scene.cube, CUBE)


def test_pages_of_a_tiff_are_saved_as_one_array(tmp_path: Path) -> None:
    pages(tmp_path / "pages.tif")
    np.save(tmp_path / "labels.npy", LABELS)
    assert follow(tmp_path, "pages.tif", "labels.npy")
    assert np.allclose(load_scene(tmp_path / "mine.toml").cube, CUBE)


def test_a_cube_and_its_labels_in_each_others_place_are_swapped(tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", CUBE)
    np.save(tmp_path / "labels.npy", LABELS)
    assert follow(tmp_path, "labels.npy", "cube.npy")


def test_a_file_that_holds_labels_beside_a_cube_is_not_called_swapped(tmp_path: Path) -> None:
    savemat(tmp_path / "two.mat", {"a": CUBE, "b": CUBE + 1, "map": LABELS})
    savemat(tmp_path / "scene.mat", {"cube": CUBE, "map": LABELS})

    said = follow(tmp_path, "two.mat", "scene.mat")

    assert "Swap them" not in said[0] and "--set cube_key=" in said[0] + said[-1]


def test_the_cube_is_proposed_and_not_a_larger_picture_beside_it(tmp_path: Path) -> None:
    rows, columns, _ = CUBE.shape
    picture = np.zeros((9 * rows, 9 * columns, 3))
    savemat(tmp_path / "two.mat", {"picture": picture, "cube": CUBE, "map": LABELS})
    assert picture.size > CUBE.size

    answer = command("datasets", "add", "two.mat", "--labels", "two.mat", cwd=tmp_path)

    assert answer.returncode == 2 and "--set cube_key=cube" in answer.stderr, answer.stderr


def test_an_attribute_whose_name_has_blanks_can_be_typed(tmp_path: Path) -> None:
    envi_cube = CUBE.astype("<f4")
    (tmp_path / "c.img").write_bytes(envi_cube.tobytes())
    (tmp_path / "c.hdr").write_text(
        "ENVI\nsamples = 32\nlines = 40\nbands = 12\ndata type = 4\ninterleave = bip\n"
        "byte order = 0\nmap info = {UTM, 1, 1, 500000, 5400000, 5, 5, 33, North, WGS-84}\n"
    )
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [500002.5 + 5 * column, 5399997.5 - 5 * row],
            },
            "properties": {"id": number, "kind of crop": NAMES[LABELS[row, column] - 1]},
        }
        for number, (row, column) in enumerate(np.argwhere(LABELS)[::3].tolist())
    ]
    system = {"type": "name", "properties": {"name": "EPSG:32633"}}
    (tmp_path / "l.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "crs": system, "features": features})
    )
    said = follow(tmp_path, "c.hdr", "l.geojson")
    assert "--field='kind of crop'" in said[0]
    assert load_scene(tmp_path / "mine.toml").class_names == NAMES


def test_what_python_is_told_is_python(tmp_path: Path) -> None:
    envi(tmp_path / "l.hdr", LABELS, "class names = {meadow, hay, rye, track}")
    np.save(tmp_path / "cube.npy", CUBE)
    files = [tmp_path / "cube.npy", tmp_path / "l.hdr"]
    with pytest.raises(HsiaugError) as caught:
        hsiaug.add_scene(*files, folder=tmp_path)
    remedy = re.search(r"`(unlabelled='none')`", str(caught.value))
    assert remedy is not None, caught.value
    with chdir(tmp_path):
        added = eval(
            f"add(*files, folder='.', {remedy[1]})", {"add": hsiaug.add_scene, "files": files}
        )
    assert added.scene.class_names == ("meadow", "hay", "rye", "track")


def test_a_shell_runs_what_a_file_with_odd_letters_in_its_name_needs(tmp_path: Path) -> None:
    name = "O'Brien $5 x.mat"
    savemat(tmp_path / name, MASKS)
    np.save(tmp_path / "cube.npy", CUBE)
    answer = command("datasets", "add", "cube.npy", "--labels", name, cwd=tmp_path)
    saved = COMMAND.search(" ".join(answer.stderr.split()))
    assert saved is not None, answer.stderr
    in_shell(tmp_path, saved[1])
    assert np.array_equal(np.load(tmp_path / saved[2]), LABELS)


@pytest.mark.parametrize("name", ["labelme.json", "coco.json", "studio.json"])
def test_polygons_of_an_annotation_tool_are_drawn_as_told(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "cube.npy", CUBE)
    annotations(tmp_path / name)
    said = follow(tmp_path, "cube.npy", name)
    assert "annotations of" in said[0]
    scene = load_scene(tmp_path / "mine.toml")
    expected = np.zeros_like(FARM.labels)
    for x, y, right, below, code in SQUARES:
        expected[y:below, x:right] = code
    assert np.array_equal(scene.labels, expected) and scene.class_names == NAMES


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        ("PAMDataset", "auxiliary metadata of GDAL"),
        ("annotations", "CVAT"),
        ("annotation", "Pascal VOC"),
        ("metadata", "XML whose root is <metadata>"),
    ],
)
def test_xml_of_another_kind_is_named(tmp_path: Path, root: str, kind: str) -> None:
    np.save(tmp_path / "cube.npy", CUBE)
    (tmp_path / "l.xml").write_text(f'<?xml version="1.0"?>\n<!-- a -->\n<{root}></{root}>')
    with pytest.raises(HsiaugError, match=kind):
        hsiaug.add_scene(tmp_path / "cube.npy", tmp_path / "l.xml", folder=tmp_path)
