"""Samples that wait for other trials lie in a file, and come back as they were."""

import ctypes
import tempfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hsiaug.base import arrays
from hsiaug.base.arrays import LARGE, PlacedRows, mapped_rows, row_blocks
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


def test_samples_without_a_finite_value_in_a_later_block_are_refused(
    samples: PatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "AT_ONCE", LARGE // 4)
    samples.x[-1, 0, 0, 0] = np.nan

    with pytest.raises(PluginError, match="in 1 of them"):
        check_contents(samples, "spectra")
