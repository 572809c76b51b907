"""The leaderboard: entries of one setting on all scenes, ranked in new ground, with failures
counted as ``none``.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import leaderboard
from benchmarks.leaderboard import Board, boards, leaderboard_files
from hsiaug.base.errors import InputError
from hsiaug.report import build_report
from tests.report.report_records import failure, fill, record
from tests.report.test_report_fields import scored

SCENES = ("indian_pines", "houston", "pavia", "jasper")
DRAWS = range(3)


def on_scene(
    scene: str, generator: str = "none", gain: float = 0.0, **spec: Any
) -> list[dict[str, Any]]:
    """An arm whose recall in new fields is ``gain`` above 0.40, and the same in seen ones."""
    return [
        scored(
            record(generator=generator, seed=s, scene=scene, **spec), [0.8] * 3, [0.40 + gain] * 3
        )
        for s in DRAWS
    ]


def board_of(records: list[dict[str, Any]]) -> Board:
    (board,), leaky = boards(build_report(records))
    assert leaky == []
    return board


def test_the_inter_quartile_mean_leaves_out_a_quarter_at_each_end() -> None:
    for values, mean in (
        ((0.0, 0.1, 0.2, 0.59), 0.15),
        ((0.0, 0.1, 0.5), 0.2),
    ):  # three have no quarter to leave out
        found = zip(SCENES, values, strict=False)
        records = [
            one for scene, gain in found for one in on_scene(scene) + on_scene(scene, "smote", gain)
        ]
        assert board_of(records).entries[0].gain[0] == pytest.approx(mean)


def test_entries_are_ranked_by_their_score_in_new_ground_over_scenes() -> None:
    gains = {"smote": (0.30, 0.02, 0.02, 0.02), "mixup": (0.05, 0.05, 0.05, 0.0)}
    records = [one for scene in SCENES for one in on_scene(scene)]
    for name, by_scene in gains.items():
        for scene, gain in zip(SCENES, by_scene, strict=True):
            records += on_scene(scene, name, gain)
    board = board_of(records)
    assert [entry.label.split()[0] for entry in board.entries] == ["mixup", "smote", "none"]
    best = board.entries[0]
    assert best.score[0] == pytest.approx(0.45) and best.gain[0] == pytest.approx(0.05)
    assert best.gain[1] < best.gain[0] <= best.gain[2]
    assert best.track == "inductive" and best.seconds == 1.0


def test_a_failed_draw_counts_as_none() -> None:
    records = [one for scene in SCENES for one in on_scene(scene)]
    for scene in SCENES:
        records += on_scene(scene, "smote", 0.3)[:-1]
        records.append({**failure(generator="smote", seed=2, scene=scene), "audit": None})
    smote = board_of(records).entries[0]
    assert smote.label.startswith("smote")
    assert smote.gain[0] == pytest.approx(0.2) and len(smote.results[0].gains) == 3


def test_an_entry_that_lacks_a_scene_is_named_and_not_ranked() -> None:
    records = [one for scene in SCENES for one in on_scene(scene)] + on_scene(
        SCENES[0], "smote", 0.3
    )
    board = board_of(records)
    assert [entry.label for entry in board.entries] == ["none with svm"]
    assert board.partial == ("smote λ=1 with svm (3 scenes missing)",)


def test_other_parameters_are_another_entry() -> None:
    records = [one for scene in SCENES for one in on_scene(scene)]
    for scene, k in zip(SCENES, (3, 3, 5, 5), strict=True):
        records += on_scene(scene, "smote", 0.1, generator_params={"neighbours": k})
    assert len(board_of(records).partial) == 2, "a setting chosen for each scene is not one entry"


def test_leaky_protocols_are_refused() -> None:
    leaky = on_scene("houston", protocol=("random", "0.1", "none"))
    for one in leaky:
        one["audit"]["leaky"] = True
    made, refused = boards(build_report(on_scene("indian_pines") + leaky))
    assert [board.scenes for board in made] == [("indian_pines",)] and len(refused) == 1
    with pytest.raises(InputError, match="kept apart"):
        boards(build_report(leaky))


def test_tracks_say_what_an_entry_uses() -> None:
    seeing = on_scene("houston", "pseudo", 0.1)
    for one in seeing:
        one["transductive"] = True
    board = board_of(on_scene("houston") + seeing)
    tracks = {entry.label.split()[0]: entry.track for entry in board.entries}
    assert tracks == {"none": "inductive", "pseudo": "transductive"}


def test_labels_that_were_asked_for_are_a_track_although_their_neighbours_are_tested() -> None:
    asked = on_scene("houston", protocol=("asked", "16xsuggest:issd:0.05", "centre"))
    for one in asked:
        one["audit"]["leaky"] = True
    (board,), refused = boards(build_report(asked))
    assert board.entries[0].track == "inductive, asked labels" and refused == []


def test_json_names_the_records_of_every_number() -> None:
    records = [one for scene in SCENES for one in on_scene(scene)]
    value = leaderboard_files(*boards(build_report(records))).value
    assert {hash for row in value["results"] for hash in row["trials"]} == {
        one["hash"] for one in records
    }


def test_the_script_writes_page_and_json_from_a_store(tmp_path: Path, monkeypatch, capsys) -> None:
    fill(tmp_path / "store", [one for scene in SCENES for one in on_scene(scene)])
    page, data = tmp_path / "board.html", tmp_path / "board.json"
    for files in ((), (page, data)):
        monkeypatch.setattr("sys.argv", ["leaderboard", str(tmp_path / "store"), *map(str, files)])
        leaderboard.main()
    assert "| 1 | none with svm | inductive |" in capsys.readouterr().out
    assert "none with svm" in page.read_text() and "://" not in page.read_text()
    assert len(json.loads(data.read_text())["results"]) == len(SCENES)
