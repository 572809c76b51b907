"""Sweeps: accuracy against λ and ω as tables, as CSV, and as pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from report_records import failure, record

from hsiaug.errors import InputError
from hsiaug.report import build_report, render_report, save_picture
from hsiaug.report.curves import lines, reference, surfaces

LAMBDAS = (0.25, 0.5, 1.0)
OMEGAS = (0.0, 2.0)


def sweep(draws: int = 3, omegas: tuple[float, ...] = OMEGAS) -> list[dict[str, Any]]:
    """none, duplicate and smote over λ, txt2hsi over λ × ω, with one classifier; AA is 0.1 above OA."""
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
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]


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


def test_failed_trials_and_missing_draws_are_told() -> None:
    records = sweep()
    records += [failure(generator="smote", lam=2.0, seed=seed) for seed in range(3)]
    records += [record(0.5, 0.6, generator="smote", lam=3.0)]
    text = render_report(build_report(records), by="lambda")

    (smote,) = [row for row in rows_of(text, "OA against λ") if row[1] == "smote"]
    assert smote[-2:] == ["failed", "50.0 (n=1)"]


def test_csv_along_lambda_has_one_row_per_arm_with_mean_std_and_gain() -> None:
    rows = list(csv.DictReader(io.StringIO(render_report(build_report(sweep()), "csv", "lambda"))))

    assert len(rows) == 1 + 3 + 3 + 6
    (row,) = [r for r in rows if r["generator"] == "txt2hsi" and r["lambda"] == "1.0" and r["omega"] == "2.0"]
    assert float(row["oa_mean"]) == pytest.approx(0.64) and float(row["oa_std"]) == pytest.approx(0.02)
    assert row["n"] == "3" and row["failed"] == "0"
    assert float(row["delta_aa_none"]) == pytest.approx(0.12)
    assert float(row["delta_aa_duplicate"]) == pytest.approx(0.11)
    assert "hash" not in row and "seed" not in row


def test_lines_and_surfaces_are_what_varies() -> None:
    (table,) = build_report(sweep()).tables
    (svm,) = table.classifiers

    named = {(line.generator.name, line.held): line.values for line in lines(table, svm, "lambda")}
    assert named["txt2hsi", 2.0] == LAMBDAS and named["smote", None] == LAMBDAS and named["none", None] == (0.0,)
    level = reference(table, svm)
    assert level is not None and level.arm.generator.name == "none"
    (surface,) = surfaces(table, svm)
    assert (surface.lambdas, surface.omegas, len(surface.cells)) == (LAMBDAS, OMEGAS, 6)
    (one,) = build_report(sweep(omegas=(2.0,))).tables
    assert surfaces(one, svm) == ()


@pytest.mark.parametrize("by", ["lambda", "omega"])
def test_pictures_gain_heat_maps_where_both_vary(tmp_path: Path, by: str) -> None:
    save_picture(build_report(sweep()), tmp_path / "both.png", "png", by)
    with Image.open(tmp_path / "both.png") as both:
        assert both.width > 800 and len(both.convert("RGB").getcolors(2**24) or ()) > 100
        height = both.height
    if by == "lambda":
        save_picture(build_report(sweep(omegas=(2.0,))), tmp_path / "one.png", "png", by)
        with Image.open(tmp_path / "one.png") as one:
            assert one.height < 0.7 * height


def test_vector_pictures_are_the_same_for_the_same_records(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        save_picture(build_report(sweep(draws=1)), tmp_path / name, "svg", "lambda")

    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    save_picture(build_report(sweep(draws=1)), tmp_path / "a.pdf", "pdf", "omega")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    flat = build_report([record(), record(generator="smote")])
    with pytest.raises(InputError, match="at two λ or more"):
        save_picture(flat, tmp_path / "x.png", "png", "lambda")
    with pytest.raises(InputError, match="--by lambda or --by omega"):
        save_picture(flat, tmp_path / "x.png", "png", "class")
    with pytest.raises(InputError, match="can be written"):
        save_picture(build_report(sweep()), tmp_path / "no" / "x.png", "png", "lambda")
    assert not list(tmp_path.iterdir())


def test_runs_of_a_suite_are_compared_within_themselves() -> None:
    records = sweep(draws=6)
    hashes = {r["hash"]: (r["spec"]["generator"]["name"], r["spec"]["lambda"]) for r in records}
    runs = {
        "all": set(hashes),
        "small": {h for h, (name, lam) in hashes.items() if name == "none" or lam == 0.25},
    }
    whole, small = build_report(records, runs=runs).tables

    assert (whole.title, small.title) == (f"all: {small.title[7:]}", small.title) and small.run == "small"
    assert len(small.comparisons) < len(whole.comparisons) and len(small.trials) == 6 * (1 + 1 + 1 + 2)
    (alone,) = build_report([r for r in records if r["hash"] in runs["small"]]).tables
    assert [c.p_holm for c in small.comparisons] == [c.p_holm for c in alone.comparisons]
