"""The rules of imports in ``pyproject.toml`` know every room of the core."""

import pkgutil
import tomllib
from pathlib import Path

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
