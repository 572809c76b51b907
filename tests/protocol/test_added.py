"""Added labels: the base draw and more, nested in their number, and never out of the test pixels
that must stay.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import InputError
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split

TOY = toy_scene()
BASES = ["issd", "kshot:4", "fields", "random:0.1"]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(BASES), st.integers(1, 6), st.integers(1, 30), st.integers(0, 9))
def test_the_base_draw_stays_and_more_labels_hold_fewer(
    base: str, few: int, more: int, seed: int
) -> None:
    plain = draw_split(TOY, parse_protocol(base), seed, 5)
    buffer = plain.protocol.buffer
    small, large = (
        draw_split(TOY, parse_protocol(f"added:{k}xscattered:{base}", buffer), seed, 5)
        for k in (few, few + more)
    )

    for one, other in ((plain, small), (small, large)):
        assert (one.train <= other.train).all() and (other.test <= one.test).all()
    assert not (large.train & large.test).any()
    assert (plain.test == (large.test | (large.train & plain.test))).all()
    for split, k in ((small, few), (large, few + more)):
        added = np.subtract(split.audit.train_counts, plain.audit.train_counts)
        capped = {c for c, n in enumerate(added, start=1) if n < k}
        assert (added <= k).all() and sum(
            "added labels, so" in note for note in split.notes
        ) == len(capped)
        kept = np.minimum(plain.audit.test_counts, 3)
        assert (np.array(split.audit.test_counts) >= kept).all()


@pytest.mark.parametrize(
    "text",
    [
        "added",
        "added:issd",
        "added:0xscattered:issd",
        "added:5xfield:issd",
        "added:5xscattered:added:5xscattered:issd",
        "added:5xscattered:within:issd",
        "random-twin:added:5xscattered:issd",
        "added:5xscattered:places",
    ],
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_protocol(text)


def test_its_text_and_label_are_those_of_the_base_draw() -> None:
    protocol = parse_protocol("added:5xscattered:issd", "patch")
    assert protocol.argument == "5xscattered:issd:0.05"
    assert protocol.label == "added:5xscattered:issd (buffer patch)"
    assert parse_protocol(protocol.text, "patch") == protocol
    assert (
        parse_protocol("within:added:5xscattered:issd").text == "within:added:5xscattered:issd:0.05"
    )
