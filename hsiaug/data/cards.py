"""The schemas of cards, TOML files that say where arrays are and what they mean: of a scene, and of
a set of image–mask pairs.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    model_validator,
)

from hsiaug.base.errors import did_you_mean
from hsiaug.base.text import shortened
from hsiaug.core.pairs import DATES
from hsiaug.data.band_centres import MICRO

MOST_CLASSES = 255
"""Classes of a card at most: tables have a row and pictures a panel for each, a confusion matrix
their square.
"""
Span = Annotated[tuple[int, ...], Field(min_length=2, max_length=2)]
Band = Annotated[int, Field(ge=0)]
Wavelength = Annotated[PositiveFloat, Field(allow_inf_nan=False)]
Sentences = Annotated[tuple[Annotated[str, Field(pattern=r"\S")], ...], Field(min_length=1)]


class CardTable(BaseModel):
    """A frozen table of a card that refuses unknown keys and silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileSpec(CardTable):
    """One array in one file.

    Attributes
    ----------
    file : str or None
        Path relative to the scene's folder (a user's card: relative to the card).
    key : str or None
        Name of the array in a .mat file; may be left out where only one array fits.
    data : str or None
        For ENVI, the data file, where its name is not the header's with a usual ending.
    urls, sha256, size : tuple of str or str or int or None
        Mirrors in order of preference, checksum, and bytes, for files to download.
    package : str or None
        The installed Python distribution that carries the file, for embedded scenes.
    """

    file: str | None = None
    key: str | None = None
    data: str | None = None
    urls: tuple[Annotated[str, Field(pattern=r"^https?://")], ...] = ()
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    size: Annotated[int, Field(gt=0)] | None = None
    package: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _download_is_safe(self) -> Self:
        if not self.urls:
            return self
        if self.sha256 is None:
            raise ValueError("a file with urls needs its sha256 too")
        path = PurePosixPath((self.file or "").replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", str(path)):
            raise ValueError("a file with urls must lie inside the scene's folder")
        return self


class CubeSpec(FileSpec):
    """The cube. What the scene holds is ``raw * scale + offset`` in float32, as (height, width,
    band).

    Attributes
    ----------
    axes : {"hwb", "hbw", "whb", "wbh", "bhw", "bwh"}
        Order of the axes in the file, a permutation of "hwb".
    rows, columns : Span or None
        The part [start, stop) that is kept, counted from 0.
    bad_bands : tuple of int
        Bands of the file that are dropped, counted from 0.
    nodata : float or None
        Raw value of pixels without data, perhaps nan; pixels that hold it, NaN or infinity in a
        kept band hold 0 in all. None: there is no such pixel.
    shape : tuple of int or None
        Height, width, bands after all that; verified when given.
    scale, offset : float or None
        value = raw * scale + offset. Without scale, that of the file, else 1; offset is 0.
    units : str
        What a value means after scaling.
    """

    axes: Literal["hwb", "hbw", "whb", "wbh", "bhw", "bwh"] = "hwb"
    rows: Span | None = None
    columns: Span | None = None
    shape: Annotated[tuple[int, ...], Field(min_length=3, max_length=3)] | None = None
    bad_bands: tuple[Band, ...] = ()
    nodata: float | None = None
    scale: FiniteFloat | None = None
    offset: FiniteFloat = 0.0
    units: str = "reflectance"

    @model_validator(mode="after")
    def _spans_are_spans(self) -> Self:
        for name, span in (("rows", self.rows), ("columns", self.columns)):
            if span and not 0 <= span[0] < span[1]:
                raise ValueError(
                    f"{name} must be [start, stop] with 0 <= start < stop, found {list(span)}"
                )
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        return self


class LabelSpec(FileSpec):
    """The label map.

    Attributes
    ----------
    axes : {"hw", "wh"}
        "hw", or "wh" where the file is transposed.
    names : tuple of str
        Class names; the order gives the class ids 1..C.
    ids : tuple of int or None
        The codes of these classes in the file, default 1..C. Code 0 is unlabelled unless listed
        here.
    ignore : tuple of str or int
        Class names or codes to be treated as unlabelled; ids of later classes move up.
    counts : tuple of int or None
        Labelled pixels per name; verified when given.
    cells : int
        The file has this many cells per pixel along each axis; a pixel gets the class that more
        than half of its cells carry, else none.
    """

    axes: Literal["hw", "wh"] = "hw"
    names: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(min_length=2, max_length=MOST_CLASSES),
    ]
    ids: tuple[int, ...] | None = None
    ignore: tuple[str | int, ...] = ()
    counts: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    cells: Annotated[int, Field(ge=1)] = 1

    @property
    def codes(self) -> tuple[int, ...]:
        """The code in the file of each name."""
        return self.ids if self.ids is not None else tuple(range(1, len(self.names) + 1))

    def code_of(self, item: str | int) -> int:
        """The code of a class given by its name or by its code."""
        return self.codes[self.names.index(item)] if isinstance(item, str) else item

    @property
    def named_codes(self) -> tuple[tuple[str, int], ...]:
        """Name and code of each class that is not ignored; position c - 1 holds class id c."""
        dropped = {self.code_of(item) for item in self.ignore}
        pairs = zip(self.names, self.codes, strict=True)
        return tuple((name, code) for name, code in pairs if code not in dropped)

    @model_validator(mode="after")
    def _lists_fit(self) -> Self:
        for key, values in (("ids", self.ids), ("counts", self.counts)):
            if values is not None and len(values) != len(self.names):
                raise ValueError(f"{key} needs one entry for each of the {len(self.names)} names")
        for key, unique in (("names", self.names), ("ids", self.codes)):
            twice = sorted(str(value) for value, times in Counter(unique).items() if times > 1)
            if twice:
                raise ValueError(f"{key} must not repeat {', '.join(twice)}")
        unknown = [item for item in self.ignore if isinstance(item, str) and item not in self.names]
        if unknown:
            raise ValueError(f"ignore names a class that is not in names: {unknown[0]!r}")
        if len(self.named_codes) < 2:
            raise ValueError("at least two classes must remain after ignore")
        return self


def check_nanometres(centres: Sequence[float]) -> None:
    """Raise ValueError for band centres of a card that must be in another unit than nanometres."""
    if centres and max(centres) < MICRO:
        ends = f"{min(centres):g} to {max(centres):g}"
        raise ValueError(
            f"wavelengths must be in nanometres, found {ends}: of micrometres, write 1000 times as"
            " much"
        )


class SensorSpec(CardTable):
    """The instrument.

    Attributes
    ----------
    name : str or None
        What it is called.
    gsd : float or None
        Metres per pixel.
    wavelengths : tuple of float or None
        A band centre in nanometres for each band of the scene, or for each band of the file.
    range_nm : tuple of float or None
        First and last band centre, where no more is known; the rest is taken as evenly spaced.
    approximate : bool
        The wavelengths listed are an estimate.
    """

    name: str | None = None
    gsd: Annotated[PositiveFloat, Field(allow_inf_nan=False)] | None = None
    wavelengths: tuple[Wavelength, ...] | None = None
    range_nm: Annotated[tuple[Wavelength, ...], Field(min_length=2, max_length=2)] | None = None
    approximate: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.wavelengths is not None and self.range_nm is not None:
            raise ValueError("give wavelengths or range_nm, not both")
        check_nanometres(self.wavelengths or ())
        if self.range_nm is not None and self.range_nm[0] >= self.range_nm[1]:
            raise ValueError(f"range_nm must be [first, last] in nm, found {list(self.range_nm)}")
        return self


class SceneCard(CardTable):
    """A whole card. Made by :func:`hsiaug.data.scene_card`, which turns what is wrong into a
    SceneError.

    Attributes
    ----------
    name : str
        What reports and records call the scene.
    title, homepage, citation, licence, notes : str
        For readers.
    subsets : dict of str to tuple of str or int
        Groups of classes, each given by name or code, that reports average over as well.
    descriptions : dict of str to tuple of str
        Sentences in plain words by class name, for generators that read text.
    procedural : bool
        The scene is made up by a function of hsiaug, so there are no files.
    relief : float
        How hilly it is, 0 = flat.
    draws : str or None
        What random draws are seeded with; by default the name of a public scene, and the labels
        of any other.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    title: str = ""
    homepage: str = ""
    citation: str = ""
    licence: str = ""
    notes: str = ""
    procedural: bool = False
    relief: float = 0.0
    draws: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] | None = None
    cube: CubeSpec
    labels: LabelSpec
    sensor: SensorSpec = SensorSpec()
    subsets: dict[str, tuple[str | int, ...]] = {}
    descriptions: dict[str, Sentences] = {}

    @property
    def files(self) -> tuple[FileSpec, ...]:
        """The cube's file and the labels'; empty for a procedural scene."""
        return () if self.procedural else (self.cube, self.labels)

    @property
    def subset_ids(self) -> dict[str, tuple[int, ...]]:
        """Class ids 1..C of each subset; ignored classes are left out."""
        id_of = {
            code: class_id for class_id, (_, code) in enumerate(self.labels.named_codes, start=1)
        }
        codes = {name: map(self.labels.code_of, items) for name, items in self.subsets.items()}
        return {
            name: tuple(id_of[code] for code in listed if code in id_of)
            for name, listed in codes.items()
        }

    @property
    def kept_descriptions(self) -> dict[str, tuple[str, ...]]:
        """The descriptions of the classes that are not ignored."""
        names = {name for name, _ in self.labels.named_codes}
        return {name: sentences for name, sentences in self.descriptions.items() if name in names}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in self.descriptions:
            if name not in self.labels.names:
                near = did_you_mean(name, self.labels.names).rstrip(".")
                hint = near[:1].lower() + near[1:]
                raise ValueError(
                    f"descriptions must be of classes in labels.names, found {name!r} ({hint})"
                )
        for key, spec in (("cube", self.cube), ("labels", self.labels)):
            if not self.procedural and not spec.file:
                raise ValueError(f"{key}.file is missing: name the file that holds the {key}")
        class_names = {*self.labels.names, *self.labels.codes}
        for name, items in self.subsets.items():
            unknown = [item for item in items if item not in class_names]
            if unknown or not items:
                raise ValueError(
                    f"subsets.{name} must list classes by name or code, found {unknown or '[]'}"
                )
        return self


FILLED = ("place", "group", "name", "band")
"""Names that may stand in braces in a pattern."""
CLASS_NAMES = {"change": ("unchanged", "changed")}
"""Names of the classes of tasks that have no others."""


def _pattern(text: str) -> str:
    """A pattern of files inside the card's folder or beside it, whose braces hold nothing but the
    known names.
    """
    odd = re.sub(rf"{{(?:{'|'.join(FILLED)})}}", "", text)
    if "{" in odd or "}" in odd:
        raise ValueError(
            f"braces must hold one of {', '.join(FILLED)}, found {shortened(text, 80)!r}"
        )
    if text.startswith(("/", "\\")) or "**" in text or text.strip("./") == "":
        raise ValueError(
            "a pattern must name files, relative to the card, with * for anything within one"
            f" folder, found {shortened(text, 80)!r}"
        )
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
PlaceName = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
Text = Annotated[str, Field(min_length=1)]


class _Images(CardTable):
    """The images of a card of pairs, as patterns of file names.

    ``{place}`` stands for a place's name (of "train/a7", ``{group}`` is "train" and ``{name}``
    "a7"), ``{band}`` for each of ``bands`` where a file holds one band, and ``*`` for anything,
    where exactly one file must fit. Bands on coarser grids are enlarged to the finest.

    Attributes
    ----------
    files : tuple of Pattern
        One pattern per date, relative to the card, as ``{place}/before/*_{band}.tif``.
    axes : {"hwb", "bhw"}
        Of a .npy or .mat file with several bands.
    scale, offset : float
        Value = raw · scale + offset.
    bands : tuple of Text
        Names, in the order wanted.
    wavelengths : tuple of PositiveFloat
        In nm, one per band.
    """

    files: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=2)]
    axes: Literal["hwb", "bhw"] = "hwb"
    scale: FiniteFloat = 1.0
    offset: FiniteFloat = 0.0
    units: Text = "reflectance"
    bands: tuple[Text, ...] = ()
    wavelengths: tuple[PositiveFloat, ...] = ()
    gsd: PositiveFloat | None = None

    @model_validator(mode="after")
    def _in_nanometres(self) -> Self:
        check_nanometres(self.wavelengths)
        return self


class _Masks(CardTable):
    """The masks of a card of pairs, as patterns of file names.

    Attributes
    ----------
    files : tuple of Pattern
        Patterns, the first that a place has is read.
    by_class : tuple of Pattern
        One file per class, whose pixels ≠ 0 are it.
    names : tuple of Text
        Class names; their order gives the class ids 1..C.
    codes : tuple of tuple of int
        The codes of each class in the file, default 1..C.
    ignore : tuple of int
        Codes without a class. Any other code is an error.
    """

    files: tuple[Pattern, ...] = ()
    by_class: tuple[Pattern, ...] = ()
    names: Annotated[tuple[Text, ...], Field(min_length=2, max_length=MOST_CLASSES)]
    codes: tuple[tuple[int, ...], ...] = ()
    ignore: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _lists_fit(self) -> Self:
        if bool(self.files) == bool(self.by_class):
            raise ValueError("give either files or by_class")
        for key, values in (("by_class", self.by_class), ("codes", self.codes)):
            if values and len(values) != len(self.names):
                raise ValueError(f"{key} needs one entry for each of the {len(self.names)} names")
        return self


class _Places(CardTable):
    """Names of the places of each side.

    Attributes
    ----------
    train, test : tuple of PlaceName
        "train/*" means all that have an image.
    any : tuple of PlaceName
        Places that are split inside.
    tile : int or None
        Side in pixels of the tiles that the set consists of: the usual ``patch``.
    train_tiles : int or None
        Training tiles of a usual split; None = all.
    most_blank : float or None
        Places of which a larger share of the pixels has no class are left out; None = none is.
    near_duplicates : {"content"} or None
        Places of training are left out that show, by their pixels, ground of a place of test.
        None = none is looked for.
    """

    train: tuple[PlaceName, ...] = ()
    test: tuple[PlaceName, ...] = ()
    any: tuple[PlaceName, ...] = ()
    tile: Annotated[int, Field(ge=16)] | None = None
    train_tiles: Annotated[int, Field(ge=1, lt=10**9)] | None = None
    most_blank: Annotated[float, Field(ge=0, le=1)] | None = None
    near_duplicates: Literal["content"] | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        divided = self.train and self.test
        if not divided and not self.any:
            raise ValueError("name places of train and of test, or of any")
        if (self.near_duplicates or self.train_tiles) and not divided:
            raise ValueError("near_duplicates and train_tiles need places of train and of test")
        return self


class PairCard(CardTable):
    """A set of image–mask pairs.

    Attributes
    ----------
    allow_missing : bool
        Places whose images are not here are left out (and named), as long as each side keeps
        one.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: str = ""
    homepage: str = ""
    licence: str = ""
    task: Literal["segmentation", "change"]
    images: _Images
    masks: _Masks
    places: _Places
    allow_missing: bool = False

    @model_validator(mode="after")
    def _dates_fit(self) -> Self:
        dates = DATES[self.task]
        if len(self.images.files) != dates:
            raise ValueError(
                f"task {self.task} needs {dates} pattern(s) in images.files, one per date"
            )
        names = CLASS_NAMES.get(self.task, self.masks.names)
        if self.masks.names != names:
            listed = ", ".join(f'"{name}"' for name in names)
            raise ValueError(f"task {self.task} needs masks.names = [{listed}]")
        return self
