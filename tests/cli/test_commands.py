"""The command line: quick, plain where nobody watches, with examples in its help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from hsiaug import __version__
from hsiaug.cli.options import numbers, overrides, seeds, words
from tests.effort import loaded
from tests.strangers import hsiaug


def test_help_loads_little_and_nothing_heavy() -> None:
    # The goal is half a second; 400 modules without native code take less, and seconds depend on the machine.
    modules = loaded("from hsiaug.cli.main import main; main()", "--help")
    assert len(modules) < 400
    assert not {"numpy", "scipy", "torch", "sklearn", "pydantic", "pooch", "matplotlib"} & modules


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
