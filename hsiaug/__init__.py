"""hsiaug: augmentation for hyperspectral scenes with few, unequal labels, benchmarked honestly.

::

    import hsiaug

    run = hsiaug.benchmark("indian_pines", ["smote"], lambdas=[0.5], draws=3)

Plugin authors import :mod:`hsiaug.api`; on the command line there is ``hsiaug``. Importing this package
loads neither torch nor numpy: what it offers is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "Results": "hsiaug.results",
    "SceneMap": "hsiaug.scene_maps",
    "add_scene": "hsiaug.own_scenes",
    "augment_scene": "hsiaug.results",
    "benchmark": "hsiaug.results",
    "classifier": "hsiaug.results",
    "generator": "hsiaug.results",
    "load_scene": "hsiaug.data",
    "map_scene": "hsiaug.scene_maps",
    "read_store": "hsiaug.results",
    "split": "hsiaug.results",
}
"""The module of each name; ``__init__.pyi`` tells them to type checkers."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hsiaug' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
