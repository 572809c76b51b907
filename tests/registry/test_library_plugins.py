"""What packages register with pydantic, torch, Dask and other libraries is imported by no process of
a command: it would see the labels.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.third_party import DUMMY, environment, hsiaug_anew, install

GROUPS = (
    *("dask.sizeof", "numba_extensions", "networkx.backends", "pydantic", "skimage_backends"),
    *("torch.backends", "triton.backends"),
)
LISTED = """
import hsiaug.base.library_plugins
import importlib.metadata, importlib_metadata
for reader in (importlib.metadata, importlib_metadata):
    for group in GROUPS:
        for point in reader.entry_points(group=group):
            print(point.value)
print(len(importlib.metadata.entry_points(group="hsiaug", name="spy_plugin")))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A package that registers a module with libraries too, which leaves a mark where it is
    imported.
    """
    site = install(tmp_path / "site", "spy_plugin", DUMMY.replace("dummy_plugin", "spy_plugin"))
    (site / "library_spy.py").write_text(
        f"import sys; print(sys.orig_argv, file=open({str(tmp_path / 'mark')!r}, 'a'))\n"
        "def plugin(*_): pass\n"
    )
    (points,) = site.glob("*.dist-info/entry_points.txt")
    points.write_text(
        points.read_text() + "".join(f"[{group}]\nspy = library_spy:plugin\n" for group in GROUPS)
    )
    return site


def test_no_process_of_a_command_imports_what_is_registered_with_a_library(
    site: Path, tmp_path: Path
) -> None:
    words = ("benchmark", "toy", "--generator", "dummy", "--classifier", "nearest", "--seeds", "1")
    quick = ("--patch", "3", "--view", "raw", "--lambda", "0.5", "--jobs", "1", "--store", "store")
    done = hsiaug_anew(*words, *quick, env=environment(site), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists(), (tmp_path / "mark").read_text()


def test_libraries_are_shown_entry_points_of_their_own_alone(site: Path) -> None:
    code = LISTED.replace("GROUPS", repr(GROUPS))
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(site), capture_output=True, text=True
    )
    assert "library_spy:plugin" not in done.stdout and done.stdout.endswith("1\n"), done.stderr


def test_a_package_that_is_called_hsiaug_hides_no_plugin_that_comes_with_hsiaug(
    tmp_path: Path,
) -> None:
    site = install(tmp_path / "site", "dummy_plugin", DUMMY, "hsiaug")
    done = hsiaug_anew("plugins", "list", env=environment(site), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    # It is not taken for hsiaug either.
    packages = {row[1]: row[2] for row in rows if len(row) > 2}
    assert packages["dummy"].startswith("dummy_plugin") and {"smote", "svm", "issd"} <= {*packages}
