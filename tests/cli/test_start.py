"""``hsiaug start``: what it finds, proposes and asks; and that it writes nothing by itself."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from spectral.io import envi

from hsiaug.data import toy_scene
from tests.in_process import hsiaug, refused


@pytest.fixture
def flight(tmp_path: Path) -> Path:
    """A folder with flight.hdr, labels.npy and a text."""
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    envi.save_image(str(tmp_path / "flight.hdr"), scene.cube, ext=".img")
    np.save(tmp_path / "labels.npy", scene.labels)
    (tmp_path / "notes.txt").write_text("wind from the west")
    return tmp_path


def answered(monkeypatch: pytest.MonkeyPatch, *answers: str) -> Iterator[str]:
    """Somebody at a terminal who types these."""
    left = iter(answers)
    monkeypatch.setattr("hsiaug.cli.start.asks", lambda: True)
    monkeypatch.setattr("builtins.input", lambda *_: next(left))
    return left


def proposed(output: str) -> list[list[str]]:
    """The commands that are printed."""
    lines = output.splitlines()
    return [shlex.split(line)[1:] for line in lines[lines.index("next:") + 1 :]]


def test_a_folder_is_looked_through_and_nothing_is_written(flight: Path) -> None:
    before = sorted(flight.iterdir())
    done = hsiaug("start", ".", cwd=flight)

    assert done.returncode == 0, done.stderr
    assert sorted(flight.iterdir()) == before
    lines = done.stdout.splitlines()
    assert "size\t40×32 pixels" in lines and "1\tclass 1\t648" in lines
    assert any(line.startswith("warning: classes have no names") for line in lines)
    assert any(line.startswith("protocol issd, split 0: ") for line in lines)
    assert any(line.startswith("98 of 98 trials to run, about ") for line in lines)
    add, *more = proposed(done.stdout)
    assert add == ["datasets", "add", "flight.hdr", "--labels", "labels.npy"]
    assert [words[:2] for words in more] == [
        ["benchmark", "flight.toml"],
        ["benchmark", "flight.toml"],
        ["report", "--out"],
        ["map", "flight.toml"],
    ]
    assert more[1][2:] == ["--generator", "pseudo,gaussian"]


def test_what_is_proposed_runs(flight: Path) -> None:
    add, split, benchmark, *_ = proposed(hsiaug("start", "flight.hdr", cwd=flight).stdout)

    for words in (add, split, [*benchmark, "--dry-run"]):
        assert hsiaug(*words, cwd=flight).returncode == 0, words
    known = hsiaug("start", "flight.toml", cwd=flight)
    assert proposed(known.stdout)[:2] == [split, benchmark]


@pytest.mark.parametrize("ending", [".tif", ".hdr"])
def test_labels_are_no_second_cube(flight: Path, ending: str) -> None:
    codes = np.load(flight / "labels.npy").astype(np.uint8)
    (flight / "labels.npy").unlink()
    if ending == ".tif":
        Image.fromarray(codes).save(flight / "labels.tif")
    else:
        envi.save_classification(
            str(flight / "labels.hdr"), codes, class_names=["none", "hay", "rye", "track"]
        )
    done = hsiaug("start", ".", cwd=flight)

    assert done.returncode == 0, done.stderr
    assert proposed(done.stdout)[0] == [
        "datasets",
        "add",
        "flight.hdr",
        "--labels",
        f"labels{ending}",
    ]


def test_one_file_of_matlab_may_hold_both(tmp_path: Path) -> None:
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    savemat(tmp_path / "farm.mat", {"cube": scene.cube, "gt": scene.labels})
    add, *_ = proposed(hsiaug("start", ".", cwd=tmp_path).stdout)
    assert add == ["datasets", "add", "farm.mat", "--labels", "farm.mat"]


def test_a_yes_writes_card_and_picture_once(flight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, "y")
    done = hsiaug("start", ".", cwd=flight)
    assert done.returncode == 0 and "written: flight.toml, flight_look.png" in done.stderr
    assert proposed(done.stdout)[0][0] == "benchmark"

    (flight / "flight.toml").write_text((flight / "flight.toml").read_text() + "\n# mine\n")
    again = hsiaug("start", ".", cwd=flight)
    assert again.returncode == 0 and proposed(again.stdout) == proposed(done.stdout)
    assert (flight / "flight.toml").read_text().endswith("# mine\n")


def test_several_files_of_labels_must_be_chosen_from(
    flight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [
        f"{row},{column},{name}" for name, row in (("hay", 3), ("rye", 20)) for column in range(20)
    ]
    (flight / "points.csv").write_text("\n".join(["row,col,class", *places]))
    message = refused(flight, "start", ".")
    assert "--labels must be one file; found labels.npy, points.csv" in message
    named = hsiaug("start", ".", "--labels", "points.csv", cwd=flight)
    assert proposed(named.stdout)[0] == ["datasets", "add", "flight.hdr", "--labels", "points.csv"]

    left = answered(monkeypatch, "points.csv", "y")
    asked = hsiaug("start", ".", cwd=flight)
    assert asked.returncode == 0, asked.stderr
    assert next(left, None) is None and "1\thay\t20" in asked.stdout.splitlines()
    assert (flight / "flight.toml").exists() and proposed(asked.stdout)[0][0] == "benchmark"


def test_a_no_writes_nothing(flight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, "n")
    done = hsiaug("start", ".", cwd=flight)

    assert (
        proposed(done.stdout)[0][:2] == ["datasets", "add"]
        and not (flight / "flight.toml").exists()
    )


def test_where_a_patch_hides_a_class_a_smaller_one_is_proposed(flight: Path) -> None:
    labels = np.zeros((40, 32), dtype=np.int16)
    labels[:20, :15], labels[22:, :15] = 1, 2
    labels[5:11, 20:27] = 3
    np.save(flight / "labels.npy", labels)
    done = hsiaug("start", ".", cwd=flight)

    assert [
        "benchmark",
        "flight.toml",
        "--generator",
        "pseudo,gaussian",
        "--patch",
        "5",
    ] in proposed(done.stdout)
    assert "warning: fewer than 25" not in done.stdout

    labels[5:8, 20:27] = 0
    np.save(flight / "labels.npy", labels)
    fewer = hsiaug("start", ".", cwd=flight).stdout.splitlines()
    assert "warning: fewer than 25 test pixels: class 3; label more fields of each" in fewer


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("start", "empty"), "SCENE must be one file; found none in empty"),
        (("start", "nowhere"), "which is not there"),
    ],
)
def test_what_cannot_be_read_is_one_error(flight: Path, words: tuple[str, ...], part: str) -> None:
    (flight / "empty").mkdir()
    assert part in refused(flight, *words)


def test_what_must_be_said_of_codes_is_named(flight: Path) -> None:
    codes = np.load(flight / "labels.npy").astype(int)
    np.save(flight / "labels.npy", np.where(codes == 0, 255, codes - 1))
    add = ("datasets", "add", "flight.hdr", "--labels", "labels.npy")
    words = ("--set", "classes=hay,rye,track", "--set", "unlabelled=255", "--set", "units=radiance")
    refusal = refused(flight, *add, *words[:2])
    assert "--set unlabelled=0 or --set unlabelled=255" in refusal
    done = hsiaug(*add, *words, cwd=flight)
    assert done.returncode == 0 and "0\thay\t648" in done.stdout.splitlines()


def test_an_odd_file_in_a_folder_is_left_out_with_the_reason(flight: Path) -> None:
    envi.save_image(str(flight / "lib.hdr"), np.ones((6, 1, 12), np.float32), ext=".sli")
    with (flight / "lib.hdr").open("a") as file:
        file.write("file type = ENVI Spectral Library\n")
    (flight / "scene.zip").write_bytes(b"PK")
    (flight / "broken.tif").write_bytes(b"II*")
    done = hsiaug("start", ".", cwd=flight)
    assert done.returncode == 0, done.stderr
    assert proposed(done.stdout)[0] == ["datasets", "add", "flight.hdr", "--labels", "labels.npy"]
    for part in (
        "lib.hdr: must be of an image",
        "Unpack it",
        "broken.tif: must be a whole GeoTIFF",
    ):
        assert part in done.stderr


def test_files_that_hsiaug_wrote_are_not_proposed(flight: Path) -> None:
    codes = np.load(flight / "labels.npy").astype(float)
    np.save(flight / "labels.npy", np.where(codes == 0, np.nan, codes))
    words = ("datasets", "add", "flight.hdr", "--labels", "labels.npy")
    assert hsiaug(*words, cwd=flight).returncode == 0
    assert (flight / "flight_labels.npy").exists() and (flight / "flight_look.png").exists()
    (flight / "flight_map.tif").write_bytes(b"")
    again = hsiaug("start", ".", cwd=flight)
    assert again.returncode == 0, again.stderr


def test_a_folder_of_products_says_what_to_do_with_them(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "p.nc", "w") as file:
        file["reflectance"] = np.ones((4, 5, 6), np.float32)
    assert "p.nc must be a product that is read (PRISMA L2D or EMIT L2A)" in refused(
        tmp_path, "start", "."
    )


def test_what_commands_wrote_into_the_folder_is_not_asked_about(flight: Path) -> None:
    words = ("datasets", "add", "flight.hdr", "--labels", "labels.npy")
    assert hsiaug(*words, cwd=flight).returncode == 0
    names = ("flight_map.hdr", "map.tif", "map.npy")
    outs = [word for name in names for word in ("--out", name)]
    quick = ("--classifier", "sklearn:neighbors.KNeighborsClassifier")
    made = hsiaug("map", "flight.toml", *quick, "--probabilities", *outs, cwd=flight)
    assert made.returncode == 0, made.stderr
    (flight / "picks.csv").write_text("rank,row,column,class,committee\n1,2,3,,\n")
    again = hsiaug("start", ".", cwd=flight)
    assert again.returncode == 0, again.stderr
    assert "map" not in again.stderr.replace("mapping", "") and "picks" not in again.stderr


def test_a_data_file_belongs_to_the_header_of_its_whole_name(tmp_path: Path) -> None:
    scene = toy_scene(height=40, width=32, bands=6, classes=3)
    fields = "ENVI\nsamples = 32\nlines = 40\ninterleave = bip\nbyte order = 0\n"
    scene.cube.tofile(tmp_path / "site.img")
    (tmp_path / "site.hdr").write_text(f"{fields}bands = 6\ndata type = 4\n")
    scene.labels.astype(np.uint8).tofile(tmp_path / "site.dat")
    (tmp_path / "site.dat.hdr").write_text(f"{fields}bands = 1\ndata type = 1\n")
    done = hsiaug("start", ".", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert proposed(done.stdout)[0][:5] == [
        *("datasets", "add", "site.hdr", "--labels", "site.dat.hdr")
    ]
