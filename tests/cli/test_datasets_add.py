"""``hsiaug datasets add``: what it prints, draws and refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from spectral.io import envi

from hsiaug.data import toy_scene
from tests.in_process import hsiaug, refused


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with flight.hdr and labels.npy."""
    folder = tmp_path_factory.mktemp("flight")
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    header = {"wavelength": np.linspace(400, 1000, 12).tolist(), "wavelength units": "Nanometers"}
    envi.save_image(str(folder / "flight.hdr"), scene.cube, ext=".img", metadata=header)
    np.save(folder / "labels.npy", scene.labels)
    return folder


@pytest.mark.drawn
def test_a_scene_is_described_in_parsable_lines_and_drawn(flight: Path, tmp_path: Path) -> None:
    words = (
        "--labels",
        str(flight / "labels.npy"),
        "--set",
        "classes=hay, rye,track",
        "--out",
        "farm.toml",
    )
    settings = ("--set", "ignore=track", "--set", "bad_bands=0,10-11")
    answer = hsiaug("datasets", "add", str(flight / "flight.hdr"), *words, *settings, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()

    facts = dict(line.split("\t", 1) for line in lines if "\t" in line)
    assert facts["size"] == "40×32 pixels" and facts["band centres"] == "400–1000 nm"
    assert facts["bands"] == "12 in the file, 9 kept (asked for: 0, 10–11)"
    start = lines.index("code\tclass\tpixels")
    assert [line.split("\t")[1] for line in lines[start + 1 : start + 3]] == ["hay", "rye"]
    assert lines[-1] == "next: hsiaug benchmark farm.toml --generator pseudo,gaussian"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["farm.toml", "farm_look.png"]
    with Image.open(tmp_path / "farm_look.png") as image:
        assert image.width > image.height > 300
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 100

    info = hsiaug("datasets", "info", "farm.toml", cwd=tmp_path)
    assert "1\thay\t1\t" in info.stdout and "status       here" in info.stdout


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--set", "classes=a,b"), ("--set classes", "2 names for 3 codes")),
        (("--set", "bad_bands=3-x"), ("--set bad_bands", "'3-x'")),
        (("--set", "bad_bands=0-1000000000"), ("--set bad_bands", "1000 at most")),
        (("--set", "bad_bands=" + "9" * 5000), ("--set bad_bands", "1000 at most")),
        (("--set", "bad_bands=5-3"), ("--set bad_bands", "rising")),
        (("--set", "bad_bands=²"), ("--set bad_bands", "'²'")),
        (("--set", "ignore=" + "9" * 5000), ("--set ignore", "999")),
        (("--set", "ignore=--5"), ("--set ignore", "'--5'")),
        (("--set", "scale=big"), ("--set scale", "'big'")),
        (("--set", "scal=1"), ("KEY=VALUE", "Did you mean scale")),
        (("--set", "scale"), ("KEY=VALUE", "'scale'")),
        (("--labels", "lables.npy"), ("lables.npy must exist", "Did you mean labels.npy")),
        (("--out", "nowhere/x.toml"), ("no folder nowhere",)),
    ],
)
def test_what_is_wrong_gives_one_error_and_no_file(flight, words, parts):
    labels = () if "--labels" in words else ("--labels", "labels.npy")
    message = refused(flight, "datasets", "add", "flight.hdr", *labels, *words)

    for part in parts:
        assert part in message


def test_labels_are_required(flight: Path) -> None:
    assert "--labels" in refused(flight, "datasets", "add", "flight.hdr")


def test_an_existing_card_is_kept(flight: Path, tmp_path: Path) -> None:
    (tmp_path / "flight.toml").write_text("mine")
    words = ("datasets", "add", str(flight / "flight.hdr"), "--labels", str(flight / "labels.npy"))

    assert "delete it first" in refused(tmp_path, *words)
    assert (tmp_path / "flight.toml").read_text() == "mine"
