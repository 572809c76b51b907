"""Fields: what they are, what a split's audit says of them, and the protocol that parts them."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import InputError, SplitError
from hsiaug.core.fields import label_fields
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.tiling import draw_tiles
from hsiaug_builtin.protocols.compact import compact_draw
from hsiaug_builtin.protocols.sampled import by_number, by_ratio, training_sizes


def scene_of(labels: np.ndarray) -> Scene:
    """A scene of two bands with these labels."""
    cube = np.zeros((*labels.shape, 2), dtype=np.float32)
    names = tuple(f"class {c}" for c in range(1, int(labels.max()) + 1))
    return Scene("farm", cube, labels.astype(np.int16), names)


@st.composite
def farms(draw: st.DrawFn) -> Scene:
    """24×24 pixels in 16 to 64 plots of up to five classes, some without a label."""
    side = draw(st.sampled_from([3, 4, 6]))
    count = 24 // side
    kinds = draw(st.lists(st.integers(0, 5), min_size=count**2, max_size=count**2))
    labels = np.kron(np.array(kinds).reshape(count, count), np.ones((side, side), dtype=int))
    counts = np.bincount(labels.ravel(), minlength=2)[1:]
    assume(np.count_nonzero(counts) > 1)
    return scene_of(labels)


def fields_of(scene: Scene, mask: np.ndarray) -> set[int]:
    return set(np.unique(scene.fields[mask]).tolist())


def test_a_field_is_a_connected_component_of_one_class_corners_included() -> None:
    labels = np.array([[1, 1, 0, 2], [0, 0, 1, 2], [3, 3, 0, 2], [1, 0, 0, 2]], dtype=np.int16)
    fields = label_fields(labels)

    assert fields.dtype == np.int32 and (fields == 0).tolist() == (labels == 0).tolist()
    assert fields[0, 0] == fields[1, 2], "one corner joins two pixels"
    assert fields[3, 0] != fields[0, 0], "a class may have several fields"
    assert len(np.unique(fields[labels > 0])) == 4


def test_on_indian_pines_a_third_to_a_half_of_the_test_pixels_lie_in_the_training_fields() -> None:
    scene = load_scene("indian_pines")
    audits = [draw_split(scene, parse_protocol("issd"), seed, 9).audit for seed in range(3)]

    assert [round(100 * sum(a.seen_counts) / a.n_test) for a in audits] == [48, 43, 33]
    assert {a.fields for a in audits} == {"connected components"}
    alone = (
        "Alfalfa",
        "Corn",
        "Grass-pasture-mowed",
        "Hay-windrowed",
        "Oats",
        "Wheat",
        "Stone-Steel-Towers",
    )
    assert {tuple(scene.class_names[c - 1] for c in a.no_new_classes) for a in audits} == {alone}


@given(
    farms(),
    st.sampled_from(["issd", "issd:0.2x3", "kshot:3", "random:0.1", "fields:4x2"]),
    st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_the_audit_counts_the_test_pixels_of_seen_fields_by_class(
    scene: Scene, text: str, seed: int
) -> None:
    split = split_of(scene, text, seed)
    trained = fields_of(scene, split.train)
    expected = [0] * len(scene.class_names)
    for row, column in np.argwhere(split.test):
        expected[scene.labels[row, column] - 1] += int(scene.fields[row, column]) in trained

    audit = split.audit
    assert list(audit.seen_counts) == expected
    assert [s + n for s, n in zip(audit.seen_counts, audit.new_counts, strict=True)] == list(
        audit.test_counts
    )
    assert set(audit.no_new_classes) == {
        c for c in scene.class_ids if audit.test_counts[c - 1] and not audit.new_counts[c - 1]
    }


def split_of(scene: Scene, text: str, seed: int) -> Split:
    """A draw with patches of 3×3; what the scene cannot give is no case."""
    try:
        return draw_split(scene, parse_protocol(text), seed, 3)
    except SplitError:
        assume(False)
        raise


@given(
    farms(),
    st.integers(1, 12),
    st.integers(1, 4),
    st.sampled_from(["none", "centre", "patch"]),
    st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_no_training_field_holds_a_test_pixel(scene, count, places, buffer, seed):
    protocol = parse_protocol(f"fields:{count}x{places}", buffer)
    try:
        split = draw_split(scene, protocol, seed, 3)
    except SplitError:
        assume(False)
        raise

    assert not fields_of(scene, split.train) & fields_of(scene, split.test)
    assert sum(split.audit.seen_counts) == 0
    again = draw_split(scene, protocol, seed, 3)
    assert again.audit == split.audit, "the same seed draws the same"


@given(farms(), st.integers(1, 12), st.integers(1, 4), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_counts_are_exact_and_as_many_fields_are_visited_as_asked_for(scene, count, places, seed):
    split = split_of(scene, f"fields:{count}x{places}", seed)
    sizes, _ = training_sizes(scene, by_number(count))
    for c, wanted in sizes.items():
        mine = scene.labels == c
        of_class, visited = fields_of(scene, mine), fields_of(scene, mine & split.train)
        held = sum(int((scene.fields == f).sum()) for f in visited)
        trained = int((mine & split.train).sum())
        assert trained == min(wanted, held)
        assert (
            trained == wanted
            or f"class {c} keeps {trained} of {wanted} training pixels" in " ".join(split.notes)
        )
        assert len(visited) == min(max(1, min(places, len(of_class) - 1)), wanted)
        assert len(of_class) > 1 or not (mine & split.test).any(), (
            "of one field: trained on, not evaluable"
        )


def test_classes_of_one_field_are_named_as_not_evaluable() -> None:
    labels = np.kron(np.array([[1, 0, 1], [0, 0, 0], [2, 0, 0]]), np.ones((8, 8), dtype=int))
    split = draw_split(scene_of(labels), parse_protocol("fields:5"), 0, 3)

    assert split.audit.lost_classes == (2,) and split.audit.train_counts == (5, 5)
    assert "classes of one field train in it and are not evaluable: 2" in split.notes


def test_a_scene_of_one_field_per_class_is_one_error() -> None:
    labels = np.kron(np.array([[1, 0, 2]]), np.ones((8, 8), dtype=int))
    with pytest.raises(SplitError, match="leaves no test pixel"):
        draw_split(scene_of(labels), parse_protocol("fields"), 0, 3)


@pytest.mark.parametrize(
    ("text", "argument", "label"),
    [
        ("fields", "0.05", "fields"),
        ("fields:10", "10", "fields:10"),
        ("fields:10x3", "10x3", "fields:10x3"),
        ("fields:0.1x1", "0.1", "fields:0.1"),
        ("fields:x3", "0.05x3", "fields:x3"),
        ("issd", "0.05", "issd"),
        ("issd:0.05x1", "0.05", "issd"),
        ("issd:x3", "0.05x3", "issd:x3"),
        ("issd:0.10x03", "0.1x3", "issd:0.1x3"),
    ],
)
def test_places_stand_behind_an_x(text: str, argument: str, label: str) -> None:
    protocol = parse_protocol(text)
    assert (protocol.argument, protocol.short) == (argument, label)
    assert parse_protocol(protocol.text) == parse_protocol(protocol.short) == protocol


@pytest.mark.parametrize(
    "text",
    [
        "issd:x0",
        "issd:3x",
        "issd:10x3",
        "fields:0x2",
        "fields:1.5",
        "fields:x2x2",
        "fields:-1",
        "issd:0.3cap0.1",
    ],
)
def test_what_is_no_number_of_places_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_protocol(text)


@given(farms(), st.integers(2, 5), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_several_clumps_of_issd_hold_the_pixels_of_one(
    scene: Scene, places: int, seed: int
) -> None:
    sizes, _ = training_sizes(scene, by_ratio(0.2))
    rng = np.random.default_rng(seed)
    several = compact_draw(scene.labels, sizes, 0, rng, places)
    found = dict(zip(*np.unique(scene.labels[several.train], return_counts=True), strict=True))
    large: Mapping[int, int] = {c: n for c, n in sizes.items() if (scene.labels == c).sum() >= 60}
    assert {c: int(found[c]) for c in large} == large


def test_clumps_lie_in_components_of_their_own() -> None:
    labels = np.kron(
        np.array([[1, 0, 1, 0, 1], [0] * 5, [2, 2, 2, 2, 2]]), np.ones((9, 9), dtype=int)
    )
    scene = scene_of(labels)
    split = draw_split(scene, parse_protocol("issd:0.1x3"), 0, 3)
    assert len(fields_of(scene, split.train & (labels == 1))) == 3


def test_of_masks_a_field_is_a_place() -> None:
    labels = np.random.default_rng(0).integers(1, 3, (96, 96))
    pairs = PairSet.of(scene_of(labels))
    audit = draw_tiles(pairs, parse_protocol("blocks:48"), 0, 16).audit
    assert audit.fields == "places" and audit.seen_counts == audit.test_counts, (
        "blocks of one place, trained on too"
    )
