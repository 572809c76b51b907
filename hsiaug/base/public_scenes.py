"""Public scenes by the checksums of their arrays: known whatever they are called and whatever files
they come from.

A checksum of a file would not do: the same array saved as .mat and as .npy is other bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

STRIPE = 16
"""Rows converted at once, so that no second full-size array exists."""


def array_checksum(array: NDArray[np.generic], dtype: str) -> str:
    """SHA-256 of an array's shape and of its values as ``dtype`` ("<f4", "<i2"), row by row."""
    stripes = (array[top : top + STRIPE] for top in range(0, len(array), STRIPE))
    return checksum_of_parts(array.shape, stripes, dtype)


def checksum_of_parts(
    shape: tuple[int, ...], parts: Iterable[NDArray[np.generic]], dtype: str
) -> str:
    """That of :func:`array_checksum` of an array that is not made for it.

    Parameters
    ----------
    shape : tuple of int
        Of the array.
    parts : iterable of array
        Its values in order, some after the other.
    dtype : str
        As what they are counted, such as "<i2".
    """
    digest = hashlib.sha256(repr(shape).encode())
    for part in parts:
        digest.update(np.ascontiguousarray(part, dtype=dtype).data)
    return digest.hexdigest()


LABELS: Mapping[str, str] = {
    "6f8e539794a4f2172c4deeb7cc1141bc4eabe697e589382649ecdf3bc7e8b615": "botswana",
    "ff7af1e743612bcae852f0d84810efda1d420c627e1172321781828de199b315": "indian_pines",
    "5340f7fe3ff6cf0c37f6e0705982cc6579f3aa08fa11d80852d52506c6ac938f": "hills",
    "343bdb113412a9aa059edebdd9206f3caf04eed6de62f05fd8e29ed33e5e7bee": "ksc",
    "934b0068c5a1aed9448f3158ad21ea543a13baad18fb05a1ce4f52c3ef6d8e9c": "pavia_centre",
    "a40f13cb1efcb534da5578839ca39664a0c366fabe8217fe62ef2b2bf11de2c0": "pavia_university",
    "75fa6eccb02e589f7be1969d84342eb8af9f888104982c1d740a34445c56fe07": "salinas",
    "14f0ec364f0b87b6af8f03412a4db602559db86638b6212ab0a43c9f4f63173c": "toy",
}
"""Scene by the checksum of its labels: (H, W) class ids 1..C as "<i2". Not known of houston_2018
and salinas_a.
"""
