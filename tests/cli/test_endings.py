"""Every command that writes files: what a file holds is what its ending says, and another ending
writes nothing.
"""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from hsiaug.base.errors import InputError
from hsiaug.base.files import PICTURES, TABLES
from hsiaug.cli.main import app
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from tests.report.report_records import benchmark, fill

OPENINGS = {
    ".png": b"\x89PNG",
    ".svg": b"<?xml",
    ".pdf": b"%PDF",
    ".md": b"## ",
    ".txt": b"## ",
    ".tex": b"% Needs",
    ".csv": b"",
    ".json": b"{",
    ".html": b"<!doctype html>",
    ".htm": b"<!doctype html>",
    ".npz": b"PK",
    ".npy": b"\x93NUMPY",
    ".mat": b"MATLAB 5.0",
    ".tif": b"II*\0",
    ".geojson": b"{",
}
"""How a file of that ending begins."""
FURTHER = {"split": (".npz", ".mat"), "compare": (), "report": (".html", ".htm", ".txt")}
"""Endings beside those of figures and tables. What label writes is looked at where it is tested.
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("store"), benchmark(3))


def typed(folder: Path, *words: str) -> Result:
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, words)


def command(store: Path, name: str) -> tuple[str, ...]:
    """The words of a command but for ``--out``."""
    return {
        "split": ("benchmark", "toy", "--patch", "5", "--dry-run"),
        "report": ("report", "--store", str(store)),
        "compare": ("compare", "none/svm", "smote@1/svm", "--store", str(store)),
    }[name]


def pdf_fonts(content: bytes) -> set[bytes]:
    return set(re.findall(rb"/Subtype /(Type3|TrueType|CIDFontType2|Type1)", content))


@pytest.mark.drawn
@pytest.mark.parametrize(
    ("name", "pictures", "row"),
    [("split", PICTURES, "class,name,"), ("compare", (), "scene,protocol,")],
)
def test_a_command_writes_every_ending_that_it_names(store, tmp_path, name, pictures, row):
    files = [tmp_path / f"x{ending}" for ending in (*pictures, *TABLES, *FURTHER[name])]
    answer = typed(
        tmp_path, *command(store, name), *(word for file in files for word in ("--out", str(file)))
    )

    assert answer.exit_code == 0, answer.exception
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for file in files:
        assert file.read_bytes().startswith(OPENINGS[file.suffix]), file
    assert (tmp_path / "x.csv").read_text("utf-8").startswith(row)
    if not pictures:
        return
    assert pdf_fonts((tmp_path / "x.pdf").read_bytes()) == {b"CIDFontType2"}
    with Image.open(tmp_path / "x.png") as image:
        assert image.width == 7.2 * 300 and image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("ending", [*PICTURES, *TABLES, *FURTHER["report"]])
def test_a_report_is_what_its_ending_says(store: Path, tmp_path: Path, ending: str) -> None:
    assert typed(tmp_path, *command(store, "report"), "--out", f"x{ending}").exit_code == 0

    assert (tmp_path / f"x{ending}").read_bytes().lower().startswith(OPENINGS[ending].lower())


@pytest.mark.parametrize("name", list(FURTHER))
@pytest.mark.parametrize("ending", [".xyz", ".docx", ".jpg"])
def test_another_ending_is_refused_and_nothing_is_written(store, tmp_path, name, ending):
    good = () if name == "report" else ("--out", "good.csv")
    answer = typed(tmp_path, *command(store, name), *good, "--out", f"x{ending}")

    assert isinstance(answer.exception, InputError) and answer.stdout == ""
    message = str(answer.exception)
    assert f"x{ending}" in message and all(e in message for e in (".csv", ".json"))
    assert "For example --out x" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("benchmark", "toy", "--dry-run", "--out", "a.csv", "--out", "a.csv"),
            "name each file once",
        ),
        (("inspect", "toy", "--out", "x.pdf"), "For example --out x."),
        (("generate", "toy", "--out", "x.xls"), "must end in .npz, .mat, .csv or .sli"),
        (("map", "toy", "--out", "x.jpg"), "must end in .tif, .tiff, .hdr, .npy, .png"),
        (("datasets", "add", "a.npy", "--labels", "b.npy", "--out", "x.json"), "in .toml"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    answer = typed(tmp_path, *words)

    assert isinstance(answer.exception, InputError) and why in str(answer.exception)
    assert not list(tmp_path.iterdir())


def test_masks_of_a_split_are_read_again_as_the_same_split(tmp_path: Path) -> None:
    files = [tmp_path / "masks.npz", tmp_path / "masks.mat"]
    typed(
        tmp_path,
        "benchmark",
        "toy",
        "--seeds",
        "3-3",
        "--dry-run",
        *(word for file in files for word in ("--out", str(file))),
    )
    scene = toy_scene()
    drawn = draw_split(scene, parse_protocol("issd"), 3, 9)
    for file in files:
        again = draw_split(scene, parse_protocol(f"fixed:{file}"), 0, 9)
        assert np.array_equal(drawn.train, again.train) and np.array_equal(drawn.test, again.test)


@pytest.mark.drawn
def test_a_picture_is_as_wide_as_two_columns_of_a_page(store: Path, tmp_path: Path) -> None:
    words = ("--by", "gain", "--out", "x.png", "--out", "x.md")
    assert typed(tmp_path, *command(store, "report"), *words).exit_code == 0

    with Image.open(tmp_path / "x.png") as image:
        assert image.width == 7.2 * 300
