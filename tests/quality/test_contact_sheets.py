"""Pictures of samples: which are shown, in which order and colours, and what is drawn over them."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from hsiaug.base.colours import class_colours
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.metrics.patch_distances import RealSamples, turn_each
from hsiaug.protocol.view import patches_at
from hsiaug.quality.contact_sheets import (
    choose_patches,
    contact_sheet,
    draw_patches,
    turned_pairs,
)
from hsiaug.quality.figures import class_spectra
from hsiaug.quality.synthesis import PixelSynthesis
from hsiaug.report.figures.sheets import image_grid, outlined

Make = Callable[..., PixelSynthesis]
NAMES = ("unchanged", "changed")


def pairs(images: Any, masks: Any) -> DenseSamples:
    return DenseSamples.made(np.asarray(images, dtype=np.float32), np.asarray(masks))


def collisions(figure: Any) -> list[tuple[str, str]]:
    """Pairs of texts of a figure that lie over each other."""
    figure.draw_without_rendering()
    texts = [
        text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()
    ]
    shown = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert len(shown) > 4 and all(text.get_fontsize() >= 7 for text in texts)
    return [(a, b) for (a, one), (b, other) in combinations(shown, 2) if one.overlaps(other)]


@pytest.fixture
def two_dates(rng: np.random.Generator) -> DenseSamples:
    """Three pairs of 16×16 pixels and 5 bands, a square of which changed."""
    masks = np.ones((3, 16, 16), dtype=np.int64)
    masks[:, 4:10, 4:10] = 2
    return pairs(rng.normal(size=(3, 2, 5, 16, 16)), masks)


def test_each_trained_class_has_held_out_patches_generated_ones_and_the_nearest_real_ones(
    make: Make,
) -> None:
    made = make("smote")
    sheet = choose_patches(made)

    trained = np.unique(made.real.y)
    assert [*sheet.classes] == [made.data.class_names[c - 1] for c in trained]
    figure = draw_patches(sheet)
    panels = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in panels] == [*sheet.classes]
    rows = [label.get_text() for label in panels[0].get_yticklabels()]
    assert rows == ["held-out", "generated", "nearest real"]
    assert (
        "smote on toy, split 0" in sheet.note
        and "2nd to 98th percentile of real pixels" in sheet.note
    )


def test_real_and_generated_patches_have_one_stretch(make: Make) -> None:
    made = make("duplicate", times=1.0)
    sheet = choose_patches(made)
    for c, one in zip(np.unique(made.real.y), sheet.classes.values(), strict=True):
        held = np.argwhere(made.split.test & (made.data.labels == c))
        known = sheet.colours.of_patches(patches_at(made.data.cube, held, made.split.patch))
        assert all((known == patch).all(axis=(1, 2, 3)).any() for patch in one["held-out"])
        # A duplicate is a real patch, and so is drawn as the one that is nearest to it.
        assert len(one["generated"]) and np.array_equal(one["generated"], one["nearest real"])


def test_the_nearest_real_patch_is_the_nearest_of_all_in_every_turn(make: Make) -> None:
    made = make("mixup", patch=9)
    known, some = RealSamples.of(made.real.x), made.synthetic.x[::15]
    which, turns = known.nearest(some)

    for x, row, turn in zip(some, which, turns, strict=True):
        ways = [np.rot90(made.real.x, k, axes=(2, 3)) for k in range(4)]
        ways += [way[..., ::-1] for way in ways]
        reduced = known.reduce(x[None])
        distances = np.array(
            [np.square(known.reduce(way) - reduced).sum(axis=(1, 2, 3)) for way in ways]
        )
        shown = known.reduce(turn_each(made.real.x[[row]], np.array([turn])))
        # Candidates are compared in sums of float32, whose rounding is far below any distance that
        # can be seen.
        assert np.square(shown - reduced).sum() == pytest.approx(
            distances.min(), rel=1e-2, abs=1e-4
        )


def test_a_real_tile_that_was_turned_is_turned_back_with_its_mask(two_dates: DenseSamples) -> None:
    flipped = pairs(
        np.swapaxes(two_dates.images, 3, 4)[..., ::-1],
        np.swapaxes(two_dates.masks, 1, 2)[..., ::-1],
    )
    known = RealSamples.of(two_dates.images)
    which, _ = known.nearest(flipped.images)
    back = turned_pairs(known, two_dates, flipped, which)
    assert which.tolist() == [0, 1, 2]
    assert np.array_equal(back.images, flipped.images) and np.array_equal(back.masks, flipped.masks)


def test_patches_without_a_held_out_or_generated_one_of_their_class_leave_a_gap(make: Make) -> None:
    made = make("smote", lam=0.5)
    largest = int(np.bincount(made.real.y).argmax())
    assert not (made.synthetic.y == largest).any()
    sheet = choose_patches(made)
    one = sheet.classes[made.data.class_names[largest - 1]]
    assert len(one["held-out"]) and not len(one["generated"]) and not len(one["nearest real"])
    draw_patches(sheet)


def test_pairs_of_two_dates_are_shown_at_both_and_those_of_one_with_and_without_their_mask(
    two_dates: DenseSamples,
) -> None:
    one_date = pairs(two_dates.images[:, :1], two_dates.masks)
    for shown, rows in ((two_dates, ["date 1", "date 2"]), (one_date, ["image", "with mask"])):
        groups = [("real, held-out", shown), ("generated", shown.take(np.arange(2)))]
        figure = contact_sheet(groups, NAMES, FalseColours.fit_samples(shown.images, None))
        panels = [axes for axes in figure.axes if axes.images]
        assert [axes.get_title(loc="left") for axes in panels] == ["real, held-out", "generated"]
        assert all(
            [label.get_text() for label in axes.get_yticklabels()] == rows for axes in panels
        )


def test_the_legend_of_tiles_lies_on_nothing(two_dates: DenseSamples) -> None:
    groups = [
        (title, two_dates)
        for title in ("real, held-out", "generated", "real training tile nearest to each")
    ]
    for shown in (two_dates, pairs(two_dates.images[:, :1], two_dates.masks)):
        groups = [(title, shown) for title, _ in groups]
        names = ("Buildings-Grass-Trees-Drives", "Stone-Steel-Towers")
        assert not collisions(
            contact_sheet(groups, names, FalseColours.fit_samples(shown.images, None))
        )


def test_an_outline_lies_within_its_area_with_a_white_rim_where_there_is_no_label() -> None:
    images = np.full((1, 4, 4, 3), 100, dtype=np.uint8)
    masks = np.zeros((1, 4, 4), dtype=np.int64)
    masks[0, :, 2:] = 2
    tints = class_colours(2)
    plain, filled = (outlined(images, masks, tints, 10, fill=fill)[0] for fill in (0.0, 0.5))

    assert plain.shape == (40, 40, 3)
    assert (plain[:, :19] == 100).all() and (filled[:, :19] == 100).all()
    assert (plain[:, 19] == 255).all()
    assert (plain[:, 20] == tints[2]).all() and (plain[:, 25] == 100).all()
    assert (filled[:, 25] == np.round(0.5 * 100 + 0.5 * tints[2].astype(float))).all()


def test_a_row_that_is_shorter_ends_in_white() -> None:
    black = np.zeros((3, 5, 5, 3), dtype=np.uint8)
    sheet, middles = image_grid([black, black[:1]], 3, 20)
    row = sheet[int(middles[1])].mean(axis=1)
    assert (row[:20] == 0).all() and (row[21:] == 255).all()
    assert middles[0] < middles[1] < len(sheet)


def test_spectra_of_the_second_date_are_dashed_and_named(two_dates: DenseSamples) -> None:
    made: Any = type("Made", (), {"data": type("Data", (), {"units": "reflectance"})})
    sets = {"real": ("#000000", lambda c: two_dates.spectra[two_dates.masks == c])}
    figure = class_spectra(
        made, sets, {1: "unchanged", 2: "changed"}, 5, np.linspace(400, 800, 5), dates=2
    )
    lines = figure.axes[0].lines
    assert [len(line.get_xdata()) for line in lines] == [5, 5]  # type: ignore[arg-type]
    assert [line.is_dashed() for line in lines] == [False, True]
    (legend,) = (legend for place in figure.subfigs for legend in place.legends)
    assert [text.get_text() for text in legend.get_texts()] == ["real, date 1", "real, date 2"]
