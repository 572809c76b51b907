"""The examples of the Python reference run, and its docstrings say what numpydoc asks for."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs"


def entries(page: str, around: str) -> list[str]:
    """Names that ``around`` finds on a page."""
    return re.findall(around, (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE)


@cache
def documented() -> dict[str, object]:
    """The classes and functions of docs/python.md and docs/develop/api.md by their names there."""
    names = [f"hsiaug.{name}" for name in entries("python.md", r"^   ([a-z][\w.]+)$")]
    names += [
        f"hsiaug.api.{name}"
        for name in entries("develop/api.md", r"^\.\. auto(?:class|function):: (\w+)")
    ]
    found = {}
    for name in names:
        place, _, last = name.rpartition(".")
        part = getattr(importlib.import_module(place), last)
        if inspect.isclass(part) or inspect.isfunction(part):
            found[name] = part
    return found


MODULES = sorted(
    {"hsiaug.results", "hsiaug.own_scenes", "hsiaug.scene_maps", "hsiaug.data.loading"}
    | {inspect.getmodule(inspect.unwrap(part)).__name__ for part in documented().values()}
)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not doctest.testmod(importlib.import_module(module)).failed


@pytest.mark.parametrize("name", documented())
def test_docstrings_explain_parameters_and_related_names(name: str) -> None:
    part = documented()[name]
    sections = re.findall(r"^([A-Z][A-Za-z ]+)\n-+$", inspect.getdoc(part) or "", re.MULTILINE)
    if inspect.isfunction(part) and inspect.signature(part).parameters:
        assert "Parameters" in sections
    if not (inspect.isclass(part) and issubclass(part, Exception)):
        assert "See Also" in sections
