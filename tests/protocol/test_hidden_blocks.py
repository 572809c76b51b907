"""Hidden blocks: the base draw, with test pixels that no plugin sees before it predicts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import InputError
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug.tasks.task import get_task

TOY = toy_scene()


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["issd", "kshot:4", "random:0.1"]),
    st.sampled_from([0.2, 0.4, 0.6]),
    st.integers(0, 9),
)
def test_the_base_draw_stays_and_its_test_pixels_are_hidden_block_by_block(base, share, seed):
    protocol = parse_protocol(f"hidden:{share}:{base}")
    plain = draw_split(TOY, parse_protocol(base, protocol.buffer), seed, 5)
    split = draw_split(TOY, protocol, seed, 5)
    assert (split.train == plain.train).all() and (split.test == plain.test).all()
    assert split.hidden is not None
    assert (split.hidden & split.test).any() and (split.test & ~split.hidden).any()
    assert split.audit.sha256 != plain.audit.sha256, "it is another draw"
    more = draw_split(TOY, parse_protocol(f"hidden:0.8:{base}"), seed, 5)
    assert more.hidden is not None and not (split.hidden & ~more.hidden).any(), (
        "a larger share hides more"
    )


@pytest.mark.parametrize("scope", ["none", "scene"])
def test_no_scope_shows_a_hidden_pixel(scope: str) -> None:
    split = draw_split(TOY, parse_protocol("hidden:0.5:issd"), 0, 5)
    assert split.hidden is not None
    view = train_view(TOY, split, scope)  # type: ignore[arg-type]
    blind = train_view(TOY.unlabelled, split.blind, scope)  # type: ignore[arg-type]
    for shown in (view, blind):
        assert not (shown.visible & split.hidden).any()
        assert np.isnan(shown.cube[split.hidden]).all()
        assert not split.hidden[tuple(shown.unlabelled.T)].any()
        assert not np.isnan(shown.real.x).any(), "training patches stay whole"


def test_scores_are_told_apart_inside_and_outside_the_blocks() -> None:
    task = get_task("pixels")
    split = draw_split(TOY, parse_protocol("hidden:0.5:issd"), 0, 5)
    assert split.hidden is not None
    index = np.flatnonzero(split.test)
    true = TOY.labels.ravel()[index].astype(np.int16)
    hidden = split.hidden.ravel()[index]
    wrong = np.where(hidden, true % len(TOY.class_names) + 1, true).astype(np.int16)
    scores = task.scoring.score(TOY, split, (index.astype(np.int32), wrong))
    assert scores["visibility"]["shown"]["aa"] == 1 and scores["visibility"]["hidden"]["aa"] == 0
    assert np.sum(scores["visibility"]["hidden_confusion"]) == hidden.sum()
    plain = draw_split(TOY, parse_protocol("issd"), 0, 5)
    assert "visibility" not in task.scoring.score(TOY, plain, (index.astype(np.int32), wrong))


def test_its_text_is_typed_again_and_its_buffer_is_that_of_the_base() -> None:
    protocol = parse_protocol("hidden:0.5:kshot:5", "patch")
    assert parse_protocol(protocol.text, "patch") == protocol
    assert protocol.buffer_radius(9) == parse_protocol("kshot:5", "patch").buffer_radius(9)


@pytest.mark.parametrize(
    "text",
    [
        "hidden",
        "hidden:0.5",
        "hidden:1.5:issd",
        "hidden:0.5:added:2xscattered:issd",
        "within:hidden:0.5:issd",
    ],
)
def test_what_is_no_share_of_a_plain_protocol_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_protocol(text)


def test_a_scene_of_one_block_is_refused() -> None:
    with pytest.raises(InputError, match="two blocks"):
        draw_split(TOY, parse_protocol("hidden:0.5:random:0.1"), 0, 2 * min(TOY.shape) - 1)
