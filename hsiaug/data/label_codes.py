"""Codes of a label raster: which of them are classes, how these are called, and which pixels have
no label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hsiaug.base.arrays import Bools, Int32
from hsiaug.base.errors import InputError, SceneError, check_known
from hsiaug.base.text import setting, some_of
from hsiaug.data.bounds import MOST_CODES
from hsiaug.data.georeference import Georeference

MOST_SHOWN = 12
"""Codes that a message lists."""

FILLERS = frozenset({99, 127, 255, 999, 9999, 32767, 65535, 2**31 - 1})
"""Codes that often stand for no label, where they lie far above the others."""

UNLABELLED = frozenset(
    {"", "background", "ignore", "ignored", "masked", "maskedpixels", "nan", "noclass", "nodata"}
    | {"nolabel", "none", "notclassified", "null", "unassigned", "unclassified", "undefined"}
    | {"unknown", "unlabeled", "unlabelled", "void"}
)
"""Names of code 0, in small letters alone, where it stands for no label."""

NO_CODE = -1
"""Stands for no label in a raster where 0 is a class."""


@dataclass(frozen=True, eq=False)
class LabelRaster:
    """Labels on a grid.

    Attributes
    ----------
    codes : (H, W) int32
        The codes of the file, or those of marks that were drawn onto the grid.
    changed : bool
        Whether the codes differ from what the file holds, and so need a file of their own.
    filler : int
        Code of pixels without a label that the file has no code for.
    missing : int or None
        The file's own code for no label.
    names : mapping of int to str
        Class names by code, where the file has them.
    ground : Georeference or None
        Where the pixels lie on Earth.
    masked : bool
        Whether the file itself says that pixels have no label, by a mask or numbers that are none.
    emptied : tuple of (str, int)
        Reasons why pixels hold the filler, with the number of pixels of each.
    marks : bool
        Whether points or polygons were drawn onto the grid.
    zeros : int
        Of marks, how many are of class 0.
    notes : tuple of str
        Sentences for people.
    where : str
        How errors name the file.
    """

    codes: Int32
    changed: bool = False
    filler: int = 0
    missing: int | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    ground: Georeference | None = None
    masked: bool = False
    emptied: tuple[tuple[str, int], ...] = ()
    marks: bool = False
    zeros: int = 0
    notes: tuple[str, ...] = ()
    where: str = "labels"

    @property
    def pixels_emptied(self) -> int:
        """Pixels that hold the filler for one of these reasons."""
        return sum(count for _, count in self.emptied)

    def with_codes(self, codes: Int32, *notes: str) -> LabelRaster:
        """The same raster with other codes, which are no longer those of its file."""
        return replace(self, codes=codes, changed=True, notes=(*self.notes, *notes))

    def without(self, pixels: Bools, reason: str, note: str) -> LabelRaster:
        """The same raster with no label at these pixels (H, W)."""
        emptied = (*self.emptied, (reason, int(pixels.sum())))
        return replace(
            self.with_codes(np.where(pixels, self.filler, self.codes), note), emptied=emptied
        )


@dataclass(frozen=True)
class CodeRow:
    """A line of the table of codes: the code in the file, the class or why the pixels have none,
    and their number.
    """

    code: str
    meaning: str
    pixels: int


@dataclass(frozen=True)
class ClassCodes:
    """Which codes of a file of labels are classes.

    Attributes
    ----------
    names, ids : tuple of str or tuple of int
        Of the classes, and their codes.
    ignore : tuple of str or int
        Names and codes without a label.
    notes : tuple of str
        For people.
    table : tuple of CodeRow
        All codes that there are, those of classes first.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    ignore: tuple[str | int, ...]
    notes: tuple[str, ...]
    table: tuple[CodeRow, ...]


def filler_of(unlabelled: Sequence[int] | None) -> int:
    """The code of pixels without a label, where these codes have none; None = as usual, 0 and
    below.
    """
    return 0 if unlabelled is None or 0 in unlabelled else NO_CODE


def code_labels(
    raster: LabelRaster,
    names: tuple[str, ...],
    ignore: tuple[str, ...],
    unlabelled: Sequence[int] | None,
) -> ClassCodes:
    """Which codes of a raster are classes, and how they are called.

    Parameters
    ----------
    raster : LabelRaster
        Labels on the grid of the cube.
    names : tuple of str
        Of the codes present, in ascending order, or of codes 1, 2, … if there are more names;
        () = as the file says.
    ignore : tuple of str
        Codes, or names of classes, that count as unlabelled.
    unlabelled : sequence of int or None
        Codes without a label; None = 0, those below, and the file's value of no data.

    Returns
    -------
    ClassCodes

    Raises
    ------
    SceneError
        For a raster that can be none of labels.
    InputError
        For names that do not fit, or fit two readings of the codes.
    """
    codes = _count_codes(raster, ignore, unlabelled)
    name_of, notes = _names_of_user(codes, names) if names else _names_of_file(codes)
    class_names = tuple(name_of.values())
    for item in (item for item in ignore if not is_code(item)):
        check_known("`ignore` must name a class or a code", item, class_names)
    if len(name_of) < 2:
        raise SceneError(
            f"{raster.where}: labels need at least two classes",
            value=f"codes {codes.listed(codes.ids) or 'none but 0'}",
            hint=f"0 is unlabelled; check `ignore`. {codes.hint(0)}".strip(),
        )
    spellings = Counter(name.lower() for name in class_names)
    alike = [name for name in class_names if spellings[name.lower()] > 1]
    if alike:
        notes += (f"names of classes differ in capital letters alone: {', '.join(alike)}",)
    ignored_names = tuple(item for item in ignore if item in class_names)
    # 0 is never listed: unless it is a class, readers take it for unlabelled.
    ignored_codes = tuple(code for code in codes.pixels_of if code in codes.reasons and code != 0)
    return ClassCodes(
        names=class_names,
        ids=tuple(name_of),
        ignore=(*ignored_names, *ignored_codes),
        notes=(*_doubts(codes, unlabelled, named=bool(names)), *notes),
        table=_table(codes, name_of, ignored_names),
    )


@dataclass(frozen=True)
class _Codes:
    """The codes of a raster.

    Attributes
    ----------
    pixels_of : mapping of int to int
        Pixels of each, ascending.
    reasons : mapping of int to str
        Why those that are no classes are none.
    ids : tuple of int
        The others.
    zero : int
        Pixels, or marks, of code 0 that count as unlabelled by default alone.
    far : int or None
        A class code far above all others, which may mark unlabelled pixels.
    """

    raster: LabelRaster
    pixels_of: Mapping[int, int]
    reasons: Mapping[int, str]
    ids: tuple[int, ...]
    zero: int
    far: int | None

    def listed(self, ids: Sequence[int]) -> str:
        """Codes with their pixels."""
        pixels = {**self.pixels_of, 0: self.zero or self.pixels_of.get(0, 0)}
        return some_of([f"{code} ({pixels.get(code, 0):,} px)" for code in ids], MOST_SHOWN)

    def readings(self) -> list[tuple[str, tuple[int, ...]]]:
        """Ways to read the codes, where 0 may be a class: what `unlabelled` would be, and the codes
        of classes.
        """
        below = ",".join(str(code) for code in self.pixels_of if code < 0)
        missing = self.raster.missing
        readings = [("0" if missing in (None, 0) else f"0,{missing}", self.ids)]
        if self.zero:
            readings.append((str(below or missing or "none"), (0, *self.ids)))
            if self.far is not None:
                readings.append((str(self.far), (0, *self.ids[:-1])))
        elif self.far is not None:
            readings.append((f"0,{self.far}", self.ids[:-1]))
        return readings

    def hint(self, count: int) -> str:
        """How to state what the codes mean, for a number of names."""
        hint = "Give one name per code; leave codes out with `ignore`." if count else ""
        for text, ids in self.readings()[1:]:
            if len(ids) == count or (not count and len(ids) > 1):
                return f"{hint} Or say which codes have no label: {setting('unlabelled', text)}."
        return hint


def _count_codes(
    raster: LabelRaster, ignore: tuple[str, ...], unlabelled: Sequence[int] | None
) -> _Codes:
    """The codes of a raster: which are classes, and which have no label, with the reasons."""
    present, pixels = np.unique(raster.codes, return_counts=True)
    pixels_of = dict(zip(present.tolist(), pixels.tolist(), strict=True))
    check_number(len(pixels_of), raster.where)
    reasons = {code: "below 0" for code in pixels_of if code < 0}
    if unlabelled is None:
        reasons |= {0: "by default"}
        if raster.missing is not None:
            reasons |= {raster.missing: "the file's value of no data"}
    reasons |= dict.fromkeys(unlabelled or (), "as asked")
    reasons |= {int(item): "as asked" for item in ignore if is_code(item)}
    if raster.marks:
        reasons |= {raster.filler: "no label"}
    ids = tuple(code for code in pixels_of if code not in reasons)
    zero = raster.zeros if raster.marks else pixels_of.get(0, 0) - raster.pixels_emptied
    if unlabelled is not None or raster.missing == 0 or "0" in ignore:
        zero = 0
    *lower, last = ids or (0,)
    far = unlabelled is None and last in FILLERS and last > 2 * max(lower, default=0) + 1
    return _Codes(raster, pixels_of, reasons, ids, zero, last if far else None)


def _names_of_user(codes: _Codes, names: tuple[str, ...]) -> tuple[dict[int, str], tuple[str, ...]]:
    """The names that the user gives: of the codes present, or of codes 1, 2, … if there are more
    names; and notes.

    Raises
    ------
    InputError
        For names that do not fit, or fit two readings of the codes.
    """
    ids, count = codes.ids, len(names)
    more = count > len(ids) > 1 and count >= ids[-1]
    (usual, _), *others = codes.readings()
    others = [reading for reading in others if len(reading[1]) == count and 0 in reading[1]]
    if others and (more or len(ids) == count):
        first = (usual, range(1, count + 1) if more else ids)
        ways = [
            f"codes {codes.listed(of_way)} (unlabelled {text})" for text, of_way in (first, *others)
        ]
        raise InputError(
            f"`classes` must fit one reading of the codes in {codes.raster.where}",
            value=f"{count} names for {' or '.join(ways)}",
            hint=f"Say which codes have no label: {setting('unlabelled', usual)} or"
            f" {setting('unlabelled', others[0][0])}.",
        )
    if len(ids) == count:
        return dict(zip(ids, names, strict=True)), ()
    if more and 0 not in ids:
        name_of = dict(enumerate(names, start=1))
        absent = [name for code, name in name_of.items() if code not in codes.pixels_of]
        return name_of, (f"no pixel: {', '.join(absent)}",)
    raise InputError(
        f"`classes` must name every code of {codes.raster.where}, in ascending order",
        value=f"{count} names for {len(ids)} codes: {codes.listed(ids) or 'none but 0'}",
        hint=codes.hint(count),
    )


def _names_of_file(codes: _Codes) -> tuple[dict[int, str], tuple[str, ...]]:
    """The names that the file gives, "class 3" for a code without one; and notes.

    Raises
    ------
    InputError
        Where it gives code 0 a name that is one of a class.
    SceneError
        Where it gives several codes one name.
    """
    raster = codes.raster
    zero = raster.names.get(0, "")
    if codes.zero and re.sub(r"[\W_]", "", zero.lower()) not in UNLABELLED:
        raise InputError(
            f"`unlabelled` must say whether code 0 of {raster.where} is a class",
            value=f"{zero!r} for its {codes.zero:,} pixels",
            hint=f"If it is one, use {setting('unlabelled', 'none')}; if it means no label,"
            f" {setting('unlabelled', 0)}.",
        )
    name_of = {code: raster.names.get(code, f"class {code}") for code in codes.ids}
    for name, times in Counter(name_of.values()).items():
        if times > 1:
            raise SceneError(
                f"{raster.where}: names of classes must differ",
                value=f"{name!r} for codes {[code for code in name_of if name_of[code] == name]}",
                hint="Name all codes in ascending order with `classes`.",
            )
    if not raster.names:
        note = "classes have no names: give them with `classes`, or edit labels.names of the card"
        return name_of, (note,)
    bare = ", ".join(str(code) for code in codes.ids if code not in raster.names)
    return name_of, (f"the file has no name for codes {bare}",) if bare else ()


def _doubts(codes: _Codes, unlabelled: Sequence[int] | None, named: bool) -> Iterator[str]:
    """Sentences on codes that may mean something else."""
    raster = codes.raster
    below = [
        str(code)
        for code, reason in codes.reasons.items()
        if reason == "below 0" and code != raster.filler
    ]
    if below:
        yield f"codes below 0 count as unlabelled: {', '.join(below)}"
    if codes.zero and raster.marks:
        yield (
            f"{codes.zero:,} labels are of class 0, which counts as unlabelled: if it is a class,"
            f" say {setting('unlabelled', 'none')}"
        )
    elif codes.zero and (below or raster.missing is not None or raster.masked):
        others = ",".join(below) or ("none" if raster.missing is None else raster.missing)
        yield (
            f"0 ({codes.zero:,} px) counts as unlabelled too: if it is a class, say"
            f" {setting('unlabelled', others)}"
        )
    if codes.far is not None and not named:
        text = (
            f"code {codes.listed([codes.far])} is taken for a class: if it marks pixels without a"
            f" label, say {setting('unlabelled', f'0,{codes.far}')}"
        )
        if codes.zero:
            text += (
                f", or {setting('unlabelled', codes.far)} if 0 ({codes.zero:,} px), now unlabelled,"
                " is a class"
            )
        yield text


def _table(codes: _Codes, names: Mapping[int, str], ignored: Sequence[str]) -> tuple[CodeRow, ...]:
    """Codes of classes first, then those without a label."""
    raster = codes.raster
    rows = [CodeRow(str(code), name, codes.pixels_of.get(code, 0)) for code, name in names.items()]
    asked = [
        replace(row, meaning=f"unlabelled ({row.meaning}, as asked)")
        for row in rows
        if row.meaning in ignored
    ]
    rows = [row for row in rows if row.meaning not in ignored] + asked
    for code, pixels in codes.pixels_of.items():
        # Where marks were drawn, the filler is no code of the file.
        if code in codes.reasons and not (raster.marks and code == raster.filler):
            pixels -= raster.pixels_emptied if code == raster.filler else 0
            rows += [CodeRow(str(code), f"unlabelled ({codes.reasons[code]})", pixels)]
    rows += [CodeRow("0", "unlabelled (by default; counted as labels)", raster.zeros)]
    rows += [CodeRow("–", f"unlabelled ({reason})", count) for reason, count in raster.emptied]
    return tuple(row for row in rows if row.pixels or row.meaning in names.values())


def check_number(codes: int, where: str) -> None:
    """Raise SceneError for more codes than classes have."""
    if codes > MOST_CODES:
        hint = (
            "Name what holds the classes: of a .mat with several arrays by `labels_key`, of marks"
            " by `field`."
        )
        raise SceneError(
            f"{where}: labels have at most {MOST_CODES} codes",
            value=f"{codes:,} different values",
            hint=hint,
        )


def is_code(item: str) -> bool:
    """True where a text is the code of a class: a whole number that an array can hold."""
    return re.fullmatch(r"-?[0-9]{1,18}", item) is not None
