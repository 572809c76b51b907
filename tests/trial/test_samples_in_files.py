"""Samples that wait for other trials lie in a file, and come back as they were."""

import ctypes
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hsiaug.base import arrays
from hsiaug.base.arrays import LARGE, PlacedRows, give_back_pages, mapped_rows, row_blocks
from hsiaug.base.errors import PluginError
from hsiaug.core.read_only import Seals
from hsiaug.core.samples import PatchSamples
from hsiaug.metrics.false_colours import some_pixels
from hsiaug.metrics.patch_distances import PatchSpace
from hsiaug.tasks.sampling import check_contents
from hsiaug.trial.samples import in_file


@pytest.fixture
def samples() -> PatchSamples:
    """Patches of a little more than what is written to a file."""
    rng = np.random.default_rng(0)
    shape = (LARGE // (4 * 50 * 81) + 1, 50, 9, 9)
    x = rng.normal(size=shape).astype(np.float32)
    return PatchSamples.made(x, np.arange(len(x)) % 3 + 1, {"made": "at random"})


def assert_same(opened: object, samples: PatchSamples) -> None:
    assert isinstance(opened, PatchSamples)
    for name in ("x", "coords", "y", "synthetic", "weight"):
        assert np.array_equal(getattr(opened, name), getattr(samples, name)), name
    assert opened.provenance == samples.provenance


def test_they_come_back_as_they_were(samples: PatchSamples) -> None:
    assert_same(in_file(samples), samples)


def test_patches_are_mapped_and_cannot_be_written_to(samples: PatchSamples) -> None:
    opened = in_file(samples)
    assert isinstance(opened, PatchSamples)

    assert not np.shares_memory(opened.x, samples.x)
    with pytest.raises(ValueError, match="read-only"):
        opened.x[0] = 0
    # Small arrays stay where they are.
    assert opened.y is samples.y


def test_a_disk_without_room_costs_memory_alone(
    samples: PatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)

    opened = in_file(samples)

    assert isinstance(opened, PatchSamples)
    assert opened.x is samples.x


def test_a_file_that_is_written_in_part_is_closed(
    samples: PatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Filling(BytesIO):
        def write(self, data: object) -> int:
            raise OSError("File too large")

    file = Filling()
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: file)

    opened = in_file(samples)

    assert isinstance(opened, PatchSamples)
    assert opened.x is samples.x
    assert file.closed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("full", [False, True])
def test_rows_that_come_in_any_order_lie_in_their_places(
    samples: PatchSamples, full: bool, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Filling(BytesIO):
        written = 0

        def write(self, data: Any) -> int:
            self.written += 1
            if self.written == 3:
                raise OSError("No space left on device")
            return super().write(data)

    def blocks() -> Iterator[PlacedRows]:
        some, others = np.split(
            np.random.default_rng(0).permutation(len(samples)), [len(samples) // 2]
        )
        # Neighbours, too, which are written at once.
        for places in (some, np.sort(others)):
            yield places, samples.x[places].astype(dtype)

    if full:
        monkeypatch.setattr(tempfile, "TemporaryFile", Filling)
    placed = mapped_rows(samples.x.shape, blocks)

    assert np.array_equal(placed, samples.x)
    assert isinstance(placed.base, np.memmap) == (not full)
    few = mapped_rows((2, 3), lambda: [(np.array([1, 0]), np.eye(2, 3, dtype=np.float32))])
    assert few.tolist() == [[0, 1, 0], [1, 0, 0]]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_pages_that_are_given_back_are_read_again(samples: PatchSamples) -> None:
    opened = in_file(samples)
    assert isinstance(opened, PatchSamples)

    def resident() -> int:
        """Kilobytes of mapped files in memory."""
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    assert opened.x.sum() == samples.x.sum()
    read = resident()
    give_back_pages(opened.x[3:, :, 4:5])

    assert read - resident() > LARGE // 1024 // 2
    assert_same(opened, samples)


def test_what_is_written_to_a_map_of_another_stays(
    samples: PatchSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", samples.x)
    # What is written to its pages is never in the file.
    own = np.load(tmp_path / "x.npy", mmap_mode="c")
    own += 1
    monkeypatch.setattr(arrays, "AT_ONCE", LARGE // 4)

    check_contents(PatchSamples.made(own, samples.y), "spectra")

    assert np.array_equal(own, samples.x + 1)


def test_what_is_read_block_by_block_is_what_is_read_at_once(
    samples: PatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(x: NDArray[np.float32]) -> tuple[Any, ...]:
        space = PatchSpace.fit(samples.x[:, :, 4, 4])
        patches = PatchSamples.made(x, samples.y)
        return space.reduce(x), some_pixels(x), patches.centres, Seals().add("x", x).sum()

    whole = read(samples.x)
    in_a_file = mapped_rows(samples.x.shape, lambda: [(np.arange(len(samples)), samples.x)])
    monkeypatch.setattr(arrays, "AT_ONCE", LARGE // 4)
    blocks = [rows for rows, _ in row_blocks(in_a_file)]

    assert len(blocks) == 5
    for once, by_block in zip(whole, read(in_a_file), strict=True):
        assert np.array_equal(once, by_block)


def test_a_block_that_was_changed_is_found(
    samples: PatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "AT_ONCE", LARGE // 4)
    seals = Seals()
    read_only = seals.add("x", samples.x)
    assert seals.broken() == []

    # As compiled code writes, which does not ask NumPy.
    ctypes.memset(read_only[-1].ctypes.data, 1, 8)

    assert seals.broken() == ["x"]


def test_no_rows_are_one_block() -> None:
    assert [rows.shape for _, rows in row_blocks(np.empty((0, 3)))] == [(0, 3)]


def test_samples_without_a_finite_value_in_a_later_block_are_refused(
    samples: PatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "AT_ONCE", LARGE // 4)
    samples.x[-1, 0, 0, 0] = np.nan

    with pytest.raises(PluginError, match="in 1 of them"):
        check_contents(samples, "spectra")


def test_an_array_in_memory_is_left_alone(samples: PatchSamples) -> None:
    before = samples.x.copy()

    give_back_pages(samples.x)

    assert np.array_equal(samples.x, before)
