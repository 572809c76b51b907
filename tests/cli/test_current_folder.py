"""What lies in the current folder, as beside a scene that somebody sent, is not taken for a
module.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.third_party import DUMMY, environment, install

RUN = (
    *("benchmark", "toy", "--classifier", "svm", "--device", "cpu", "--seeds", "1"),
    *("--patch", "3", "--view", "raw", "--lambda", "0.5"),
)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with files that are named as libraries are, and leave a mark where they are
    imported.
    """
    folder = tmp_path / "scene"
    folder.mkdir()
    code = (
        f"from pathlib import Path\nPath({str(tmp_path / 'mark')!r}).touch()\nraise"
        " ImportError('mine')\n"
    )
    for name in ("numpy", "torch", "signal", "hsiaug"):
        (folder / f"{name}.py").write_text(code)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        (*RUN, "--generator", "smote,dummy", "--jobs", "2"),
        (*RUN, "--generator", "none", "--on", "dask", "--jobs", "1"),
        ("plugins", "list"),
    ],
    ids=["workers", "dask", "a package's process"],
)
def test_no_process_imports_from_the_current_folder(hostile, tmp_path, words):
    if "dask" in words:
        pytest.importorskip("distributed")
    env = environment(install(tmp_path / "site", "dummy_plugin", DUMMY))
    store = ("--store", str(tmp_path / "store")) if words[0] == "benchmark" else ()
    program = str(Path(sys.executable).with_name("hsiaug"))

    done = subprocess.run(
        [program, *words, *store], env=env, cwd=hostile, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists()
