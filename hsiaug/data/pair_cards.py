"""The schema of a card of image–mask pairs: a TOML file that says where images and masks lie and
what they mean.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, PositiveFloat, model_validator

from hsiaug.base.text import shortened
from hsiaug.core.pairs import DATES
from hsiaug.data.cards import MOST_CLASSES, CardTable, check_nanometres

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
        Training tiles of a usual draw; None = all.
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
