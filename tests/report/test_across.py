"""Several scenes in one report: a row per arm, a column per scene."""

from hsiaug.report import build_report, render_report
from tests.report.report_records import record

SCENES = ("indian_pines", "houston", "pavia", "jasper")


def on_scene(scene: str, gain: float, arms: tuple[str, ...] = ("smote",)) -> list[dict]:
    """none, duplicate and further arms in six draws; the gain differs a little from draw to
    draw.
    """
    shifts = {"none": 0.0, "duplicate": 0.0, **dict.fromkeys(arms, gain)}
    return [
        record(0.5, 0.5 + shift + (0.002 * s if shift else 0), generator=name, seed=s, scene=scene)
        for name, shift in shifts.items()
        for s in range(6)
    ]


def test_an_arm_has_a_dash_on_a_scene_that_lacks_it() -> None:
    records = [one for scene in SCENES[:3] for one in on_scene(scene, 0.05)]
    records += on_scene(SCENES[3], 0.05, ("mixup",))
    text = render_report(build_report(records), "md")
    by_scene, rivals = (line for line in text.splitlines() if line.startswith("| smote λ=1, svm |"))
    assert rivals.count("–") == 1 and rivals.count("duplicate above") == 3
    assert by_scene.count("–") == 2 and by_scene.count("above") == 3
