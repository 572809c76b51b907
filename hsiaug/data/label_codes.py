"""Codes of a label raster: which of them are classes, how these are called, and which pixels have
no label.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

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

Naming = tuple[dict[int, str], tuple[str, ...]]
"""The name of each code, codes ascending, and notes for people."""


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

    codes: NDArray[np.int32]
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

    def with_codes(self, codes: NDArray[np.int32], *notes: str) -> LabelRaster:
        """The same raster with other codes, which are no longer those of its file."""
        return replace(self, codes=codes, changed=True, notes=(*self.notes, *notes))

    def without(self, pixels: NDArray[np.bool_], reason: str, note: str) -> LabelRaster:
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
    present, pixels = np.unique(raster.codes, return_counts=True)
    pixels_of = dict(zip(present.tolist(), pixels.tolist(), strict=True))
    check_number(len(pixels_of), raster.where)
    ignored = {int(item) for item in ignore if is_code(item)}
    reasons = _reasons(pixels_of, raster, ignored, unlabelled)
    code_counts = _CodeCounts(
        pixels_of=pixels_of,
        ids=tuple(code for code in pixels_of if code not in reasons),
        raster=raster,
        ignored=ignored,
        unlabelled=unlabelled,
    )
    naming = _names_of_user(code_counts, names) if names else _names_of_file(code_counts)
    name_of, notes_on_names = naming
    class_names = tuple(name_of.values())
    class_ids = tuple(name_of)
    for item in (item for item in ignore if not is_code(item)):
        check_known("`ignore` must name a class or a code", item, class_names)
    if len(class_ids) < 2:
        hint = f"0 is unlabelled; check `ignore`. {code_counts.hint(0)}".strip()
        raise SceneError(
            f"{raster.where}: labels need at least two classes",
            value=f"codes {code_counts.listed}",
            hint=hint,
        )
    notes = [*_doubts(code_counts, named=bool(names)), *notes_on_names]
    spellings = Counter(name.lower() for name in class_names)
    alike = [name for name in class_names if spellings[name.lower()] > 1]
    if alike:
        notes.append(f"names of classes differ in capital letters alone: {', '.join(alike)}")
    ignored_names = tuple(item for item in ignore if item in class_names)
    # 0 is never listed: unless it is a class, readers take it for unlabelled.
    ignored_codes = tuple(code for code in pixels_of if code in reasons and code != 0)
    return ClassCodes(
        names=class_names,
        ids=class_ids,
        ignore=(*ignored_names, *ignored_codes),
        notes=tuple(notes),
        table=_table(pixels_of, name_of, reasons, raster, ignored_names),
    )


def _names_of_user(code_counts: _CodeCounts, names: tuple[str, ...]) -> Naming:
    """The names that the user gives: of the codes present, or of codes 1, 2, … if there are more
    names.

    Raises
    ------
    InputError
        For names that do not fit, or fit two readings of the codes.
    """
    _check_readings(code_counts, len(names))
    ids = code_counts.ids
    if len(names) == len(ids):
        return dict(zip(ids, names, strict=True)), ()
    if len(names) > len(ids) > 1 and len(names) >= ids[-1] and 0 not in ids:
        name_of = dict(enumerate(names, start=1))
        absent = [name for code, name in name_of.items() if code not in code_counts.pixels_of]
        return name_of, (f"no pixel: {', '.join(absent)}",)
    raise InputError(
        f"`classes` must name every code of {code_counts.raster.where}, in ascending order",
        value=f"{len(names)} names for {len(ids)} codes: {code_counts.listed}",
        hint=code_counts.hint(len(names)),
    )


def _names_of_file(code_counts: _CodeCounts) -> Naming:
    """The names that the file gives; "class 3" for a code without one.

    Raises
    ------
    InputError
        Where it gives code 0 a name that is one of a class.
    SceneError
        Where it gives several codes one name.
    """
    _check_zero(code_counts)
    raster = code_counts.raster
    name_of = {code: raster.names.get(code, f"class {code}") for code in code_counts.ids}
    _check_repeats(name_of, raster.where)
    if raster.names:
        bare = [code for code in code_counts.ids if code not in raster.names]
        note = f"the file has no name for codes {', '.join(map(str, bare))}"
        return name_of, (note,) if bare else ()
    note = "classes have no names: give them with `classes`, or edit labels.names of the card"
    return name_of, (note,)


def _check_zero(code_counts: _CodeCounts) -> None:
    """Raise InputError where the file gives code 0 a name that is one of a class."""
    name = code_counts.raster.names.get(0, "")
    if code_counts.zero and re.sub(r"[\W_]", "", name.lower()) not in UNLABELLED:
        rule = f"`unlabelled` must say whether code 0 of {code_counts.raster.where} is a class"
        value = f"{name!r} for its {code_counts.zero:,} pixels"
        hint = (
            f"If it is one, say {setting('unlabelled', 'none')}; if it stands for no label,"
            f" {setting('unlabelled', 0)}."
        )
        raise InputError(rule, value=value, hint=hint)


def _check_repeats(name_of: Mapping[int, str], where: str) -> None:
    """Raise SceneError where several codes have one name."""
    codes_of = defaultdict[str, list[int]](list)
    for code, name in name_of.items():
        codes_of[name].append(code)
    repeated = {name: codes for name, codes in codes_of.items() if len(codes) > 1}
    if not repeated:
        return
    name, codes = next(iter(repeated.items()))
    raise SceneError(
        f"{where}: names of classes must differ",
        value=f"{name!r} for codes {codes}",
        hint="Name all codes in ascending order with `classes`.",
    )


@dataclass(frozen=True)
class _CodeCounts:
    """The codes of a raster: pixels by code, the codes of classes, and what the user stated."""

    pixels_of: Mapping[int, int]
    ids: tuple[int, ...]
    raster: LabelRaster
    ignored: set[int]
    unlabelled: Sequence[int] | None

    @property
    def zero(self) -> int:
        """Pixels, or marks, of code 0 that count as unlabelled by default alone."""
        if self.unlabelled is not None or self.raster.missing == 0 or 0 in self.ignored:
            return 0
        if self.raster.marks:
            return self.raster.zeros
        return self.pixels_of.get(0, 0) - sum(count for _, count in self.raster.emptied)

    @property
    def far(self) -> int | None:
        """A class code far above all others, which may mark unlabelled pixels."""
        lower = self.ids[:-1]
        last = self.ids[-1] if self.ids else 0
        return (
            last
            if self.unlabelled is None and last in FILLERS and last > 2 * max(lower, default=0) + 1
            else None
        )

    @property
    def listed(self) -> str:
        """The codes of classes, with their pixels."""
        return shown([(code, self.pixels_of[code]) for code in self.ids]) or "none but 0"

    def readings(self) -> list[tuple[str, tuple[int, ...]]]:
        """Ways to read the codes, where 0 may be a class: what `unlabelled` would be, and the codes
        of classes.
        """
        below = ",".join(str(code) for code in self.pixels_of if code < 0)
        missing = self.raster.missing
        others = [("0" if missing in (None, 0) else f"0,{missing}", self.ids)]
        if self.zero:
            others.append((str(below or missing or "none"), (0, *self.ids)))
            if self.far is not None:
                others.append((str(self.far), (0, *self.ids[:-1])))
        elif self.far is not None:
            others.append((f"0,{self.far}", self.ids[:-1]))
        return others

    def hint(self, count: int) -> str:
        """How to state what the codes mean, for a number of names."""
        fitting = [
            text
            for text, ids in self.readings()[1:]
            if len(ids) == count or (not count and len(ids) > 1)
        ]
        alternative = (
            f" Or say which codes have no label: {setting('unlabelled', fitting[0])}."
            if fitting
            else ""
        )
        return (
            f"Give one name per code; leave codes out with `ignore`.{alternative}"
            if count
            else alternative.strip()
        )


def _reasons(
    pixels_of: Mapping[int, int],
    raster: LabelRaster,
    ignored: set[int],
    unlabelled: Sequence[int] | None,
) -> dict[int, str]:
    """Why each of the codes that are no classes is none."""
    reasons = {code: "below 0" for code in pixels_of if code < 0}
    if unlabelled is None:
        reasons |= {0: "by default"}
        if raster.missing is not None:
            reasons |= {raster.missing: "the file's value of no data"}
    else:
        reasons |= dict.fromkeys(unlabelled, "as asked")
    return (
        reasons
        | dict.fromkeys(ignored, "as asked")
        | ({raster.filler: "no label"} if raster.marks else {})
    )


def _doubts(code_counts: _CodeCounts, named: bool) -> Iterator[str]:
    """Sentences on codes that may mean something else."""
    raster = code_counts.raster
    stated = (raster.missing,) if code_counts.unlabelled is None else code_counts.unlabelled
    explained = {raster.filler, *stated, *code_counts.ignored}
    below = [code for code in code_counts.pixels_of if code < 0 and code not in explained]
    if below:
        yield f"codes below 0 count as unlabelled: {', '.join(map(str, below))}"
    zero = code_counts.zero
    if zero and raster.marks:
        yield (
            f"{zero:,} labels are of class 0, which counts as unlabelled: if it is a class, say"
            f" {setting('unlabelled', 'none')}"
        )
    elif zero and (below or raster.missing is not None or raster.masked):
        text = ",".join(map(str, below)) or str(
            "none" if raster.missing is None else raster.missing
        )
        yield (
            f"0 ({zero:,} px) counts as unlabelled too: if it is a class, say"
            f" {setting('unlabelled', text)}"
        )
    far = code_counts.far
    if far is not None and not named:
        text = (
            f"code {far} ({code_counts.pixels_of[far]:,} px) is taken for a class: if it marks"
            " pixels without a label, say "
        )
        text += setting("unlabelled", f"0,{far}")
        if zero:
            text += (
                f", or {setting('unlabelled', far)} if 0 ({zero:,} px), now unlabelled, is a class"
            )
        yield text


def _check_readings(code_counts: _CodeCounts, count: int) -> None:
    """Raise InputError where a number of names fits two readings of the codes."""
    first, *others = code_counts.readings()
    ids = first[1]
    fits = len(ids) == count or (count > len(ids) > 1 and count >= ids[-1])
    others = [reading for reading in others if len(reading[1]) == count and 0 in reading[1]]
    if not fits or not others:
        return
    usual = ids if len(ids) == count else tuple(range(1, count + 1))
    texts = [f"{_ways(code_counts, usual)} (unlabelled {first[0]})"]
    texts += [f"{_ways(code_counts, codes)} (unlabelled {text})" for text, codes in others]
    rule = f"`classes` must fit one reading of the codes in {code_counts.raster.where}"
    raise InputError(
        rule,
        value=f"{count} names for {' or '.join(texts)}",
        hint=(
            f"Say which codes have no label: {setting('unlabelled', first[0])} or"
            f" {setting('unlabelled', others[0][0])}."
        ),
    )


def _ways(code_counts: _CodeCounts, codes: Sequence[int]) -> str:
    pixels = {**code_counts.pixels_of, 0: code_counts.zero}
    return f"codes {shown([(code, pixels.get(code, 0)) for code in codes])}"


def shown(codes: Sequence[tuple[int, int]]) -> str:
    """Codes and their pixels, as text."""
    return some_of([f"{code} ({count:,} px)" for code, count in codes], MOST_SHOWN)


def _table(
    pixels_of: Mapping[int, int],
    names: Mapping[int, str],
    reasons: Mapping[int, str],
    raster: LabelRaster,
    ignored: Sequence[str],
) -> tuple[CodeRow, ...]:
    """Codes of classes first, then those without a label."""
    rows = [
        CodeRow(str(code), name, pixels_of.get(code, 0))
        for code, name in names.items()
        if name not in ignored
    ]
    rows += [
        CodeRow(str(code), f"unlabelled ({name}, as asked)", pixels_of.get(code, 0))
        for code, name in names.items()
        if name in ignored
    ]
    emptied = sum(count for _, count in raster.emptied)
    # Where marks were drawn, the filler is no code of the file.
    drawn_filler = {raster.filler} if raster.marks else set()
    for code in (code for code in pixels_of if code in reasons and code not in drawn_filler):
        pixels = pixels_of[code] - (emptied if code == raster.filler else 0)
        if pixels:
            rows.append(CodeRow(str(code), f"unlabelled ({reasons[code]})", pixels))
    if raster.zeros:
        rows.append(CodeRow("0", "unlabelled (by default; counted as labels)", raster.zeros))
    rows += [
        CodeRow("–", f"unlabelled ({reason})", count) for reason, count in raster.emptied if count
    ]
    return tuple(rows)


def check_number(codes: int, where: str) -> None:
    """Raise SceneError for more codes than classes have."""
    if codes > MOST_CODES:
        rule = f"{where}: labels have at most {MOST_CODES} codes"
        hint = (
            "Name what holds the classes: of a .mat with several arrays by `labels_key`, of marks"
            " by `field`."
        )
        raise SceneError(rule, value=f"{codes:,} different values", hint=hint)


def is_code(item: str) -> bool:
    """True where a text is the code of a class: a whole number that an array can hold."""
    return re.fullmatch(r"-?[0-9]{1,18}", item) is not None
