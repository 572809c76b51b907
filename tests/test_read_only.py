"""Arrays handed to plugins: NumPy refuses to write into them, and what writes all the same is
found.
"""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from hsiaug.base.arrays import LARGE, give_back_files
from hsiaug.core.read_only import Seals, seal, seal_all
from hsiaug.core.samples import Patches

ANY = arrays.arrays(
    dtype=arrays.boolean_dtypes()
    | arrays.integer_dtypes(endianness="=")
    | arrays.floating_dtypes(endianness="="),
    shape=arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
)


@given(ANY)
def test_a_sealed_array_has_the_same_values_and_cannot_be_written_into(array: np.ndarray) -> None:
    same = seal(array)
    assert same.dtype == array.dtype and same.shape == array.shape
    assert same.tobytes() == array.tobytes()
    assert not same.flags.writeable
    if array.size:
        with pytest.raises(ValueError, match="read-only"):
            same[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            same.flags.writeable = True


def test_a_part_of_an_array_is_sealed_without_a_copy() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    assert np.shares_memory(seal(x[:, 1:, ::2]), x)


def test_samples_are_sealed_as_a_whole() -> None:
    batch = seal_all(Patches(np.zeros((2, 3, 1, 1), np.float32), np.zeros((2, 2), np.int32)))
    assert not batch.x.flags.writeable and not batch.coords.flags.writeable


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_tensor_over_a_sealed_array_that_is_written_into_is_found() -> None:
    torch = pytest.importorskip("torch")
    seals = Seals()
    x, y = seals.add("x", np.ones((4, 4), np.float32)), seals.add("y", np.ones(3))
    assert not seals.broken()
    torch.from_numpy(x)[2, 1] = 0
    assert seals.broken() == ["x"] and y.sum() == 3


@pytest.mark.parametrize("shape", [(3, 2), (700, 200), (6, 20, 9, 9)])
def test_rows_that_changed_places_are_found(shape: tuple[int, ...]) -> None:
    seals = Seals()
    rows = np.random.default_rng(0).random(shape, dtype=np.float32)
    seals.add("rows", rows)
    rows[[0, 1]] = rows[[1, 0]]
    assert seals.broken() == ["rows"]


@pytest.mark.parametrize("place", [0, 4072, -1])
def test_a_single_value_that_changed_is_found(place: int) -> None:
    seals = Seals()
    values = np.zeros(10_001, dtype=np.float32)
    seals.add("values", values)
    values[place] = np.nextafter(np.float32(0), np.float32(1))
    assert seals.broken() == ["values"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_array_of_a_view_is_in_memory_only_while_it_is_read() -> None:
    values = np.random.default_rng(0).normal(size=(LARGE // 4,)).astype(np.float32)
    seals = Seals()
    array = seals.add("cube", values)
    assert not np.shares_memory(array, values)
    assert np.array_equal(array, values)

    read = resident_files()
    give_back_files()

    assert read - resident_files() > LARGE // 1024 // 2
    assert np.array_equal(array, values) and not seals.broken()


def test_what_is_written_into_a_large_array_all_the_same_is_found() -> None:
    seals = Seals()
    array = seals.add("cube", np.zeros(LARGE // 4, np.float32))
    # As a tensor does that torch.from_numpy made of it.
    ctypes.memset(array.ctypes.data, 1, 4)

    assert seals.broken() == ["cube"]


def resident_files() -> int:
    """Kilobytes of mapped files in memory."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))
