"""Files that another program cuts while they are read: a mapped page that is gone would end the
process (SIGBUS).
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError
from hsiaug.core.scene import row_parts
from hsiaug.data import raw
from hsiaug.data.cube_check import look_through
from hsiaug.data.raw import Conversion, convert_cube, in_memory
from hsiaug.data.readers import read_cube_file

SHAPE = (40, 50, 60)
ORDERS = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}


def npy(folder: Path, cube: AnyArray) -> Path:
    np.save(path := folder / "c.npy", cube)
    return path


def fortran(folder: Path, cube: AnyArray) -> Path:
    return npy(folder, np.asfortranarray(cube))


def envi(interleave: str) -> Callable[[Path, AnyArray], Path]:
    def write(folder: Path, cube: AnyArray) -> Path:
        height, width, bands = cube.shape
        (folder / "c.img").write_bytes(b"7" * 100 + cube.transpose(ORDERS[interleave]).tobytes())
        (folder / "c.hdr").write_text(
            f"ENVI\nsamples = {width}\nlines = {height}\nbands = {bands}\nheader offset = 100\n"
            f"data type = 2\nbyte order = 0\ninterleave = {interleave}\n"
        )
        return folder / "c.img"

    return write


WRITERS = {"npy": npy, "fortran": fortran, **{one: envi(one) for one in ORDERS}}


@pytest.fixture(params=WRITERS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, AnyArray]:
    cube = np.random.default_rng(0).integers(1, 2000, SHAPE).astype("<i2")
    return WRITERS[request.param](tmp_path, cube), cube


def test_what_is_read_of_a_mapped_file_is_what_is_in_it(written: tuple[Path, AnyArray]) -> None:
    path, cube = written
    array = read_cube_file(path.with_suffix(".hdr") if path.suffix == ".img" else path).array
    for part in (slice(None), slice(3, 9), slice(39, 40)):
        for columns in (slice(None), slice(4, 7)):
            np.testing.assert_array_equal(in_memory(array[part, columns]), cube[part, columns])
    turned = in_memory(array.transpose(2, 1, 0)[5:7])
    np.testing.assert_array_equal(turned, cube.transpose(2, 1, 0)[5:7])
    assert not isinstance(turned.base, np.memmap)
    np.testing.assert_array_equal(
        convert_cube(array, "scene", Conversion([1, 4])), cube[:, :, [1, 4]]
    )


def test_rows_that_lie_all_over_a_file_are_read_as_they_are(written, monkeypatch) -> None:
    path, cube = written
    array = read_cube_file(path.with_suffix(".hdr") if path.suffix == ".img" else path).array
    expected = look_through(cube, None, (), "c")
    monkeypatch.setattr(raw, "row_parts", lambda shape: row_parts(shape, 900))
    for turned, wanted in ((array, cube), (array[:, 5:9], cube[:, 5:9]), (array.T, cube.T)):
        parts = list(raw.stripes(turned))
        np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), wanted)
        assert len(parts) > 1 and all(len(wanted[rows]) == len(part) for rows, part in parts)
    assert look_through(array, None, (), "c").typical == expected.typical


@pytest.mark.parametrize(
    "read",
    [
        lambda array: convert_cube(array, "scene", Conversion()),
        lambda array: look_through(array, None, (), "c"),
    ],
)
@pytest.mark.parametrize("left", [0, 5000, -1])
def test_a_file_that_is_cut_after_it_was_opened_is_one_error(written, read, left) -> None:
    path, _ = written
    array = read_cube_file(path.with_suffix(".hdr") if path.suffix == ".img" else path).array
    os.truncate(path, left if left >= 0 else path.stat().st_size - 1)
    with pytest.raises(SceneError, match=path.name):
        read(array)
