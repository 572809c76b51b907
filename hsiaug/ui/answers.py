"""What a user said of pixels: a CSV that is complete on disk after every answer."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
from filelock import SoftFileLock, Timeout
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.files import (
    file_errors,
    reason,
    sync_folder,
    write_text_whole,
    write_whole,
)
from hsiaug.base.text import spreadsheet_text, text_of_spreadsheet, visible
from hsiaug.data.georeference import Georeference
from hsiaug.data.paths import check_filled

Said = Literal["class", "none", "skip"]
"""A class, none of the classes, or no answer: do not ask again."""
COLUMNS = ("row", "column", "x", "y", "class", "said", "answer")
LONGEST_NAME = 60

Pixel = tuple[int, int]


@dataclass(frozen=True)
class PixelAnswer:
    """The user's answer for a pixel, or for the pixels of a polygon.

    Attributes
    ----------
    pixels : tuple of Pixel
        (row, column) from 0, several of a polygon.
    name : str
        Name of the class, "" unless ``said`` is "class".
    """

    pixels: tuple[Pixel, ...]
    said: Said
    name: str = ""

    @cached_property
    def index(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns (n,)."""
        rows, columns = np.array(self.pixels, dtype=np.intp).T
        return rows, columns


class AnswerFile:
    """Answers in their order, and the file that holds them.

    A row of the CSV is a pixel and its latest answer. ``class`` is empty for "none" and "skip", so
    'hsiaug datasets add' skips these rows. Rows of one polygon share the number in ``answer``.
    ``wrong``: what is wrong with the lines that hold no answer of this scene; the file as it was is
    kept as ``….csv.bak`` before they are left out. Raises InputError for a file that has no answer
    of this scene but other lines, or cannot be read.
    """

    def __init__(
        self, path: Path, shape: tuple[int, int], ground: Georeference | None = None
    ) -> None:
        self.path = path
        self._shape = shape
        self._ground = ground
        self.given: list[PixelAnswer] = []
        self.undone: list[PixelAnswer] = []
        self.wrong: list[str] = []
        if path.exists():
            check_filled(path)
            with file_errors(
                f"{path} must be a file that can be read", "Run the command in another folder."
            ):
                self.given = self._read(path.read_bytes())
        self._written = self._state()

    @contextmanager
    def held(self) -> Iterator[None]:
        """While it lasts, no other process may hold these answers.

        Raises InputError, with the number of the process that holds them, where one does.
        """
        lock = SoftFileLock(self.path.with_name(f"{self.path.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            rule = f"{self.path} must be of one page at a time"
            hint = "End that 'hsiaug label'; delete the lock if its machine was switched off."
            raise InputError(
                rule, value=f"process {lock.pid or 'unknown'} holds {lock.lock_file}", hint=hint
            ) from error
        except OSError as error:
            if lock.pid in (None, os.getpid()):
                # Half a lock, on a disk that is full, would be nobody's and for ever.
                lock.break_lock()
            raise InputError(
                f"{self.path} must be in a folder that can be written",
                value=reason(error),
                hint="Run the command in another folder.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def add(self, answer: PixelAnswer) -> None:
        """Keep an answer; it is on disk when this returns."""
        self._write([*self.given, answer])
        self.undone.clear()

    def undo(self) -> PixelAnswer | None:
        """Take the last answer back, on disk too; None where there is none."""
        if not self.given:
            return None
        last = self.given[-1]
        self._write(self.given[:-1])
        self.undone.append(last)
        return last

    def redo(self) -> PixelAnswer | None:
        """Give again what was taken back last, on disk too; None where nothing was since the last
        answer.
        """
        if not self.undone:
            return None
        self._write([*self.given, self.undone[-1]])
        return self.undone.pop()

    @property
    def latest(self) -> dict[Pixel, tuple[int, PixelAnswer]]:
        """The number, from 1, and the latest answer of every pixel that has one."""
        return {
            pixel: (i, answer)
            for i, answer in enumerate(self.given, start=1)
            for pixel in answer.pixels
        }

    @property
    def names(self) -> list[str]:
        """Classes that were named, in order."""
        return list(dict.fromkeys(answer.name for answer in self.given if answer.said == "class"))

    def labels(self, names: Sequence[str]) -> NDArray[np.int16]:
        """(H, W) int16: class ids by ``names``; 0 = not asked, -1 = none of the classes, -2 =
        skipped.
        """
        ids = np.zeros(self._shape, dtype=np.int16)
        codes = {"none": -1, "skip": -2}
        for answer in self.given:
            ids[answer.index] = (
                names.index(answer.name) + 1 if answer.said == "class" else codes[answer.said]
            )
        return ids

    def _write(self, answers: list[PixelAnswer]) -> None:
        if self._state() != self._written:
            rule = f"{self.path} must not be changed while its page is open"
            hint = "Start 'hsiaug label' again: it reads the file as it is now."
            raise InputError(rule, value="a file that another program wrote", hint=hint)
        before = self.given
        self.given = answers
        try:
            if self.wrong:
                spoilt = self.path.read_bytes()
                write_whole(
                    self.path.with_name(f"{self.path.name}.bak"),
                    lambda fresh: fresh.write_bytes(spoilt),
                )
                self.wrong = []
            write_text_whole(self.path, self._text(), "answers")
            self._written = self._state()
            with file_errors(
                f"{self.path} must be a file that can be written",
                "Run the command in another folder.",
            ):
                sync_folder(self.path.absolute().parent)
        except BaseException:
            self.given = before
            raise

    def _state(self) -> tuple[int, int, int] | None:
        if not self.path.exists():
            return None
        status = self.path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _text(self) -> str:
        out = io.StringIO(newline="")
        rows = csv.writer(out, lineterminator="\n")
        ground = self._ground
        rows.writerow(name for name in COLUMNS if ground or name not in ("x", "y"))
        for (row, column), (number, answer) in self.latest.items():
            place = ground.centre(row, column) if ground else ()
            rows.writerow((row, column, *place, spreadsheet_text(answer.name), answer.said, number))
        return out.getvalue()

    def _read(self, content: bytes) -> list[PixelAnswer]:
        by_number: dict[int, tuple[list[Pixel], Said, str]] = {}
        try:
            # A byte that is no UTF-8 costs its line alone.
            text = content.decode("utf-8-sig", errors="surrogateescape")
            reader = csv.DictReader(io.StringIO(text, newline=""))
            if not {"row", "column", "class", "said", "answer"} <= set(reader.fieldnames or ()):
                raise ValueError("no columns row, column, class, said, answer")
            for row in reader:
                try:
                    pixel, said, name = self._parse(row)
                    by_number.setdefault(int(row["answer"]), ([], said, name))[0].append(pixel)
                except (ValueError, TypeError, InputError) as error:
                    self.wrong.append(f"line {reader.line_num}: {error}")
            if self.wrong and not by_number:
                raise ValueError(self.wrong[0])
        except (ValueError, TypeError, csv.Error) as error:
            rule = f"{self.path} must be a file that 'hsiaug label' wrote of this scene"
            hint = "Name another file; one that is not there yet is begun."
            raise InputError(rule, value=str(error), hint=hint) from error
        return [
            PixelAnswer(tuple(pixels), said, name)
            for _, (pixels, said, name) in sorted(by_number.items())
        ]

    def _parse(self, row: dict[str, str]) -> tuple[Pixel, Said, str]:
        """Pixel, answer and class name of a row. Raises ValueError or TypeError for a row that is
        no answer.
        """
        pixel = (int(row["row"]), int(row["column"]))
        said = row["said"]
        if said not in get_args(Said) or (said == "class") != bool(row["class"]):
            raise ValueError(f"said {said!r}, class {row['class']!r}")
        if not all(0 <= at < size for at, size in zip(pixel, self._shape, strict=True)):
            raise ValueError(f"pixel {pixel} of a scene of {self._shape}")
        name = check_name(text_of_spreadsheet(row["class"])) if row["class"] else ""
        return pixel, cast(Said, said), name


def check_name(name: str) -> str:
    """The name of a class, stripped. Raises InputError for one that is empty, too long, or not of
    plain characters.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or visible(name) != name:
        raise InputError(
            f"a class needs a name of 1 to {LONGEST_NAME} plain characters",
            value=repr(name),
            hint="For example wheat.",
        )
    return name
