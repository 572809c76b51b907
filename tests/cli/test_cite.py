"""``hsiaug cite``: what a paper says of a benchmark, and BibTeX of what it used."""

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import hsiaug
from hsiaug.bench import defaults
from hsiaug.data import fetch_scene, scene_card, scene_names
from hsiaug.registry.lookup import registry
from hsiaug.report import build_report
from hsiaug.report.bibtex import bibtex, entries_of, plain, software
from hsiaug.report.paper import methods_paragraph
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.store import Store
from tests.few_rounds import measure_few_rounds
from tests.in_process import hsiaug as command
from tests.in_process import run_trials_here
from tests.latex import compile_latex, need_latex
from tests.report.report_records import benchmark, fill, record


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        measure_few_rounds(patch)
        folder = tmp_path_factory.mktemp("cite") / "store"
        asked = {"lambdas": [0.5, 1], "times": 0, "draws": 2, "views": "raw"}
        hsiaug.benchmark(
            "indian_pines", ["smote"], ["svm"], store=folder, jobs=1, progress=False, **asked
        )
        return folder


def test_the_paragraph_says_what_the_records_hold(store: Path) -> None:
    report = hsiaug.read_store(store).report
    (table,) = report.tables
    said = methods_paragraph(table)
    train = {audit["n_train"] for audit in table.splits.values()}
    assert "smote with svm on the scene indian_pines of 16 classes" in said
    assert "2 draws (seeds 0, 1) of the protocol issd:0.05" in said and all(
        str(n) in said for n in train
    )
    assert "was λ = 0.5; λ = 1 (λ = 1 fills every class up to the largest one), which" in said
    assert "real ones (λ = 1); the controls were none and duplicate, on the same draws." in said
    assert "0.0 % of the test pixels lie inside a 9×9 training patch" in said and "leak" not in said
    assert f"hsiaug {hsiaug.__version__}" in said and "failed" not in said
    version = table.arms[-1].generator.version
    assert re.search(rf"Methods in the versions .*\bsmote {version}\b.*\bsvm \d", said)


def test_the_paragraph_of_the_default_command_says_its_settings(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        patch.chdir(tmp_path)
        report = hsiaug.benchmark("toy", ["gaussian"], ["svm"], seeds=1, progress=False)
    said = methods_paragraph(report.report.tables[0])

    assert "We measured gaussian with svm on the scene" in said
    assert "λ = 1, M = 3 (λ = 1 fills every class up to the largest one; M adds so many for" in said
    made = {
        (sum(one["samples"]["synthetic"]), sum(one["samples"]["real"]))
        for one in Store(tmp_path / defaults.STORE).records()
        if one["spec"]["generator"]["name"] == "gaussian"
    }
    [(synthetic, real)] = made
    assert f"which added {synthetic:,} to {real:,} real samples; the" in said
    assert "the controls were none, duplicate, pseudo and teacher, on the same draws" in said
    assert re.search(
        r"each added sample counts 0.05 with (pseudo and gaussian|gaussian and pseudo); all other"
        r" samples, real ones too, count 1\.",
        said,
    )
    entries = command("report", "--cite", "--store", str(tmp_path / defaults.STORE)).stdout
    assert "% Of these no paper is known" in entries
    assert {"gaussian", "pseudo", "teacher"} <= {*re.findall(r"^% ([\w-]+): ", entries, re.M)}
    assert "svm was given the spectral transform that cross-validation inside" in said
    assert re.search(r"than 10 points above unit\): [\w+]+ in 1 draw\. teacher was given raw", said)
    assert "teacher was given raw spectra of the whole scene, and transforms them itself." in said
    assert "The control classifier coords, which reads no spectrum, has AA (" in said
    assert re.search(
        r"AA \(\d of 5\) is the mean recall over the \d classes with at least 25", said
    )
    assert "Classes with fewer than 25 test pixels in some draw: Pond" in said and "1x3" not in said


def test_a_control_that_was_asked_for_beside_another_generator_is_no_method() -> None:
    said = said_of("none", "duplicate", "pseudo", "smote")
    assert "We measured smote with svm" in said
    assert "the controls were none and duplicate, on the same draws; pseudo ran too, and no" in said


def test_a_control_is_named_of_the_generators_that_it_is_a_control_of() -> None:
    scope = {"pseudo": "scene", "txt2hsi": "scene"}
    said = said_of("none", "duplicate", "pseudo", "smote", "txt2hsi", draws=6, scope=scope)
    assert "We measured smote and txt2hsi with svm" in said
    assert "controls were none and duplicate, on the same draws; of txt2hsi also pseudo." in said
    assert (
        "by the step-down max-T procedure separately for 3 comparisons over none, 4 over other controls"
        " and 1 of duplicate over none (arms of the control pseudo among them);" in said
    )


def test_the_source_of_a_scene_is_known_by_its_files_where_the_card_does_not_say_it(
    store: Path, tmp_path: Path
) -> None:
    (cube, labels) = fetch_scene("indian_pines")
    with contextlib.chdir(tmp_path):
        shutil.copy(cube, f"mine_cube{cube.suffix}")
        shutil.copy(labels, f"mine_labels{labels.suffix}")
        done = command(
            *("datasets", "add", f"mine_cube{cube.suffix}", "--out", "mine.toml"),
            *("--labels", f"mine_labels{labels.suffix}", "--no-catalogue"),
        )
        assert done.returncode == 0, done.stderr
        asked = {"draws": 1, "views": "raw", "patch": 3, "store": "own", "progress": False}
        hsiaug.benchmark("mine.toml", ["none"], ["svm"], **asked)
        done = command("report", "--cite", "--store", "own")
    assert "{indian_pines," in done.stdout.split("% mine")[1]


def test_the_command_writes_paragraph_and_entries_by_the_ending(
    store: Path, tmp_path: Path
) -> None:
    done = command("report", "--cite", "--store", str(store))
    assert done.returncode == 0, done.stderr
    keys = re.findall(r"^@(\w+)\{([^,]+),", done.stdout, re.MULTILINE)
    assert keys[:2] == [("misc", "hsiaug"), ("misc", "indian_pines")]
    assert {
        ("article", "chawla2002smote"),
        ("article", "cortes1995svm"),
        ("article", "melgani2004svm"),
    } <= {*keys}
    assert "% smote\n@article{chawla2002smote,\n  author = {Nitesh V. Chawla and " in done.stdout
    assert "doi = {10.1613/jair.953}" in done.stdout

    assert (
        command(
            "report", "--cite", "--store", str(store), "--out", str(tmp_path / "all.bib")
        ).returncode
        == 0
    )
    assert (tmp_path / "all.bib").read_text().startswith("% Needs ")
    assert (
        command(
            "report", "--cite", "--store", str(store), "--out", str(tmp_path / "all.md")
        ).returncode
        == 0
    )
    assert (tmp_path / "all.md").read_text().startswith("We measured smote")
    refused = command(
        "report", "--cite", "--store", str(store), "--out", str(tmp_path / "all.docx")
    )
    assert (
        refused.returncode == 2
        and "all.docx" in refused.stderr
        and not (tmp_path / "all.docx").exists()
    )


def test_texts_of_a_record_are_no_markup_and_act_on_no_terminal(tmp_path: Path) -> None:
    hostile = "\x1b[31m<script>alert(1)</script>\u202e"
    records = benchmark(3)
    for one in records:
        one["spec"]["scene"]["name"] = one["environment"]["processor"] = hostile
        one["hash"] = short_hash(one["spec"])
    store = fill(tmp_path / "store", records)
    assert len(Store(store).read().records) == len(records)

    for name in ("all.md", "all.txt", "all.bib"):
        made = command("report", "--cite", "--store", str(store), "--out", str(tmp_path / name))
        assert made.returncode == 0, made.stderr
        text = (tmp_path / name).read_text()
        assert "\x1b" not in text and "\u202e" not in text
        assert name != "all.md" or not re.search(r"(?<!\\)<", text)


def test_a_store_without_a_record_has_nothing_to_cite(tmp_path: Path) -> None:
    (tmp_path / "empty" / "records").mkdir(parents=True)
    refused = command("report", "--cite", "--store", str(tmp_path / "empty"))
    assert refused.returncode == 2 and "Traceback" not in refused.stderr


@pytest.mark.parametrize(("draws", "tested"), [(5, False), (6, True)])
def test_a_test_is_named_only_where_one_was_done(draws: int, tested: bool) -> None:
    said = said_of("none", "duplicate", "smote", draws=draws)
    assert ("max-T" in said) == tested == ("is said to help only" in said)
    assert tested or "none was tested, which takes 6 draws, and no gain is claimed" in said


def test_a_control_that_was_asked_for_is_named_and_so_is_who_reads_test_pixels() -> None:
    said = said_of("none", "duplicate", "pseudo", scope={"pseudo": "scene"})
    assert (
        "We measured pseudo with svm" in said and "the controls were none and duplicate, on" in said
    )
    assert "Transductive, reading unlabelled test pixels: pseudo." in said
    said = said_of(
        "none", "duplicate", "pseudo", "txt2hsi", scope={"pseudo": "scene", "txt2hsi": "scene"}
    )
    assert (
        "We measured txt2hsi with svm" in said
        and "the controls were none, duplicate and pseudo, on" in said
    )
    assert "unlabelled test pixels: pseudo and txt2hsi." in said


def said_of(*generators: str, draws: int = 2, scope: dict[str, str] | None = None) -> str:
    """The paragraph of invented records: a trial of each generator on each draw."""
    records = [
        record(generator=g, seed=seed)
        | {"scope": {"generator": (scope or {}).get(g, "none"), "classifier": "none"}}
        for g in generators
        for seed in range(draws)
    ]
    return methods_paragraph(build_report(records).tables[0])


def test_words_without_an_entry_become_a_note_that_gives_no_letter_to_latex() -> None:
    (entry,) = bibtex([("a b", "Mäkinen & Xu, 100 % of_it {now}, Nature 1, 2019")])
    assert (
        entry
        == "% a-b\n@misc{a-b,\n  note = {"
        + r"Mäkinen \& Xu, 100 \% of\_it \{now\}, Nature 1, 2019"
        + "},\n}"
    )


def test_third_party_plugins_give_entries_as_publishers_do_and_words_round_them() -> None:
    given = (
        'After @Article{ k1 , Author = "Ann {\\"O}st and Bo Xu", title={A {{GAN}} \\& b},\n '
        "journal = {J}, year = 2020,}; ours"
    )
    (entry,) = entries_of(given)
    assert entry.kind == "article" and entry.fields["title"] == r"A {{GAN}} \& b"
    assert entry.fields["year"] == "2020"
    assert plain(given) == "After Ann Öst and Bo Xu, A GAN & b, J, 2020; ours"
    other = "@misc{k1, title={Another}}"
    made = bibtex([("one", given), ("two", given), ("three", other)])
    assert [re.findall(r"^% (.*)|^@.*\{(.*),", text, re.MULTILINE) for text in made] == [
        [("one, two", ""), ("", "k1")],
        [("three", ""), ("", "k1-three")],
    ]


@pytest.mark.parametrize("accented", [r"{\'o}", r"\'{o}", r"\'o", r"{\'{o}}"])
def test_words_have_letters_in_place_of_accents_of_latex(accented: str) -> None:
    assert plain(f"@misc{{k, author={{J{accented}n}}}}") == "Jón"
    assert plain(r"@misc{k, author={Fran{\c c}ois, \v{S}ime}}") == "François, Šime"


def own_sources() -> list[tuple[str, str]]:
    """(name, source) of every built-in method that has one, and of every scene of the catalogue
    that is no toy.
    """
    plugins = [
        p.load().card
        for (kind, _), p in registry().plugins.items()
        if p.distribution == "hsiaug" and kind != "protocol"
    ]
    scenes = [scene_card(name) for name in scene_names()]
    return [(c.name, c.paper) for c in plugins if c.paper] + [
        (c.name, c.citation) for c in scenes if not c.procedural
    ]


@pytest.mark.parametrize(("name", "source"), own_sources(), ids=lambda value: value[:20])
def test_every_method_and_scene_has_whole_entries(name: str, source: str) -> None:
    entries = entries_of(source)
    assert len(entries) == source.count("@") >= 1
    for entry in entries:
        known = entry.fields
        venue = {"article": "journal", "inproceedings": "booktitle", "misc": "howpublished"}[
            entry.kind
        ]
        assert known["author"] and known["title"] and known[venue]
        year = int(known["year"])
        assert re.fullmatch(r"(19[5-9]|20[0-2])\d", known["year"])
        if re.search(r"\d{4}", entry.key):
            assert known["year"] in entry.key, "the key names the year"
        if doi := known.get("doi"):
            assert re.fullmatch(r"10\.\d{4,9}/[^\s{}]+", doi)
            assert all(
                0 <= year - int(n) <= 2
                for n in re.findall(r"[./(](19[5-9]\d|20[0-2]\d)(?=[./)])", doi)
            )
        if eprint := known.get("eprint"):
            assert re.fullmatch(r"\d{4}\.\d{4,5}", eprint) and known["archiveprefix"] == "arXiv"
            assert 0 <= year - 2000 - int(eprint[:2]) <= 2, (
                "the e-print is of that year or shortly before"
            )


def test_a_work_has_one_entry() -> None:
    entries = {
        str(entry): entry for _, source in own_sources() for entry in entries_of(source)
    }.values()
    for name in ("doi", "eprint", "title"):
        values = [entry.fields[name] for entry in entries if name in entry.fields]
        assert len(values) == len({*values}), name
    assert len({entry.key for entry in entries}) == len(entries)


def test_the_software_has_the_year_of_the_citation_file() -> None:
    cff = (Path(__file__).parents[2] / "CITATION.cff").read_text("utf-8")
    assert f"date-released: {software([]).fields['year']}" in cff
    assert "0.1.0, 0.2.0" in software(["0.1.0", "0.2.0"]).fields["note"]


@pytest.mark.parametrize("style", ["plain", "IEEEtran"])
def test_all_entries_compile(style: str, tmp_path: Path) -> None:
    need_latex("bibtex")
    entries = [str(software(["0.1.0"])), *bibtex(own_sources())]
    (tmp_path / "all.bib").write_text("\n\n".join(entries), "utf-8")
    head = r"\documentclass{IEEEtran}\usepackage{url}\begin{document}\nocite{*}"
    (tmp_path / "a.tex").write_text(
        rf"{head}\bibliographystyle{{{style}}}\bibliography{{all}}\end{{document}}"
    )
    compile_latex(tmp_path / "a.tex")
    done = subprocess.run(["bibtex", "a"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "Warning" not in done.stdout, done.stdout
    compile_latex(tmp_path / "a.tex")
    assert (tmp_path / "a.bbl").read_text("utf-8").count(r"\bibitem") == len(entries)
