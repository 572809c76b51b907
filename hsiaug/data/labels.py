"""Conversion of the codes of a label file to class ids 1..C, with 0 for unlabelled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Int16
from hsiaug.base.errors import SceneError
from hsiaug.base.text import some_of

if TYPE_CHECKING:
    from hsiaug.data.cards import LabelSpec

CODE_LIMIT = 2**31
"""Codes are smaller: they may have to be written as 32-bit integers."""
UNKNOWN = -1
"""In place of the id of a code that is not known."""


def class_map(codes: AnyArray, spec: LabelSpec, *, where: str, void: Bools | None = None) -> Int16:
    """(H, W) int16 class ids from the raw (H·cells, W·cells) codes of a label file.

    Parameters
    ----------
    where : str
        How errors name the file.
    void : array of bool or None
        Cells of codes that hold none.

    Raises
    ------
    SceneError
        For codes that are no integers or not listed, a shape that ``cells`` does not divide,
        and class counts that differ from the card's.
    """
    id_of = {code: class_id for class_id, (_, code) in enumerate(spec.named_codes, start=1)}
    unlabelled = {spec.code_of(item) for item in spec.ignore} | ({0} - set(spec.codes))
    ids = class_ids(codes, id_of, unlabelled, where, void)
    labels = _majority(ids, spec.cells, where)
    _check_counts(labels, spec, where)
    return labels


def class_ids(
    codes: AnyArray,
    id_of: Mapping[int, int],
    unlabelled: Collection[int],
    where: str,
    void: Bools | None = None,
) -> Int16:
    """(H, W) class ids of codes, 0 for those that have none.

    Parameters
    ----------
    where : str
        How errors name the file.
    void : array of bool or None
        Cells that hold no code.

    Raises
    ------
    SceneError
        For codes that are no whole numbers, or not known.
    """
    void = np.zeros(codes.shape, dtype=bool) if void is None else void
    known = {**dict.fromkeys(unlabelled, 0), **id_of}
    if codes.dtype == np.uint8:
        # By one look at each pixel in place of one for each code.
        table = np.full(256, UNKNOWN, dtype=np.int16)
        for code in known.keys() & range(len(table)):
            table[code] = known[code]
        ids = table.take(codes)
    else:
        check_whole(np.where(void, codes.dtype.type(0), codes), f"{where}: labels")
        ids = np.full(codes.shape, UNKNOWN, dtype=np.int16)
        for code, class_id in known.items():
            ids[codes == code] = class_id
    ids[void] = 0
    unknown = ids == UNKNOWN
    if unknown.any():
        listed = zip(*np.unique(codes[unknown], return_counts=True), strict=True)
        raise SceneError(
            f"{where}: every code must be listed in the card (0 is unlabelled)",
            value=f"codes {some_of([f'{code:.0f} ({n:,} px)' for code, n in listed], 8)}",
            hint="Name these classes in the card with their codes, or add the codes to its ignore.",
        )
    return ids


def check_whole(codes: AnyArray, what: str) -> None:
    """Check that label codes are whole numbers between -2^31 and 2^31.

    Parameters
    ----------
    codes : array of numbers
        Label codes, of any shape.
    what : str
        Name of the array in the error.

    Raises
    ------
    SceneError
        If a code is not such a number.

    See Also
    --------
    read_maps : reads such arrays from files.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import check_whole
    >>> check_whole(np.array([0.0, 1.0]), "the mask")
    """
    not_whole: Bools = (codes >= np.float64(CODE_LIMIT)) | (codes <= np.float64(-CODE_LIMIT))
    if codes.dtype.kind == "f":
        not_whole |= codes != np.rint(codes)
    if not_whole.any():
        row, column = np.argwhere(not_whole)[0]
        others = int(not_whole.sum()) - 1
        hint = (
            "Check that it is the right array; save class codes as integers, with 0 for unlabelled"
            " pixels."
        )
        raise SceneError(
            f"{what} must be whole numbers below {CODE_LIMIT:,}",
            value=f"{codes[row, column]:g} at row {row}, column {column}, and {others} more",
            hint=hint,
        )


def _majority(labels: Int16, cells: int, where: str) -> Int16:
    """(H, W) from (H·cells, W·cells): the class of more than half of a pixel's cells, else 0."""
    if cells == 1:
        return labels
    if labels.shape[0] % cells or labels.shape[1] % cells:
        hint = (
            "Check that this is the label file the card was written for, or correct labels.cells."
        )
        raise SceneError(
            f"{where}: height and width must be multiples of labels.cells = {cells}",
            value=f"shape {labels.shape}",
            hint=hint,
        )
    height, width = labels.shape[0] // cells, labels.shape[1] // cells
    blocks = labels.reshape(height, cells, width, cells).swapaxes(1, 2).reshape(height, width, -1)
    # Once sorted, whatever fills more than half of a block also fills its middle.
    middle = np.sort(blocks, axis=2)[:, :, (cells * cells) // 2]
    share = (blocks == middle[:, :, None]).sum(axis=2)
    return np.where(2 * share > cells * cells, middle, np.int16(0))


def _check_counts(labels: Int16, spec: LabelSpec, where: str) -> None:
    if spec.counts is None:
        return
    expected = dict(zip(spec.names, spec.counts, strict=True))
    actual = np.bincount(labels[labels > 0], minlength=len(spec.named_codes) + 1)
    counts = zip(spec.named_codes, actual[1:].tolist(), strict=True)
    wrong = [
        f"{name} {n:,} instead of {expected[name]:,}"
        for (name, _), n in counts
        if n != expected[name]
    ]
    if wrong:
        raise SceneError(
            f"{where}: classes must have as many pixels as labels.counts of the card says",
            value=some_of(wrong, 5, "; "),
            hint="Use the label file the card was written for, or correct labels.counts.",
        )
