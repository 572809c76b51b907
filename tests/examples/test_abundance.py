"""examples/hsiaug-abundance: a task of another package, from its installation to a report."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hsiaug.trial.store import Store
from tests.third_party import environment, hsiaug
from tests.wheels import install_by_hand

EXAMPLE = Path(__file__).parents[2] / "examples" / "hsiaug-abundance"
CARD = """
name = "mixed"
title = "Three materials in every pixel"

[cube]
file = "mixed_cube.npy"

[labels]
file = "mixed_labels.npy"
names = ["rock", "tree", "water"]
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of one who installed the example."""
    site = tmp_path_factory.mktemp("installed") / "site"
    install_by_hand(EXAMPLE, site)
    return environment(site)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene whose every pixel is a mixture of three materials, with a card and abundances."""
    folder = tmp_path_factory.mktemp("mixed")
    rng = np.random.default_rng(0)
    fields = np.stack([gaussian_filter(rng.standard_normal((30, 30)), 3) for _ in range(3)], -1)
    shares = np.exp(2 * fields / fields.std())
    shares /= shares.sum(axis=-1, keepdims=True)
    cube = shares @ rng.uniform(0, 1, (3, 20)) + rng.normal(0, 0.01, (30, 30, 20))
    np.save(folder / "mixed_cube.npy", cube.astype(np.float32))
    np.save(folder / "mixed_labels.npy", (1 + shares.argmax(axis=-1)).astype(np.int16))
    np.save(folder / "mixed_abundances.npy", shares.astype(np.float32))
    (folder / "mixed.toml").write_text(CARD)
    return folder


@pytest.fixture(scope="module")
def benchmark(env: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A benchmark with what runs of the task where nothing else is said, but for the protocol."""
    options = ("--seeds", "2", "--jobs", "1", "--protocol", "kshot:10")
    return hsiaug("benchmark", "mixed.toml", "--task", "abundance", *options, env=env, cwd=folder)


def test_a_benchmark_of_the_task_tells_what_its_generator_adds(
    benchmark: subprocess.CompletedProcess[str],
) -> None:
    assert benchmark.returncode == 0, benchmark.stderr
    assert "linear-mixing minus" in benchmark.stdout
    assert "1 − RMSE in %, mean ± sd of 2 splits" in benchmark.stdout


def test_its_records_are_sound_and_hold_predicted_abundances(
    benchmark: subprocess.CompletedProcess[str],
    env: dict[str, str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(env["PYTHONPATH"].split(os.pathsep)[0])
    store = Store(folder / "hsiaug-results")
    records = list(store.each())
    assert len(records) == 6
    true = np.load(folder / "mixed_abundances.npy").reshape(-1, 3)
    for record in records:
        index, values = store.predictions(record["hash"])
        assert values.dtype == np.float32 and np.allclose(values.sum(axis=1), 1, atol=1e-3)
        rmse = np.sqrt(((values.astype(np.float64) - true[index]) ** 2).mean())
        assert record["metrics"]["rmse"] == pytest.approx(rmse)


def test_a_report_draws_its_page(
    benchmark: subprocess.CompletedProcess[str], env: dict[str, str], folder: Path
) -> None:
    written = hsiaug("report", "--out", "report.html", env=env, cwd=folder)

    assert written.returncode == 0, written.stderr
    page = (folder / "report.html").read_text("utf-8")
    assert "1 − RMSE" in page and "linear-mixing" in page


def test_samples_of_its_generator_are_written_with_their_abundances(
    env: dict[str, str], folder: Path
) -> None:
    words = ("generate", "mixed.toml", "--generator", "linear-mixing")
    made = hsiaug(*words, "--out", "samples.npz", env=env, cwd=folder)

    assert made.returncode == 0, made.stderr
    with np.load(folder / "samples.npz") as samples:
        assert samples["abundances"].shape == (len(samples["x"]), 3)


def test_a_task_that_is_not_installed_is_refused_by_name(folder: Path) -> None:
    refused = hsiaug("benchmark", "mixed.toml", "--task", "abundance", cwd=folder)

    assert refused.returncode == 2
    assert "the task must be known; found 'abundance'" in refused.stderr


def test_its_own_tests_pass(env: dict[str, str], tmp_path: Path) -> None:
    words = ("-q", "-p", "no:cacheprovider", "-W", "error", "--rootdir", str(EXAMPLE))
    answer = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *words, str(EXAMPLE / "tests")],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stdout[-3000:]
