"""Every command that writes files: what a file holds is what its ending says, and another ending writes nothing."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from hsiaug.cli.main import app
from hsiaug.data import toy_scene
from hsiaug.errors import InputError
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.targets import PICTURES, TABLES
from hsiaug.trial.store import Store
from tests.report.report_records import benchmark, fill

OPENINGS = {
    ".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF", ".md": b"## ", ".txt": b"## ", ".tex": b"% Needs",
    ".csv": b"", ".json": b"{", ".html": b"<!doctype html>", ".htm": b"<!doctype html>", ".npz": b"PK",
    ".npy": b"\x93NUMPY", ".mat": b"MATLAB 5.0", ".tif": b"II*\0",
}  # fmt: skip
"""How a file of that ending begins."""
CSV = {
    "split": "class,name,",
    "map": "class,name,",
    "compare": "scene,protocol,",
    "suggest": "rank,row,",
    "report": "hash,",
}
FURTHER = {
    "split": (".npz", ".mat"),
    "map": (".npy", ".tif"),
    "compare": (),
    "suggest": (),
    "report": (".html", ".htm", ".txt"),
    "inspect": (),
}
"""Endings beside those of figures and tables."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of invented records, and one of a single trial of the toy scene that a map can be made by."""
    folder = tmp_path_factory.mktemp("endings")
    fill(folder / "store", benchmark(3))
    words = ("--generator", "none", "--classifier", "rf", "--seeds", "1", "--patch", "3", "--jobs", "1")
    assert typed(folder, "benchmark", "toy", *words, "--store", "toy").exit_code == 0
    return folder


def typed(folder: Path, *words: str) -> Result:
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, words)


def command(place: Path, name: str) -> tuple[str, ...]:
    """The words of a command but for ``--out``."""
    if name == "map":
        hashes = (r["hash"] for r in Store(place / "toy").records() if r["spec"]["classifier"]["name"] == "rf")
        return ("map", "toy", "--record", next(hashes), "--store", str(place / "toy"))
    quick = ("--classifier", "coords,rf", "--view", "raw", "--patch", "3")
    return {
        "split": ("split", "toy", "--patch", "5"),
        "inspect": ("inspect", "toy", "--generator", "duplicate", "--patch", "3"),
        "report": ("report", str(place / "store")),
        "compare": ("compare", "none/svm", "smote@1/svm", str(place / "store")),
        "suggest": ("suggest", "toy", "-n", "2", *quick),
    }[name]


def pdf_fonts(content: bytes) -> set[bytes]:
    return set(re.findall(rb"/Subtype /(Type3|TrueType|CIDFontType2|Type1)", content))


@pytest.mark.parametrize("name", ["split", "map", "compare", "suggest"])
def test_a_command_writes_every_ending_that_it_names(place: Path, tmp_path: Path, name: str) -> None:
    endings = [e for e in (*PICTURES, *TABLES, *FURTHER[name]) if e != ".tif"]
    files = [tmp_path / f"x{ending}" for ending in endings]
    answer = typed(tmp_path, *command(place, name), *(word for file in files for word in ("--out", str(file))))

    assert answer.exit_code == 0, answer.exception
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for file in files:
        assert file.read_bytes().startswith(OPENINGS[file.suffix]), file
    assert (tmp_path / "x.csv").read_text("utf-8").startswith(CSV[name])
    assert pdf_fonts((tmp_path / "x.pdf").read_bytes()) == {b"CIDFontType2"}
    with Image.open(tmp_path / "x.png") as image:
        assert image.width == 7.2 * 300 and image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("ending", [*PICTURES, *TABLES, *FURTHER["report"]])
def test_a_report_is_what_its_ending_says(place: Path, tmp_path: Path, ending: str) -> None:
    assert typed(tmp_path, *command(place, "report"), "--out", f"x{ending}").exit_code == 0

    assert (tmp_path / f"x{ending}").read_bytes().lower().startswith(OPENINGS[ending].lower())


def test_inspect_writes_pictures_of_the_endings_asked_for_and_tables(place: Path, tmp_path: Path) -> None:
    tables = [word for ending in TABLES for word in ("--out", f"x{ending}")]
    answer = typed(tmp_path, *command(place, "inspect"), "--out", "look", "--figures", "pdf,svg", *tables)

    assert answer.exit_code == 0, answer.exception
    names = ["pca.pdf", "pca.svg", "quality.json", "spectra.pdf", "spectra.svg"]
    assert sorted(path.name for path in (tmp_path / "look").iterdir()) == names
    for path in (path for path in tmp_path.rglob("*.*") if path.is_file()):
        assert path.read_bytes().startswith(OPENINGS[path.suffix]), path
    assert (tmp_path / "x.json").read_bytes() == (tmp_path / "look" / "quality.json").read_bytes()
    assert (tmp_path / "x.csv").read_text("utf-8").startswith("table,name,label,value,")
    assert pdf_fonts((tmp_path / "look" / "pca.pdf").read_bytes()) == {b"CIDFontType2"}


@pytest.mark.parametrize("name", list(FURTHER))
@pytest.mark.parametrize("ending", [".xyz", ".docx", ".jpg"])
def test_another_ending_is_refused_and_nothing_is_written(
    place: Path, tmp_path: Path, name: str, ending: str
) -> None:
    good = () if name == "report" else ("--out", "good.csv")
    answer = typed(tmp_path, *command(place, name), *good, "--out", f"x{ending}")

    assert isinstance(answer.exception, InputError) and answer.stdout == ""
    message = str(answer.exception)
    assert f"x{ending}" in message and all(e in message for e in TABLES) and "For example --out x" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("split", "toy", "--out", "a.csv", "--out", "a.csv"), "name each file once"),
        (("inspect", "toy", "--out", "x.pdf"), "--out x --figures pdf"),
        (("inspect", "toy", "--out", "x.csv", "--figures", "pdf"), "--figures needs a folder"),
        (("inspect", "toy", "--out", "x", "--figures", "jpg"), "--figures must name png, svg or pdf"),
        (("inspect", "toy", "--out", "x", "--out", "y"), "--out takes one folder"),
        (("advise", "toy", "--out", "x.png"), "--out must end in .md, .tex, .csv or .json"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    answer = typed(tmp_path, *words)

    assert isinstance(answer.exception, InputError) and why in str(answer.exception)
    assert not list(tmp_path.iterdir())


def test_masks_of_a_split_are_read_again_as_the_same_split(tmp_path: Path) -> None:
    files = [tmp_path / "masks.npz", tmp_path / "masks.mat"]
    typed(tmp_path, "split", "toy", "--seed", "3", *(word for file in files for word in ("--out", str(file))))
    scene = toy_scene()
    drawn = draw_split(scene, parse_protocol("issd"), 3, 9)
    for file in files:
        again = draw_split(scene, parse_protocol(f"fixed:{file}"), 0, 9)
        assert np.array_equal(drawn.train, again.train) and np.array_equal(drawn.test, again.test)


@pytest.mark.parametrize("by", ["generator", "gain"])
@pytest.mark.parametrize(("columns", "inches"), [(1, 3.5), (2, 7.2)])
def test_a_picture_is_as_wide_as_the_columns_that_it_fills(
    place: Path, tmp_path: Path, by: str, columns: int, inches: float
) -> None:
    words = ("--by", by, "--columns", str(columns), "--out", "x.png")
    assert typed(tmp_path, *command(place, "report"), *words).exit_code == 0

    with Image.open(tmp_path / "x.png") as image:
        assert image.width == inches * 300
