"""What the scripts of this folder share: output, tables of CSV and Markdown, calls of ``hsiaug``,
processes, scenes.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.tasks.scores import AA_LARGE

if TYPE_CHECKING:
    from hsiaug.quality.synthesis import AnySynthesis

HERE = Path(__file__).parent
"""This folder."""


def check_usage(usage: str | None, least: int = 0, most: int | None = None) -> None:
    """End a script that is asked for help, or that is called with too few or too many words.

    Parameters
    ----------
    usage : str or None
        What is printed: the text above the script, which says how it is called.
    least, most : int or None
        Words of the command line; None: any number.
    """
    words = sys.argv[1:]
    asked = not {"-h", "--help"}.isdisjoint(words)
    if asked or not least <= len(words) <= (len(words) if most is None else most):
        (sys.stdout if asked else sys.stderr).write(f"{usage}\n")
        raise SystemExit(0 if asked else 2)


def in_folder(main: Callable[[Path], None]) -> None:
    """Run ``main`` in the folder that the command line names, or else in one that is removed
    again.
    """
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).absolute())
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def hsiaug(command: str | Sequence[str], folder: Path | None = None) -> str:
    """What a command, a line or its words, prints on stdout; it runs in ``folder``, and must end
    well.
    """
    program = Path(sys.executable).with_name("hsiaug")
    words = command.split() if isinstance(command, str) else command
    return subprocess.run(
        [program, *words], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def descendants(pid: int) -> Iterator[int]:
    """Process ids of what a process started, and of what these did, as long as they are there.
    Linux only.
    """
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children: list[str] = []
        # Between the two calls the process may end.
        with suppress(OSError):
            children = task.read_text().split()
        for child in children:
            yield int(child)
            yield from descendants(int(child))


RENAMED = {"aa_large": AA_LARGE}
"""Columns of older reports, of which committed files are made."""


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its columns, as they are called now."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {RENAMED.get(name, name): row[name] for name in row} for row in csv.DictReader(file)
        ]


def scored_rows(rows: Iterable[Mapping[str, str]], keys: Sequence[str]) -> list[dict[str, str]]:
    """These columns of the trials that went well, without the control that reads no band."""
    kept = (row for row in rows if row["status"] == "ok" and row["classifier"] != "coords")
    return [{key: row[key] for key in keys} for row in kept]


def main_score(row: Mapping[str, str]) -> float:
    """AA of a trial as a fraction, over the classes with at least 25 test pixels in every draw."""
    return float(row.get(AA_LARGE) or row["aa"])


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows under all the columns that any of them has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def unmixed_scene(
    file: Path, name: str, abundances: Path, scale: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A square scene of the unmixing literature: cube (H, W, B), and abundances (endmembers, H, W).

    file: of MATLAB, with the spectra (B, pixels) under ``name``, which are divided by ``scale``.
    """
    from scipy.io import loadmat

    spectra, shares = loadmat(file)[name], loadmat(abundances)["A"]
    side = round(spectra.shape[1] ** 0.5)
    cube = spectra.T.reshape(side, side, -1, order="F") / scale
    return cube.astype(np.float32), shares.reshape(-1, side, side, order="F")


def txt2hsi_fits(words: Sequence[str]) -> Iterator[AnySynthesis]:
    """A fit of ``txt2hsi`` for each draw that words name: SCENE DRAW… [PARAMETER=VALUE…]."""
    # Not needed by scripts that read tables alone.
    from hsiaug.data import load_scene
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.registry.lookup import registry

    scene = load_scene(words[0])
    overrides = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    for draw in (int(word) for word in words[1:] if "=" not in word):
        request = SampleRequest("txt2hsi", seed=draw, lam=0.0, times=1.0, overrides=overrides)
        yield synthesise(sample_kit("pixels"), scene, request, registry())
