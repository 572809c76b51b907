"""What the tables say, in every format."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest
from report_records import benchmark, failure, record
from rich.console import Console

from hsiaug.base.errors import InputError, StoreError
from hsiaug.report import FORMATS, build_report, print_report, render_report
from hsiaug.report.render import markdown_text
from hsiaug.report.sections import table_views
from tests.latex import compile_latex, need_latex, overfull

pytestmark = pytest.mark.usefixtures("blank_pictures")

LEAKY = ("random", "0.1", "none")


def markdown(records: list[dict], by: str = "generator") -> str:
    return render_report(build_report(records, store="results"), format="md", by=by)


def rows(text: str, heading: str) -> list[dict[str, str]]:
    """The Markdown table below a heading, as dictionaries."""
    lines = text.split(f"### {heading}", 1)[1].strip().splitlines()
    cells = [
        [c.strip(" *") for c in line.strip("|").split("|")]
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
    text = markdown([record(), record(generator="duplicate"), *old, new])
    table = rows(text.replace("## Accuracy in %", "### Accuracy"), "Accuracy")
    told = {row["generator"]: row["AA"] for row in table if row["generator"].startswith("txt2hsi")}
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


@pytest.mark.parametrize("document", ["article", "IEEEtran"])
@pytest.mark.parametrize("by", ["classifier", "class"])
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
    head = (
        rf"\documentclass{{{document}}}\usepackage{{array,booktabs}}\usepackage[utf8]{{inputenc}}"
    )
    (tmp_path / "paper.tex").write_text(head + r"\begin{document}\input{tables}\end{document}")
    log = compile_latex(tmp_path / "paper.tex")
    assert max(overfull(log), default=0) < 1


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("by", table_views())
def test_failures_alone_still_make_a_report(format: str, by: str) -> None:
    lost = failure(type="WorkerDied", seed=1)
    lost |= {"class_names": [], "audit": None, "scope": None, "timings": {}}
    assert render_report(build_report([lost]), format, by).endswith("\n")
    assert render_report(build_report([]), format, by).endswith("\n")


def test_a_classifier_far_above_all_others_is_to_be_checked() -> None:
    def screen(records: list[dict]) -> str:
        return " ".join(render_report(build_report(records), "rich", notes=False).split())

    cheats = [record(0.99, 0.99, generator="none", classifier="cheat", seed=s) for s in range(5)]
    assert "above every other" not in screen(benchmark())
    told = screen([*benchmark(), *cheats])
    assert re.search(r"cheat is \d+ points above every other classifier: check it", told)


def test_an_unknown_view_or_format_is_met_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="Did you mean classifier"):
        render_report(build_report([]), by="classifer")
    with pytest.raises(InputError, match="Did you mean json"):
        render_report(build_report([]), format="jsn")


def test_records_in_any_order_give_the_same_report() -> None:
    records = [*benchmark(6), failure(seed=9)]
    # The page of equal records is compared elsewhere.
    for format in (name for name in FORMATS if name != "html"):
        forwards, backwards = (
            render_report(build_report(r), format) for r in (records, records[::-1])
        )
        assert forwards == backwards


def test_markdown_escapes_no_sign_that_it_would_print_as_it_is() -> None:
    texts = ("< 1 point", "[ ]: 95 %", "a<b>", "[ ](x)", "[a]: b")
    escaped = ["< 1 point", "[ ]: 95 %", r"a\<b\>", r"[ \](x)", r"[a\]: b"]
    assert [markdown_text(text) for text in texts] == escaped
