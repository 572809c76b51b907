"""The rules of imports in ``pyproject.toml`` know every room of the core."""

import importlib
import pkgutil
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import hsiaug

RULES = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]
ROOMS = {f"hsiaug.{room.name}" for room in pkgutil.iter_modules(hsiaug.__path__)} - {
    "hsiaug.__main__"
}


def test_plugins_may_import_no_room_but_the_api() -> None:
    (forbidden,) = (
        rule["forbidden_modules"] for rule in RULES["contracts"] if "hsiaug.api" in rule["name"]
    )

    assert set(forbidden) == ROOMS - {"hsiaug.api"}


def test_every_room_has_its_place_in_the_order_of_imports() -> None:
    (layers,) = (rule["layers"] for rule in RULES["contracts"] if rule["type"] == "layers")

    assert {
        room for layer in layers for room in layer.replace("|", ":").replace(" ", "").split(":")
    } == ROOMS


def test_a_plugin_of_hsiaug_lies_in_the_package_that_registers_it() -> None:
    """An import that is hidden in the string of an entry must not lead from a lower room to one
    above, or around the rules on imports.
    """
    for point in entry_points(group="hsiaug"):
        if point.dist is not None and point.dist.name == "hsiaug":
            builtin = point.value.startswith("hsiaug_builtin.")
            package = "hsiaug_builtin" if builtin else point.value
            for entry in point.load().hsiaug_plugins():
                assert entry.target.startswith(f"{package}."), entry


@pytest.mark.parametrize("name", ["specdm", "txt2hsi"])
def test_the_guide_to_a_flagship_names_every_file_of_its_package(name: str) -> None:
    package = importlib.import_module(f"hsiaug_builtin.{name}")
    files = {path.name for path in Path(package.__path__[0]).glob("*.py")} - {"__init__.py"}

    named = re.findall(r"``(\w+\.py)``", package.__doc__ or "")

    assert sorted(named) == sorted(files)
