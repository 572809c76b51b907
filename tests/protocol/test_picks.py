"""Protocol ``picks``: labels that were asked for, left out part by part."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.tasks.task import get_task

CLUMP, NEW = (slice(0, 4), slice(0, 4)), [(9, 9), (9, 1), (1, 9), (5, 9), (9, 5)]
CLASSES = ("grass", "soil")


def field() -> Scene:
    """12×12 pixels: two labelled rows of each class in one corner, nothing elsewhere."""
    labels = np.zeros((12, 12), dtype=np.int16)
    labels[CLUMP] = np.repeat([1, 2], 2)[:, None]
    cube = np.random.default_rng(0).random((12, 12, 5), dtype=np.float32)
    return Scene("field", cube, labels, CLASSES)


def filled(path: Path, picks: Sequence[tuple[int, int]], names: Sequence[str]) -> Path:
    """The file of ``hsiaug suggest`` with classes written into it."""
    rows = [
        {"rank": i, "row": r, "column": c, "class": n}
        for i, ((r, c), n) in enumerate(zip(picks, names, strict=True))
    ]
    if path.suffix == ".geojson":
        path.write_text(json.dumps({"features": [{"properties": row} for row in rows]}))
        return path
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.mark.parametrize("name", ["picks.csv", "picks.geojson"])
def test_picks_are_left_out_in_parts_and_everything_else_that_has_a_label_trains(tmp_path, name):
    scene = field()
    path = filled(tmp_path / name, NEW, ["grass", "soil", "grass", "", "soil"])
    protocol = parse_protocol(f"picks:2:{path}")
    parts = [draw_split(scene, protocol, seed, 3) for seed in range(2)]

    tested = np.argwhere(parts[0].test | parts[1].test)
    assert sorted(map(tuple, tested.tolist())) == [
        (1, 9),
        (9, 1),
        (9, 5),
        (9, 9),
    ], "a pick without a class is none"
    for split, other in zip(parts, parts[::-1], strict=True):
        assert not (split.test & other.test).any() and split.test.sum() == 2
        assert (split.train == ((scene.labels > 0) | other.test)).all()
        # Each class was picked twice, and is never left out whole.
        assert sorted(split.labels[split.test].tolist()) == [1, 2]
    assert (scene.labels[9] == 0).all(), "the scene itself stays as it was"


def test_a_pick_beyond_the_scene_s_labels_is_learnt_and_judged_by_the_file(tmp_path: Path) -> None:
    scene, task = field(), get_task("pixels")
    path = filled(tmp_path / "picks.csv", NEW[:2], ["grass", "soil"])
    split = draw_split(scene, parse_protocol(f"picks:2:{path}"), 0, 3)

    view = task.draws.view(scene.unlabelled, split.blind, "scene")
    assert dict(zip(map(tuple, view.coords.tolist()), view.y.tolist(), strict=True))[9, 1] == 2
    (held,) = np.flatnonzero(split.test)
    for named, right in ((1, 1.0), (2, 0.0)):
        found = task.scoring.score(
            scene, split, (np.array([held], np.int32), np.array([named], np.int16))
        )
        assert found["oa"] == right and found["fields"]["new"]["oa"] == right


def test_a_pick_that_the_scene_holds_already_is_taken_out_of_training(tmp_path: Path) -> None:
    scene = field()
    path = filled(tmp_path / "picks.csv", [(0, 0), (3, 3), (9, 9)], ["grass", "soil", "soil"])
    split = draw_split(scene, parse_protocol(f"picks:1:{path}"), 0, 3)

    assert split.test.sum() == 3 and split.train.sum() == (scene.labels > 0).sum() - 2


def test_a_polygon_of_hsiaug_label_is_one_answer_judged_by_its_middle(tmp_path: Path) -> None:
    rows = [(9, 8, 1), (9, 9, 1), (9, 10, 1), (9, 1, 2)]
    lines = [f"{row},{column},grass,class,{answer}" for row, column, answer in rows]
    (tmp_path / "answers.csv").write_text(
        "\n".join(["row,column,class,said,answer", *lines, "5,5,,none,3"])
    )
    splits = [
        draw_split(field(), parse_protocol(f"picks:8:{tmp_path / 'answers.csv'}"), seed, 3)
        for seed in (0, 1)
    ]
    (polygon,) = (split for split in splits if split.test[9, 9])

    assert polygon.test.sum() == 1 and not polygon.train[9, 7:11].any() and polygon.train[9, 1]


def test_more_parts_than_picks_leave_each_out_alone_and_further_draws_repeat(
    tmp_path: Path,
) -> None:
    path = filled(tmp_path / "picks.csv", NEW[:3], ["grass", "soil", "grass"])
    protocol = parse_protocol(f"picks:8:{path}")
    held = [
        np.flatnonzero(draw_split(field(), protocol, seed, 3).test).tolist() for seed in range(4)
    ]

    assert (
        len({*map(tuple, held[:3])}) == 3
        and all(len(one) == 1 for one in held)
        and held[3] == held[0]
    )


def test_the_file_s_content_is_what_identifies_a_trial_and_not_where_it_lies(
    tmp_path: Path,
) -> None:
    (tmp_path / "b").mkdir()
    one = filled(tmp_path / "picks.csv", NEW[:2], ["grass", "soil"])
    same = filled(tmp_path / "b" / "picks.csv", NEW[:2], ["grass", "soil"])
    first, second = (parse_protocol(f"picks:2:{path}") for path in (one, same))
    assert first.as_json() == second.as_json() and parse_protocol(first.text) == first
    assert first.label == "picks:2:picks.csv"
    filled(same, NEW[:2], ["soil", "soil"])
    assert parse_protocol(f"picks:2:{same}").as_json() != first.as_json()


@pytest.mark.parametrize(
    ("picks", "names", "message"),
    [
        (
            [(0, 0), (9, 9)],
            ["soil", "soil"],
            "must agree.*'soil' in pick 1 and 'grass' in the scene",
        ),
        ([(0, 0), (9, 9)], ["grass", "soli"], "one of the scene's.*Did you mean soil"),
        ([(0, 12), (9, 9)], ["grass", "soil"], "a row and a column of the scene"),
        ([(9, 9), (9, 1)], ["grass", ""], "two pixels or more"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, picks, names, message):
    path = filled(tmp_path / "picks.csv", picks, names)
    with pytest.raises(InputError, match=message):
        draw_split(field(), parse_protocol(f"picks:2:{path}"), 0, 3)


def test_a_damaged_file_and_a_protocol_that_asks_for_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "picks.geojson").write_text("{}")
    with pytest.raises(InputError, match="must be a file that 'hsiaug label --out' wrote"):
        draw_split(field(), parse_protocol(f"picks:2:{tmp_path / 'picks.geojson'}"), 0, 3)
    with pytest.raises(InputError, match="two pixels or more"):
        draw_split(field(), parse_protocol("picks:2:random:0.5"), 0, 3)
    for text in (
        "picks:2:nowhere.csv",
        "picks:0:random:0.5",
        "picks:2:within:all",
        "picks:2:picks:2:issd",
    ):
        with pytest.raises(InputError):
            parse_protocol(text)
