"""Patches, which generators make, and patches with labels, which classifiers learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsiaug.base.arrays import AnyArray, Bools, Float32, Int32, Int64, row_blocks
from hsiaug.base.errors import PluginError
from hsiaug.core.read_only import arrays_of

if TYPE_CHECKING:
    from torch.utils.data import TensorDataset

B = TypeVar("B", bound="RowArrays")
Place = TypeVar("Place", bound=np.integer)

NOWHERE = -1


class Indexable:
    """A dataclass whose arrays hold one row for each of some things."""

    def take(self, index: AnyArray | slice) -> Self:
        """The rows at ``index`` (integers or a mask), in that order; of a slice, views."""
        rows = {name: array[index] for name, array in arrays_of(self).items()}
        return replace(self, **rows)  # type: ignore[type-var]


class RowArrays(Indexable):
    """Patches or tiles, with labels or without."""

    def __repr__(self) -> str:
        arrays = (f"{name}{list(array.shape)}" for name, array in arrays_of(self).items())
        return f"{type(self).__name__}({', '.join(arrays)})"

    @property
    def spectra(self) -> Float32:
        """(..., B): those of the pixels that have a label, in the shape of the labels."""
        raise NotImplementedError

    @property
    def pixel_spectra(self) -> Float32:
        """(n, B) float32: the same, one row for each pixel."""
        return self.spectra.reshape(-1, self.spectra.shape[-1])


@dataclass(frozen=True, eq=False, repr=False)
class Patches(RowArrays):
    """Unlabelled p×p patches; a patch stands for its centre pixel.

    Attributes
    ----------
    x : (n, B, p, p) float32
        In the units of the scene (not normalised).
    coords : (n, 2) int32
        Row and column of the centre; -1 for synthetic patches, and for classifiers whose card does
        not declare that they read positions.

    See Also
    --------
    PatchSamples : patches with labels.
    patches_at : cuts patches out of a cube.
    """

    x: Float32
    coords: Int32

    def __post_init__(self) -> None:
        if (
            self.x.ndim != 4
            or self.x.shape[2] != self.x.shape[3]
            or self.coords.shape != (len(self.x), 2)
        ):
            raise PluginError(
                "patches must have x of shape (n, bands, p, p) and coords of shape (n, 2)",
                value=f"x {self.x.shape}, coords {self.coords.shape}",
                hint="Build them with TrainView.patches, or keep the channels first.",
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def values(self) -> Float32:
        """The array of spectra, whatever it is called."""
        return self.x

    @property
    def spectra(self) -> Float32:
        """(n, B) float32: the spectra of the centre pixels, which have the labels."""
        return self.centres

    def without_labels(self) -> Patches:
        """The patches alone, as a classifier gets them."""
        return Patches(self.x, self.coords)

    @property
    def centres(self) -> Float32:
        """(n, B) float32: the spectrum of each centre pixel."""
        middle = self.x.shape[2] // 2
        # All of a mapped file is read for them.
        read = [some[:, :, middle, middle].copy() for _, some in row_blocks(self.x)]
        return np.concatenate(read)


@dataclass(frozen=True, eq=False, repr=False)
class PatchSamples(Patches):
    """Labelled patches, real or synthetic.

    Attributes
    ----------
    x : (n, B, p, p) float32
        In the units of the scene.
    y : (n,) int64
        Class ids 1..C of the centre pixels.
    synthetic : (n,) bool
        Whether a patch is synthetic.
    weight : (n,) float32
        Sample weights, 1 for real samples; not all classifiers use them.
    coords : (n, 2) int32
        Rows and columns of the centre pixels in the scene; -1 for synthetic patches.
    provenance : mapping of str to object
        JSON-able facts about how synthetic samples were made; they are stored in the record.

    See Also
    --------
    Patches : patches without labels.
    DenseSamples : the same for tiles with masks.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import PatchSamples
    >>> made = PatchSamples.made(np.zeros((3, 20, 9, 9), dtype=np.float32), np.array([1, 1, 2]))
    >>> made.centres.shape, made.weight.tolist()
    ((3, 20), [1.0, 1.0, 1.0])
    """

    y: Int64
    synthetic: Bools
    weight: Float32
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("y", "synthetic", "weight"):
            if getattr(self, name).shape != (len(self.x),):
                raise PluginError(
                    f"samples need one entry of {name} per patch, {len(self.x)} in all",
                    value=f"shape {getattr(self, name).shape}",
                    hint="Return arrays of equal length.",
                )

    @property
    def labels(self) -> Int64:
        """Class ids as they are predicted."""
        return self.y

    def to_torch(self) -> TensorDataset:
        """A torch Dataset of copies: patch (B, p, p), class index 0..C-1 and weight of each
        sample.
        """
        return torch_dataset(self.x, self.y - 1, self.weight)

    @classmethod
    def made(
        cls,
        x: Float32,
        y: Int64,
        provenance: Mapping[str, object] | None = None,
    ) -> PatchSamples:
        """Synthetic samples, with weight 1 and no position.

        Parameters
        ----------
        x : (n, B, p, p) float32
            Patches in the units of the scene.
        y : (n,) int64
            Class ids 1..C of the centre pixels.
        provenance : mapping of str to object or None
            JSON-able facts about how they were made, for the record.

        Returns
        -------
        PatchSamples
            With ``synthetic`` True and ``weight`` 1.
        """
        return cls(
            x=np.ascontiguousarray(real_numbers(x), dtype=np.float32),
            coords=np.full((len(x), 2), NOWHERE, dtype=np.int32),
            y=class_ids(y),
            synthetic=np.ones(len(x), dtype=bool),
            weight=np.ones(len(x), dtype=np.float32),
            provenance=dict(provenance or {}),
        )


def torch_dataset(*arrays: AnyArray) -> TensorDataset:
    """A Dataset of torch whose items are a row of each array."""
    import torch
    from torch.utils.data import TensorDataset

    return TensorDataset(*(torch.from_numpy(array.copy()) for array in arrays))


def real_numbers(patches: ArrayLike) -> AnyArray:
    """Patches as an array. Raises PluginError for complex numbers, half of which would be lost."""
    values = np.asarray(patches)
    if np.iscomplexobj(values):
        raise PluginError(
            "samples must be real numbers",
            value=f"an array of {values.dtype}",
            hint="Return their real parts, or their absolute values.",
        )
    return values


def class_ids(labels: ArrayLike) -> Int64:
    """Class ids as int64. Raises PluginError where that would change one, such as 1.4."""
    values = np.asarray(labels)
    with np.errstate(invalid="ignore"):  # NaN is no id either
        ids = values.astype(np.int64)
    if not np.array_equal(ids, values):
        raise PluginError(
            "class ids of samples must be whole numbers",
            value=str(values[ids != values][0]),
            hint="Round, or take the arg max, before labels are returned.",
        )
    return ids


def concatenate(parts: Sequence[B]) -> B:
    """One batch of samples after the other.

    Provenance is taken from the last that has any; an array that is optional is kept where all have
    it.
    """
    if len(parts) == 1:
        return parts[0]
    arrays = [arrays_of(batch) for batch in parts]
    values: dict[str, Any] = {
        name: (
            np.concatenate([fields[name] for fields in arrays])
            if all(name in fields for fields in arrays)
            else None
        )
        for name in {name for fields in arrays for name in fields}
    }
    samples: Sequence[Any] = parts
    provenances = [batch.provenance for batch in samples if batch.provenance]
    joined: B = replace(samples[0], **values, provenance=provenances[-1] if provenances else {})
    return joined


def spread_rows(rows: NDArray[Place], most: int) -> NDArray[Place]:
    """At most so many of the rows (n,), evenly spread from the first to the last."""
    places = np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64)
    return rows[places]


def random_rows(rows: NDArray[Place], most: int, rng: np.random.Generator) -> NDArray[Place]:
    """At most so many of the rows (n, ...), drawn at random, in their order."""
    return rows[np.sort(rng.choice(len(rows), size=min(most, len(rows)), replace=False))]


def take_in_turn(groups: NDArray[np.integer]) -> NDArray[np.intp]:
    """The order that takes the first item of each group, then the second of each, and so on.

    Parameters
    ----------
    groups : (n,) integers
        Group of each item.

    Returns
    -------
    (n,) intp
        Indices of the items; those of one round are in the order of their groups.

    See Also
    --------
    find_segments : makes groups of pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import take_in_turn
    >>> take_in_turn(np.array([5, 5, 5, 7])).tolist()
    [0, 3, 1, 2]
    """
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    turn = np.empty(len(groups), dtype=np.intp)
    turn[np.argsort(member, kind="stable")] = np.arange(len(groups)) - np.repeat(
        np.cumsum(sizes) - sizes, sizes
    )
    return np.argsort(turn, kind="stable")
