"""Inspection: numbers and pictures of every built-in generator, and attention whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from PIL import Image

from hsiaug.api import Attention, PatchSamples, PluginError
from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.core.scene import Scene
from hsiaug.quality import pixel_samples
from hsiaug.quality.attention import attention_report, class_map
from hsiaug.quality.figures import save_figures
from hsiaug.quality.kits import sample_kit
from hsiaug.quality.pixel_figures import pictures
from hsiaug.quality.synthesis import PixelSynthesis

Make = Callable[..., PixelSynthesis]

inspect_samples = sample_kit("pixels").inspect


class Attentive:
    """Attends to the class's word where the band of the class is bright, to "the" elsewhere."""

    def __init__(self, names: tuple[str, ...], scale: float = 1.0) -> None:
        self.names, self.scale = names, scale
        self.shown: list[PatchSamples] = []

    def attention(self, patches: PatchSamples) -> Attention:
        self.shown.append(patches)
        bright = [np.clip(x[c - 1], 0.05, 0.95) for x, c in zip(patches.x, patches.y, strict=True)]
        maps = tuple(np.stack([1 - b, b]).astype(np.float32) * np.float32(self.scale) for b in bright)
        return Attention(tuple(("the", self.names[c - 1].lower()) for c in patches.y), maps)


@pytest.fixture(scope="module")
def coded(toy: Scene) -> Scene:
    """The toy scene with a band per class that is bright just there."""
    cube = np.stack([toy.labels == c for c in toy.class_ids], axis=2).astype(np.float32)
    return replace(toy, cube=cube + 0.01 * toy.cube[..., :5], wavelengths=None)


@pytest.mark.parametrize("generator", ["smote", "mixup", "noise", "duplicate", "dummy"])
def test_every_generator_is_inspected(make: Make, tmp_path: Path, generator: str) -> None:
    report = inspect_samples(make(generator))
    files = [*save_figures(pictures(report), tmp_path), *sample_kit("pixels").numbers(report, tmp_path)]

    assert [path.name for path in files] == ["spectra.png", "spectra.svg", "pca.png", "spectra.csv"]
    for path in (files[0], files[2]):
        with Image.open(path) as image:
            assert image.width > 1000 and len(image.convert("L").getcolors() or []) > 20
    content = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert content["attention"] is None
    assert content["n"]["synthetic"] == len(report.synthetic) > 0
    (memory,) = (line for line in report.verdict if "memorisation" in line)
    copies = report.fidelity["copies"].value or 0
    assert f"{f'{copies:.3g} %' if copies else 'none'} of the synthetic samples are copies" in memory
    assert (copies > 99) == (generator in ("duplicate", "dummy"))


def test_a_few_copies_are_told_as_the_table_has_them() -> None:
    like = {"copies": SimpleNamespace(value=0.585), "nearer": SimpleNamespace(value=70.0)}
    (said,) = pixel_samples._verdict(like, SimpleNamespace(scores=()), None)  # type: ignore[arg-type]
    assert said.startswith("memorisation: 0.585 % of the synthetic samples are copies of training samples; 70 %")


def test_spectra_are_drawn_as_lines_too_in_the_same_bytes_each_time(make: Make, tmp_path: Path) -> None:
    report = inspect_samples(make("smote"))
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.append(save_figures(pictures(report), tmp_path / name)[1].read_bytes())
    drawn = fromstring(files[0].decode())

    assert files[0] == files[1] and len(files[0]) < 300_000
    words = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"wavelength (nm)", *report.made.data.class_names} <= words
    assert all(colour in files[0].decode() for colour in (TRAIN, SYNTHETIC, HELD_OUT))


def test_the_same_request_gives_the_same_numbers(make: Make) -> None:
    first, again = inspect_samples(make("smote")), inspect_samples(make("smote"))

    assert first.fidelity == again.fidelity and first.reliability == again.reliability


def test_attention_on_the_class_is_found_and_beats_its_floor(make: Make, coded: Scene, tmp_path: Path) -> None:
    attentive = Attentive(coded.class_names)
    report = inspect_samples(replace(make(scene=coded), fitted=attentive))  # type: ignore[arg-type]

    assert report.attention is not None
    for side in ("train", "held-out"):
        score, floor = report.attention.class_words[side], report.attention.shuffled[side]
        assert score is not None and floor is not None
        assert score.auc == pytest.approx(1) and score.iou > 0.95 and score.n > 10
        assert floor.auc < 0.9
        assert report.attention.words[side]["the"].auc == pytest.approx(0)
    written = [path.name for path in save_figures(pictures(report), tmp_path)]
    assert written == ["spectra.png", "spectra.svg", "pca.png", "attention.png"]
    json.dumps(report.as_json(), allow_nan=False)
    assert any(line.startswith("attention: AUC 1.00") for line in report.verdict)


def test_attention_is_asked_for_patches_that_show_two_classes_of_every_class(make: Make, coded: Scene) -> None:
    attentive = Attentive(coded.class_names)
    made = replace(make(scene=coded), fitted=attentive)  # type: ignore[arg-type]
    attention_report(made)
    train, held = attentive.shown

    for patches in (train, held):
        classes_seen = (patches.x[:, :, :, :] > 0.5).any(axis=(2, 3)).sum(axis=1)
        assert (classes_seen >= 2).all() and (patches.coords == -1).all() and not patches.synthetic.any()
    assert set(held.y) == set(coded.class_ids)


@pytest.mark.parametrize("broken", [Attentive(("a",) * 5, scale=2.0), Attentive(("a",) * 5, scale=np.nan)])
def test_attention_that_breaks_its_contract_is_named(make: Make, coded: Scene, broken: Attentive) -> None:
    with pytest.raises(PluginError, match="summing to 1"):
        attention_report(replace(make(scene=coded), fitted=broken))  # type: ignore[arg-type]


def test_class_words_are_the_words_of_the_name_in_any_case_and_number() -> None:
    words, maps = ("the", "Trees", "beside", "grass"), np.arange(4, dtype=np.float32)[:, None, None]

    assert class_map(words, maps, "Grass-trees") == pytest.approx(4)
    assert class_map(words, maps, "tree") == pytest.approx(1)
    assert class_map(words, maps, "Oats") is None
