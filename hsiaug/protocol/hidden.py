"""The cube of a train view: NaN at every pixel that the view hides, without a copy of a cube that stays on disk."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.core.view_names import RAW
from hsiaug.data.bounds import STRIPE_BYTES, free_memory, in_bytes, is_large
from hsiaug.data.raw import let_go

COPIES = 3
"""Whole cubes that a plugin is reckoned to hold once it computes with all pixels: the cube, an operand and a result."""


def hide_pixels(cube: NDArray[np.float32], visible: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The cube (H, W, B) with NaN where ``visible`` (H, W) is False: a copy, or a HiddenCube of a large one."""
    if is_large(cube.shape):
        return cast("NDArray[np.float32]", HiddenCube(cube, visible))
    copy = cube.copy()
    copy[~visible] = np.nan
    return copy


class HiddenCube(NDArrayOperatorsMixin):
    """A float32 cube (H, W, B) of which some pixels are hidden: NaN in whatever is read of it.

    Used as an array is. What an index names is read, and no more; ``cube @ matrix`` is computed in stripes of rows.
    Everything else (``cube - mean``, ``np.asarray(cube)``, ``cube.reshape(…)``) makes the whole array first. Raises
    PluginError where that, or what an index names, does not fit into the free memory. Results are those of the
    array, to the bit, and always copies.

    cube: (H, W, B) float32, perhaps mapped from a file. visible: (H, W) bool. spectra: the spectral view in which its
    pixels are shown, converted as they are read.
    """

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(
        self, cube: NDArray[np.float32], visible: NDArray[np.bool_], spectra: SpectralView = RAW_VIEW
    ) -> None:
        self._cube, self._visible, self._spectra = cube, visible, spectra
        self._hidden = np.broadcast_to(~visible[:, :, None], self.shape)

    def seen(self, spectra: SpectralView) -> HiddenCube:
        """The same pixels of the cube in a spectral view."""
        return HiddenCube(self._cube, self._visible, spectra)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and bands."""
        height, width, bands = self._cube.shape
        return height, width, self._spectra.bands(bands)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the whole array would take."""
        return 4 * self.size

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        hidden = np.asarray(self._hidden[index])
        if hidden.nbytes > STRIPE_BYTES:
            _check_memory(COPIES * 4 * hidden.size)
        if self._spectra.name != RAW and _names_bands(index):
            return np.asarray(self)[index]
        found = self._spectra(np.asarray(self._cube[index]), axis=-1)
        if not found.flags.owndata or not found.flags.writeable:
            found = found.copy()
        found[hidden] = np.nan
        let_go(self._cube)
        return found[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a cube that is read from disk cannot be an array without a copy")
        _check_memory(COPIES * self.nbytes)
        whole = np.empty(self.shape, dtype=np.float32)
        for top in range(0, len(self), self._stripe):
            whole[top : top + self._stripe] = self[top : top + self._stripe]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc is np.matmul and method == "__call__" and inputs[0] is self and not options:
            matrix = np.asarray(inputs[1])
            tops = range(0, len(self), self._stripe)
            if matrix.ndim == 2:
                return np.concatenate([self[top : top + self._stripe] @ matrix for top in tops])
        whole = [np.asarray(one) if isinstance(one, HiddenCube) else one for one in inputs]
        return getattr(ufunc, method)(*whole, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if not hasattr(np.ndarray, name):
            raise AttributeError(f"an array has no attribute {name!r}")
        return getattr(np.asarray(self), name)

    @property
    def _stripe(self) -> int:
        """Rows that are read at once."""
        return max(1, STRIPE_BYTES // (4 * self.shape[1] * self.shape[2]))


def _names_bands(index: Any) -> bool:
    """Whether an index of a cube (H, W, B) says which bands, too."""
    parts = index if isinstance(index, tuple) else (index,)
    masks = [np.ndim(part) for part in parts if getattr(part, "dtype", None) == np.bool_]
    others = sum(part is not None for part in parts) - len(masks)
    return any(part is Ellipsis for part in parts) or sum(masks) + others > 2


def _check_memory(needed: int) -> None:
    free = free_memory()
    if free is not None and needed > free:
        raise PluginError(
            "a plugin that computes with all pixels of a large scene needs memory for them",
            value=f"{in_bytes(needed)} needed, {in_bytes(free)} free",
            hint="Take a generator and a classifier of scope 'none', crop the scene (cube.rows and cube.columns of its "
            "card), or use a machine with more memory.",
        )
