"""Commands of the tests, in processes that begin with their libraries loaded."""

import importlib
import sys
from pathlib import Path

import pytest

from tests.forked_commands import AVAILABLE, hides_a_module, starts_otherwise
from tests.third_party import hsiaug, hsiaug_anew


@pytest.mark.skipif(not AVAILABLE, reason="commands are forked on Linux alone")
def test_a_command_ends_and_prints_as_one_that_is_started_anew(tmp_path: Path) -> None:
    words = ("datasets", "info", "no_such_scene")
    forked, anew = (run(*words, cwd=tmp_path) for run in (hsiaug, hsiaug_anew))

    assert (forked.returncode, forked.stdout, forked.stderr) == (2, anew.stdout, anew.stderr)
    assert "no_such_scene" in anew.stderr


@pytest.mark.parametrize(
    ("file", "hides"),
    [
        ("numpy.py", True),
        ("numpy/__init__.py", True),
        ("sitecustomize.py", True),
        ("numpy.csv", False),
        ("numpy/data.csv", False),
        ("a_plugin.py", False),
    ],
)
def test_a_folder_may_hide_a_module_that_is_loaded(tmp_path: Path, file: str, hides: bool) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()

    assert hides_a_module(str(tmp_path)) is hides


@pytest.mark.parametrize(
    ("name", "value", "otherwise"),
    [
        ("OMP_NUM_THREADS", "4", True),
        ("MKL_NUM_THREADS", "1", False),
        ("LC_ALL", "C", True),
        ("PYTHONWARNINGS", "error", True),
        ("PYTHONPATH", "/plugins", False),
        ("HSIAUG_START_METHOD", "spawn", True),
        ("GATE", "/gate", False),
    ],
)
def test_variables_that_are_read_as_a_process_starts(name, value, otherwise) -> None:
    server = {"OMP_NUM_THREADS": "1", "HOME": "/home/me"}

    assert starts_otherwise({**server, name: value}, server) is otherwise


def test_a_folder_hides_no_module_that_was_loaded_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loaded_from_here.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("loaded_from_here")
    try:
        assert not hides_a_module(str(tmp_path))
    finally:
        del sys.modules[module.__name__]
