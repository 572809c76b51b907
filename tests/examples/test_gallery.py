"""examples/hsiaug-gallery: each plugin is one short file on the public API, is registered, and
keeps its contract.
"""

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

from hsiaug.testing import check_plugin

GALLERY = Path(__file__).parents[2] / "examples" / "hsiaug-gallery"
MODULES = sorted(path.stem for path in GALLERY.glob("*.py"))


def test_every_file_is_registered() -> None:
    points = tomllib.loads((GALLERY / "pyproject.toml").read_text("utf-8"))["project"][
        "entry-points"
    ]["hsiaug"]
    assert points == {name: name for name in MODULES} and len(MODULES) == 5


@pytest.mark.parametrize("name", MODULES)
def test_a_plugin_uses_the_public_api_alone_and_passes_the_kit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (GALLERY / f"{name}.py").read_text("utf-8")
    imported = {
        node.module for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)
    }
    assert {module for module in imported if module and module.startswith("hsiaug")} == {
        "hsiaug.api"
    }

    monkeypatch.syspath_prepend(GALLERY)
    module = importlib.import_module(name)
    (entry,) = module.hsiaug_plugins()
    assert entry.target.partition(":")[0] == name
    check_plugin(entry.kind, getattr(module, entry.target.partition(":")[2]))
