"""What other scenes say of a class: curves of any sensor, sources, the prior over words, and what it makes of a view."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsiaug.api import InputError, PluginError, load_state, save_state
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.spectra.covariance import covariance, likelihood
from hsiaug_builtin.spectra.curves import GRID, STRENGTH, Line, line_of, on_grid
from hsiaug_builtin.spectra.prior import USUAL, Expected, Prior, learn_prior
from hsiaug_builtin.spectra.sources import (
    Source,
    fingerprints,
    scene_source,
    words_of,
)
from hsiaug_builtin.spectra.target import Target

ALL = np.linspace(400, 2480, 53)
"""nm of a sensor that sees the whole grid."""
SHORT = np.linspace(420, 1000, 30)
"""nm of one that sees no further than silicon does."""
MATERIALS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "Water": lambda nm: 0.06 * np.exp(-(nm - 400) / 500) + 0.01,
    "Trees": lambda nm: 0.04 + 0.4 / (1 + np.exp((710 - nm) / 20)) * np.exp(-(((nm - 900) / 900) ** 2)),
    "Bare soil": lambda nm: 0.1 + 0.3 * (1 - np.exp(-(nm - 400) / 800)),
}
FIELDS, SIDE = 8, 4


def made(
    nm: np.ndarray,
    seed: int = 0,
    names: tuple[str, ...] = tuple(MATERIALS),
    by_field: float = 0.2,
    by_pixel: float = 0.05,
) -> Scene:
    """A row of square fields of each material, under a gain per band of the scene's own.

    by_field, by_pixel: standard deviation of the logarithm of their brightness.
    """
    rng = np.random.default_rng(seed)
    labels = np.zeros((len(MATERIALS) * (SIDE + 1), FIELDS * (SIDE + 1)), dtype=np.int16)
    unnamed = np.array([spectrum(nm) for spectrum in MATERIALS.values()])[rng.integers(3, size=labels.shape)]
    logs = np.log(unnamed) + rng.normal(0, by_field, (*labels.shape, 1))
    for c, spectrum in enumerate(MATERIALS.values()):
        for f in range(FIELDS):
            rows, columns = (slice(i * (SIDE + 1), (i + 1) * (SIDE + 1) - 1) for i in (c, f))
            labels[rows, columns] = c + 1
            brightness = rng.normal(0, by_field) + rng.normal(0, by_pixel, (SIDE, SIDE, 1))
            logs[rows, columns] = np.log(spectrum(nm)) + brightness
    gain = np.exp(rng.normal(0, 0.5, len(nm)))
    return Scene(f"made-{seed}", (np.exp(logs) * gain).astype(np.float32), labels, names, wavelengths=nm)


def spectra(n: int = 20, bands: int = 30, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 0.9, (n, bands)).astype(np.float32)


# Curves


def test_a_curve_is_linear_between_bands_and_unknown_beyond_them():
    curve = on_grid(np.array([[3.0, 1.0, 5.0]]), np.array([600.0, 500.0, 700.0]))[0]

    assert (np.isnan(curve) == ((GRID < 500) | (GRID > 700))).all()
    assert np.allclose(curve[GRID == 520], 1.4) and np.allclose(curve[GRID == 600], 3)
    assert np.allclose(curve[GRID == 640], 3.8)


def test_a_sensor_of_one_band_shows_its_value_there_alone():
    curve = on_grid(np.array([[2.0]]), np.array([600.0]))[0]

    assert curve[GRID == 600] == 2 and np.isnan(curve).sum() == len(GRID) - 1


@settings(deadline=None)
@given(arrays(np.float32, 30, elements=st.floats(0.5, 2, width=32)))
def test_scenes_that_differ_by_a_gain_per_band_have_the_same_relative_curves(gain: np.ndarray):
    x = spectra()
    one, other = line_of(x, SHORT), line_of(x * gain, SHORT)

    assert np.allclose(one.relative(x), other.relative(x * gain), atol=1e-3)
    assert np.allclose(one.curves(x), other.curves(x * gain), atol=1e-3, equal_nan=True)


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_multiplied_by_the_factors_of_a_difference_of_curves_has_the_other_curve(seed: int):
    """Of a sensor whose bands lie on the grid: between grid points a curve is only interpolated."""
    nm = GRID[2:32]
    x, wanted = spectra(2, seed=seed)
    line = Line(nm, 0.01, np.log(x.astype(np.float64)) + 0.1, 0.7)
    before, after = line.curves(np.array([x, wanted]))
    changed = x * line.factors((after - before)[None])[0]

    assert np.allclose(changed, wanted, rtol=1e-4)
    assert np.allclose(line.factors(np.zeros((1, len(GRID)))), 1)


def test_where_a_curve_is_unknown_factors_are_as_at_the_nearest_wavelength_that_is_known():
    line = Line(np.array([410.0, 500.0, 900.0]), 0.01, np.zeros(3), 1.0)
    curve = np.where((GRID < 480) | (GRID > 800), np.nan, (GRID - 480) / 320)
    assert np.allclose(line.factors(curve[None]), np.exp([[0, 20 / 320, 1]]))


def test_what_is_dark_or_negative_counts_as_a_share_of_the_scene_and_has_a_logarithm():
    x = spectra()
    x[0] = -1
    assert np.isfinite(line_of(x, SHORT).relative(x)).all()


# Sources


@settings(deadline=None)
@given(arrays(np.float32, (6, 4), elements=st.sampled_from([np.float32(0.1), np.float32(0.25), np.float32(7)])))
def test_fingerprints_are_equal_where_spectra_are_and_nowhere_else(x: np.ndarray):
    found = fingerprints(x)
    assert ((found[:, None] == found) == (x[:, None] == x).all(axis=2)).all()


def test_a_class_name_that_only_numbers_its_class_says_nothing():
    names = ("Class 3", "7", "c12", "label 2", "Corn-notill", "Trees")
    assert words_of(names)[:4] == ("", "", "", "") and all(words_of(names)[4:])
    source = scene_source(made(ALL, names=("Class 1", "Trees", "Bare soil")))
    assert source.words[0] == "" and all(source.words[1:])


def test_a_source_has_the_mean_of_each_class_over_its_fields():
    scene = made(ALL)
    source = scene_source(scene)
    line = line_of(scene.cube[scene.labels > 0], ALL)

    assert source.words == words_of(scene.class_names) and (source.fields == FIELDS).all()
    for c, mean in enumerate(source.means, start=1):
        assert np.allclose(mean, line.curves(scene.cube[scene.labels == c]).mean(axis=0), atol=1e-6)


def test_fields_and_pixels_deviate_in_a_source_as_they_do_in_its_scene():
    """As large as from an expectation that is known: variances divide by one less than their number."""
    scene = made(ALL, by_field=0.3, by_pixel=0.1)
    labelled = scene.labels > 0
    line = line_of(scene.cube[labelled], ALL)
    fields = [line.curves(scene.cube[scene.fields == i]).mean(axis=0) for i in np.unique(scene.fields[labelled])]
    classes = np.array(fields).reshape(len(MATERIALS), FIELDS, len(GRID))
    source = scene_source(scene)

    assert np.allclose((source.between**2).mean(axis=0), classes.var(axis=1, ddof=1).mean(axis=0))
    assert np.isclose(source.within.std(), 0.1 / line.spread, rtol=0.15)


def test_a_scene_without_wavelengths_cannot_be_learnt_from_and_the_error_says_where_to_put_them():
    with pytest.raises(InputError, match=r"made-0: .*needs the wavelengths of its bands.*sensor\.range_nm"):
        scene_source(replace(made(ALL), wavelengths=None))


def test_a_scene_of_single_pixels_cannot_be_learnt_from():
    scene = made(ALL)
    labels = np.zeros_like(scene.labels)
    labels[::3, ::3], labels[0, 0] = 1, 2
    with pytest.raises(InputError, match="at least 4 labelled pixels"):
        scene_source(replace(scene, labels=labels))


# The prior


@pytest.fixture(scope="module")
def wide() -> Source:
    """Of a scene that shows the whole grid."""
    return scene_source(made(ALL, seed=1))


def asked(prior: Prior, word: str, shown: np.ndarray, pixels: int = 1, fields: int = 1) -> Expected:
    (found,) = prior.expected([word], shown[None], [pixels], [fields])
    return found


def off(found: Expected, curve: np.ndarray) -> float:
    """Mean distance of what is expected from a curve."""
    return float(np.abs(found.mean - curve).mean())


def test_a_class_of_many_pixels_in_many_fields_is_expected_to_look_as_they_do(wide: Source):
    seen = GRID <= 1000
    shown = np.where(seen, np.sin(GRID / 200), np.nan)
    found = asked(Prior.of([wide]), "trees", shown, 10**6, 10**6)

    assert np.allclose(found.mean[seen], shown[seen], atol=0.01)
    assert np.isfinite(found.mean).all() and found.shown is not None


def test_a_source_class_of_the_same_words_draws_what_a_single_pixel_leaves_open(wide: Source):
    trees = wide.means[wide.words.index("trees")]
    shown = np.where(GRID <= 1000, trees + 0.6, np.nan)
    prior = Prior.of([wide])
    told, untold = asked(prior, "trees", shown), asked(prior, "", shown)

    assert off(told, trees) < 0.7 * off(untold, trees)
    assert off(told, trees) < off(asked(prior, "water", shown), trees)


def test_what_the_sensor_does_not_see_is_expected_as_the_source_shows_it(wide: Source):
    """A single pixel of trees up to 1000 nm: the infrared beyond is that of trees elsewhere."""
    trees = wide.means[wide.words.index("trees")]
    beyond = GRID > 1000
    found = asked(Prior.of([wide]), "trees", np.where(beyond, np.nan, trees))

    assert np.corrcoef(found.mean[beyond], trees[beyond])[0, 1] > 0.9


def test_more_pixels_leave_less_open(wide: Source):
    prior, shown = Prior.of([wide]), np.where(GRID <= 1000, 0.0, np.nan)
    few, more, places = (
        np.trace(asked(prior, "trees", shown, *count).covariance) for count in ((1, 1), (50, 1), (50, 5))
    )
    assert few > more > places > 0


def test_a_class_without_words_is_alike_none(wide: Source):
    """Neither a source class without words, nor a target class without, has anything to say of the other."""
    shown = np.where(GRID <= 1000, 0.3, np.nan)
    other = replace(wide, means=wide.means[:, ::-1].copy())
    nameless, other_nameless = (replace(one, words=("",) * 3) for one in (wide, other))

    for asked_for, one, two in (("", wide, other), ("trees", nameless, other_nameless), ("", nameless, other)):
        first, second = (asked(Prior.of([source]), asked_for, shown).mean for source in (one, two))
        assert np.allclose(first, second, atol=1e-8)
    assert not np.allclose(*(asked(Prior.of([source]), "trees", shown).mean for source in (wide, other)))


def test_scenes_without_a_word_in_common_with_the_target_change_little_of_it(wide: Source):
    shown = np.where(GRID <= 1000, 0.3, np.nan)
    prior = Prior.of([replace(wide, words=("water", "water body", "lake"))])
    far, none = asked(prior, "brick roof", shown), asked(prior, "", shown)
    near = asked(prior, "lake", shown)
    assert np.abs(far.mean - none.mean).mean() < 0.5 * np.abs(near.mean - none.mean).mean()


def test_words_that_fit_make_training_pixels_likelier_and_words_that_mislead_less_likely(wide: Source):
    at = [wide.words.index(word) for word in ("trees", "water")]
    shown = np.where(GRID <= 1000, wide.means[at], np.nan)
    right, wrong, none = (
        Prior.of([wide]).evidence(words, shown, [5, 5], [1, 1])
        for words in (("trees", "water"), ("water", "trees"), ("", ""))
    )
    assert right > 1 and wrong < -1 and none == 0


@pytest.fixture(scope="module")
def fitted() -> tuple[list[Source], Prior]:
    """Learnt from a scene of the whole grid and one of a part, in which fields differ more than pixels do."""
    sources = [scene_source(made(nm, seed, by_field=0.4, by_pixel=0.05)) for seed, nm in ((1, ALL), (2, SHORT))]
    return sources, Prior.learn(sources, lambda: None)


def scale(logs: np.ndarray) -> float:
    """Standard deviation at one wavelength."""
    return float(covariance(torch.from_numpy(logs))[0, 0].sqrt())


def test_scales_are_learnt_as_the_sources_vary(fitted: tuple[list[Source], Prior]):
    """The gain and the spread of a scene are taken away first, so that deviations are in units of its spread."""
    sources, prior = fitted
    for name, logs in (("between", prior.scales.field), ("within", prior.scales.pixel)):
        rows = np.concatenate([getattr(source, name) for source in sources])
        assert np.isclose(scale(logs), np.sqrt(np.nanmean(rows**2)), rtol=0.25)
    assert scale(prior.scales.field) > 3 * scale(prior.scales.pixel)
    assert np.argmax(prior.scales.field) == 0  # only brightness differs here


def test_learnt_scales_make_the_sources_likelier_than_the_usual_ones(fitted: tuple[list[Source], Prior]):
    sources, prior = fitted
    for name, ours, usual in (
        ("between", prior.scales.field, USUAL.field),
        ("within", prior.scales.pixel, USUAL.pixel),
    ):
        rows = torch.from_numpy(getattr(sources[0], name))
        assert likelihood(covariance(torch.from_numpy(ours)), rows) < likelihood(
            covariance(torch.from_numpy(usual)), rows
        )


def test_where_pixels_differ_more_than_fields_that_is_learnt_too():
    prior = Prior.learn([scene_source(made(ALL, by_field=0.02, by_pixel=0.3))], lambda: None)
    assert scale(prior.scales.pixel) > 1.5 * scale(prior.scales.field)


def test_how_much_fields_differ_cannot_be_learnt_where_each_class_has_one_field():
    with pytest.raises(InputError, match="several fields of a class"):
        Prior.learn([replace(scene_source(made(ALL)), between=np.empty((0, len(GRID))))], lambda: None)


def test_a_saved_prior_expects_the_same(fitted: tuple[list[Source], Prior], tmp_path: Path):
    _, prior = fitted
    prior.save(tmp_path / "prior")
    again = Prior.load(tmp_path / "prior")
    shown = np.where(GRID <= 1000, 0.3, np.nan)

    assert (again.words, again.names) == (prior.words, prior.names)
    assert np.array_equal(again.pixels, prior.pixels) and again.pixels.dtype == np.uint64
    for word in ("trees", "", "meadow"):
        one, other = (asked(each, word, shown, 3, 2) for each in (prior, again))
        assert np.array_equal(one.mean, other.mean) and np.array_equal(one.covariance, other.covariance)


def test_a_folder_that_pretrain_did_not_write_is_refused_and_nobody_is_told_to_delete_it(tmp_path: Path):
    fit = tmp_path / "fit"
    save_state(fit, {"x": np.zeros(3)}, {"params": {}})
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").touch()
    for name in ("absent", "file", "notes", "fit"):
        with pytest.raises(InputError, match=f"{name} must be a folder that hsiaug pretrain wrote") as caught:
            Prior.load(tmp_path / name)
        assert "Delete" not in str(caught.value)


def test_learning_tells_how_far_it_is_and_ends_at_its_end():
    told: list[tuple[int, int]] = []
    learn_prior([made(SHORT)], lambda done, total, note="": told.append((done, total)))

    assert told[-1][0] == told[-1][1] and [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_scene_that_is_named_twice_is_refused_under_any_name():
    scene = made(SHORT)
    with pytest.raises(InputError, match="other, the same as made-0"):
        learn_prior([scene, replace(scene, name="other")], lambda *_: None)


# What it says of a view


@pytest.fixture(scope="module")
def elsewhere() -> Prior:
    """Learnt from a scene with the toy's class names."""
    return Prior.of([scene_source(toy_scene(seed=1))])


def view_of(scene: Scene, protocol: str = "issd", scope: str = "none") -> TrainView:
    return train_view(scene, draw_split(scene, parse_protocol(protocol), 0, 5), scope)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return view_of(toy)


@pytest.fixture(scope="module")
def target(view: TrainView, elsewhere: Prior) -> Target:
    return Target.of(view, elsewhere)


def test_a_view_without_wavelengths_is_refused(view: TrainView, elsewhere: Prior):
    with pytest.raises(PluginError, match="needs the wavelengths"):
        Target.of(replace(view, wavelengths=None), elsewhere)


def crop(scene: Scene) -> Scene:
    rows, columns = slice(3, 45), slice(2, 46)
    return Scene("crop", scene.cube[rows, columns], scene.labels[rows, columns], scene.class_names, ALL[:20])


@pytest.mark.parametrize("scope", ["none", "scene"])
def test_a_view_of_a_scene_that_was_learnt_from_is_refused_and_so_is_one_of_a_crop(
    toy: Scene, elsewhere: Prior, scope: str
):
    whole, part = scene_source(toy), scene_source(crop(toy))
    for source, scene in ((whole, toy), (whole, crop(toy)), (part, toy)):
        prior = Prior.of([scene_source(toy_scene(seed=1)), source])
        with pytest.raises(
            PluginError, match=f"must not be learnt from the scene.*learnt from toy, {source.name}"
        ):
            Target.of(view_of(scene, scope=scope), prior, 1.0)
    assert len(Target.of(view_of(toy, scope=scope), elsewhere, 1.0).classes) == 5


def disguised(scene: Scene) -> dict[str, Scene]:
    """The same scene, in which no spectrum is equal to the bit."""
    cube, labels, nm = scene.cube, scene.labels, scene.wavelengths
    assert nm is not None
    gain = np.random.default_rng(1).uniform(0.3, 3, scene.bands).astype(np.float32)
    permuted = np.array([0, *np.roll(np.arange(1, len(scene.class_names) + 1), 1)], dtype=np.int16)[labels]
    return {
        "x 1.0001": replace(scene, cube=cube * np.float32(1.0001)),
        "rounded": replace(scene, cube=cube.round(3)),
        "a band fewer": replace(scene, cube=np.delete(cube, 4, axis=2), wavelengths=np.delete(nm, 4)),
        "cropped, x 1.0001": replace(scene, cube=cube[4:] * np.float32(1.0001), labels=labels[4:]),
        "turned, percent": replace(scene, cube=np.rot90(cube) * 100, labels=np.rot90(labels)),
        "mirrored": replace(scene, cube=cube[:, ::-1] * np.float32(0.999), labels=labels[:, ::-1]),
        "radiance": replace(scene, cube=cube * gain),
        "0 to 1 in each band": replace(scene, cube=(cube - cube.min((0, 1))) / np.ptp(cube, axis=(0, 1))),
        "other class ids": replace(scene, cube=cube * np.float32(1.0001), labels=permuted),
    }


UNITS_OF_BANDS = ("radiance", "0 to 1 in each band")
"""What a view of training pixels alone does not tell."""


@pytest.mark.parametrize(
    ("how", "scope"),
    [
        (how, scope)
        for how in disguised(toy_scene())
        for scope in ("none", "scene")
        if scope == "scene" or how not in UNITS_OF_BANDS
    ],
)
def test_a_scene_that_was_learnt_from_is_refused_in_other_units_roundings_bands_and_crops(
    toy: Scene, how: str, scope: str
):
    prior = Prior.of([scene_source(toy_scene(seed=1)), scene_source(toy)])
    view = view_of(disguised(toy)[how], scope=scope)

    with pytest.raises(PluginError, match="must not be learnt from the scene"):
        Target.of(view, prior, 1.0)


def test_a_prior_of_an_older_version_is_to_be_learnt_again(elsewhere: Prior, tmp_path: Path):
    elsewhere.save(tmp_path / "new")
    found, facts = load_state(tmp_path / "new")
    save_state(
        tmp_path / "old", {name: rows for name, rows in found.items() if not name.startswith("looks")}, facts
    )

    with pytest.raises(InputError, match="again where it is of an older hsiaug"):
        Prior.load(tmp_path / "old")


def test_pixels_without_any_value_are_no_sign_of_the_same_scene(toy: Scene):
    """Black pixels are alike in all scenes, and saturated ones in all of as many bands."""
    source, cube = toy_scene(seed=1), toy.cube.copy()
    other, labels = source.cube.copy(), source.labels.copy()
    for row, value in ((0, 0.0), (1, 1.0)):
        cube[row], other[row], labels[row] = value, value, 1
    prior = Prior.of([scene_source(replace(source, cube=other, labels=labels))])
    assert len(Target.of(view_of(replace(toy, cube=cube), scope="scene"), prior, 1.0).classes) == 5


def test_factors_are_those_of_the_class_and_of_the_random_numbers(view: TrainView, target: Target):
    one, again, other = (target.factors(view.y, np.random.default_rng(seed)) for seed in (0, 0, 1))

    assert one.shape == (len(view.y), view.bands) and (one > 0).all()
    assert np.array_equal(one, again) and not np.allclose(one, other)


def test_without_deviations_all_pixels_of_a_class_are_moved_alike_and_with_them_as_strongly_as_asked_for(
    view: TrainView, elsewhere: Prior
):
    """Deviations are normal in logarithms, so twice the strength is twice as far from the move of the class."""
    still, some, twice = (
        np.log(Target.of(view, elsewhere, strength).factors(view.y, np.random.default_rng(0)))
        for strength in (0.0, 0.4, 0.8)
    )
    for c in view.counts:
        assert np.allclose(still[view.y == c], still[view.y == c][0])
    assert np.abs(some - still).max() > 0.1 and np.allclose(twice - still, 2 * (some - still))
    assert Target.of(view, elsewhere).strength == STRENGTH


def test_a_few_training_pixels_are_moved_towards_what_their_class_looks_like_in_all_fields(
    fitted: tuple[list[Source], Prior],
):
    """Of a scene of the same materials under another gain, seen by a sensor of fewer bands: over some draws."""
    before, after = [], []
    for seed in range(10, 16):
        scene = made(SHORT, seed, by_field=0.4)
        view = view_of(scene, "kshot:2", "scene")
        found = Target.of(view, fitted[1], 0.0)
        x = view.real.x[:, :, 2, 2]
        moved = x * found.factors(view.y, np.random.default_rng(0))
        for c in found.classes:
            true = found.line.curves(scene.cube[scene.labels == c]).mean(axis=0)
            for spectra_of, distances in ((x, before), (moved, after)):
                curve = found.line.curves(spectra_of[view.y == c].astype(np.float32)).mean(axis=0)
                distances.append(np.nanmean(np.abs(curve - true)))
    assert np.mean(after) < 0.8 * np.mean(before)


def test_every_pixel_of_a_patch_is_multiplied_by_the_same(view: TrainView, target: Target):
    made_x = target.apply(view.real.x, view.y, np.random.default_rng(0))
    ratio = made_x / view.real.x

    assert made_x.dtype == np.float32 and np.allclose(ratio, ratio[:, :, :1, :1], rtol=1e-4)
    assert len(target.apply(view.real.x[:0], view.y[:0], np.random.default_rng(0))) == 0


def test_what_was_said_of_a_view_can_be_kept_as_arrays_and_facts(view: TrainView, target: Target):
    again = Target.restore(target.arrays(), json.loads(json.dumps(target.facts())))
    one, other = (each.factors(view.y, np.random.default_rng(0)) for each in (target, again))
    assert np.array_equal(one, other)


def test_a_sensor_beyond_the_solar_range_is_refused_by_name(toy: Scene, elsewhere: Prior):
    thermal = replace(toy, wavelengths=np.linspace(8000, 12000, toy.bands))
    with pytest.raises(PluginError, match="between 400 and 2480 nm"):
        Target.of(view_of(thermal), elsewhere, 1.0)
    with pytest.raises(InputError, match="between 400 and 2480 nm"):
        scene_source(thermal)
