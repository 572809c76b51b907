"""Sweeps: accuracy against λ and ω as tables, as CSV, and as pictures."""

import re
from pathlib import Path
from typing import Any

import pytest
from matplotlib.text import Text
from PIL import Image
from report_records import benchmark, failure, fill, record

from hsiaug.base.errors import InputError
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.report import build_report, figure_of, render_report, save_report
from hsiaug.report.splits import split_figure
from hsiaug.trial.store import Store

LAMBDAS = (0.25, 0.5, 1.0)
OMEGAS = (0.0, 2.0)


def sweep(draws: int = 3, omegas: tuple[float, ...] = OMEGAS) -> list[dict[str, Any]]:
    """none, duplicate and smote over λ, txt2hsi over λ × ω, with one classifier; AA is 0.1 above
    OA.
    """
    records = []
    for seed in range(draws):

        def add(oa: float, seed: int = seed, **spec: Any) -> None:
            records.append(record(oa + 0.02 * seed, oa + 0.02 * seed + 0.1, seed=seed, **spec))

        add(0.5)
        for lam in LAMBDAS:
            add(0.5 + 0.01 * lam, generator="duplicate", lam=lam)
            add(0.5 + 0.1 * lam, generator="smote", lam=lam)
            for omega in omegas:
                add(0.5 + 0.1 * lam + 0.01 * omega, generator="txt2hsi", lam=lam, omega=omega)
    return records


def rows_of(text: str, heading: str) -> list[list[str]]:
    block = text.split(f"### {heading}\n\n")[1].split("\n\n")[0]
    return [
        [cell.strip(" *") for cell in line.strip("|").split("|")] for line in block.splitlines()
    ]


def test_a_table_along_lambda_has_a_column_per_value_and_none_at_zero() -> None:
    header, _, *rows = rows_of(render_report(build_report(sweep()), by="lambda"), "OA against λ")
    assert header == ["classifier", "generator", "ω", "λ=0", "λ=0.25", "λ=0.5", "λ=1"]
    assert rows[0] == ["svm", "none", "–", "52.0 ± 2.0", "–", "–", "–"]
    assert rows[1][:3] == ["svm", "duplicate", "–"]
    assert rows[2] == ["svm", "smote", "–", "–", "54.5 ± 2.0", "57.0 ± 2.0", "62.0 ± 2.0"]
    assert rows[4] == ["svm", "txt2hsi", "2", "–", "56.5 ± 2.0", "59.0 ± 2.0", "64.0 ± 2.0"]


def test_a_table_along_omega_heads_the_arms_without_one_by_a_dash() -> None:
    header, _, *rows = rows_of(render_report(build_report(sweep()), by="omega"), "AA against ω")
    assert header == ["classifier", "generator", "λ", "ω=–", "ω=0", "ω=2"]
    assert ["svm", "smote", "0.5", "67.0 ± 2.0", "–", "–"] in rows
    assert ["svm", "txt2hsi", "0.5", "–", "67.0 ± 2.0", "69.0 ± 2.0"] in rows


def test_pictures_have_a_panel_for_each_score_and_are_the_same_for_the_same_records(
    tmp_path: Path,
) -> None:
    report = build_report(sweep(draws=1))
    assert len(figure_of(report, "omega").axes) == 2
    save_report(report, tmp_path / "both.png", "png", "lambda")
    with Image.open(tmp_path / "both.png") as both:
        assert both.width > 800 and len(both.convert("RGB").getcolors(2**24) or ()) > 100
    for name in ("a.svg", "b.svg"):
        save_report(report, tmp_path / name, "svg", "lambda")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    save_report(report, tmp_path / "a.pdf", "pdf", "omega")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("by", "columns"), [("gain", 1), ("gain", 2), ("lambda", 1)])
def test_long_names_stay_inside_a_picture(by: str, columns: int) -> None:
    generator, classifier = (
        f"{kind}-of-a-name-wider-than-a-column-of-a-journal-is" for kind in ("maker", "learner")
    )
    records = [
        one
        for lam in (0.5, 1.0)
        for one in benchmark(2, ("none", "duplicate", generator), ("svm", classifier), lam=lam)
        if lam == 1.0 or one["spec"]["generator"]["name"] != "none"
    ]
    figure = figure_of(build_report(records), by, columns)
    figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    texts = [text for text in figure.findobj(Text) if "column" in "".join(text.get_text().split())]
    assert len(texts) >= 2
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (
            text.get_text()
        )


@pytest.mark.parametrize("by", ["gain", "lambda"])
def test_a_picture_of_one_table_leaves_its_title_to_the_caption(tmp_path: Path, by: str) -> None:
    told = save_report(build_report(sweep(1)), tmp_path / "one.svg", "svg", by)
    assert "mean" in told and "indian-pines" not in words_in(tmp_path / "one.svg")
    both = [
        *sweep(1),
        *(record(0.5, 0.4, scene="pavia", generator=g) for g in ("none", "duplicate")),
    ]
    both += [record(0.5, 0.4, scene="pavia", generator="smote", lam=lam) for lam in (0.5, 1.0)]
    save_report(build_report(both), tmp_path / "both.svg", "svg", by)
    assert all(scene in words_in(tmp_path / "both.svg") for scene in ("indian-pines", "pavia"))
    leaky = [{**one, "audit": one["audit"] | {"leaky": True}} for one in sweep(1)]
    save_report(build_report(leaky), tmp_path / "leaky.svg", "svg", by)
    assert "LEAKY" in words_in(tmp_path / "leaky.svg")


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    flat = build_report([record(), record(generator="smote")])
    with pytest.raises(InputError, match="at two λ or more"):
        save_report(flat, tmp_path / "x.png", "png", "lambda")
    with pytest.raises(InputError, match=r"`by` .*gain, lambda, times, omega.* with it"):
        save_report(flat, tmp_path / "x.png", "png", "seed")
    with pytest.raises(InputError, match="can be written"):
        save_report(build_report(sweep()), tmp_path / "no" / "x.png", "png", "lambda")
    assert not list(tmp_path.iterdir())


def column_of(text: str, heading: str, name: str) -> dict[str, str]:
    """Header → text of the row of a generator."""
    header, _, *rows = rows_of(text, heading)
    (row,) = [row for row in rows if name in row]
    return dict(zip(header, row, strict=True))


def in_tables(records: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(generator, λ) → OA of the table by generator."""
    text = render_report(build_report(records), by="generator")
    header, _, *rows = rows_of(text.replace("## Accuracy in %", "### Accuracy"), "Accuracy")
    generator, lam, oa = (header.index(name) for name in ("generator", "λ", "OA"))
    return {(row[generator], row[lam]): row[oa] for row in rows}


def test_points_over_other_splits_are_as_in_the_tables() -> None:
    """One λ was tried on a split alone, one failed on a split, and one has more splits."""
    records = [r for r in sweep(6, omegas=()) if not is_configuration(r, "smote", 0.5, 3)]
    records += [failure(generator="smote", lam=0.5, seed=3)]
    records += [record(0.9, 0.9, generator="smote", lam=3.0, seed=0)]
    records += [record(0.9, 0.9, generator="smote", lam=1.0, seed=seed) for seed in range(6, 9)]
    text = render_report(build_report(records), by="lambda")
    usual = in_tables(records)
    smote = column_of(text, "OA against λ", "smote")
    # The tables of a sweep name how many splits a point lacks, as those of configurations do.
    assert [smote[f"λ={lam:g}"] for lam in (*LAMBDAS, 3)] == [
        usual["smote", f"{lam:g}"] for lam in (*LAMBDAS, 3)
    ]
    assert smote["λ=3"] == "90.0 (n=1)"
    assert column_of(text, "OA against λ", "none")["λ=0"] == usual["none", "–"]


def is_configuration(made: dict[str, Any], name: str, lam: float, seed: int) -> bool:
    spec = made["spec"]
    return (spec["generator"]["name"], spec["lambda"], spec["seed"]) == (name, lam, seed)


def test_a_table_along_times_has_a_column_per_value_and_a_row_per_lambda() -> None:
    records = [
        record(0.5),
        *(record(generator="smote", lam=lam, times=m) for lam in (0.0, 1.0) for m in (1.0, 3.0)),
    ]
    header, _, *rows = rows_of(render_report(build_report(records), by="times"), "OA against M")
    assert header == ["classifier", "generator", "λ", "M=0", "M=1", "M=3"]
    assert [row[1:3] for row in rows] == [["none", "0"], ["smote", "0"], ["smote", "1"]]


def test_what_was_not_run_is_absent_and_has_not_failed() -> None:
    records = sweep(3, omegas=())
    for seed in range(3):
        empty = record(generator="smote", lam=0.01, seed=seed)
        records.append({**empty, "status": "empty", "metrics": None})
    text = render_report(build_report(records), by="lambda")
    assert "| λ=0.01 |" not in text
    assert column_of(text, "OA against λ", "smote")["λ=0.25"] == "54.5 ± 2.0"


def words_in(path: Path) -> str:
    """The texts of a picture in SVG."""
    return "\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8")))


def test_a_picture_names_the_draws_of_each_panel_and_counts_no_failed_trial(tmp_path: Path) -> None:
    records = [*sweep(3), *(failure(generator="smote", lam=0.5, seed=seed) for seed in (7, 8))]
    records += [record(0.9, 0.9, generator="txt2hsi", lam=3.0, omega=2.0, seed=0)]
    save_report(build_report(records), tmp_path / "x.svg", "svg", "lambda")
    words = words_in(tmp_path / "x.svg")
    assert words.count("n = 3 (seeds 0–2)") == 2, "a panel of each score"
    assert "7" not in "".join(re.findall(r"seeds? [0-9–, ]+", words))
    assert "n=1" not in words, "points over other draws are in the tables alone"


def test_the_map_of_a_split_has_a_title_only_where_it_leaks() -> None:
    toy = toy_scene()
    honest, leaky = (
        split_figure(toy, draw_split(toy, parse_protocol(name), 0, 9))
        for name in ("issd", "random:0.05")
    )
    assert honest.get_suptitle() == "" and leaky.get_suptitle().startswith("LEAKY")


@pytest.mark.parametrize(
    ("generators", "shown"),
    [
        (("none", "duplicate", "smote"), ["smote λ=1 with svm", "svm without samples"]),
        (("none", "duplicate", "pseudo"), ["pseudo λ=1 with svm", "svm without samples"]),
        (
            ("none", "duplicate", "smote", "pseudo"),
            ["pseudo λ=1 with svm", "smote λ=1 with svm", "svm without samples"],
        ),
    ],
)
def test_confusion_matrices_are_of_the_arm_to_use_and_of_the_best_generator_with_its_classifier(
    tmp_path: Path, generators: tuple[str, ...], shown: list[str]
) -> None:
    records = benchmark(7, generators, ("svm",))
    store = fill(tmp_path / "store", records)
    report = build_report(Store(store).read().records, store=str(store))
    figure = figure_of(report, "class")
    titles = [part.axes[0].get_title() for part in figure.subfigs]
    assert titles == shown
    with pytest.raises(InputError, match="with few classes"):
        figure_of(build_report([], store=str(store)), "class")


def test_a_figure_along_lambda_has_the_best_classifier_without_samples(tmp_path: Path) -> None:
    records = sweep()
    records += [record(0.9, 0.9, classifier="cnn2d", seed=seed) for seed in range(3)]
    save_report(build_report(records), tmp_path / "x.svg", "svg", "lambda")
    words = words_in(tmp_path / "x.svg")
    assert "cnn2d without samples" in words and "svm without samples" not in words
