"""What an arm gains is one comparison: terminal, page, figure, files, JSON and ``hsiaug compare``
say the same of it.
"""

import csv
import io
import json
import re

import pytest
from matplotlib.axes import Axes
from report_records import benchmark
from rich.console import Console

from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report import build_report, figure_of, print_report, render_html, render_report
from hsiaug.report.formatting import p_said, p_text, with_ends
from hsiaug.report.gains import between, over_baseline, rival_of
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.two_arms import compare_arms
from tests.report.html_pages import parsed, picture_named
from tests.report.report_records import record


def measured(draws: int) -> Report:
    """Arms of which one is above its controls, one below and one neither."""
    gains = {"none": 0.0, "duplicate": 0.004, "smote": 0.05, "mixup": -0.06, "noise": 0.02}
    records = [
        record(
            0.6,
            0.5
            + gain
            + 0.01 * seed
            + (0.03 * ((seed * place) % 5 - 2) if name == "noise" else 0)
            + 0.001 * ((seed + place) % 3),
            generator=name,
            seed=seed,
        )
        for place, (name, gain) in enumerate(gains.items())
        for seed in range(draws)
    ]
    return build_report(records, store="results")


def by_json(report: Report) -> dict[tuple[str, str], dict]:
    rows = json.loads(render_report(report, "json"))["gains"]
    return {(row["generator"], row["over"]): row for row in rows}


def shown_pairs(table: ReportTable) -> list[tuple[str, str]]:
    """Each judged arm over no samples and over its rival."""
    return [
        (gain.cell.arm.generator.name, gain.control)
        for arm in table.judged
        for gain in (arm["none"], rival_of(arm))
        if gain
    ]


def written(row: dict) -> str:
    """A row of JSON as screens write it: ``+5.0 [+4.0, +6.0]``."""

    def number(value: float) -> str:
        text = f"{round(value, 1) + 0.0:+.1f}".replace("-", "−")
        return "0.0" if text == "+0.0" else text

    if row["low"] is not None:
        return f"{number(row['gain'])} [{number(row['low'])}, {number(row['high'])}]"
    return f"{number(row['gain'])} ({number(row['smallest'])} to {number(row['largest'])})"


def drawn_ends(axes: Axes, y: float) -> tuple[float, float]:
    """The smallest and the largest place of what a chart draws at one height, but for its mark."""
    lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
    (xs,) = (line.get_xdata() for line in lines if set(line.get_ydata()) == {y})
    return min(xs), max(xs)


def ends(row: dict) -> tuple[float, float]:
    """What stands beside the mean of a row of JSON."""
    if row["low"] is not None:
        return row["low"], row["high"]
    return row["smallest"], row["largest"]


def of_compare(report: Report, generator: str, over: str) -> tuple[str, str, float | None]:
    """What ``hsiaug compare`` finds of an arm over a control: word, numbers and p."""
    (pairing,) = compare_arms(report, f"{over}/svm", f"{generator}/svm").pairings
    gain = pairing.gain
    return gain.main.shown, with_ends(gain.mean, gain.main.ends), gain.main.p_corrected


@pytest.mark.parametrize("draws", [3, 12])
def test_all_say_one_comparison(draws: int) -> None:
    report = measured(draws)
    (table,) = report.tables
    rows = by_json(report)
    pairs = shown_pairs(table)
    assert len(pairs) == 6
    words = {rows[pair]["shown"] for pair in pairs}
    assert words == ({"too few draws"} if draws < MIN_PAIRS else {"above", "below", "open"})
    for pair in pairs:
        assert (rows[pair]["low"] is None) == (draws < MIN_PAIRS)

    console = Console(file=io.StringIO(), width=160, color_system=None)
    print_report(report, console)
    terminal = " ".join(console.file.getvalue().split())
    page = parsed(render_html(report))
    cells = [" ".join(cell.text.split()) for cell in page.all("td")]
    drawn = picture_named(page, "over no samples and over the rival")
    figure = figure_of(report, "generator")
    (axes, *_) = figure.subfigs[0].axes
    files = csv.DictReader(io.StringIO(render_report(report, "csv", by="gain")))
    in_file = {(found["generator"], found["over"]): found for found in files}
    for generator, over in pairs:
        row = rows[generator, over]
        word = "" if row["shown"] == "too few draws" else f"{row['shown']} "
        assert f"{word}{written(row)}" in terminal
        assert f"{word}{written(row)}" in cells
        mean = written(row).split()[0]
        tested = f"; {p_said(row['p_corrected'])}" if draws >= MIN_PAIRS else ""
        said = f"over {over} {mean}: {row['shown']}{tested}"
        assert said in drawn
        places = [text.xy[1] for text in axes.texts if text.get_text() == said]
        assert any(drawn_ends(axes, y) == pytest.approx(ends(row)) for y in places)
        found = in_file[generator, over]
        assert found["shown"] == row["shown"]
        assert float(found["gain"]) == pytest.approx(row["gain"])
        low, high = ("low", "high") if row["low"] is not None else ("smallest", "largest")
        assert (float(found[low]), float(found[high])) == pytest.approx(ends(row))
        assert bool(found["low"]) == (row["low"] is not None)
        p = float(found["p_corrected"]) if found["p_corrected"] else None
        assert p == pytest.approx(row["p_corrected"])
        assert of_compare(report, generator, over) == (
            row["shown"],
            written(row),
            row["p_corrected"],
        )


def unmarked(text: str) -> str:
    """Without what Markdown and LaTeX escape."""
    return " ".join(text.replace("$", "").replace("\\", "").split())


@pytest.mark.parametrize("draws", [3, 12])
@pytest.mark.usefixtures("blank_pictures")
def test_each_p_stands_with_the_name_of_its_comparison(draws: int) -> None:
    """Over none, and over the rival, which decides besides none: of every arm that is judged, in
    every form.
    """
    report = measured(draws)
    rows = by_json(report)
    texts = [render_report(report, form, by="gain") for form in ("md", "tex", "rich")]
    cells = [" ".join(cell.text.split()) for cell in parsed(render_html(report)).all("td")]
    rivals = {pair: row for pair, row in rows.items() if row["rival"] and pair[0] != "duplicate"}
    assert len(rivals) == 3
    table = render_report(report, "md", by="gain")
    lines = [unmarked(line).split(" | ") for line in table.splitlines() if line.startswith("| ")]
    header = lines[0]
    for (generator, rival), row in rivals.items():
        of_none, of_rival = (
            p_text(rows[generator, "none"]["p_corrected"]),
            p_text(row["p_corrected"]),
        )
        (found,) = [line for line in lines if line[1] == generator]
        assert found[header.index("p over none")] == of_none
        assert found[header.index("p over rival")] == f"{of_rival} ({rival})"
        printed = of_rival.replace("–", "--")
        assert f"{of_rival} ({rival})" in cells
        for text in texts:
            assert "p over none" in text and "p over rival" in text
            assert (
                f"{of_rival} ({rival})" in (said := unmarked(text))
                or f"{printed} ({rival})" in said
            )


def test_the_trials_of_csv_give_the_gains_of_json() -> None:
    report = measured(12)
    (table,) = report.tables
    trials = [*csv.DictReader(io.StringIO(render_report(report, "csv")))]
    key = table.scores.main.key
    score = {(t["generator"], t["seed"]): float(t[key]) for t in trials if t["classifier"] == "svm"}
    for (generator, over), row in by_json(report).items():
        differences = [
            100 * (score[generator, seed] - score[over, seed])
            for name, seed in score
            if name == generator
        ]
        assert sum(differences) / len(differences) == pytest.approx(row["gain"])
        assert [min(differences), max(differences)] == pytest.approx(
            [row["smallest"], row["largest"]]
        )


def test_the_csv_of_gains_has_the_rows_of_json() -> None:
    report = measured(12)
    rows = [*csv.DictReader(io.StringIO(render_report(report, "csv", by="gain")))]
    found = {(row["generator"], row["over"]): row for row in rows}
    assert set(found) == set(by_json(report))
    rivals = {row["generator"]: row["over"] for row in rows if row["rival"] == "True"}
    assert rivals == {"smote": "duplicate", "mixup": "duplicate", "noise": "duplicate"}


def test_pictures_have_the_arms_in_one_order() -> None:
    report = build_report(benchmark(7), store="results")
    (panel, *_) = figure_of(report, "generator").subfigs[0].axes
    card = [label.get_text().replace("\n", " ") for label in panel.get_yticklabels()]
    arms = [name.rpartition(", ")[0] for name in card]
    gains = figure_of(report, "gain").subfigs[0].axes[0]
    assert [label.get_text() for label in gains.get_yticklabels()] == [*dict.fromkeys(arms)]


def test_words_stand_beside_the_bars_where_there_is_room() -> None:
    """Of several scenes, and in a column of a paper, there is none."""
    one = measured(7)
    scenes = [r for scene in ("one", "two") for r in benchmark(7, scene=scene)]
    cards = (figure_of(one, "generator"), figure_of(one, "generator", 1))
    several = figure_of(build_report(scenes, store="results"), "generator")
    for card, place in zip((*cards, several), (1, 0, 0), strict=True):
        texts = [text for axes in card.subfigs[0].axes for text in axes.texts]
        assert texts and {text.xy[0] for text in texts} == {place}


@pytest.mark.usefixtures("blank_pictures")
def test_no_sign_stands_for_a_word() -> None:
    report = build_report(benchmark(7), store="results")
    texts = [render_report(report, format) for format in ("md", "tex", "rich", "json")]
    for text in [*texts, render_html(report)]:
        assert not re.search("[▲▼△▽○◇≈]|bigtriang", text)


def test_a_yes_of_some_classifiers_says_of_how_many() -> None:
    records = [
        record(0.5, 0.5 + gain + 0.01 * seed, generator=name, classifier=by, seed=seed)
        for by, better in (("svm", 0.05), ("cnn2d", 0.0), ("rf", 0.0))
        for name, gain in (("none", 0.0), ("duplicate", 0.001), ("smote", better))
        for seed in range(7)
    ]
    answers = json.loads(render_report(build_report(records), "json"))["tables"][0]["answers"]
    assert answers["text"][0].startswith(
        "1 Better than no samples? YES, with 1 of 3 classifiers. smote: "
    )
    assert answers["text"][2].endswith(
        "Classifiers: cnn2d, rf, svm. Chosen on these draws; to quote, run it alone with"
        " --seeds 400-406 --store fresh-draws."
    )


def test_an_arm_over_its_baseline_has_one_interval_wherever_the_two_are_compared() -> None:
    records = [
        record(
            0.6,
            0.5 + gain + 0.01 * ((seed + place) % 4) + 0.002 * seed,
            generator=name,
            omega=omega,
            seed=seed,
        )
        for place, (name, omega, gain) in enumerate(
            [("none", None, 0.0), ("duplicate", None, 0.01), ("gaussian", None, 0.02)]
            + [("txt2hsi", omega, 0.03 + 0.01 * omega) for omega in (0.0, 1.0, 3.0)]
        )
        for seed in range(8)
    ]
    for one in records:
        if one["spec"]["generator"]["name"] == "txt2hsi":
            one["baseline"] = "gaussian"
    (table,) = build_report(records, store="results").tables
    added = over_baseline(table.cells, table.scores)

    assert len(added) == 3
    for gain in added:
        assert gain.control_cell is not None
        compared = between(table.every_cell, table.scores, gain.cell, gain.control_cell)
        assert (
            compared.main.ends == gain.main.ends
            and compared.main.p_corrected == gain.main.p_corrected
        )
