"""Every script of ``benchmarks/`` starts; those that take seconds run, as small as they can be."""

import importlib
import json
import re
import runpy
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from benchmarks.common import read_csv, txt2hsi_fits
from hsiaug.bench.plans_of_runs import plan_runs, trials_of
from hsiaug.bench.suite import find_suite, read_suite
from hsiaug.core.scene import Scene
from hsiaug.quality.prompt_fidelity import Amounts
from hsiaug.registry.lookup import registry
from hsiaug_builtin.txt2hsi.params import SIZES
from tests.figures import Tolerance, differences
from tests.in_process import hsiaug
from tests.third_party import hsiaug as forked_hsiaug

FOLDER = Path(__file__).parents[1] / "benchmarks"
RESULTS = FOLDER / "results"
SCRIPTS = sorted(
    ".".join(path.relative_to(FOLDER).with_suffix("").parts)
    for path in FOLDER.rglob("*.py")
    if path.stem != "__init__"
)
SMALL = ("benchmark", "toy", "--generator", "smote", "--classifier", "svm", "--device", "cpu")

PRINTED = {
    "asked": ("table RESULTS/asked/bar_trials.csv", "houston_crop"),
    "ceilings": ("draw RESULTS/ceilings/trials.csv", "pseudo"),
    "field": ("table RESULTS/field/trials.csv", "indian_pines"),
    "hidden": ("table RESULTS/hidden/trials.csv", "houston_crop"),
    "regimes": ("draw RESULTS/regimes/trials.csv IMAGES", "Indian Pines"),
    "spectral_views": ("RESULTS/spectral_views/trials.csv", "houston_crop"),
    "suggest": ("table RESULTS/suggest/trials.csv", "indian_pines"),
}
"""Scripts that print a table of committed trials: their words, and what a row of it names."""
ROUNDED = Tolerance(units=1)
"""Means and intervals of the same committed trials may be rounded the other way where a sum or a
quantile of another build of the libraries differs in its last bit. Counts are whole numbers, and
equal.
"""


def run(name: str, *words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do as ``python -m benchmarks.NAME WORDS`` does, in this process."""
    monkeypatch.setattr(sys, "argv", [name, *words])
    monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")


def script(name: str, monkeypatch: pytest.MonkeyPatch, words: str = "", **constants: Any) -> Any:
    """The module of a script, with other constants and words on its command line."""
    module = importlib.import_module(f"benchmarks.{name}")
    for key, value in constants.items():
        monkeypatch.setattr(module, key, value)
    monkeypatch.setattr(sys, "argv", [name, *words.split()])
    return module


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of two draws on ``toy``."""
    folder = tmp_path_factory.mktemp("benchmarks") / "store"
    assert hsiaug(*SMALL, "--seeds", "2", "--store", str(folder)).returncode == 0
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_what_it_does_and_what_it_needs_is_there(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.__doc__


def test_every_script_answers_help_before_it_does_anything():
    folders = (FOLDER, FOLDER / "speed")
    scripts = [path for folder in folders for path in folder.glob("*.py")]
    scripts = [path for path in scripts if "__main__" in path.read_text("utf-8")]
    assert scripts
    for path in scripts:
        text = path.read_text("utf-8")
        begins = text.partition('if __name__ == "__main__":\n')[2].lstrip()
        assert "argparse" in text or begins.startswith("check_usage(__doc__"), path.name


@pytest.mark.parametrize("name", PRINTED)
def test_the_table_of_committed_trials_is_printed(name, tmp_path, monkeypatch, capsys):
    words, named = PRINTED[name]
    words = words.replace("RESULTS", str(RESULTS)).replace("IMAGES", str(tmp_path))
    if name == "ceilings":  # it draws its picture beside the others
        (tmp_path / "docs" / "images").mkdir(parents=True)
        script(name, monkeypatch, words, HERE=tmp_path / "benchmarks").main()
    else:
        run(name, *words.split(), monkeypatch=monkeypatch)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(printed) > 3 and any(f"| {named}" in line for line in printed)


def test_the_page_on_hidden_pixels_has_the_table_that_is_printed(monkeypatch, capsys):
    run("hidden", "table", str(RESULTS / "hidden" / "trials.csv"), monkeypatch=monkeypatch)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    page = (FOLDER.parent / "docs" / "evidence" / "hidden.md").read_text(encoding="utf-8")
    kept = [line for line in page.splitlines() if line.startswith("| ")]
    assert not differences("\n".join(printed), "\n".join(kept), ROUNDED)


def trial(seed: int, score: float, lam: float = 0.0, **columns: Any) -> dict[str, Any]:
    """A row of a frame of results; every score of it is the same."""
    names = ("oa", "aa", "kappa", "recall_spread", "worst_recall", "miou", "f1_change")
    usual = {
        **dict.fromkeys(names, score),
        "status": "ok",
        "task": "pixels",
        "scene": "toy",
        "protocol": "kshot",
        "protocol_argument": "3",
        "generator": "none",
        "generator_params": "{}",
        "classifier": "svm",
        "train": "both",
        "omega": None,
    }
    return usual | {"seed": seed, "lambda": lam} | columns


def tables_of(name: str, rows: list[dict[str, Any]], monkeypatch: Any, capsys: Any) -> list[str]:
    """The rows of the tables that a script of a paper prints of these trials."""
    results = SimpleNamespace(frame=lambda: pd.DataFrame(rows))
    monkeypatch.setattr("hsiaug.read_store", lambda store: results)
    script(name, monkeypatch, "store").main()
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]


def test_claims_of_txt2hsi_are_differences_over_splits(monkeypatch, capsys):
    both = {"generator": "txt2hsi", "omega": 0.0, "generator_params": '{"text": "both"}'}
    fine = {**both, "generator_params": '{"text": "fine"}'}
    rows = [
        row
        for seed in range(3)
        for row in (
            trial(seed, 0.4),
            trial(seed, 0.5, classifier="cnn2d"),
            trial(seed, 0.5 + 0.01 * seed, 20.0, **both),
            trial(seed, 0.7, 20.0, **{**both, "omega": 1.0}),
            trial(seed, 0.6, 20.0, **both, classifier="cnn2d"),
            trial(seed, 0.3, 20.0, **fine),
        )
    ]
    printed = tables_of("txt2hsi_claims", rows, monkeypatch, capsys)
    place = "| toy | kshot:3"
    assert f"{place} | svm | {' | '.join(['+20.0 [20.0, 20.0] (3)'] * 3)} |" in printed  # C1
    assert f"{place} | svm | +19.0 [16.5, 21.5] (3) |" in printed  # C2
    assert f"{place} | svm | 20 | +11.0 [8.5, 13.5] (3) |" in printed  # C3
    assert f"{place} | +11.0 [8.5, 13.5] (3) | +10.0 [10.0, 10.0] (3) | −1.0 [−3.5, 1.5] (3) |" in (
        printed  # C5
    )


def test_tables_of_specdm_are_means_over_splits(monkeypatch, capsys):
    of = {"task": "segmentation", "classifier": "unet"}
    made = {**of, "generator": "specdm"}
    rows = [
        row
        for seed in range(2)
        for row in (
            trial(seed, 0.5 + 0.2 * seed, **of),
            trial(seed, 0.7, 5.0, **made),
            trial(seed, 0.4, 5.0, **made, train="synthetic"),
            trial(seed, 0.3, 5.0, **{**made, "generator_params": '{"sad": 0.0}'}),
            trial(seed, 0.6, 5.0, **{**made, "generator": "ldm_single"}),
        )
    ]
    printed = tables_of("specdm_paper", rows, monkeypatch, capsys)
    place = "| toy | kshot:3 | unet | 60.0 ± 14.1"
    assert f"{place} | 40.0 ± 0.0 | 70.0 ± 0.0 |" in printed  # Table 3
    assert f"{place} | 60.0 ± 0.0 | 70.0 ± 0.0 |" in printed  # Table 5
    assert f"{place} | – | – | 70.0 ± 0.0 |" in printed  # Table 6
    assert "| toy | kshot:3 | unet | specdm | sad=0.0 | 30.0 ± 0.0 |" in printed


def test_every_arm_that_the_ablation_compares_is_one_of_its_suite(toy: Scene) -> None:
    ablation = importlib.import_module("benchmarks.txt2hsi_ablation")
    runs = read_suite(find_suite("txt2hsi_ablation")).runs
    planned = set()
    for trial in trials_of(plan_runs(runs, registry(), lambda task, ref: toy)):
        row = {
            "generator": trial.generator.name,
            "lambda": trial.rate.lam,
            "times": trial.rate.times,
            "omega": trial.omega,
            "generator_params": json.dumps(asdict(trial.generator.params)),
        }
        planned.add(ablation.arm_of(row))
    compared = {arm for rows in ablation.COMPARED.values() for _, *arms in rows for arm in arms}
    assert compared <= planned


@pytest.mark.usefixtures("few_prompts")
def test_prompts_of_a_fit_are_shown_and_measured(tmp_path, monkeypatch, capsys):
    tiny = "size=tiny latent=6 vae_steps=5 scene_steps=5 steps=2 sample_steps=2"
    pictures = script("txt2hsi_pictures", monkeypatch, "toy", IMAGES=tmp_path)
    monkeypatch.setattr(
        pictures, "txt2hsi_fits", lambda words: txt2hsi_fits((*words, *tiny.split()))
    )
    pictures.main()
    with Image.open(tmp_path / "txt2hsi_toy.png") as image:
        assert len(image.convert("RGB").getcolors(2**24) or []) > 20

    few = {"OMEGAS": (0.0,), "AMOUNTS": Amounts(alone=2, triples=2, layout=2, look=2)}
    for name, value in few.items():
        monkeypatch.setattr(f"hsiaug.quality.prompt_fidelity.{name}", value)
    script("txt2hsi_guidance", monkeypatch, f"toy 100 101 {tiny}", OMEGAS=(0.0,)).main()
    told = capsys.readouterr().out
    assert "| centre is the class of the prompt | 2 |" in told and "ω = 0 |" in told


def test_pictures_of_committed_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(
        "protocols",
        str(RESULTS / "protocols" / "trials.csv"),
        str(tmp_path / "a.png"),
        monkeypatch=monkeypatch,
    )
    run("docs_figures", str(tmp_path), monkeypatch=monkeypatch)
    assert (tmp_path / "a.png").stat().st_size
    assert len(list(tmp_path.glob("*.svg"))) == 3


def test_figures_of_methods_show_the_sizes_that_their_code_has(tmp_path, monkeypatch):
    run("docs_architectures", str(tmp_path), monkeypatch=monkeypatch)
    for drawn in tmp_path.glob("*.svg"):
        committed = FOLDER.parent / "docs" / "images" / drawn.name
        lines = [
            re.findall(r"<text[^>]*>([^<]*)", path.read_text("utf-8"))
            for path in (drawn, committed)
        ]
        assert lines[0] and lines[0] == lines[1], (
            f"{drawn.name}: python -m benchmarks.docs_architectures"
        )


def test_records_of_a_store(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("regimes", "collect", str(store), str(tmp_path / "regimes.csv"), monkeypatch=monkeypatch)
    assert len(read_csv(tmp_path / "regimes.csv")) == len(list(store.glob("records/??/*")))


def test_maps_of_toy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"SCENES": {"toy": "toy"}}
    script("teacher", monkeypatch, **small, PROTOCOLS=("kshot:3",), DRAWS=(100,)).main()
    script("fill", monkeypatch, "100 100", **small, MAPS=("svm", "teacher")).main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| toy |")]
    assert len(rows) == 3


@pytest.mark.usefixtures("few_prompts")
def test_flagships_on_a_device(tmp_path, monkeypatch, capsys):
    """One step of each training of both presets; their networks with fewer channels."""
    for size in ("small", "paper"):
        shrunk = replace(
            SIZES[size], vae_width=8, vae_batch=8, width=20, depth=2, batch=8, scene_batch=8
        )
        monkeypatch.setitem(SIZES, size, shrunk)
    once = {"vae_steps": "1", "scene_steps": "1", "steps": "1", "sample_steps": "2"}
    gpu = script("gpu", monkeypatch, f"{tmp_path / 'gpu.csv'} cpu 1 txt2hsi", SETTINGS=once)
    case = replace(gpu.CASES["txt2hsi"], data="toy", draws=range(100, 101), classifiers=("svm",))
    monkeypatch.setitem(gpu.CASES, "txt2hsi", case)
    gpu.main()
    rows = read_csv(tmp_path / "gpu.csv")
    assert [row["preset"] for row in rows] == ["cpu", "cpu", "cpu", "paper"]
    assert all(0 < float(row["score"]) <= 1 for row in rows)
    assert all(float(row["mfu_prepare"]) >= 0 and float(row["mfu_fit"]) >= 0 for row in rows[2:])
    assert "| txt2hsi | paper |" in capsys.readouterr().out


def test_the_table_of_speed_marks_what_misses_its_limit():
    table = importlib.import_module("benchmarks.speed.table")
    workers = table.Row("busy", 95, 94.0, least=True)
    assert workers.missed and workers.as_strings()["limit"] == "≥ 95"
    assert (
        table.Row("svm", "peer", 2.0, peer=1.9).missed
        and not table.Row("svm", "peer", 1.8, peer=1.9).missed
    )


def test_what_the_framework_costs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Processes with their libraries loaded give other figures, at which nothing looks here.
    few = {"SEEDS": 2, "LAMBDAS": "1,2", "BY": ("generator",), "hsiaug_anew": forked_hsiaug}
    script("overhead", monkeypatch, **few).main()
    assert "ms per trial" in capsys.readouterr().out


@pytest.mark.shared_data
def test_cards_of_shared_scenes(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Houston2018_crop", "JasperRidge"):
        (tmp_path / name).symlink_to(shared_data / name)
    script("make_scenes", monkeypatch, str(tmp_path), OUT=tmp_path / "scenes").main()
    assert {path.name for path in (tmp_path / "scenes").glob("*.toml")} == {
        "houston_crop.toml",
        "jasper_ridge.toml",
    }
