"""Automatic descriptions: from training pixels only, deterministic, different between classes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hsiaug_text.automatic import automatic_sentences, distinguish
from hsiaug_text.class_layout import places
from hsiaug_text.facts import class_facts, indices
from hsiaug_text.prompts import class_words, fine_sentences


def sentences(view):
    return automatic_sentences(class_facts(view, class_words(view.class_names)))


@pytest.mark.parametrize("protocol", ["issd", "random:0.05", "kshot:5"])
@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_said_differs_between_classes_also_without_their_names(view_of, protocol, seed):
    view = view_of(protocol, seed)
    for known in (view, dataclasses.replace(view, wavelengths=None)):
        said = sentences(known)
        for kind in (0, 1):
            bare = [
                said[c][kind].removeprefix(f"the {word} ")
                for c, word in enumerate(class_words(view.class_names), 1)
            ]
            assert len(set(bare)) == len(bare)


def test_the_same_view_gives_the_same_sentences(view_of):
    assert sentences(view_of()) == sentences(view_of())


def test_nothing_but_training_patches_is_read(view_of):
    view = view_of()
    cube = np.full_like(view.cube, np.nan)
    for row, column in view.coords:
        patch = np.s_[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        cube[patch] = view.cube[patch]
    assert sentences(dataclasses.replace(view, cube=cube)) == sentences(view)


def test_patches_of_one_pixel_have_no_texture(view_of):
    said = " ".join(sentence for own in sentences(view_of(patch=1)).values() for sentence in own)
    assert not any(word in said for word in ("smooth", "grainy", "rough"))


def test_a_class_without_training_pixels_is_only_named(view_of):
    view = view_of()
    kept = view.y != 3
    view = dataclasses.replace(view, coords=view.coords[kept], y=view.y[kept])
    said = sentences(view)
    assert said[3] == ("the orchard",)
    assert all("orchard" not in sentence for c in (1, 2, 4, 5) for sentence in said[c])


def test_equal_phrases_get_the_attribute_that_separates_them_most():
    phrases = {1: "dark", 2: "dark", 3: "bright", 4: "dark"}
    values = {"greenest": {1: 0.1, 2: 0.1, 3: 0.9, 4: 0.1}, "roughest": {1: 1.0, 2: 3.0, 3: 2.0, 4: 2.0}}
    assert distinguish(phrases, values) == {
        1: "dark, the third roughest of 3",
        2: "dark, the roughest of 3",
        3: "bright",
        4: "dark, the second roughest of 3",
    }


def test_classes_that_cannot_be_told_apart_still_get_different_words():
    made = distinguish({1: "dark", 2: "dark"}, {"brightest": {1: 0.5, 2: 0.5}})
    assert made[1] != made[2]


def test_indices_need_bands_in_both_windows():
    spectrum = np.array([0.1, 0.5])
    assert indices(spectrum, np.array([660.0, 850.0])) == {"ndvi": pytest.approx(0.4 / 0.6)}
    assert indices(spectrum, np.array([1000.0, 1100.0])) == {} == indices(spectrum, None)


def place_of(rows: str, c: int = 1):
    """The place of a class in a small map that is drawn with digits."""
    grid = np.array([[int(cell) if cell != "." else 0 for cell in row] for row in rows.split()])
    coords = np.argwhere(grid > 0).astype(np.int32)
    names = ("corn", "woods", "pond")
    return places(coords, grid[grid > 0].astype(np.int64), names, grid.shape, patch=3)[c]


def test_a_row_is_long_and_a_square_is_not():
    assert place_of("111111 ...... ..222.").elongation > 3
    square = place_of("111... 111... 111.22")
    assert square.elongation == pytest.approx(1) and square.clumps == 1


def test_clumps_are_groups_of_touching_pixels():
    assert place_of("1.1.2 ..... 1...2").clumps == 3


def test_relations_have_prepositions():
    assert place_of("2.1.3").relation == "between the woods and the pond"
    assert place_of("1.2.3").relation == "beside the woods"
    assert place_of("11111 1...1 1.2.1 1...1 11111").relation == "around the woods"
    assert place_of("1" + 98 * "." + "2").relation == "away from the other classes"


def test_a_view_without_descriptions_gets_automatic_ones(view_of):
    view = view_of()
    assert {c: fine.sentences for c, fine in fine_sentences(view).items()} == sentences(view)
