"""Gains over several scenes: one row per arm, with the mean over scenes and what a new scene may expect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hsiaug.base.errors import InputError
from hsiaug.metrics.pooling import pool_scenes
from hsiaug.report import build_report, figure_of, render_report, save_report
from hsiaug.report.matrix import pooled_matrices
from tests.report.report_records import record

SCENES = ("indian_pines", "houston", "pavia", "jasper")


def on_scene(scene: str, gain: float, arms: tuple[str, ...] = ("smote",)) -> list[dict]:
    """none, duplicate and further arms in six draws; the gain differs a little from draw to draw."""
    shifts = {"none": 0.0, "duplicate": 0.0, **dict.fromkeys(arms, gain)}
    return [
        record(0.5, 0.5 + shift + (0.002 * s if shift else 0), generator=name, seed=s, scene=scene)
        for name, shift in shifts.items()
        for s in range(6)
    ]


def test_three_scenes_of_one_protocol_are_pooled_and_two_are_not() -> None:
    gains = dict(zip(SCENES, (0.08, 0.00, 0.01, 0.02), strict=True))
    records = [one for scene, gain in gains.items() for one in on_scene(scene, gain)]
    (pool,) = pooled_matrices(build_report(records))
    smote = next(arm for arm in pool.pooled if arm.label.startswith("smote"))
    shifts = [gains[table.condition.scene] for table in pool.tables]
    expected = pool_scenes([[shift + 0.002 * s * bool(shift) for s in range(6)] for shift in shifts])
    assert smote.pooled.mean == pytest.approx(expected.mean)
    assert smote.pooled.prediction == pytest.approx(expected.prediction)
    assert smote.pooled.prediction[0] < smote.pooled.interval[0]
    with pytest.raises(InputError, match="3 scenes or more"):
        pooled_matrices(build_report(records[: 2 * len(on_scene("x", 0))]))


def test_an_arm_counts_where_three_scenes_have_it() -> None:
    records = [one for scene in SCENES[:3] for one in on_scene(scene, 0.05)]
    records += on_scene(SCENES[3], 0.05, ("mixup",))
    (pool,) = pooled_matrices(build_report(records))
    assert [arm.label.split()[0] for arm in pool.pooled] == ["smote", "duplicate"]
    text = render_report(build_report(records), "md")
    row = next(line for line in text.splitlines() if line.startswith("| smote λ=1, svm |") and "(3)" in line)
    assert row.count("–") == 1, "the scene that lacks it"


def test_every_format_says_what_a_new_scene_may_expect() -> None:
    report = build_report([one for scene in SCENES for one in on_scene(scene, 0.05)])
    for format in ("md", "rich", "html", "tex"):
        assert "a new scene" in render_report(report, format), format
    (pool,) = json.loads(render_report(report, "json"))["across_scenes"]
    assert sorted(pool["scenes"]) == sorted(SCENES) and pool["arms"][0]["n_scenes"] == 4
    assert pool["arms"][0]["prediction95"][0] <= pool["arms"][0]["mean"]


@pytest.mark.parametrize("columns", [1, 2])
def test_the_picture_shows_mean_interval_prediction_and_each_scene(columns: int) -> None:
    gains = dict(zip(SCENES, (0.08, 0.00, 0.01, 0.02), strict=True))
    report = build_report([one for scene, gain in gains.items() for one in on_scene(scene, gain)])
    figure = figure_of(report, "scene", columns)
    (panel,) = figure.subfigs[0].axes
    (pool,) = pooled_matrices(report)
    drawn = [tuple(line.get_xdata()) for line in panel.lines]
    smote = next(arm for arm in pool.pooled if arm.label.startswith("smote"))
    assert tuple(100 * x for x in smote.pooled.prediction) in drawn
    assert tuple(100 * x for x in smote.pooled.interval) in drawn
    for gain in smote.gains:
        assert gain is not None and (100 * gain.against["none"].main.mean,) in drawn
    assert {text.get_text() for text in figure.subfigs[0].legends[0].get_texts()} == {
        t.title.split(",")[0] for t in pool.tables
    }


def test_below_three_scenes_the_view_says_what_to_run() -> None:
    report = build_report([one for scene in SCENES[:2] for one in on_scene(scene, 0.05)])
    with pytest.raises(InputError, match="3 scenes or more"):
        render_report(report, by="scene")
    with pytest.raises(InputError, match="3 scenes or more"):
        figure_of(report, "scene")


def test_the_picture_is_written_by_the_ending_of_its_file(tmp_path: Path) -> None:
    report = build_report([one for scene in SCENES for one in on_scene(scene, 0.05)])
    save_report(report, tmp_path / "scenes.svg", "svg", "scene")
    assert (tmp_path / "scenes.svg").read_text(encoding="utf-8").startswith("<?xml")
