"""Inspection: numbers and pictures of every built-in generator."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from PIL import Image

from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.metrics.calibration import Reliability
from hsiaug.metrics.measures import Measure, Measures
from hsiaug.quality import pixel_samples
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
    (memory,) = (line for line in report.verdict if "memorisation" in line)
    copies = report.fidelity["copies"].value or 0
    # The patches that the table counts are told too, so that no sentence says there are none.
    patches = report.fidelity["copies_training"].value or 0
    which = "centre pixels" if patches else "samples"
    assert (
        f"{f'{copies:.3g} %' if copies else 'none'} of the synthetic {which} are copies" in memory
    )
    assert (f"{patches:.3g} % of the synthetic patches copy" in memory) == (patches > 0)
    assert report.verdict[-1].startswith("In short: ") and report.verdict[-1].endswith(".")
    assert (copies > 99) == (generator in ("duplicate", "dummy"))


def test_a_few_copies_are_told_as_the_table_has_them() -> None:
    shares = {"copies": 0.585, "nearer": 70.0}
    measures = (
        Measure(name, name, share, {"floor": None}, 9, "%", "lower")
        for name, share in shares.items()
    )
    like = Measures(tuple(measures), (), (1, 2))
    said, _ = pixel_samples._verdict(like, Reliability((), 0, 0, ()))
    assert said.startswith(
        "memorisation: 0.585 % of the synthetic samples are copies of training samples; 70 %"
    )


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

    assert first.fidelity == again.fidelity and first.reliability == again.reliability


def test_every_training_point_lies_within_the_axes_and_others_beyond_are_counted() -> None:
    rng = np.random.default_rng(0)
    train = np.concatenate([rng.normal(size=(2000, 2)), [[40.0, -30.0]]])
    made = np.concatenate([rng.normal(size=(2000, 2)), [[500.0, 0.0]]])
    limits = _cloud_limits({"train": train, "synthetic": made})
    assert _beyond(train, limits) == 0
    assert _beyond(made, limits) == 1
