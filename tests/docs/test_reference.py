"""The examples of the Python reference run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "hsiaug.results",
        "hsiaug.own_scenes",
        "hsiaug.scene_maps",
        "hsiaug.sklearn",
        "hsiaug.data.loading",
    ],
)
def test_examples_in_docstrings_run(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(importlib.import_module(module))
    assert outcome.attempted and not outcome.failed
