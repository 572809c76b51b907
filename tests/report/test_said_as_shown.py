"""What terminal and page say of a table, as a user reads it."""

from report_records import benchmark, record

from hsiaug.report import build_report
from hsiaug.report.answers import three_answers
from hsiaug.report.two_arms import compare_arms


def gains(by: dict[str, float], draws: int = 8) -> list[dict]:
    """none, duplicate and smote with each classifier; smote gains so many points."""
    noise = [0.003 * (-1) ** seed for seed in range(draws)]
    return [
        record(aa=0.5 + level + shake, oa=0.5, seed=seed, generator=name, classifier=classifier)
        for classifier, gain in by.items()
        for name, level in {"none": 0.0, "duplicate": 0.0, "smote": gain}.items()
        for seed, shake in enumerate(noise if name == "smote" else [0.0] * draws)
    ]


def test_gains_that_are_shown_and_gains_that_are_not_stand_in_no_common_range() -> None:
    (table,) = build_report(gains({"svm": 0.05, "cnn2d": 0.0})).tables
    first = " ".join(three_answers(table).texts[0].sentences)
    assert "0.0 to +5.0" not in first
    assert "+5.0" in first and "with svm, better" in first
    assert "with cnn2d, a gain of 1 point ruled out" in first


def test_compare_calls_aa_what_the_report_calls_aa() -> None:
    report = build_report(benchmark(8))
    (main,) = compare_arms(report, "none/svm", "smote/svm").pairings
    (aa,) = compare_arms(report, "none/svm", "smote/svm", metric="aa").pairings
    assert main.score == aa.score
    assert main.gain.main.differences == aa.gain.main.differences
