"""The command line: quick, plain where nobody watches, with examples in its help."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from hsiaug import __version__
from hsiaug.cli.options import numbers, overrides, seeds, words
from tests.strangers import hsiaug


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    start = time.perf_counter()
    answer = hsiaug("--help")
    # The goal is 0.5 s on an idle machine; tests run beside others.
    assert time.perf_counter() - start < 1.5
    assert answer.returncode == 0

    heavy = ("numpy", "scipy", "torch", "sklearn", "pydantic", "pooch", "matplotlib")
    code = f"import sys, hsiaug.cli.main; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command", [("benchmark",), ("report",), ("show",), ("split",), ("datasets", "list"), ("datasets", "fetch")]
)
def test_every_help_shows_an_example(command: tuple[str, ...]) -> None:
    answer = hsiaug(*command, "--help")

    assert answer.returncode == 0 and "Example" in answer.stdout and "hsiaug " + command[0] in answer.stdout


def test_the_version() -> None:
    assert hsiaug("--version").stdout.strip() == f"hsiaug {__version__}"


def test_split_prints_parsable_lines_and_draws_a_map(tmp_path: Path) -> None:
    answer = hsiaug("split", "toy", "--patch", "5", "--png", cwd=tmp_path)
    lines = answer.stdout.splitlines()

    assert lines[0].split("\t") == ["class", "name", "labelled", "train", "test"]
    assert len(lines[1].split("\t")) == 5
    with Image.open(tmp_path / "toy-issd-0.png") as image:
        assert image.width > 1000

    audit = json.loads(hsiaug("split", "toy", "--protocol", "random:0.1", "--json").stdout)
    assert audit["leaky"] is True


def test_plugins_info_shows_what_the_card_declares() -> None:
    answer = hsiaug("plugins", "info", "smote")

    assert answer.returncode == 0
    assert "generator smote" in answer.stdout and "parameter\tdefault" in answer.stdout


def test_lists_numbers_draws_and_settings_are_read_as_documented() -> None:
    assert words("a, b,,c ") == ["a", "b", "c"]
    assert numbers("--lambda", "0,0.5,1") == [0, 0.5, 1]
    assert seeds("3") == [0, 1, 2]
    assert seeds("100-102") == [100, 101, 102]
    assert seeds("3,5,8-9") == [3, 5, 8, 9]
    assert seeds("7-7") == [7]
    assert overrides(["a.b=1", "a.c=x=y"]) == {"a": {"b": "1", "c": "x=y"}}
