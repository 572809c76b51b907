"""A protocol of another package: the example of docs/develop/own-protocol.md, installed as
users do, list to report.
"""

import json
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.in_process import hsiaug
from tests.third_party import install

(EXAMPLE,) = (
    block.text
    for block in blocks(ROOT / "docs" / "develop" / "own-protocol.md")
    if block.language == "python"
)
TRIALS = (
    *("--generator", "none", "--classifier", "rf", "--lambda", "0", "--times", "0", "--patch", "5"),
    *("--seeds", "1", "--jobs", "1"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package lies."""
    return install(tmp_path_factory.mktemp("own") / "site", "hsiaug_edge", EXAMPLE)


@pytest.fixture(scope="module")
def store(site: Path) -> Path:
    """Records of a benchmark with the protocol, nested too."""
    folder = site.parent / "store"
    for text in ("edge:0.1", "within:edge:0.3"):
        words = (
            "benchmark",
            "toy",
            *TRIALS,
            "--protocol",
            text,
            "--preset",
            "tiny",
            "--store",
            str(folder),
        )
        answer = hsiaug(*words, site=site)
        assert answer.returncode == 0, answer.stderr
    return folder


def test_the_example_of_the_page_passes_the_kit(site: Path) -> None:
    answer = hsiaug("plugins", "check", "edge", site=site)

    assert answer.returncode == 0, answer.stdout
    assert "protocol edge: " in answer.stderr and "0 failed, 0 skipped" in answer.stderr


def test_it_is_listed_and_tells_of_itself(site: Path) -> None:
    listed = hsiaug("plugins", "list", site=site).stdout
    assert "protocol\tedge\thsiaug-edge 1.0\tpixels\t" in listed
    told = hsiaug("plugins", "info", "edge", site=site).stdout.splitlines()
    assert {"protocol edge", "usage\tedge:RATIO, as edge:0.1", "leaky\tFalse"} <= {*told}


def test_split_draws_with_it_and_refuses_a_bad_argument(site: Path, tmp_path: Path) -> None:
    words = ("benchmark", "toy", "--protocol", "edge:0.1", "--dry-run", "--out", "split.json")
    hsiaug(*words, site=site, cwd=tmp_path)
    drawn = json.loads((tmp_path / "split.json").read_text("utf-8"))
    assert drawn["protocol"] == "edge:0.1" and not drawn["leaky"] and drawn["n_buffered"] > 0
    refused = hsiaug("benchmark", "toy", "--protocol", "edge:2", "--dry-run", site=site)
    assert refused.returncode == 2 and "Write edge:RATIO, as edge:0.1." in refused.stderr


def test_its_records_are_found_again(site: Path, store: Path) -> None:
    words = (
        "benchmark",
        "toy",
        *TRIALS,
        "--protocol",
        "edge:0.1",
        "--preset",
        "tiny",
        "--store",
        str(store),
    )
    answer = hsiaug(*words, "--dry-run", site=site)
    assert answer.returncode == 0 and "0 of 2 trials to run" in answer.stdout + answer.stderr


def test_a_suite_names_it(site: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(
        '[[run]]\nname = "own"\nscenes = "toy"\nprotocols = ["edge:0.1",'
        ' "within:edge:0.3@1"]\nseeds = 1\ngenerators = "noise"\nclassifiers = "rf"\n'
    )
    answer = hsiaug("benchmark", "--suite", str(tmp_path / "suite.toml"), "--dry-run", site=site)
    assert answer.returncode == 0 and "within:edge:0.3@1" in answer.stdout + answer.stderr, (
        answer.stderr
    )


def test_without_its_package_records_are_reported_and_a_rerun_is_one_clear_error(
    store: Path,
) -> None:
    report = hsiaug("report", "--store", str(store))
    assert (
        report.returncode == 0
        and "edge:0.1" in report.stdout
        and "within:edge:0.3" in report.stdout
    )
    page = hsiaug("report", "--store", str(store), "--format", "html")
    assert page.returncode == 0 and "edge:0.1" in page.stdout

    rerun = hsiaug("benchmark", "toy", *TRIALS, "--protocol", "edge:0.1", "--store", str(store))
    assert rerun.returncode == 2 and "--protocol must name a protocol plugin" in rerun.stderr
    assert "Traceback" not in rerun.stderr and len(rerun.stderr.strip().splitlines()) <= 3
