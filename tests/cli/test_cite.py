"""``hsiaug cite``: what a paper says of a benchmark, and BibTeX of what it used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hsiaug
from hsiaug.report import build_report
from hsiaug.report.bibtex import bibtex, software
from hsiaug.report.methods_text import methods_paragraph
from hsiaug.trial.hashing import short_hash
from hsiaug.trial.store import Store
from tests.in_process import run_trials_here
from tests.report.report_records import benchmark, fill
from tests.strangers import hsiaug as command


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        folder = tmp_path_factory.mktemp("cite") / "store"
        hsiaug.benchmark(
            "indian_pines", ["smote"], ["svm"], lambdas=[0.5, 1], draws=2, store=folder, jobs=1, progress=False
        )
        return folder


def test_the_paragraph_says_what_the_records_hold(store: Path) -> None:
    report = hsiaug.read_store(store).report
    (table,) = report.tables
    said = methods_paragraph(table)
    train = {audit["n_train"] for audit in table.splits.values()}
    assert "smote with svm on the scene indian_pines of 16 classes" in said
    assert "2 draws (seeds 0, 1) of the protocol issd:0.05" in said and all(str(n) in said for n in train)
    assert "λ = 0.5 and 1; the controls were none and duplicate" in said
    assert "0.0 % of the test pixels lie inside a 9×9 training patch" in said and "leak" not in said
    assert f"hsiaug {hsiaug.__version__}" in said and "Wilcoxon" in said and "failed" not in said


def test_the_command_writes_paragraph_and_entries_by_the_ending(store: Path, tmp_path: Path) -> None:
    done = command("cite", "--store", str(store))
    assert done.returncode == 0, done.stderr
    keys = re.findall(r"^@misc\{([^,]+),", done.stdout, re.MULTILINE)
    assert keys[:2] == ["hsiaug", "indian_pines"] and {"smote", "svm"} <= {*keys}
    assert "doi = {10.1613/jair.953}" in done.stdout and "eprint = {1106.1813}" in done.stdout

    assert command("cite", "--store", str(store), "--out", str(tmp_path / "all.bib")).returncode == 0
    assert (tmp_path / "all.bib").read_text().startswith("@misc{hsiaug,")
    assert command("cite", "--store", str(store), "--out", str(tmp_path / "all.md")).returncode == 0
    assert (tmp_path / "all.md").read_text().startswith("We measured smote")
    refused = command("cite", "--store", str(store), "--out", str(tmp_path / "all.docx"))
    assert refused.returncode == 2 and "all.docx" in refused.stderr and not (tmp_path / "all.docx").exists()


def test_texts_of_a_record_are_no_markup_and_act_on_no_terminal(tmp_path: Path) -> None:
    hostile = "\x1b[31m<script>alert(1)</script>\u202e"
    records = benchmark(3)
    for record in records:
        record["spec"]["scene"]["name"] = record["environment"]["processor"] = hostile
        record["hash"] = short_hash(record["spec"])
    store = fill(tmp_path / "store", records)
    assert len(Store(store).read().records) == len(records)

    for name in ("all.md", "all.txt", "all.bib"):
        made = command("cite", "--store", str(store), "--out", str(tmp_path / name))
        assert made.returncode == 0, made.stderr
        text = (tmp_path / name).read_text()
        assert "\x1b" not in text and "\u202e" not in text
        assert name != "all.md" or not re.search(r"(?<!\\)<", text)


def test_a_store_without_a_record_has_nothing_to_cite(tmp_path: Path) -> None:
    (tmp_path / "empty" / "records").mkdir(parents=True)
    refused = command("cite", "--store", str(tmp_path / "empty"))
    assert refused.returncode == 2 and "Traceback" not in refused.stderr


def test_sources_keep_their_letters_and_give_up_none_to_latex() -> None:
    entry = bibtex("a b", "Mäkinen & Xu, 100 % of_it {now}, Nature 1, 2019, doi:10.1000/x_y.1.")
    assert entry.startswith("@misc{a-b,") and r"Mäkinen \& Xu, 100 \% of\_it \{now\}" in entry
    assert "doi = {10.1000/x_y.1}" in entry and "year = {2019}" in entry and "eprint" not in entry
    assert "version = {0.1.0, 0.2.0}" in software(["0.1.0", "0.2.0"])
    assert build_report([]).tables == ()
