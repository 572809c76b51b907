"""Cubes and label rasters that are damaged, or made to do harm: refused by one error, before memory
is taken.
"""

import io
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from hsiaug.base.errors import SceneError
from hsiaug.core.scene import Scene
from hsiaug.data import bounds
from hsiaug.data.georeference import quiet, read_declared
from hsiaug.data.label_source import read_raster
from hsiaug.data.readers import read_cube_file, read_label_file, read_labels_array, read_maps
from hsiaug.data.vector_labels import read_vector_labels
from hsiaug.quality.map_files import save_quick_look

CUBE = np.random.default_rng(0).random((6, 5, 4)).astype(np.float32)
LABELS = (np.arange(30) % 4).astype(np.uint8).reshape(6, 5)


def refusal(call: Callable[[], object], most_bytes: int = 2**24) -> str:
    """The message of what is refused without taking more memory than that."""
    tracemalloc.start()
    try:
        with pytest.raises(SceneError) as error:
            call()
        assert tracemalloc.get_traced_memory()[1] < most_bytes
    finally:
        tracemalloc.stop()
    return str(error.value)


def mat(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, arrays)
    return file.getvalue()


# .mat of version 4 to 7.


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", "i8", "?"])
def test_a_mat_file_gives_what_scipy_reads_from_it(
    tmp_path: Path, packed: bool, dtype: str
) -> None:
    cube, flat = (CUBE * 100).astype(dtype), LABELS.astype(dtype)
    others = {
        "text": "hello",
        "cells": np.array([1, "x"], dtype=object),
        "struct": {"a": 1},
        "one": flat[:1, :1],
    }
    path = tmp_path / "c.mat"
    scipy.io.savemat(path, {"cube": cube, "flat": flat, **others}, do_compression=packed)
    theirs = scipy.io.loadmat(path)
    for mine, name in (
        (read_cube_file(path).array, "cube"),
        (read_labels_array(path, key="flat").array, "flat"),
    ):
        assert np.array_equal(mine, theirs[name]) and mine.dtype == theirs[name].dtype


@pytest.mark.parametrize(
    "shape", [(-1, 5, 4), (2**31 - 1, 2**31 - 1, 2**31 - 1), (6, 5, 400), (0, 0, 0), (-6, -5, 4)]
)
def test_a_shape_that_does_not_fit_the_numbers_of_a_mat_file_is_refused(tmp_path, shape):
    whole = mat(cube=CUBE)
    (tmp_path / "c.mat").write_bytes(
        whole.replace(struct.pack("<3i", 6, 5, 4), struct.pack("<3i", *shape))
    )
    assert "c.mat must " in refusal(lambda: read_cube_file(tmp_path / "c.mat"))


def bomb(shape: tuple[int, ...]) -> bytes:
    """A packed variable of zeros."""
    size = int(np.prod(shape)) * 8
    axes = struct.pack(f"<II{len(shape)}i", 5, 4 * len(shape), *shape) + b"\0" * (
        4 * (len(shape) % 2)
    )
    head = (
        struct.pack("<4I", 6, 8, 6, 0)
        + axes
        + struct.pack("<HH4s", 1, 1, b"a")
        + struct.pack("<II", 9, size)
    )
    packer = zlib.compressobj(1)
    packed = packer.compress(struct.pack("<II", 14, len(head) + size) + head)
    packed += b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()
    start = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    return start + struct.pack("<II", 15, len(packed)) + packed


def test_a_packed_variable_may_not_be_many_times_larger_than_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "UNPACKED", 2**20)
    (tmp_path / "c.mat").write_bytes(bomb((128, 128, 256)))
    (tmp_path / "l.mat").write_bytes(bomb((2048, 2048)))
    for read, name in ((read_cube_file, "c.mat"), (read_label_file, "l.mat")):
        # scipy unpacks a block of the file to see how large the variable is.
        message = refusal(lambda read=read, name=name: read(tmp_path / name), most_bytes=2**27)
        assert name in message and "33.6 MB" in message and "store what it announces" in message


# .mat of version 7.3, which is HDF5.


def save_hdf5(path: Path, fill: Callable[[h5py.File], object]) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        fill(file)


def test_an_array_that_a_mat_file_keeps_elsewhere_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(bytes(range(120)))
    save_hdf5(tmp_path / "other.h5", lambda f: f.create_dataset("cube", data=CUBE.T))

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((4, 5, 6), dtype="f4")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "cube", (4, 5, 6))
        file.create_virtual_dataset("cube", layout)

    def external(file: h5py.File) -> None:
        storage = [(str(tmp_path / "secret.txt"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("cube", (4, 5, 6), dtype="u1", external=storage)

    def link(file: h5py.File) -> None:
        file["cube"] = h5py.ExternalLink("other.h5", "/cube")

    for fill, found in ((virtual, "another file"), (external, "another file"), (link, "link")):
        save_hdf5(tmp_path / "c.mat", fill)
        assert found in refusal(lambda: read_cube_file(tmp_path / "c.mat"))
        assert found in refusal(lambda: read_cube_file(tmp_path / "c.mat", key="cube"))


def test_an_hdf5_array_without_numbers_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    def cube(file: h5py.File) -> None:
        file.create_dataset("cube", (64, 4096, 4096), dtype="f4", chunks=(1, 1024, 1024))

    save_hdf5(tmp_path / "c.mat", cube)
    assert "(4.3 GB) in" in refusal(lambda: read_cube_file(tmp_path / "c.mat"))
    save_hdf5(
        tmp_path / "l.mat",
        lambda f: f.create_dataset("gt", (60000, 60000), dtype="u1", chunks=(1000, 1000)),
    )
    assert "at most" in refusal(lambda: read_label_file(tmp_path / "l.mat"))


# .npy, .npz.


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 5, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 40 + ", 5, 4), }",
        "{'descr': '''<f4",
        "{'descr': '<f4', 'shape': ((((",
        "(" * 1000,
        "[1, 2]",
    ],
)
def test_a_damaged_header_of_an_npy_is_refused(tmp_path: Path, header: str) -> None:
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    (tmp_path / "c.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(480)
    )
    for read in (read_cube_file, read_label_file):
        assert "c.npy must be a whole .npy file" in refusal(
            lambda read=read: read(tmp_path / "c.npy")
        )


def test_a_packed_npz_may_not_be_many_times_larger_than_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "UNPACKED", 2**20)
    np.savez_compressed(tmp_path / "m.npz", train=np.zeros((1200, 1200)))
    assert "store what it announces" in refusal(lambda: read_maps(tmp_path / "m.npz"))


# ENVI.


def envi(folder: Path, content: bytes = CUBE.tobytes(), **changed: object) -> Path:
    fields = {
        "samples": 5,
        "lines": 6,
        "bands": 4,
        "header offset": 0,
        "data type": 4,
        "interleave": "bip",
    }
    fields |= {"byte order": 0, **{key.replace("_", " "): value for key, value in changed.items()}}
    text = "ENVI\n" + "".join(
        f"{key} = {value}\n" for key, value in fields.items() if value is not None
    )
    (folder / "c.hdr").write_text(text, encoding="utf-8")
    (folder / "c.img").write_bytes(content)
    return folder / "c.hdr"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lines", -6),
        ("lines", 0),
        ("lines", "9" * 5000),
        ("samples", "nan"),
        ("bands", ""),
        ("header offset", -480),
        ("byte order", 7),
        ("interleave", "zip"),
        ("data type", 77),
        ("file compression", 1),
        ("reflectance scale factor", "nan"),
        ("reflectance scale factor", "inf"),
        ("reflectance scale factor", 0),
        ("reflectance scale factor", -1),
        ("reflectance scale factor", "1e-320"),
        ("major frame offsets", "{1, x}"),
    ],
)
def test_an_envi_header_that_cannot_be_right_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    path = envi(tmp_path, **{key.replace(" ", "_"): value})
    assert "c.hdr must " in refusal(lambda: read_cube_file(path))


def test_an_envi_header_that_goes_on_and_on_is_refused(tmp_path: Path) -> None:
    """The parser takes time quadratic in its lines."""
    path = envi(tmp_path)
    path.write_text(path.read_text() + "a = 1\n" * 200_000)
    assert "c.hdr must be a whole ENVI header" in refusal(lambda: read_cube_file(path))


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "-1e400", "{9}"])
def test_a_strange_no_data_value_in_an_envi_header_of_labels_counts_as_none(
    tmp_path: Path, value: str
) -> None:
    path = envi(tmp_path, LABELS.tobytes(), bands=1, data_type=1, data_ignore_value=value)
    raster = read_raster(path, None)
    assert raster.missing in (None, 9) and np.array_equal(raster.codes, LABELS)


@pytest.mark.parametrize("first", ["nan", "inf", "-1", "0", "x"])
def test_a_band_centre_that_is_none_costs_no_other(tmp_path: Path, first: str) -> None:
    centres = read_cube_file(envi(tmp_path, wavelength=f"{{{first}, 1, 2, 3}}")).wavelengths
    assert (
        centres is not None and np.isnan(centres[0]) and centres[1:].tolist() == [1000, 2000, 3000]
    )


# Images, and what goes by their name.


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_named_tif_fetches_nothing_and_reads_no_other_file(tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    Image.fromarray(LABELS).save(tmp_path / "other.tif")
    with listening() as (address, asked):
        for source in (f"/vsicurl/{address}/v.tif", str(tmp_path / "other.tif")):
            for name in ("c.tif", "l.tif"):
                (tmp_path / name).write_text(
                    '<VRTDataset rasterXSize="5" rasterYSize="6"><VRTRasterBand dataType="Byte"'
                    ' band="1"><SimpleSource>'
                    f"<SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
                    "</VRTRasterBand></VRTDataset>"
                )
            assert "c.tif" in refusal(lambda: read_cube_file(tmp_path / "c.tif"))
            assert "l.tif" in refusal(lambda: read_raster(tmp_path / "l.tif", None))
            assert read_declared(tmp_path / "c.tif").ground is None
        path = envi(tmp_path, (tmp_path / "c.tif").read_bytes().ljust(480))
        assert read_declared(path).ground is None
    assert asked == []


def test_what_lies_beside_a_tiff_fetches_nothing(tmp_path: Path) -> None:
    Image.fromarray(LABELS).save(tmp_path / "l.tif")
    with listening() as (address, asked):
        source = f"/vsicurl/{address}/v.tif"
        named = f'<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{source}</MDI></Metadata>'
        (tmp_path / "l.tif.aux.xml").write_text(f"<PAMDataset>{named}</PAMDataset>")
        assert np.array_equal(read_raster(tmp_path / "l.tif", None).codes, LABELS)
        (tmp_path / "l.tif.msk").write_text(
            f"<VRTDataset><SourceFilename>{source}</SourceFilename></VRTDataset>"
        )
        assert "l.tif.msk, that is no TIFF" in refusal(
            lambda: read_raster(tmp_path / "l.tif", None)
        )
    assert asked == []


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "PPM", "EPS"])
def test_an_image_must_be_of_the_format_that_its_name_says(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    """PostScript would start another program."""
    if kind == {".png": "PNG", ".tif": "TIFF", ".bmp": "BMP"}[suffix]:
        return
    Image.fromarray(LABELS).save(tmp_path / "image", kind)
    (tmp_path / "image").rename(tmp_path / f"l{suffix}")
    assert f"l{suffix} must be a whole " in refusal(
        lambda: read_label_file(tmp_path / f"l{suffix}")
    )


@pytest.mark.parametrize(
    "name",
    ["c.npy", "c.mat", "c.tif", "c.hdr", "c.img", "l.png", "l.npz", "l.csv", "l.geojson", "l.gpkg"],
)
def test_an_empty_file_is_refused_before_it_is_opened(
    tmp_path: Path, name: str, monkeypatch
) -> None:
    # /proc/kmsg, which only root may open, says that it is empty, and never ends.
    for each in (name, "c.hdr", "c.img") if name[-4:] in (".hdr", ".img") else (name,):
        (tmp_path / each).touch()
    vectors = dict.fromkeys(
        (".csv", ".geojson", ".gpkg"), lambda path: read_vector_labels(path, None, None)
    )
    read = {".npz": read_maps, ".png": read_label_file, **vectors}
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("opened"))
    said = refusal(lambda: read.get(Path(name).suffix, read_cube_file)(tmp_path / name))
    assert said.startswith(f"{tmp_path / name[:2]}") and "must not be empty" in said


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 1), (12_000, 12_000), (0, 0)])
def test_an_image_that_announces_too_much_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "l.png").write_bytes(png(*size))
    assert "l.png" in refusal(lambda: read_label_file(tmp_path / "l.png"))


def test_a_geotiff_that_stores_nothing_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    with quiet() as rasterio:
        for name, side, bands in (("c.tif", 4000, 60), ("l.tif", 30_000, 1)):
            size = {"width": side, "height": side, "count": bands, "dtype": "float32"}
            rasterio.open(
                tmp_path / name, "w", driver="GTiff", SPARSE_OK=True, BIGTIFF="YES", **size
            ).close()
    assert "store what it announces" in refusal(lambda: read_cube_file(tmp_path / "c.tif"))
    assert "l.tif: a label raster may have at most" in refusal(
        lambda: read_raster(tmp_path / "l.tif", None)
    )


# Codes.


@pytest.mark.parametrize("code", [2**31, -(2**31), 2**63 - 1])
def test_a_label_code_of_more_than_32_bits_is_refused(tmp_path: Path, code: int) -> None:
    np.save(tmp_path / "l.npy", np.where(LABELS > 0, code, 0))
    assert "l.npy: labels must be whole numbers below" in refusal(
        lambda: read_raster(tmp_path / "l.npy", None)
    )


def test_a_cube_beyond_the_memory_of_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "free_memory", lambda: 10**6)
    bounds.check_memory("a cube", 10**6)
    with pytest.raises(
        SceneError, match=r"a cube must fit into memory; found 1.0 MB needed, 1.0 MB free"
    ):
        bounds.check_memory("a cube", 10**6 + 1)


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".npy", "a" * 300 + ".hdr", "a" * 300 + ".tif", "a" * 300]
)
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    for read in (read_cube_file, read_label_file):
        assert "must" in refusal(lambda read=read: read(Path(name)))


@pytest.mark.drawn
def test_the_picture_of_a_strip_of_pixels_is_no_larger_than_others(tmp_path: Path) -> None:
    codes = np.tile([[0], [1], [2]], (1000, 1)).repeat(3, 1)
    strip = Scene("strip", np.ones((3000, 3, 3)), codes, ("a", "b"))
    save_quick_look(strip, tmp_path / "look.png")
    with Image.open(tmp_path / "look.png") as picture:
        assert picture.height < 3000
