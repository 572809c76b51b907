"""What a file of HDF5 or netCDF-4 holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.core.scene import row_parts
from hsiaug.data.bounds import check_array, empty_cube
from hsiaug.data.raw import reading

if TYPE_CHECKING:
    import h5py

VALUES = 2**25
"""Values that are read at a time."""

MOST_DESCRIBED = 2**16
"""Values of a dataset that describes a cube, at most."""


@dataclass(frozen=True, eq=False)
class Contents:
    """The items of a file that lie in it: what links or external storage name is left out.

    Attributes
    ----------
    path : Path
        Path of the file.
    items : dict of str to object
        Datasets and groups by their path, the file itself as "".
    """

    path: Path
    items: dict[str, Any]

    def value(self, address: str) -> Any:
        """The values of a dataset, "ITEM", or of an attribute, "ITEM@NAME", of the file itself
        "@NAME"; None where there is none.

        Raises ValueError for a dataset that is too large to describe a cube.
        """
        item, at, name = address.partition("@")
        if item not in self.items:
            return None
        if at:
            return self.items[item].attrs.get(name)
        if self.items[item].size > MOST_DESCRIBED:
            raise ValueError(f"{self.items[item].size:,} values of {item}")
        return self.items[item][()]

    def numbers(self, address: str) -> NDArray[np.float64] | None:
        """(n,) numbers of a dataset or an attribute, which may be text; None where there is none.

        Raises ValueError, naming it, where one is no number.
        """
        value = self.value(address)
        if value is None:
            return None
        try:
            return np.ravel(np.asarray(value)).astype(np.float64)
        except (TypeError, ValueError) as cause:
            raise ValueError(f"{value!r} for the number {address}"[:160]) from cause

    def number(self, address: str) -> float | None:
        """The number of a dataset or an attribute; None where there is none. Raises ValueError for
        several.
        """
        listed = self.of_bands(address, 1)
        return None if listed is None else float(listed[0])

    def of_bands(
        self, address: str, bands: int, what: str = "values"
    ) -> NDArray[np.float64] | None:
        """One number for each band; None where the file has none. Raises ValueError for another
        count.
        """
        listed = self.numbers(address)
        if listed is not None and len(listed) != bands:
            raise ValueError(f"{len(listed)} {what} for {bands} bands in {address}")
        return listed

    def text(self, address: str) -> str:
        """The text of a dataset or an attribute; "" where there is none."""
        value = self.value(address)
        if value is None:
            return ""
        first = np.ravel(value)[0] if np.size(value) else ""
        return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)

    def has(self, address: str) -> bool:
        """Whether there is such a dataset or attribute."""
        return self.value(address) is not None if "@" in address else address in self.items

    def cubes(self) -> dict[str, h5py.Dataset]:
        """Numeric datasets that have three axes."""
        return {
            name: item
            for name, item in self.items.items()
            if len(getattr(item, "shape", None) or ()) == 3 and item.dtype.kind in "iuf"
        }


@contextmanager
def open_contents(path: Path) -> Iterator[Contents]:
    """What lies in a file of HDF5 or netCDF-4. Raises SceneError where it is damaged."""
    import h5py

    with reading(path, "HDF5 or netCDF-4"), h5py.File(path, "r", locking=False) as file:
        items: dict[str, Any] = {"": file}

        def note(name: str, item: Any) -> None:
            if not isinstance(item, h5py.Dataset) or not (item.is_virtual or item.external):
                items[name] = item

        file.visititems(note)  # links to other files are not followed
        yield Contents(path, items)


def whole(contents: Contents, name: str) -> AnyArray:
    """All numbers of a dataset, its axes as they are, in memory or in a temporary file.

    Raises ValueError for other values, SceneError for more than the file can hold.
    """
    dataset = contents.items[name]
    check_size(contents, name)
    dtype = np.dtype(dataset.dtype).newbyteorder("=")
    values = empty_cube(dataset.shape, f"{contents.path}: a copy", dtype)
    for rows in row_parts(dataset.shape, VALUES):
        values[rows] = dataset[rows]
    return values


def check_size(contents: Contents, name: str) -> None:
    """Raise SceneError for a dataset that announces more than its file can hold, ValueError for
    one of something else than numbers.
    """
    dataset = contents.items[name]
    if dataset.dtype.kind not in "iufb":
        raise ValueError(f"{dataset.dtype} in {name}")
    stored = dataset.id.get_storage_size()
    check_array(contents.path, dataset.shape, dataset.dtype.itemsize, labels=False, stored=stored)
