"""The help of every command, as it is printed on a terminal of 100 columns: help.txt has it.

``python -m tests.cli.test_help`` writes that file anew, to be read before it is committed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from hsiaug.cli.main import app

PAGES = Path(__file__).with_name("help.txt")
MOST_OPTIONS = 90
MOST_LINES = 40
"""Of the help of the program, which stays on one screen."""


def commands(group: Any, *before: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A group and all commands in it, by the words that are typed for them."""
    yield before, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *before, name)


def page(*words: str) -> str:
    """The help of a command, without blanks at the ends of its lines."""
    size = {"COLUMNS": "100", "TERMINAL_WIDTH": "100"}
    lines = CliRunner().invoke(app, [*words, "--help"], env=size).output.splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


def pages() -> str:
    """The help of the program and of all its commands."""
    return "\n\n".join(page(*words) for words, _ in commands(get_command(app))) + "\n"


def test_every_help_is_as_it_was_read() -> None:
    assert pages() == PAGES.read_text(encoding="utf-8")
    assert len(page().splitlines()) <= MOST_LINES


def test_commands_and_options_are_few() -> None:
    _, *below = commands(get_command(app))
    assert sum(len(words) == 1 for words, _ in below) == 14
    options = [p for _, command in below for p in command.params if p.param_type_name == "option"]
    assert sum("--help" not in option.opts for option in options) <= MOST_OPTIONS


if __name__ == "__main__":
    PAGES.write_text(pages(), encoding="utf-8")
