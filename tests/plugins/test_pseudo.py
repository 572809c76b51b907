"""The control ``pseudo``: real unlabelled patches under the labels of a teacher, as many as are
asked for.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.api import PatchSamples
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug_builtin.baselines.pseudo import FittedPseudo, Pseudo
from hsiaug_builtin.teacher.teacher import teach


def made(fitted: FittedPseudo, counts: dict[int, int], seed: int = 0) -> PatchSamples:
    return fitted.sample(counts, guidance=None, seed=seed)


def keys(x: np.ndarray) -> set[bytes]:
    return {patch.tobytes() for patch in x}


@pytest.fixture(scope="module")
def fitted(fit, seen) -> FittedPseudo:
    return fit(Pseudo, seen)


@settings(max_examples=25, deadline=None)
@given(
    counts=st.dictionaries(st.integers(1, 5), st.integers(0, 60)), seed=st.integers(0, 2**31 - 1)
)
def test_it_makes_what_is_asked_for_and_repeats_no_patch_before_all_of_a_class_were_used(
    fitted, counts, seed
):
    samples = made(fitted, counts, seed)
    assert {c: int((samples.y == c).sum()) for c in counts} == counts and len(samples) == sum(
        counts.values()
    )
    assert samples.synthetic.all() and (samples.weight == np.float32(fitted.params.weight)).all()
    for c, count in counts.items():
        assert len(keys(samples.x[samples.y == c])) == min(count, int((fitted.y == c).sum()))
    told = samples.provenance
    assert told["distinct_patches"] + told["repeated_patches"] == len(samples)
    assert all(0 <= sure <= 1 for sure in told["mean_confidence"].values())


@settings(max_examples=25, deadline=None)
@given(
    blocks=st.lists(st.dictionaries(st.integers(1, 5), st.integers(0, 30)), min_size=1, max_size=4)
)
def test_blocks_of_a_trial_go_on_where_the_last_one_ended(fitted, blocks):
    whole = {c: sum(block.get(c, 0) for block in blocks) for c in range(1, 6)}
    at_once = made(fitted, whole, 7)
    parts = [made(fitted.continued(blocks[:j]), block, 7) for j, block in enumerate(blocks)]
    for c in whole:
        joined = np.concatenate([part.x[part.y == c] for part in parts])
        assert np.array_equal(joined, at_once.x[at_once.y == c])


def test_its_patches_are_unlabelled_ones_of_the_view_and_most_have_the_class_they_are_named_after(
    toy, seen, fitted
):
    samples = made(fitted, dict.fromkeys(seen.counts, 20))
    assert keys(samples.x) <= keys(seen.patches(seen.unlabelled))
    assert not set(map(tuple, fitted.coords)) & set(map(tuple, seen.coords))
    true = toy.labels[tuple(fitted.coords.T)]
    assert (true[true > 0] == fitted.y[true > 0]).mean() > 0.5  # chance: 0.2


def test_it_takes_no_patch_that_shows_a_pixel_which_the_protocol_hides(toy, fit):
    split = draw_split(toy, parse_protocol("hidden:0.5:issd"), 0, 5)
    coords = fit(Pseudo, train_view(toy, split, "scene")).coords
    assert len(coords) and not any(
        split.hidden[r - 2 : r + 3, c - 2 : c + 3].any() for r, c in coords.tolist()
    )


def test_a_class_none_of_whose_segments_was_labelled_repeats_its_training_patches_and_says_so(
    seen, fit, monkeypatch
):
    votes = teach(seen)
    named = votes.classes[votes.shares.argmax(axis=1)]
    lost = replace(votes, attached=votes.attached & (named != 2))
    monkeypatch.setattr("hsiaug_builtin.teacher.teacher.teach", lambda view: lost)
    samples = made(fit(Pseudo, seen), {1: 30, 2: 30})
    assert samples.provenance["training_patches_repeated"] == [2]
    assert keys(samples.x[samples.y == 2]) <= keys(seen.real.x[seen.y == 2])
    assert not keys(samples.x[samples.y == 1]) & keys(seen.real.x)


def test_without_an_unlabelled_pixel_it_repeats_its_training_patches_and_says_so(toy, fit):
    view = train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "none")
    samples = made(fit(Pseudo, view), {1: 30})
    assert keys(samples.x) <= keys(view.real.x) and "no_unlabelled_pixel" in samples.provenance
