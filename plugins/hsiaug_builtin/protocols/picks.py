"""Labels that were asked for, one part of them after the other left out: what the rest teaches of
ground like theirs.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Buffer,
    Card,
    Draw,
    InputError,
    Scene,
    SplitProtocol,
    did_you_mean,
    draw_train,
    parse_base,
    text_of_spreadsheet,
    user_file,
)
from hsiaug_builtin.protocols.within import at_draw, split_draw

FILES = (".csv", ".geojson")
"""Endings of the files of ``hsiaug label --out`` into which people write classes."""


class Known(NamedTuple):
    """What has a label: pixels (H, W) bool; the number of the answer that named each, (H, W) int32
    from 1, 0 = none did; and class ids (H, W) int16. A polygon is one answer.
    """

    pixels: NDArray[np.bool_]
    answers: NDArray[np.int32]
    labels: NDArray[np.int16]

    @property
    def places(self) -> NDArray[np.intp]:
        """(n, 2) a pixel of each answer, the middle one of a polygon's, in order of their
        classes.
        """
        pixels = np.argwhere(self.answers)
        _, first, size = np.unique(
            np.sort(self.answers[tuple(pixels.T)]), return_index=True, return_counts=True
        )
        pixels = pixels[np.argsort(self.answers[tuple(pixels.T)], kind="stable")][first + size // 2]
        return np.asarray(pixels[np.argsort(self.labels[tuple(pixels.T)], kind="stable")])


@dataclass(frozen=True)
class Picks(SplitProtocol):
    """Everything with a label trains but one of N parts of the pixels that were asked for, which is
    tested.

    Draws beyond N repeat. The parts are taken in turn through the pixels of each class, so that a
    class that was picked twice is never left out whole. Of a polygon one pixel is tested while all
    are left out. There is no buffer. The argument of a file is "N:name#checksum", be it of ``hsiaug
    suggest`` or of ``hsiaug label``.

    Attributes
    ----------
    base : SplitProtocol or None
        The protocol whose split marks asked pixels, and its number.
    path : Path or None
        Path of the file in place of both.
    """

    card = Card(
        "picks",
        "1",
        "Tests on one of N parts of the selected labels; trains on all other labels",
    )
    usage = (
        "picks:N:PROTOCOL or PROTOCOL@SEED, as picks:8:asked:16xsuggest:issd, or picks:N:FILE of"
        " 'hsiaug label --out'"
    )
    example = "2:asked:300xrandom:issd"
    usual_buffer = "none"
    leaky = True
    nests_in = ()

    base: SplitProtocol | None = field(default=None, compare=False)
    number_of_draw: int = field(default=0, compare=False)
    path: Path | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        count, _, text = argument.partition(":")
        parts = cls.number(count)
        if Path(text.lower()).suffix in FILES:
            path = user_file(text, folder)
            if path is None:
                rule = "protocol picks needs a file of 'hsiaug label --out' with classes in it"
                raise InputError(rule, value=repr(text), hint=f"Write {cls.usage}.")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            return cls(f"{parts}:{path.name}#{digest}", buffer, path=path)
        plain, draw = split_draw(text)
        base = parse_base(cls, plain, folder)
        return cls(f"{parts}:{base.canonical}{at_draw(draw)}", buffer, base, draw)

    @property
    def parts(self) -> int:
        """N."""
        return int(self.argument.partition(":")[0])

    @property
    def text(self) -> str:
        of = str(self.path) if self.base is None else self.base.text
        return f"{self.name}:{self.parts}:{of}{at_draw(self.number_of_draw)}"

    @property
    def short(self) -> str:
        of = str(self.path and self.path.name) if self.base is None else self.base.label
        return f"{self.name}:{self.parts}:{of}{at_draw(self.number_of_draw)}"

    @property
    def reads_spectra(self) -> bool:
        return self.base is not None and self.base.reads_spectra

    def as_json(self) -> dict[str, str]:
        """The identity, with the version of what asked."""
        of_base = {} if self.base is None else self.base.as_json()
        return {
            **super().as_json(),
            **{key: of_base[key] for key in ("version",) if key in of_base},
        }

    def _known(self, scene: Scene, patch: int) -> Known:
        """What has a label in the split of ``base``, or in the scene and the file together.

        Raises InputError where fewer than two pixels were asked for, and for a file that does not
        fit the scene.
        """
        if self.path is not None:
            answers, labels = _read_picks(self.path, scene)
            picks = Known(labels > 0, answers, labels)
        else:
            assert self.base is not None
            first = draw_train(scene, self.base, patch, self.number_of_draw)
            answers = np.zeros(scene.shape, dtype=np.int32)
            if first.asked is not None:
                answers[first.asked] = np.arange(1, first.asked.sum() + 1)
            picks = Known(first.train, answers, scene.labels)
        if len(picks.places) < 2:
            raise InputError(
                "protocol picks needs two pixels or more that were asked for",
                value=f"{len(picks.places)} of {self.short}",
                hint="Write classes into more rows of the file, or name a protocol asked:N….",
            )
        return picks

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        picks = self._known(scene, patch)
        places = picks.places
        parts = min(self.parts, len(places))
        test = np.zeros(scene.shape, dtype=bool)
        test[tuple(places[seed % parts :: parts].T)] = True
        train = picks.pixels & ~np.isin(picks.answers, picks.answers[test])
        note = (
            f"{int(test.sum())} of the {len(places)} pixels that were asked for are tested, the"
            " rest train"
        )
        dropped = (picks.labels > 0) & ~train & ~test
        answered = train & (picks.answers > 0)
        return Draw(train, dropped, (note,), labels=picks.labels, asked=answered)


def _read_picks(path: Path, scene: Scene) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """(H, W) number of each pixel's answer in a file, 0 = it has no class there; and the labels of
    scene and file.

    Rows of one polygon share what stands in the column ``answer``; without it each row is an
    answer.
    """
    answers = np.zeros(scene.shape, dtype=np.int32)
    labels = scene.labels.copy()
    numbers: dict[str, int] = {}
    for line, row in enumerate(_read_rows(path), start=1):
        name = text_of_spreadsheet(str(row.get("class") or "").strip())
        if not name:
            continue
        try:
            place = int(row["row"]), int(row["column"])
        except (KeyError, TypeError, ValueError):
            place = -1, -1
        if not all(0 <= at < size for at, size in zip(place, scene.shape, strict=True)):
            raise InputError(
                f"{path}: every pick must have a row and a column of the scene,"
                f" {scene.shape[0]}×{scene.shape[1]}",
                value=f"{row.get('row')}, {row.get('column')} in pick {line}",
                hint="Use the file that 'hsiaug label --out' wrote for this scene.",
            )
        if name not in scene.class_names:
            raise InputError(
                f"{path}: a pick's class must be one of the scene's",
                value=f"{name!r} in pick {line}",
                hint=did_you_mean(name, scene.class_names),
            )
        c = scene.class_names.index(name) + 1
        if labels[place] not in (0, c):
            raise InputError(
                f"{path}: picks and labels of the scene must agree",
                value=(
                    f"{name!r} in pick {line} and {scene.class_names[labels[place] - 1]!r} in the"
                    " scene"
                ),
                hint="Correct one of them.",
            )
        answers[place] = numbers.setdefault(
            str(row.get("answer") or f"row {line}"), len(numbers) + 1
        )
        labels[place] = c
    return answers, labels


def _read_rows(path: Path) -> list[Mapping[str, Any]]:
    """The rows of a CSV, or the attributes of a GeoJSON. Raises InputError for what is neither."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            return list(csv.DictReader(text.splitlines()))
        return [dict(feature["properties"]) for feature in json.loads(text)["features"]]
    except OSError as error:
        hint = "Look at its permissions and the disk."
        raise InputError(
            f"{path} must be a file that can be read", value=error.strerror, hint=hint
        ) from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(
            f"{path} must be a file that 'hsiaug label --out' wrote",
            value=f"{type(error).__name__}: {error}",
            hint="Keep its header, and write classes into the column class.",
        ) from error
