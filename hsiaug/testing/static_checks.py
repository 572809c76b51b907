"""The checks of what can be seen without running a plugin: its card, and what importing it costs."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import unittest
from functools import cache
from typing import Any, get_args

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Preset, build_params
from hsiaug.tasks.task import task_names
from hsiaug.testing.core import CheckList, require
from hsiaug.testing.subject import Subject

__all__ = ["CHECKS"]

CHECKS = CheckList()
"""Checks of plugins of every kind."""

MOST_MODULES = 300
"""The most modules that importing a plugin's may load beyond hsiaug.api; matplotlib's pyplot loads 177, torch 930."""

HEAVY = (
    "torch", "torchvision", "tensorflow", "jax", "sklearn", "imblearn", "timm", "transformers", "open_clip", "diffusers",
)  # fmt: skip


@CHECKS.add(
    "Complete the Card; make params a frozen dataclass whose fields are made with hsiaug.api.param.", needs=()
)
def card(subject: Subject[Any]) -> None:
    """the card says in words and ranges what the plugin is, and each of its presets can be built"""
    card = subject.card
    lines = card.summary.strip().splitlines()
    require(len(lines) == 1, f"a summary of {len(lines)} lines", "Write a summary of one line.")
    require(isinstance(card.version, str) and card.version, f"version {card.version!r}", 'Set version="1".')
    strange = sorted(set(card.tasks) - set(task_names()))
    require(not strange, f"tasks {strange}", f"The tasks are {', '.join(task_names())}.")
    parameters = getattr(card.params, "__dataclass_params__", None)
    require(parameters and parameters.frozen, f"params {card.params!r}, which is no frozen dataclass")
    for item in dataclasses.fields(card.params):
        require(item.metadata.get("help"), f"params.{item.name} without a description", "Make it with param(…).")
    strange = sorted(set(card.presets) - set(get_args(Preset)))
    require(not strange, f"presets {strange}", f"The presets are {', '.join(get_args(Preset))}.")
    for preset in get_args(Preset):
        values = dataclasses.asdict(build_params(card, preset))
        require(json.loads(json.dumps(values)) == values, f"preset {preset}: parameters that JSON does not keep")
    if card.uses_device:
        require(
            "tiny" in card.presets, "a network without the preset tiny", "Add a preset for tests, with few steps."
        )


@CHECKS.add(
    "Import heavy libraries inside fit and load, or in a module that only these import.",
    needs=(),
    most_modules=MOST_MODULES,
)
def light_import(subject: Subject[Any]) -> None:
    """the module that an Entry names loads no heavy library, and at most {most_modules} modules beyond hsiaug.api"""
    module = subject.entry.target.partition(":")[0] if subject.entry else subject.plugin.__module__
    if module == "__main__":
        raise unittest.SkipTest("the plugin lies in no module that another process could import")
    loaded = _loaded_by(module)
    heavy = [name for name in HEAVY if name in loaded]
    require(not heavy, f"{module} imports {', '.join(heavy)}")
    require(len(loaded) <= MOST_MODULES, f"{module} loads {len(loaded)} modules")


@cache
def _loaded_by(module: str) -> frozenset[str]:
    """The modules that importing one loads beyond hsiaug.api."""
    code = (
        "import importlib, json, sys\n"
        "sys.path[:] = json.loads(sys.argv[1])\n"
        "import hsiaug.api\n"
        "known = set(sys.modules)\n"
        "importlib.import_module(sys.argv[2])\n"
        "print('\\n' + json.dumps(sorted(set(sys.modules) - known)))"
    )
    words = [sys.executable, "-c", code, json.dumps(sys.path), module]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise PluginError(
            f"{module} must import in a fresh process",
            value=(done.stderr.strip().splitlines() or ["no message"])[-1],
            hint="Import in it whatever it needs.",
        )
    return frozenset(json.loads(done.stdout.splitlines()[-1]))
