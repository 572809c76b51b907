"""Where to label next: on ground that is unlike what is labelled, and without a look at any other
label.
"""

import csv
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.data.vector_labels import read_vector_labels
from hsiaug.protocol.split import Blind
from hsiaug.registry.lookup import Registry
from hsiaug.suggest.committee import Member, _thinned, cast_votes, committee, disagreement
from hsiaug.suggest.picks import Suggestions, cover, ground_of, suggestions
from hsiaug.suggest.suggestion_files import ENDINGS
from hsiaug.tasks.draws import PixelDraws
from hsiaug.tasks.view_choice import choose_view
from tests.cli.test_endings import OPENINGS
from tests.envi_scenes import ADD, save_flight, typed

TWO = (Member("svm", "raw"), Member("nearest", "unit"))


def silent(*_: Any) -> None: ...


def named(scene: Scene, train: np.ndarray, plugins: Registry, n: int = 6) -> Suggestions:
    known = Blind(train, np.zeros_like(train), scene.labels[train].astype(np.int64), 5)
    return suggestions(scene.unlabelled, known, ~train, n, TWO, plugins, progress=silent)


@pytest.fixture
def corner(toy: Scene) -> np.ndarray:
    """A few pixels of each of two classes, all of them in the upper half."""
    train = np.zeros(toy.shape, dtype=bool)
    for c in (1, 2):
        rows, columns = np.nonzero(toy.labels[:24] == c)
        train[rows[:8], columns[:8]] = True
    return train


def test_picks_are_of_several_segments_and_best_first(
    toy: Scene, corner: np.ndarray, plugins: Registry
) -> None:
    found = named(toy, corner, plugins)
    segments = ground_of(toy.unlabelled).segments
    places = [(pick.row, pick.column) for pick in found.picks]

    assert [pick.rank for pick in found.picks] == [1, 2, 3, 4, 5, 6]
    assert len({segments[place] for place in places}) == 6
    assert not any(corner[place] for place in places)
    shares = [pick.share for pick in found.picks]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1
    assert all(sum(pick.votes.values()) == len(TWO) for pick in found.picks)
    assert found.picks == named(toy, corner, plugins).picks


def test_a_member_on_auto_spectra_gets_the_view_that_suits_the_known_labels(
    toy: Scene, corner: np.ndarray, plugins: Registry
) -> None:
    known = Blind(corner, np.zeros_like(corner), toy.labels[corner].astype(np.int64), 5)
    view = PixelDraws().view(toy.unlabelled, known, "none")
    chosen = choose_view(view).name
    members = (Member("nearest", "auto"), Member("nearest", chosen))
    votes = cast_votes(toy.unlabelled, known, members, plugins, progress=silent)
    assert np.array_equal(votes[0], votes[1])


def test_no_label_beyond_those_that_are_known_is_read(
    toy: Scene, corner: np.ndarray, plugins: Registry
) -> None:
    labels = toy.labels.copy()
    labels[~corner] = np.random.default_rng(0).permutation(labels[~corner])
    other = replace(toy, labels=labels)

    assert named(other, corner, plugins).picks == named(toy, corner, plugins).picks


def test_the_first_pick_lies_on_ground_that_nothing_known_is_like(plugins: Registry) -> None:
    # Left: labelled ground of two classes. Right: as large, of a spectrum that no label has.
    rng = np.random.default_rng(0)
    spectra = rng.uniform(0.2, 0.8, (3, 12))
    ground = np.repeat([[0] * 10 + [1] * 10 + [2] * 20], 40, axis=0)
    cube = spectra[ground] + rng.normal(0, 0.01, (40, 40, 12))
    labels = np.where(ground < 2, ground + 1, 0)
    scene = Scene("three", cube, labels, ("a", "b"))
    found = named(scene, labels > 0, plugins, 3)

    assert found.picks[0].column >= 20 and found.picks[0].share > 0.5


def test_where_there_is_no_data_nothing_is_asked(
    toy: Scene, corner: np.ndarray, plugins: Registry
) -> None:
    cube = toy.cube.copy()
    cube[30:] = 0
    found = named(
        replace(toy, cube=cube, labels=np.where(corner, toy.labels, 0)), corner, plugins, 8
    )

    assert all(pick.row < 30 for pick in found.picks)


def test_more_picks_than_segments_are_refused(
    toy: Scene, corner: np.ndarray, plugins: Registry
) -> None:
    with pytest.raises(InputError, match="number of segments"):
        named(toy, corner, plugins, 1000)


def test_of_many_labels_a_committee_learns_a_pixel_of_each_class_in_turn(toy, plugins, monkeypatch):
    def voted(train: np.ndarray) -> np.ndarray:
        known = Blind(train, np.zeros_like(train), toy.labels[train].astype(np.int64), 5)
        return cast_votes(toy.unlabelled, known, TWO, plugins, progress=silent)

    train = toy.labels > 0
    few = voted(train)
    monkeypatch.setattr("hsiaug.suggest.committee.MAX_TRAINING_PIXELS", 40)
    known = Blind(train, np.zeros_like(train), toy.labels[train].astype(np.int64), 5)
    learnt = _thinned(known, 0)

    counts = np.unique(learnt.train_labels, return_counts=True)[1]
    assert counts.sum() == 40 and np.ptp(counts) <= 1
    assert (learnt.train <= train).all() and (learnt.train_labels == toy.labels[learnt.train]).all()
    assert (voted(train) == voted(learnt.train)).all() and (voted(train) != few).any()


def test_a_classifier_that_fails_is_named(
    toy: Scene, corner: np.ndarray, plugins: Registry
) -> None:
    known = Blind(corner, np.zeros_like(corner), toy.labels[corner].astype(np.int64), 5)
    members = (Member("svm", "raw"), Member("breaks", "raw"))
    with pytest.raises(HsiaugError, match="breaks") as error:
        cast_votes(toy.unlabelled, known, members, plugins, progress=silent)
    assert isinstance(error.value, InputError | PluginError)


def test_a_committee_has_every_view_that_the_bands_allow() -> None:
    assert len(committee(20)) == 6 and len(committee(2)) == 2


def test_disagreement_is_0_where_all_agree_and_1_where_none_does() -> None:
    votes = np.array([[[1, 1, 1, 0]], [[1, 2, 1, 0]], [[1, 3, 2, 0]]], dtype=np.int16)
    found = disagreement(votes, 5)[0]

    assert found[0] == found[3] == 0 and found[1] == pytest.approx(1) and 0 < found[2] < 1


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**16), st.booleans())
def test_a_cover_takes_each_segment_once_and_never_more_than_there_is(
    s: int, seed: int, alike: bool
) -> None:
    rng = np.random.default_rng(seed)
    centres = np.zeros((s, 2)) if alike else rng.normal(size=(s, 2))
    chosen, shares = cover(centres, rng.uniform(0.01, 1, s), rng.normal(size=(3, 2)), s)

    assert sorted(chosen) == list(range(s))
    assert all(share >= 0 for share in shares) and sum(shares) <= 1 + 1e-9
    assert all(a >= b - 1e-9 for a, b in pairwise(shares))


# As it is typed.


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a georeferenced scene of one's own, with a few labels."""
    folder = tmp_path_factory.mktemp("own")
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    save_flight(folder, scene.cube)
    np.save(folder / "labels.npy", np.where(np.arange(32) < 16, scene.labels, 0))
    typed(folder, *ADD)
    return folder


QUICK = ("-n", "5")


def test_all_files_of_an_own_scene_hold_the_same_picks(own: Path, tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    names = [f"picks{ending}" for ending in ENDINGS]
    outs = [word for name in names for word in ("--out", str(tmp_path / name))]
    typed(own, "label", "flight.toml", *QUICK, *outs)
    told = json.loads((tmp_path / "picks.json").read_text("utf-8"))

    with (tmp_path / "picks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["column"]) for row in rows] == [
        (str(p["row"]), str(p["column"])) for p in told["picks"]
    ]
    for pick in told["picks"]:
        x, y = 500000 + 2 * (pick["column"] + 0.5), 5000000 - 2 * (pick["row"] + 0.5)
        assert (pick["x"], pick["y"]) == (x, y)
    assert "all" in told["notes"][0] and "labelled pixels" in told["notes"][0]
    assert np.asarray(Image.open(tmp_path / "picks.png")).std() > 10
    for ending in set(ENDINGS) - {".csv"}:
        assert (tmp_path / f"picks{ending}").read_bytes().startswith(OPENINGS[ending])


def test_a_table_that_was_filled_in_is_read_as_labels(own: Path, tmp_path: Path) -> None:
    typed(own, "label", "flight.toml", *QUICK, "--out", str(tmp_path / "picks.csv"))
    with (tmp_path / "picks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[1]["class"], rows[3]["class"] = "hay", "rye"
    with (tmp_path / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (tmp_path / "long.csv").write_text(f"row,column,class\n1,1,{'x' * 200_000}\n")
    for name in ("filled.csv", "long.csv"):
        with pytest.raises(InputError, match="classes may have been written into it"):
            typed(own, "label", "flight.toml", *QUICK, "--out", str(tmp_path / name))
    labels = read_vector_labels(tmp_path / "filled.csv", None, None)

    assert labels.values == ("hay", "rye") and labels.pixels and labels.skipped == 3
    assert labels.pixels[0] == (int(rows[1]["row"]), int(rows[1]["column"]))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("toy", "--out", "x.jpg"), "must end in .csv, .json, .png, .svg or .pdf"),
        (("toy", "-n", "1000"), "number of segments"),
    ],
)
def test_what_cannot_be_suggested_is_refused(
    words: tuple[str, ...], part: str, tmp_path: Path
) -> None:
    with pytest.raises(HsiaugError, match=part):
        typed(tmp_path, "label", *words, "--out", "picks.csv")
    assert not list(tmp_path.iterdir())
