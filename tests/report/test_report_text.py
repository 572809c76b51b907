"""What the tables say, in every format."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest
from report_records import audit_of, benchmark, failure, record
from rich.console import Console

from hsiaug.base.errors import InputError, StoreError
from hsiaug.report import FORMATS, build_report, print_report, render_report
from hsiaug.report.paper import methods_paragraph
from hsiaug.report.render_text import markdown_text
from hsiaug.report.section import without_parts
from hsiaug.report.sections import table_views
from hsiaug.report.views import report_sections
from tests.latex import compile_latex, need_latex, overfull

pytestmark = pytest.mark.usefixtures("blank_pictures")

LEAKY = ("random", "0.1", "none")


def markdown(records: list[dict], by: str = "generator") -> str:
    return render_report(build_report(records, store="results"), format="md", by=by)


def rows(text: str, heading: str) -> list[dict[str, str]]:
    """The Markdown table below a heading, as dictionaries."""
    lines = text.split(f"### {heading}", 1)[1].strip().splitlines()
    cells = [
        [c.strip(" *") for c in line.strip("|").split(" | ")]
        for line in lines
        if line.startswith("|")
    ]
    cells = cells[
        : next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    ]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def on_terminal(records: list[dict], by: str = "generator", width: int = 100) -> str:
    out = io.StringIO()
    print_report(build_report(records), Console(file=out, width=width, color_system=None), by=by)
    return out.getvalue()


@pytest.mark.parametrize("by", ["summary", *table_views()])
def test_notes_explain_the_columns_that_stand_there_and_no_others(by: str) -> None:
    explained = {
        "pairs": "The column pairs counts",
        "p over none": "p: two-sided sign-flip test",
        "verdict": "Verdicts, on ",
        "κ": "κ × 100",
        "over its rival": "over: difference in percentage points from a control",
    }
    sections = report_sections(build_report(benchmark(7)), by)
    (notes,) = (" ".join(one.notes) for one in sections if one.notes)
    section = without_parts(sections)[0]
    columns = {column.header for grid in section.tables for column in grid.columns}
    assert {one for one, words in explained.items() if words in notes} == columns & {*explained}


def test_scores_stand_in_percent_with_one_decimal() -> None:
    table = rows(markdown([record(0.482, 0.40, seed=0), record(0.544, 0.42, seed=1)]), "Accuracy")
    assert table == [
        {
            "generator": "none",
            "λ": "–",
            "svm OA": "51.3 ± 4.4",
            "svm AA": "41.0 ± 1.4",
            "svm κ": "41.3 ± 4.4",
        }
    ]


def test_one_draw_has_no_std() -> None:
    assert rows(markdown([record(0.482, 0.4)]), "Accuracy")[0]["svm OA"] == "48.2"


def test_gains_are_signed_points_against_both_controls() -> None:
    table = rows(markdown(benchmark(5)), "Gain over the controls")
    smote = next(row for row in table if row["generator"] == "smote" and row["classifier"] == "svm")
    assert [
        smote[k] for k in ("vs none ΔAA", "vs none ΔOA", "vs duplicate ΔAA", "vs duplicate ΔOA")
    ] == [
        "+6.0",
        "+6.0",
        "+4.0",
        "+4.0",
    ]
    assert (smote["pairs"], smote["verdict"]) == ("5", "too few draws (5: at least 6 are needed)")


def test_a_loss_and_a_draw_are_written_as_such() -> None:
    text = markdown([record(0.5, 0.5), record(0.45, 0.5, generator="smote")])
    assert rows(text, "Gain over the controls")[0]["vs none ΔAA"] == "0.0"
    assert rows(text, "Gain over the controls")[0]["vs none ΔOA"] == "−5.0"


def test_five_draws_cannot_reach_05_and_the_caption_says_so_once() -> None:
    text = markdown(benchmark(5), by="classifier")
    assert text.count("With n=5 no p below .05 is possible") == 1
    assert {row["p over none"] for row in rows(text, "Every metric, and the tests on AA")} == {"–"}


def test_enough_draws_give_corrected_p() -> None:
    table = rows(markdown(benchmark(9), by="classifier"), "Every metric, and the tests on AA")
    smote = next(row for row in table if row["generator"] == "smote")
    assert (
        smote["p over none"] == smote["p over duplicate"] == ".004"
    )  # 2 / 2**9, whatever the number of arms
    assert smote["AA, 95 % interval or range"] == "[51.7, 64.3]"


def test_failed_trials_are_named_above_the_table() -> None:
    bad = [failure(generator="smote", lam=0.5, seed=s, message="NaN in\nband 3") for s in (3, 4)]
    text = markdown([*benchmark(5), *bad])
    said = text.split("###")[0]
    assert "**2 of 47 trials failed:**" in said
    assert (
        "- 2 × PluginError in sample: NaN in. In smote λ=0.5 with svm (seeds 3, 4). "
        f"See it whole: hsiaug show {bad[0]['hash']} --store results" in said
    )
    assert next(r for r in rows(text, "Accuracy") if r["λ"] == "0.5")["svm OA"] == "failed"


def test_a_cell_with_fewer_draws_says_how_many() -> None:
    table = rows(
        markdown([record(seed=0), record(seed=1), record(generator="smote", seed=1)]), "Accuracy"
    )
    assert [row["svm n"] for row in table] == ["2", "1"]


def test_a_leaky_protocol_says_so_in_the_title_of_every_format() -> None:
    records = benchmark(2, protocol=LEAKY)
    for r in records:
        r["audit"] = audit_of(r["spec"]["seed"], leaky=True, centre_overlap_percent=99.6)
    report = build_report(records)
    assert render_report(report, "md").startswith("## LEAKY: indian-pines, random:0.1, no buffer")
    assert r"\caption{\textbf{LEAKY: indian-pines" in render_report(report, "tex")
    assert render_report(report, "rich").lstrip().startswith("LEAKY: indian-pines")
    assert json.loads(render_report(report, "json"))["tables"][0]["leaky"] is True
    assert {row["leaky"] for row in csv.DictReader(io.StringIO(render_report(report, "csv")))} == {
        "True"
    }
    assert "99.6 % of test pixels lie in a 9×9 training patch" in render_report(report, "md")


def test_the_audit_tells_how_many_samples_each_lambda_made() -> None:
    few, many = (record(generator="smote", lam=1.0, seed=s) for s in (0, 1))
    few["samples"]["synthetic"] = [1, 0, 1]
    line = "- **added**: samples for training, λ=1: 9 (2–16) beside 20 real; λ=3: 16 beside 20 real"

    assert line in markdown([record(), few, many, record(generator="mixup", lam=3.0)])
    assert "**added**" not in markdown([record()])


def test_generators_that_made_other_numbers_of_samples_are_told_apart() -> None:
    records = benchmark(2, ("none", "duplicate", "mixup", "smote"), ("svm",))
    for one in records:
        generator, seed = one["spec"]["generator"]["name"], one["spec"]["seed"]
        made = {"none": 0, "duplicate": 5, "mixup": 30, "smote": 40}[generator]
        one["samples"] = {"real": [10 + 2 * seed], "synthetic": [made * (1 + seed)]}
    # A draw of one arm alone weighs no more than others.
    records.append(record(generator="mixup", classifier="cnn2d"))
    records[-1]["samples"] = {"real": [10], "synthetic": [30]}
    made = "45 (30–60) of mixup and 60 (40–80) of smote"
    text = markdown(records)
    assert f"- **added**: samples for training, λ=1: {made} beside 11 (10–12) real\n" in text
    assert f"samples added to 11 (10–12) real: {made} (λ=1)." in text
    said = methods_paragraph(build_report(records).tables[0])
    assert f"which added {made} to 11 (10–12) real samples;" in said


def test_the_audit_tells_what_the_split_cost() -> None:
    records = benchmark(3)
    for r in records:
        if r["spec"]["seed"] == 1:
            r["audit"] = audit_of(1, lost_classes=[3], patch_overlap_percent=20.0)
        else:
            r["audit"] = audit_of(r["spec"]["seed"], test_counts=[40, 30, 24], thin_classes=[])
    text = markdown(records)
    assert "- **pixels**: train 20, test 101 (100–102), left out 30" in text
    assert "the patch of 15.0 (12.5–20.0) % shares a pixel with one" in text
    assert "- **lost classes**: oats (seed 1): no test pixel" in text
    assert "- **thin classes**: oats (seeds 0, 2): fewer than 25 test pixels" in text
    assert "- **untrained classes**: none" in text
    assert "not leaky by its audit" in text and "- **unlabelled pixels**: inductive" in text


def test_accuracy_without_spectra_comes_from_coords_with_no_generator() -> None:
    text = markdown([*benchmark(2), record(0.99, 0.99, classifier="coords", generator="smote")])
    assert "reaches OA 30.0 ± 0.0, AA 25.5 ± 0.7 (n=2)" in text and "coords OA" not in text
    assert "not measured" in markdown([record()])


def test_transductive_arms_are_named() -> None:
    seen = record(generator="specdm", omega=1.5)
    seen |= {"scope": {"generator": "scene", "classifier": "none"}, "transductive": True}
    text = markdown([record(), seen])
    assert (
        "**TRANSDUCTIVE: specdm learned from unlabelled pixels of the whole scene, test pixels too.**"
        in text
    )
    assert "ω: eps = (1+omega)" in text and rows(text, "Accuracy")[1]["ω"] == "1.5"


def test_every_table_leads_to_its_records() -> None:
    text = markdown(benchmark(2))
    assert (
        "hashes: hsiaug report --store results --by seed; how to run one again: hsiaug show HASH"
        " --store results" in text
    )
    spaced = render_report(build_report([record()], store="my results"))
    assert "hsiaug report --store 'my results' --by seed" in spaced


def test_recall_per_class_is_over_the_draws_that_have_test_pixels() -> None:
    records = [
        record(seed=0, recall=[0.5, 0.2, None], audit=audit_of(0, test_counts=[4, 0, 0])),
        record(seed=1, recall=[0.7, None, None], audit=audit_of(1, test_counts=[6, 9, 0])),
    ]
    text = markdown(records, by="class")
    table = rows(text, "Recall per class, svm")
    assert [row["none recall"] for row in table] == ["60.0 ± 14.1", "20.0 (n=1)", "not evaluable"]
    assert [row["test n"] for row in table] == ["4–6", "0–9", "0"]
    assert [row["class"] for row in table] == ["1 alfalfa", "2 corn_notill", "3 oats"]


def test_by_seed_lists_every_trial_with_its_hash() -> None:
    records = [*benchmark(2), failure(generator="smote", lam=0.5)]
    table = rows(markdown(records, by="seed"), "Trials")
    assert sorted(row["hash"] for row in table) == sorted(r["hash"] for r in records)
    assert [row["OA"] for row in table if row["status"] == "failed"] == ["–"]
    assert {row["seconds"] for row in table} == {"1.2"}


def test_a_metric_that_is_missing_is_left_out_of_its_mean() -> None:
    text = markdown([record(seed=0), record(math.nan, 0.5, seed=1)])
    assert rows(text, "Accuracy")[0]["svm OA"] == "50.0 (n=1)"


def test_a_seed_that_drew_different_pixels_is_told() -> None:
    text = markdown([record(), record(generator="smote", audit=audit_of(0, sha256="other"))])
    assert "Different pixels were drawn in different trials by seed 0" in text
    assert "Run them again in a new store" in text


def test_records_of_parameters_that_a_plugin_no_longer_has_are_reported_beside_new_ones() -> None:
    old = [
        record(
            0.6,
            0.5,
            generator="txt2hsi",
            version="5",
            generator_params={"surplus": n, "steps": 200},
        )
        for n in (1.0, 2.0)
    ]
    new = record(0.6, 0.55, generator="txt2hsi", version="6", generator_params={"steps": 200})
    table = rows(markdown([record(), record(generator="duplicate"), *old, new]), "Accuracy")
    told = {
        row["generator"]: row["svm AA"] for row in table if row["generator"].startswith("txt2hsi")
    }
    assert told == {
        "txt2hsi v5 surplus=1.0": "50.0",
        "txt2hsi v5 surplus=2.0": "50.0",
        "txt2hsi v6 surplus unset": "55.0",
    }


def test_a_parameter_that_json_cannot_hold_is_refused_for_no_trial_could_have_had_it() -> None:
    with pytest.raises(StoreError, match="not JSON compliant"):
        build_report([record(0.5, 0.5, generator="smote", generator_params={"limit": math.inf})])


def test_json_is_strict_and_has_the_rows_of_trials_and_of_gains() -> None:
    records = [
        *benchmark(6),
        failure(seed=9),
        record(math.nan, 0.5, generator="smote", generator_params={"k": 3}),
    ]

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(render_report(build_report(records), "json"), parse_constant=refuse)
    assert sorted(trial["hash"] for trial in found["trials"]) == sorted(r["hash"] for r in records)
    (failed,) = (trial for trial in found["trials"] if trial["status"] == "failed")
    assert failed["aa"] is None and failed["error_type"] == "PluginError"
    gains = [row for row in found["gains"] if (row["generator"], row["over"]) == ("mixup", "none")]
    assert len(gains) == 2 and all(
        row["gain"] == pytest.approx(4) and row["draws"] == 6 for row in gains
    )


def test_csv_has_one_row_per_trial() -> None:
    records = [*benchmark(2), failure(seed=7, message='a "quoted", long\nmessage')]
    table = list(csv.DictReader(io.StringIO(render_report(build_report(records), "csv"))))
    assert sorted(row["hash"] for row in table) == sorted(r["hash"] for r in records)
    (failed,) = (row for row in table if row["status"] == "failed")
    assert (failed["oa"], failed["error_message"]) == ("", 'a "quoted", long message')


def test_csv_by_class_has_one_row_per_trial_and_class() -> None:
    text = render_report(build_report([record(recall=[0.5, None, 0.25])]), "csv", by="class")
    table = list(csv.DictReader(io.StringIO(text)))
    assert [(r["class_name"], r["recall"], r["synthetic_n"]) for r in table] == [
        ("alfalfa", "0.5", "7"),
        ("corn_notill", "", "0"),
        ("oats", "0.25", "9"),
    ]


@pytest.mark.parametrize("by", table_views())
def test_latex_is_balanced_and_escaped(by: str) -> None:
    bad = failure(generator="smote_b", message=r"50% of $x_1 & C:\tmp #3 {~^} 面 → --flag", lam=0.5)
    text = render_report(build_report([*benchmark(6), bad]), "tex", by=by)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert re.findall(r"(?<!\\)[%#_^~]", body) == []
    assert body.isascii()
    plain = re.sub(r"\\[{}$&%#_]", "", body)
    assert plain.count("{") == plain.count("}") and plain.count("$") % 2 == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", body):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []


def tabulars(text: str) -> list[tuple[int, list[str]]]:
    """Of every tabular, its number of columns and its rows."""
    found = []
    for content in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        spec, *lines = content.splitlines()
        columns = re.sub(r"[@>]\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|(?<=p)\{[^{}]*\}", "", spec[1:-1])
        assert re.fullmatch("[lrp]+", columns), spec
        found.append((len(columns), [line for line in lines if line.endswith(r"\\")]))
    return found


@pytest.mark.parametrize("by", table_views())
def test_every_row_of_a_latex_table_has_as_many_cells_as_columns(by: str) -> None:
    tables = tabulars(render_report(build_report(benchmark(6)), "tex", by=by))
    assert tables
    for columns, lines in tables:
        for line in lines:
            spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
            assert len(re.findall(r"(?<!\\)&", line)) + 1 + spans == columns


def test_a_part_of_a_latex_table_has_no_row_without_an_entry_and_says_so() -> None:
    bare = [record(classifier="teacher", seed=seed) for seed in range(6)]
    text = render_report(build_report([*benchmark(6), *bare]), "tex")
    accuracy = [part for part in text.split(r"\begin{table*}") if ". Accuracy." in part]
    (of_teacher,) = (part for part in accuracy if "{teacher}" in part)
    ((_, lines),) = tabulars(of_teacher)
    assert [line.split(" & ")[0] for line in lines[-1:]] == ["none"]
    assert not any("smote" in line for line in lines)
    assert [part for part in accuracy if "Rows without an entry" in part] == [of_teacher]


def test_a_latex_table_marks_the_highest_mean_of_each_column_and_says_so() -> None:
    text = render_report(build_report(benchmark(3, gain=0.02)), "tex")
    accuracy = text.split(r"\label{tab:hsiaug-1-1}")[1].split(r"\end{table*}")[0]
    table = build_report(benchmark(3, gain=0.02)).tables[0]
    for classifier in table.classifiers:
        best = max(cell.summary("aa").mean for cell in table.cells_of(classifier))
        assert rf"\textbf{{{100 * best:.1f}}}" in accuracy
    assert "Bold: the best mean of a column" in text and text.count(r"\label{") == len(
        tabulars(text)
    )
    assert len(set(re.findall(r"\\label\{(.*?)\}", text))) == text.count(r"\label{")


@pytest.mark.parametrize("document", ["article", "IEEEtran", "[onecolumn]{IEEEtran}"])
@pytest.mark.parametrize("by", ["generator", "classifier", "class", "seed"])
def test_latex_runs_and_no_line_is_wider_than_the_text(
    tmp_path: Path, by: str, document: str
) -> None:
    need_latex()
    long = "a class of a very long name, " * 3
    bad = failure(generator="smote_b", message=r"50% of $x_1 & C:\tmp #3 {~^} 面 → --flag", lam=0.5)
    generators = ("none", "duplicate", "smote", *(f"maker-{n}" for n in range(15)))
    records = [*benchmark(6, generators, ("svm", "cnn2d", "self-training")), bad]
    for one in records:
        one["class_names"] = [long, *one["class_names"][1:]]
    (tmp_path / "tables.tex").write_text(render_report(build_report(records), "tex", by=by))
    kind = document if document.startswith("[") else f"{{{document}}}"
    head = rf"\documentclass{kind}\usepackage{{array,booktabs}}\usepackage[utf8]{{inputenc}}"
    (tmp_path / "paper.tex").write_text(head + r"\begin{document}\input{tables}\end{document}")
    log = compile_latex(tmp_path / "paper.tex")
    assert max(overfull(log), default=0) < 1


def test_rich_is_readable_at_100_columns() -> None:
    generators = ("none", "duplicate", "borderline-smote", "specdm")
    records = [*benchmark(8, generators, ("cnn2d", "svm")), *benchmark(8, ("specdm",), lam=0.5)]
    for by in table_views():
        text = on_terminal(records, by)
        assert "…" not in text and max(map(len, text.splitlines())) <= 100
    accuracy = on_terminal(records).split("Accuracy")[1].split("Gain")[0]
    assert all(accuracy.count(name) == 1 for name in ("cnn2d", "svm", "borderline-smote"))
    assert "66.5 ± 7.3" in accuracy


def test_a_narrow_terminal_parts_the_table_and_loses_nothing() -> None:
    text = on_terminal(benchmark(3), width=45)
    assert "…" not in text and max(map(len, text.splitlines())) <= 45
    accuracy = text.split("Gain over the controls")[0]
    assert accuracy.count("59.0 ± 3.0") == 2  # the OA of smote, once per classifier


@pytest.mark.parametrize(
    ("width", "smote"),
    [
        (80, "+ smote 54.5 above +4.0 [4.0,4.0] above +2.0 [2.0,2.0] duplicate"),
        (90, "+ smote 64.5 54.5 54.5 above +4.0 [4.0,4.0] above +2.0 [2.0,2.0] duplicate"),
        (
            120,
            "+ smote 64.5 ± 7.3 54.5 ± 7.3 54.5 ± 7.3 above +4.0 [+4.0, +4.0] above +2.0 [+2.0,"
            " +2.0] duplicate",
        ),
    ],
)
def test_twenty_arms_are_read_in_fifty_lines(width: int, smote: str) -> None:
    """A line for each arm and classifier, with accuracies, what it gains over no samples and over
    its rival, on a usual terminal.
    """
    names = (
        "none",
        "duplicate",
        "smote",
        "mixup",
        "noise",
        "cvae",
        "relight",
        "txt2hsi",
        "pseudo",
        "specdm",
    )
    records = benchmark(8, names, ("cnn2d", "filtered:svm"), lam=0.5)
    lines = [" ".join(line.split()) for line in on_terminal(records, "summary", width).splitlines()]

    assert smote in lines and len(lines) <= 53
    assert sum(bool(re.match(r"(\+ \S+|cnn2d|filtered:svm) \d", line)) for line in lines) == 20


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("by", table_views())
def test_failures_alone_still_make_a_report(format: str, by: str) -> None:
    lost = failure(type="WorkerDied", seed=1)
    lost |= {"class_names": [], "audit": None, "scope": None, "timings": {}}
    assert render_report(build_report([lost]), format, by).endswith("\n")
    assert render_report(build_report([]), format, by).endswith("\n")


def test_an_unknown_view_or_format_is_met_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="Did you mean classifier"):
        render_report(build_report([]), by="classifer")
    with pytest.raises(InputError, match="Did you mean json"):
        render_report(build_report([]), format="jsn")


def test_records_in_any_order_give_the_same_report() -> None:
    records = [*benchmark(6), failure(seed=9)]
    for format in FORMATS:
        forwards, backwards = (
            render_report(build_report(r), format) for r in (records, records[::-1])
        )
        assert forwards == backwards


def test_a_classifier_that_is_a_control_is_no_control_with_the_same_classifier() -> None:
    scope = {"generator": "scene", "classifier": "none"}
    records = [
        record(0.5, 0.4, generator=name, classifier=classifier, seed=seed) | {"scope": scope}
        for name, classifier in (("none", "svm"), ("txt2hsi", "svm"), ("none", "teacher"))
        for seed in range(2)
    ]
    of_same = "difference in percentage points from a control with the same classifier"
    assert f"{of_same} (but teacher, itself a classifier), paired" in markdown(records)
    assert f"{of_same}, paired" in markdown(benchmark(2))


def test_what_to_type_next_stands_on_a_terminal_alone() -> None:
    assert "Next: hsiaug report" in on_terminal(benchmark(2), by="summary")
    report = build_report(benchmark(2))
    assert [one for one in ("md", "tex") if "Next:" in render_report(report, one)] == []


def test_a_class_that_is_small_in_one_draw_is_said_to_be_so_in_some() -> None:
    records = [
        record(seed=seed, audit=audit_of(seed, test_counts=[40, 30, 24 + seed]))
        for seed in range(2)
    ]
    said = " ".join(on_terminal(records).split())
    assert "not oats (fewer than 25 test pixels in some draw)." in said


def test_markdown_escapes_no_sign_that_it_would_print_as_it_is() -> None:
    texts = ("< 1 point", "[ ]: 95 %", "a<b>", "[ ](x)", "[a]: b")
    escaped = ["< 1 point", "[ ]: 95 %", r"a\<b\>", r"[ \](x)", r"[a\]: b"]
    assert [markdown_text(text) for text in texts] == escaped
