"""``hsiaug report --cite``: what a paper says of a benchmark, and BibTeX of what it used."""

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import hsiaug
from hsiaug.data import fetch_scene, scene_card, scene_names
from hsiaug.registry.lookup import registry
from hsiaug.report.bibtex import bibtex, entries_of, plain, software
from hsiaug.trial.record_json import short_hash
from hsiaug.trial.store import Store
from tests.few_rounds import measure_few_rounds
from tests.in_process import hsiaug as command
from tests.in_process import run_trials_here
from tests.latex import compile_latex, need_latex
from tests.report.report_records import benchmark, fill


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        measure_few_rounds(patch)
        folder = tmp_path_factory.mktemp("cite") / "store"
        asked = {"lambdas": [0.5, 1], "times": 0, "seeds": 2, "views": "raw"}
        hsiaug.benchmark(
            "indian_pines", ["smote"], ["svm"], store=folder, jobs=1, progress=False, **asked
        )
        return folder


def test_the_source_of_a_scene_is_known_by_its_files_where_the_card_does_not_say_it(
    store: Path, tmp_path: Path
) -> None:
    (cube, labels) = fetch_scene("indian_pines")
    with contextlib.chdir(tmp_path):
        shutil.copy(cube, f"mine_cube{cube.suffix}")
        shutil.copy(labels, f"mine_labels{labels.suffix}")
        done = command(
            *("datasets", "add", f"mine_cube{cube.suffix}", "--out", "mine.toml"),
            *("--labels", f"mine_labels{labels.suffix}"),
        )
        assert done.returncode == 0, done.stderr
        asked = {"seeds": 1, "views": "raw", "patch": 3, "store": "own", "progress": False}
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

    for name, code, begin in (
        ("all.bib", 0, "% Needs "),
        ("all.md", 0, "We measured smote"),
        ("all.docx", 2, ""),
    ):
        out = tmp_path / name
        done = command("report", "--cite", "--store", str(store), "--out", str(out))
        assert done.returncode == code
        assert out.read_text().startswith(begin) if not code else not out.exists()


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
