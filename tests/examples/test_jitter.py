"""examples/hsiaug-jitter as a third-party package: built, installed, listed, checked and
benchmarked.
"""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.third_party import ONE_SPLIT, environment, hsiaug
from tests.wheels import CAN_BUILD, install_by_hand, install_wheel

EXAMPLE = Path(__file__).parents[2] / "examples" / "hsiaug-jitter"
HOW = "installed_from_its_wheel" if CAN_BUILD else "installed_by_hand_for_want_of_hatchling"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example is installed into; beside it lies its wheel."""
    return tmp_path_factory.mktemp("installed") / "site"


@pytest.fixture(scope="module")
def wheel(site: Path) -> Path:
    """The wheel of the example, which is installed."""
    return install_wheel(EXAMPLE, site)


@pytest.fixture(scope="module", params=[HOW])
def env(site: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of one who installed the example."""
    if CAN_BUILD:
        request.getfixturevalue("wheel")
    else:
        install_by_hand(EXAMPLE, site)
    return environment(site)


@pytest.mark.skipif(
    not CAN_BUILD, reason="hatchling is not installed: the example is installed by hand instead"
)
def test_its_wheel_holds_the_module_and_its_entry_point(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (points,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "hsiaug_jitter.py" in names
        assert file.read(points).decode().split() == ["[hsiaug]", "jitter", "=", "hsiaug_jitter"]


def test_it_is_listed_with_its_package(env: dict[str, str]) -> None:
    listed = hsiaug("plugins", "list", env=env)

    assert listed.returncode == 0, listed.stderr
    assert "generator\tjitter\thsiaug-jitter 0.1.0\tpixels\t" in listed.stdout
    assert "waves\t4\t" in hsiaug("plugins", "info", "jitter", env=env).stdout


def test_it_passes_the_check(env: dict[str, str]) -> None:
    answer = hsiaug("plugins", "check", "jitter", env=env)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "FAILED" not in answer.stdout


def test_it_runs_in_a_benchmark_beside_the_controls(env: dict[str, str], tmp_path: Path) -> None:
    answer = hsiaug(
        *("benchmark", "toy", "--generator", "jitter", "--set", "jitter.gain=0.1"),
        *ONE_SPLIT,
        env=env,
        cwd=tmp_path,
    )

    assert answer.returncode == 0, answer.stderr
    trials = hsiaug("report", "--format", "csv", env=env, cwd=tmp_path)
    rows = [*csv.DictReader(trials.stdout.splitlines())]
    assert {row["generator"] for row in rows} == {"none", "duplicate", "jitter"}
    (params,) = {row["generator_params"] for row in rows if row["generator"] == "jitter"}
    assert json.loads(params)["gain"] == 0.1 and {row["status"] for row in rows} == {"ok"}


def test_its_own_tests_pass(env: dict[str, str], tmp_path: Path) -> None:
    words = ("-q", "-p", "no:cacheprovider", "-W", "error", "--rootdir", str(EXAMPLE))
    command = [sys.executable, "-B", "-m", "pytest", *words, str(EXAMPLE / "tests")]
    answer = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)

    assert answer.returncode == 0, answer.stdout[-3000:]
