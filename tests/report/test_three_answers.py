"""The three answers: better than no samples, better than all controls, what to use here."""

import html
import io
import json
from typing import Any

import pytest
from report_records import record

from hsiaug.base.terminal import Console
from hsiaug.report import build_report, print_report, render_html, render_report
from hsiaug.report.answer_texts import Answers
from hsiaug.report.answers import three_answers

CHOSEN = "Chosen on these draws; to quote, run it alone with --seeds 400-406 --store fresh-draws."
NOISE = (0.1, -0.2, 0.3, -0.1, 0.2, -0.3, 0.15)
"""Points of AA by which the draws of an arm differ from its mean."""


def scene(
    gains: dict[str, float],
    *,
    draws: int = 7,
    transductive: tuple[str, ...] = (),
    teacher: float | None = None,
    spread: float = 1.0,
) -> list[dict[str, Any]]:
    """Records of two classifiers. gains: of each generator over ``none``, in points of AA."""
    records = []
    for classifier, level in (("svm", 50.0), ("cnn2d", 54.0)):
        for place, (generator, gain) in enumerate({"none": 0.0, **gains}.items()):
            for seed in range(draws):
                noise = spread * NOISE[(seed * (place + 1) + len(classifier)) % len(NOISE)]
                score = (level + gain + seed + noise) / 100
                made = record(
                    score,
                    score,
                    generator=generator,
                    classifier=classifier,
                    seed=seed,
                    **({} if generator == "none" else {"lam": 0.5, "times": 3.0}),
                )
                if generator in transductive:
                    made["scope"] = {"generator": "scene", "classifier": "none"}
                records.append(made)
    if teacher is not None:
        records += [
            record((teacher + s) / 100, (teacher + s) / 100, classifier="teacher", seed=s)
            for s in range(draws)
        ]
    return records


def answers_of(records: list[dict[str, Any]]) -> Answers:
    (table,) = build_report(records).tables
    return three_answers(table)


def statuses(answers: Answers) -> tuple[str, str, str]:
    return answers.over_none.status, answers.over_controls.status, answers.use.status


def lines(records: list[dict[str, Any]]) -> list[str]:
    return [text.line for text in answers_of(records).texts]


def test_a_generator_above_every_control_is_better_than_no_samples_and_than_real_pixels() -> None:
    answers = answers_of(scene({"duplicate": 0.1, "smote": 3.0}))
    assert statuses(answers) == ("YES", "YES", "YES")
    assert answers.use.name == "smote λ=0.5 M=3 with cnn2d"
    (contrast,) = answers.over_controls.contrasts
    assert (contrast.generator, contrast.rival) == ("smote", "duplicate")


def test_a_generator_above_nothing_but_no_samples_is_told_the_rival_that_it_lies_below() -> None:
    records = scene(
        {"duplicate": 0.1, "pseudo": 8.0, "txt2hsi": 6.0},
        transductive=("pseudo", "txt2hsi"),
        teacher=58.0,
    )
    first, second, use = lines(records)
    assert first.startswith("1 Better than no samples? YES. txt2hsi: +")
    assert "2 of 2 classifiers" in first
    assert second.startswith(
        "2 Better than all controls? NO. pseudo (real pixels that a teacher labels) is "
    )
    assert "points of AA above txt2hsi" in second
    assert use.startswith("3 Use here: pseudo λ=0.5 M=3 with cnn2d: AA ")
    assert "Without samples, teacher has 61.0; the difference of +" in use


def test_controls_are_no_arms_of_the_answers_where_another_generator_ran() -> None:
    records = scene(
        {"duplicate": 0.0, "pseudo": 8.0, "txt2hsi": 0.0}, transductive=("pseudo", "txt2hsi")
    )
    answers = answers_of(records)
    assert statuses(answers)[:2] == ("NO", "NOT ASKED")
    assert {contrast.generator for contrast in answers.over_none.contrasts} == {"txt2hsi"}


@pytest.mark.parametrize("gain", [8.0, 0.0])
def test_a_control_that_was_asked_for_too_is_said_to_be_no_candidate(gain: float) -> None:
    records = scene(
        {"duplicate": 0.0, "pseudo": gain, "txt2hsi": 2.0}, transductive=("pseudo", "txt2hsi")
    )
    first, second, _ = lines(records)
    assert first.endswith(" pseudo counts as a control.")
    assert "as a control" not in second
    assert "as a control" not in " ".join(lines(scene({"pseudo": gain}, transductive=("pseudo",))))


def test_the_third_answer_says_whether_its_accuracy_may_be_quoted() -> None:
    records = scene({"smote": 3.0})
    for made in records:
        classifier, generator = (made["spec"][role]["name"] for role in ("classifier", "generator"))
        made["command"] = (
            f"hsiaug benchmark mine.toml --generator {generator} --classifier {classifier}"
            " --lambda 0.5 --times 3 --seeds 1"
        )
    fresh = "--seeds 400-406 --store fresh-draws"
    report = build_report(records)
    assert lines(records)[2].endswith(CHOSEN) and fresh in CHOSEN
    terminal = io.StringIO()
    print_report(report, Console(file=terminal, width=100))
    page = html.unescape(render_html(report))
    for text in (terminal.getvalue(), render_report(report, "md"), page):
        assert fresh in " ".join(text.split())
    (table,) = json.loads(render_report(report, "json"))["tables"]
    assert table["answers"]["fresh_draws"] == (
        "hsiaug benchmark mine.toml --generator smote --classifier cnn2d --lambda 0.5 --times 3"
        f" {fresh}"
    )

    for made in records:
        made["spec"]["seed"] += 400
    assert "--seeds 800-806 " in lines(records)[2]
    for made in records:
        made["audit"] = {**made["audit"], "leaky": True}
    assert lines(records)[2].endswith("LEAKY: this AA is not one to quote by itself.")
    alone = [one for one in records if one["spec"]["generator"]["name"] == "none"]
    alone = [one for one in alone if one["spec"]["classifier"]["name"] == "svm"]
    for made in alone:
        made["audit"] = {**made["audit"], "leaky": False}
    assert "These draws chose nothing: quote this mean, with its std" in lines(alone)[2]
    for made in alone:
        made["spec"]["seed"] -= 400
    assert "quote" not in lines(alone)[2], "nothing was chosen"


def test_where_only_controls_ran_the_answers_are_about_them_and_say_so() -> None:
    records = scene({"duplicate": 0.0, "pseudo": 8.0}, transductive=("pseudo",))
    assert answers_of(records).controls_only
    first, second, _ = lines(records)
    assert "YES. Real pixels help: only controls ran." in first
    assert second.startswith("2 Better than other controls? YES.")


def test_arms_that_gain_less_than_one_point_are_no_better_and_the_second_is_not_asked() -> None:
    first, second, use = lines(scene({"duplicate": 0.0, "smote": 0.0}))
    assert first.startswith("1 Better than no samples? NO. smote: ")
    assert "a gain of 1 point ruled out with 2 of 2 classifiers." in first
    assert second == (
        "2 Better than all controls? NOT ASKED. No generator is shown better than no samples."
    )
    assert use.startswith("3 Use here: cnn2d without samples: AA 57.")
    assert use.endswith(f"No generator is better. Classifiers: cnn2d, svm. {CHOSEN}")


def test_comparisons_that_are_not_told_say_how_large_they_are() -> None:
    gains = {"smote": 6.0, "mixup": 5.0, "noise": 4.0, "cvae": -9.0}
    text = " ".join(lines(scene(gains)))
    assert "1 more: cvae −9." in text


def without_draws(records: list[dict[str, Any]], generator: str) -> list[dict[str, Any]]:
    """The records without those of one generator after draw 2."""
    return [
        one
        for one in records
        if one["spec"]["generator"]["name"] != generator or one["spec"]["seed"] < 3
    ]


def test_an_arm_with_fewer_draws_than_others_says_so() -> None:
    gains = {"duplicate": 0.1, "smote": 3.0, "mixup": 2.0}
    first, second, _ = lines(without_draws(scene(gains), "mixup"))
    assert first.startswith("1 Better than no samples? YES, 2 of 4 arms.")
    assert "points of AA, too few draws with 2 of 2 classifiers." in first
    assert "mixup" not in second
    first, second, _ = lines(without_draws(scene(gains), "duplicate"))
    assert first.startswith("1 Better than no samples? YES.")
    assert second.startswith("2 Better than all controls? TOO FEW DRAWS.")
    assert "(real samples repeated), too few draws with 2 of 2 classifiers." in second


def test_nothing_is_better_than_all_controls_that_is_not_shown_better_than_no_samples() -> None:
    records = without_draws(scene({"duplicate": 0.1, "smote": 3.0}), "none")
    _, second, _ = lines(records)
    assert statuses(answers_of(records))[:2] == ("TOO FEW DRAWS",) * 2
    assert second.endswith("That it is better than no samples is not shown.")


def test_a_gain_that_is_not_shown_is_a_number_over_the_rival() -> None:
    """``below`` is what the test shows."""
    records = scene(
        {"duplicate": 0.0, "pseudo": 8.0, "txt2hsi": 7.9}, transductive=("pseudo", "txt2hsi")
    )
    _, second, _ = lines(records)
    assert second.startswith("2 Better than all controls? NO. txt2hsi: −0.1")
    assert " points of AA over pseudo (real pixels that a teacher labels), a gain of 1 " in second


def test_a_loss_is_a_no_that_says_worse() -> None:
    first, _, _ = lines(scene({"duplicate": 0.0, "smote": -3.0}))
    assert first.startswith("1 Better than no samples? NO. smote: ")
    assert "points of AA, worse with 2 of 2 classifiers." in first


def test_what_enough_draws_leave_open_is_not_shown() -> None:
    records = scene({"duplicate": 0.0, "smote": 0.6}, spread=8.0)
    assert statuses(answers_of(records))[0] == "OPEN"


def test_fewer_than_six_draws_say_how_many_are_needed() -> None:
    records = scene({"duplicate": 0.0, "smote": 3.0}, draws=3)
    assert statuses(answers_of(records)) == ("TOO FEW DRAWS",) * 3
    first, _, use = lines(records)
    assert (
        "TOO FEW DRAWS. 3 draws; at least 6 are needed: the same benchmark with --seeds 7." in first
    )
    assert "cnn2d without samples" in use


@pytest.mark.parametrize("generators", [{}, {"duplicate": 0.0}])
def test_without_an_arm_to_judge_there_is_no_answer_but_what_to_use(generators: dict) -> None:
    answers = answers_of(scene(generators))
    assert statuses(answers)[:2] == ("NOTHING TO JUDGE", "NOTHING TO JUDGE")
    assert answers.use.classifier == "cnn2d"


def test_the_screen_of_a_terminal_answers_first_in_eighty_columns() -> None:
    records = scene(
        {"duplicate": 0.1, "pseudo": 8.0, "txt2hsi": 6.0}, transductive=("pseudo", "txt2hsi")
    )
    console = Console(file=io.StringIO(), width=80)
    print_report(build_report(records, store="hsiaug-results"), console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "56 trials, 0 failed, 0 missing; samples added to 20 real: 16 (λ=0.5 M=3)." in lines
    places = [
        next(i for i, line in enumerate(lines) if line.startswith(start))
        for start in ("1 Better than no samples?    YES", "2 Better", "3 Use here", "Accuracy on")
    ]
    assert places == sorted(places)
    rows = [line.split() for line in lines[places[-1] :]]
    names = [" ".join(row[:2]) if row[0] == "+" else row[0] for row in rows if row]
    start = names.index("cnn2d")
    assert names[start : start + 4] == ["cnn2d", "+ pseudo", "+ txt2hsi", "+ duplicate"]
    assert rows[[" ".join(row[:2]) for row in rows].index("+ txt2hsi")][-1:] == ["pseudo"]
    assert "Not leaky: no test pixel lies in the patch of a training pixel." in lines


def test_lambda_and_m_are_two_columns() -> None:
    text = render_report(build_report(scene({"duplicate": 0.0, "smote": 3.0})), "md")
    assert "| generator | λ | M |" in text and "| smote | 0.5 | 3 |" in text
    assert "0.5x3" not in text


def test_json_has_the_answers_as_fields() -> None:
    report = build_report(scene({"duplicate": 0.1, "smote": 3.0}))
    (table,) = json.loads(render_report(report, "json"))["tables"]
    answers = table["answers"]
    assert answers["over_none"]["status"] == "YES"
    assert answers["over_none"]["contrasts"][0]["differences"][0]["draws"] == 7
    assert answers["use"]["generator"] == "smote"
    assert len(answers["text"]) == 3


def drawn_in(records: list[dict[str, Any]], generator: str, seeds: range) -> list[dict[str, Any]]:
    """The records, of this generator those of some draws alone."""
    return [
        one
        for one in records
        if one["spec"]["generator"]["name"] != generator or one["spec"]["seed"] in seeds
    ]


def test_arms_of_too_few_draws_are_not_compared_with_others_by_their_means() -> None:
    # Later draws are easier: of three of them smote has the highest mean, and nothing else.
    records = drawn_in(scene({"smote": 0.5, "mixup": 1.5}), "smote", range(4, 7))
    records = [one for one in records if one["spec"]["classifier"]["name"] == "svm"]
    records.append(record(0.9, 0.9, classifier="cnn2d", seed=6))
    for one in records:
        one["metrics"]["recall"][0] = 0.0
    (table,) = build_report(records).tables
    use = three_answers(table).use
    assert (use.name, use.left_out) == ("mixup λ=0.5 M=3 with svm", ("cnn2d without samples",))
    assert "Too few draws to compare: cnn2d without samples." in lines(records)[2]
    text = render_report(build_report(records), "md", by="summary")
    assert "mixup λ=0.5 M=3 with svm has the highest AA of the arms with enough draws" in text
    (row,) = (line for line in text.splitlines() if line.startswith("| cnn2d"))
    assert row.count("90.0 (n=1)") == 2
    (row,) = (line for line in text.splitlines() if line.startswith("| + smote"))
    assert "**" not in row
    assert "(n=3)" in row


def test_an_arm_that_lacks_a_draw_is_compared_over_those_that_all_have() -> None:
    # Without the hardest draw its own mean is higher.
    records = [
        *scene({}),
        *(one for one in scene({"smote": -0.5}) if one["spec"]["generator"]["name"] == "smote"),
    ]
    (table,) = build_report(drawn_in(records, "smote", range(1, 7))).tables
    assert not table.not_comparable
    means = {table.cell_label(cell): mean for cell, mean in table.comparable.items()}
    own = {table.cell_label(cell): mean for cell, mean in table.main_scores.items()}
    smote, none = "smote λ=0.5 M=3 with svm", "none with svm"
    assert own[smote] > own[none]
    assert means[smote] == own[smote] < means[none]


def test_a_gain_in_one_draw_is_said_to_be_of_too_few() -> None:
    records = drawn_in(scene({"smote": 0.5, "mixup": 1.5}), "smote", range(1))
    text = render_report(build_report(records), "md", by="summary")
    rows = [line for line in text.splitlines() if line.startswith("| + smote")]
    assert rows
    assert all("| too few draws +" in row for row in rows)


def test_draws_that_divide_the_same_images_give_no_fresh_ones_to_quote() -> None:
    records = scene({"smote": 3.0})
    for one in records:
        one["audit"] |= {"fields": "places", "seen_counts": [40, 30, 30], "new_counts": [0, 0, 0]}
    assert answers_of(records).fresh_draws == ""
    assert lines(records)[2].endswith(
        "Chosen on these draws, and others divide the same images again: to quote the AA, run what"
        " was chosen on another image."
    )
    for one in records:
        if one["spec"]["seed"] == 3:
            one["audit"] |= {"new_counts": [0, 1, 0]}
    assert "--seeds 400-406" in lines(records)[2], "a place that no draw trained on is tested"
    for one in records:
        one["audit"] |= {"new_counts": [0, 0, 0]}
        one["spec"]["seed"] += 400
    assert "others divide the same images again" in lines(records)[2], "so do later ones"


@pytest.mark.parametrize(
    ("first", "gains", "said"),
    [
        (400, {"smote": 3.0}, "These draws chose nothing: quote this mean, with its std, the num"),
        (400, {"pseudo": 3.0}, "These draws chose nothing: quote this mean, with its std, the num"),
        (400, {"smote": 0.1}, "chose nothing: quote the mean of smote λ=0.5 M=3 with svm, 53.1, "),
        (400, {"smote": 3.0, "mixup": 2.0}, "Chosen on these draws"),
        (0, {"smote": 3.0}, "Chosen on these draws"),
    ],
)
def test_what_alone_was_asked_for_on_fresh_draws_may_be_quoted(
    first: int, gains: dict[str, float], said: str
) -> None:
    records = scene({"duplicate": 0.5, **gains}, transductive=("pseudo",))
    records = [one for one in records if one["spec"]["classifier"]["name"] == "svm"]
    for one in records:
        one["spec"]["seed"] += first
    assert said in lines(records)[2]
