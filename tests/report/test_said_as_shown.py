"""What terminal and page say of a table, as a user reads it."""

from report_records import benchmark, record

from hsiaug.report import build_report, figure_of, render_html, render_report
from hsiaug.report.answers import three_answers
from hsiaug.report.page import page_sections
from hsiaug.report.two_arms import compare_arms, comparison_tables


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


def test_a_transductive_method_is_named_wherever_a_leaky_protocol_is() -> None:
    """In pictures, in comparisons of its arms, and on a page with the answers."""
    records = benchmark(3)
    scope = {"generator": "scene", "classifier": "none"}
    for one in records:
        if one["spec"]["generator"]["name"] == "smote":
            one.update(scope=scope, transductive=True)
    report = build_report(records)
    for by in ("generator", "gain"):
        assert "TRANSDUCTIVE: " in figure_of(report, by).subfigs[0].get_suptitle()
    said = "TRANSDUCTIVE: smote learned from unlabelled pixels of the whole scene, test pixels too."
    pages = {
        arm: comparison_tables(compare_arms(report, "none/svm", f"{arm}/svm"), "results").sections
        for arm in ("smote", "duplicate")
    }
    assert [one.warnings for one in pages["smote"]] == [(said,)]
    assert [one.warnings for one in pages["duplicate"]] == [()]
    answers = page_sections(report, None)[0].parts[0]
    assert answers.answers and answers.warnings == (said,)
    assert answers.text[0].endswith(" test pixels, 3 draws.")
    assert answers.text[-1].startswith("Not leaky: ")
    assert render_html(report).count(said) == 1


def test_samples_of_controls_are_not_called_synthetic() -> None:
    records = benchmark(3, ("none", "duplicate", "pseudo", "smote"))
    said = f"{len(records)} trials, 0 failed, 0 missing; samples added to 20 real: 16 (λ=1)."
    assert said in render_report(build_report(records), "md")


def test_the_page_explains_the_headings_that_it_has_and_no_others() -> None:
    page = render_html(build_report(benchmark(3)))
    reading = page.partition('id="reading"')[2]
    assert ">p over<" in reading and ">AA<" in reading
    assert not [one for one in ("mIoU", "IoU", "ω", "mixed/even") if f">{one}<" in reading]
