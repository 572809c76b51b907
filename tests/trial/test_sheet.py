"""Thumbnails of a trial's samples: which they are, where they are kept, and that a record needs
none.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import Registry
from hsiaug.trial.outcome import finish
from hsiaug.trial.predictions import pack
from hsiaug.trial.run import run_group
from hsiaug.trial.sheet import (
    PER_CLASS,
    TILES,
    SampleSheet,
    SheetMaker,
    means_of_test_pixels,
    read_sheet,
    some_samples,
    with_test_pixels,
)
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.store_merge import merge
from hsiaug.trial.trial_run import SceneContext
from tests.toyworld import toy_world

Spec = Callable[..., TrialSpec]


def uncounted(done: int, total: int) -> None:
    """A count that nobody follows."""


@pytest.fixture
def kept(
    context: SceneContext, plugins: Registry, toy: Scene, tmp_path: Path
) -> Callable[..., tuple[Store, str]]:
    """Runs a trial of a specification as a benchmark does; the store, and the hash of the
    record.
    """

    def run(trial: TrialSpec) -> tuple[Store, str]:
        store = Store(tmp_path / "store", create=True)
        ((_, outcome),) = run_group(
            [trial], context, plugins, device="cpu", progress=lambda *_: None
        )
        record, made = finish(
            trial,
            outcome,
            context.task,
            toy,
            context.views(trial).split,
            scene_ref="toy",
        )
        assert record["status"] == "ok", record["error"]
        store.put(record, made, outcome.sheet)
        return store, trial.hash

    return run


def sheet_of(kept: tuple[Store, str]) -> SampleSheet:
    store, hash = kept
    sheet = store.sheet(hash)
    assert sheet is not None
    return sheet


@pytest.mark.parametrize("classifier", ["nearest", "svm"])
def test_a_few_whole_patches_of_each_class_are_kept_whatever_the_classifier_reads(
    kept: Any, spec: Spec, context: SceneContext, classifier: str
) -> None:
    trial = spec("duplicate", classifier)
    sheet = sheet_of(kept(trial))

    ids, counts = np.unique(sheet.made_ids, return_counts=True)
    assert len(ids) > 2 and counts.max() == PER_CLASS
    side = trial.patch
    assert sheet.made.shape == (len(sheet.made_ids), 1, side, side, 3) == sheet.nearest.shape
    # The nearest to a copy is the original.
    assert np.array_equal(sheet.made, sheet.nearest)
    shown: Any = context.views(trial).of("none").real
    maker = SheetMaker.of(shown, context.scene.wavelengths)
    real = maker.colours.of_patches(shown.x)
    assert all((real == patch[0]).all(axis=(1, 2, 3)).any() for patch in sheet.real)


def test_a_trial_that_takes_fewer_samples_shows_those_that_it_takes(kept: Any, spec: Spec) -> None:
    large, small = (sheet_of(kept(spec("duplicate", lam=lam))) for lam in (1.0, 0.25))
    assert len(small.made) < len(large.made)
    for c in np.unique(small.made_ids):
        some, all_ = small.made[small.made_ids == c], large.made[large.made_ids == c]
        assert np.array_equal(some, all_[: len(some)])


def test_a_trial_without_samples_keeps_no_sheet_and_older_records_are_as_good(
    kept: Any, spec: Spec
) -> None:
    store, hash = kept(spec("none"))
    assert store.sheet(hash) is None

    store, hash = kept(spec("duplicate"))
    record, predictions = store.sound(hash), store.predictions(hash)
    assert record is not None and not {"sheet", "samples_sheet"} & record.keys()
    store.put(record, predictions)
    written = store.look(hash)
    assert store.sheet(hash) is None and isinstance(written, dict)
    # Of all but the digests of what else is in the file.
    assert {key for key in record if record[key] != written[key]} == {"npz_sha256", "record_sha256"}
    assert all(map(np.array_equal, store.predictions(hash), predictions))


def test_sheets_go_along_when_stores_are_merged(kept: Any, spec: Spec, tmp_path: Path) -> None:
    store, hash = kept(spec("duplicate"))
    before = sheet_of((store, hash)).arrays()
    merge(tmp_path / "other", store, uncounted)
    other = Store(tmp_path / "other")
    np.testing.assert_equal(sheet_of((other, hash)).arrays(), before)


def test_tiles_keep_both_dates_and_their_masks_thinned_to_a_thumbnail() -> None:
    world = toy_world(side=96)
    real, made = world.draw_change(6, 0), world.draw_change(9, 1)
    sheet = SheetMaker.of(real, None).sheet(some_samples(made))
    empty = np.empty((0,), np.int32), np.empty((0,), np.int16)
    again = read_sheet(pack(empty, sheet))

    assert sheet.of_tiles and len(sheet.made) == TILES and sheet.made.shape[1] == 2
    assert (
        max(sheet.made.shape[2:4]) <= 64
        and sheet.made_ids.shape == sheet.made.shape[:1] + sheet.made.shape[2:4]
    )
    assert np.array_equal(sheet.made_ids, made.masks[:TILES, ::2, ::2])
    assert again is not None
    np.testing.assert_equal(again.arrays(), sheet.arrays())


def test_samples_of_any_size_have_colours(context: SceneContext, spec: Spec) -> None:
    real: Any = context.views(spec("duplicate")).of("none").real
    huge = real.take(np.arange(4))
    huge = type(huge).made(np.full_like(huge.x, 1e38), huge.y)
    assert (SheetMaker.of(real, None).sheet(huge).made.dtype) == np.uint8


def test_mean_spectra_are_those_of_the_samples_and_lie_beside_the_thumbnails(
    kept: Callable[..., tuple[Store, str]], spec: Spec, context: SceneContext, toy: Scene
) -> None:
    store, hash = kept(spec("duplicate"))
    sheet = store.sheet(hash)
    assert sheet is not None and sheet.spectra is not None
    spectra = sheet.spectra

    # Copies of training pixels have their classes' own means, where each pixel is copied alike.
    assert spectra.real.shape == spectra.made.shape == (len(spectra.ids), toy.bands)
    assert np.isfinite(spectra.real).all() and np.isnan(spectra.held_out).all()
    assert np.abs(spectra.made - spectra.real).max() < np.abs(spectra.real).max()

    labels = np.zeros(toy.shape, dtype=np.int16)
    labels[0, :2] = spectra.ids[0]
    whole = with_test_pixels(spectra, means_of_test_pixels(toy, labels))
    np.testing.assert_allclose(whole.held_out[0], toy.cube[0, :2].mean(axis=0), rtol=1e-6)
    assert np.isnan(whole.held_out[1:]).all()
