"""Inspection: numbers and pictures of every built-in generator."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from PIL import Image

from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.quality.figures import _beyond, _cloud_limits, save_figures
from hsiaug.quality.kits import sample_kit
from hsiaug.quality.synthesis import PixelSynthesis

Make = Callable[..., PixelSynthesis]

inspect_samples = sample_kit("pixels").inspect


def test_the_pictures_of_a_generator_are_written(make: Make, tmp_path: Path) -> None:
    files = save_figures(inspect_samples(make("smote")).pictures(), tmp_path)

    assert [path.name for path in files] == [
        "contact_sheet.png",
        "spectra.png",
        "spectra.svg",
        "pca.png",
    ]
    for path in (files[0], files[1], files[3]):
        with Image.open(path) as image:
            assert image.width > 1000 and len(image.convert("L").getcolors() or []) > 20


@pytest.mark.parametrize("generator", ["smote", "duplicate", "dummy"])
def test_a_generator_is_inspected(make: Make, generator: str) -> None:
    report = inspect_samples(make(generator))
    content = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert content["n"]["synthetic"] == len(report.made.synthetic) > 0
    assert report.measures[0].name == "within_1"
    copies = report.fidelity["copies_training"]
    labels, memory = report.verdict
    assert f"copies: {copies.value:.3g} % of the patches" in memory
    assert labels.startswith("labels: classifiers of real pixels confirm")
    assert ((copies.value or 0) > 99) == (generator in ("duplicate", "dummy"))


def test_spectra_are_drawn_as_lines_too_in_the_same_bytes_each_time(
    make: Make, tmp_path: Path
) -> None:
    report = inspect_samples(make("smote"))
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _, lines = save_figures({"spectra": report.pictures()["spectra"]}, tmp_path / name)
        files.append(lines.read_bytes())
    drawn = fromstring(files[0].decode())

    assert files[0] == files[1] and len(files[0]) < 300_000
    words = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"wavelength (nm)", *report.made.data.class_names} <= words
    assert all(colour in files[0].decode() for colour in (TRAIN, SYNTHETIC, HELD_OUT))


def test_the_same_request_gives_the_same_numbers(make: Make) -> None:
    first, again = inspect_samples(make("smote")), inspect_samples(make("smote"))

    assert first.measures == again.measures


def test_every_training_point_lies_within_the_axes_and_others_beyond_are_counted() -> None:
    rng = np.random.default_rng(0)
    train = np.concatenate([rng.normal(size=(2000, 2)), [[40.0, -30.0]]])
    made = np.concatenate([rng.normal(size=(2000, 2)), [[500.0, 0.0]]])
    limits = _cloud_limits({"train": train, "synthetic": made})
    assert _beyond(train, limits) == 0
    assert _beyond(made, limits) == 1
