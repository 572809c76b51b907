"""Inspection: numbers and pictures of every built-in generator."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from PIL import Image

from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.quality.figures import save_figures
from hsiaug.quality.kits import sample_kit
from hsiaug.quality.synthesis import PixelSynthesis

Make = Callable[..., PixelSynthesis]

inspect_samples = sample_kit("pixels").inspect


def test_a_report_and_its_pictures_are_the_same_each_time(make: Make, tmp_path: Path) -> None:
    made = make("smote")
    report = inspect_samples(made)
    assert report.measures == inspect_samples(made).measures
    files = save_figures(report.pictures(), tmp_path)
    names = [path.name for path in files]
    assert names == ["contact_sheet.png", "spectra.png", "spectra.svg", "pca.png"]
    for path in (files[0], files[1], files[3]):
        with Image.open(path) as image:
            assert image.width > 1000 and len(image.convert("L").getcolors() or []) > 20
    lines = files[2].read_bytes()
    (tmp_path / "again").mkdir()
    _, other = save_figures({"spectra": report.pictures()["spectra"]}, tmp_path / "again")
    assert lines == other.read_bytes() and len(lines) < 300_000
    drawn = fromstring(lines.decode())
    words = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"wavelength (nm)", *report.made.data.class_names} <= words
    assert all(colour in lines.decode() for colour in (TRAIN, SYNTHETIC, HELD_OUT))


@pytest.mark.parametrize("generator", ["smote", "duplicate"])
def test_a_generator_is_inspected(make: Make, generator: str) -> None:
    report = inspect_samples(make(generator))
    content = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert content["n"]["synthetic"] == len(report.made.synthetic) > 0
    assert report.measures[0].name == "within_1"
    copies = report.fidelity["copies_training"]
    labels, memory = report.verdict
    assert f"copies: {copies.value:.3g} % of the patches" in memory
    assert labels.startswith("labels: classifiers of real pixels confirm")
    assert ((copies.value or 0) > 99) == (generator == "duplicate")
