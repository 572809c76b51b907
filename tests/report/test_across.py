"""Gains over several scenes: one row per arm, with the mean over scenes and what a new scene may expect."""

import pytest

from hsiaug.metrics.pooling import pool_scenes
from hsiaug.report import build_report, render_report
from hsiaug.report.matrix import Matrix, matrices
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


def pooled(records: list[dict]) -> Matrix:
    (matrix,) = matrices(build_report(records))
    return matrix


def test_three_scenes_of_one_protocol_are_pooled_and_two_are_not() -> None:
    gains = dict(zip(SCENES, (0.08, 0.00, 0.01, 0.02), strict=True))
    records = [one for scene, gain in gains.items() for one in on_scene(scene, gain)]
    pool = pooled(records)
    smote = next(arm for arm in pool.pooled if arm.label.startswith("smote"))
    shifts = [gains[table.condition.scene] for table in pool.tables]
    expected = pool_scenes([[shift + 0.002 * s * bool(shift) for s in range(6)] for shift in shifts])
    assert smote.pooled.mean == pytest.approx(expected.mean)
    assert smote.pooled.prediction == pytest.approx(expected.prediction)
    assert smote.pooled.prediction[0] < smote.pooled.interval[0]
    assert pooled(records[: 2 * len(on_scene("x", 0))]).pooled == []


def test_an_arm_counts_where_three_scenes_have_it() -> None:
    records = [one for scene in SCENES[:3] for one in on_scene(scene, 0.05)]
    records += on_scene(SCENES[3], 0.05, ("mixup",))
    pool = pooled(records)
    assert [arm.label.split()[0] for arm in pool.pooled] == ["smote", "duplicate"]
    text = render_report(build_report(records), "md")
    by_scene, over_all = (line for line in text.splitlines() if line.startswith("| smote λ=1, svm |"))
    assert by_scene.count("–") == 2 and by_scene.count("▲") == 3, "the scene that lacks it"
    assert over_all == "| smote λ=1, svm | +5.5 [+5.5, +5.5] | [+5.5, +5.5] | 3 |"


def test_every_format_says_what_a_new_scene_may_expect() -> None:
    report = build_report([one for scene in SCENES for one in on_scene(scene, 0.05)])
    for format in ("md", "rich", "html", "tex"):
        assert "a new scene" in render_report(report, format), format
