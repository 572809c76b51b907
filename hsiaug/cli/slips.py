"""What was meant by a command line that cannot be read: an option of another command, or a blank
where a comma belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

LISTS = ("generator", "classifier", "lambda", "times", "omega", "view", "train", "seeds", "added")
"""Options of which several values stand between commas."""


def slip_hint(error: Exception, arguments: Sequence[str]) -> str:
    """A sentence that mends an error of usage, with a blank before it; empty where none is known.

    Parameters
    ----------
    error : Exception
        The error of the library that reads the command line.
    arguments : sequence of str
        What was typed, the command first.
    """
    context = getattr(error, "ctx", None)
    option = getattr(error, "option_name", None)
    if isinstance(option, str) and context is not None:
        return _of_other_commands(option, context)
    if "unexpected extra argument" in str(getattr(error, "message", "")):
        return _without_blanks(arguments)
    return ""


def _of_other_commands(option: str, context: Any) -> str:
    """Which commands have an option."""
    root = context.find_root()
    command_name = context.command_path.removeprefix(root.command_path).strip()
    owners = [name for name, command in _commands(root.command) if _has(command, option)]
    if not owners or command_name in owners:
        return ""
    named = " and ".join(f"'hsiaug {name}'" for name in owners[:3])
    if option == "--json" and _has(context.command, "--format"):
        return " Here it is --format json."
    return f" {option} is an option of {named}, not of 'hsiaug {command_name}'."


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The commands of a group by what is typed for them, those of its groups too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _has(command: Any, option: str) -> bool:
    return any(option in parameter.opts for parameter in command.params)


def _without_blanks(arguments: Sequence[str]) -> str:
    """The list that was typed with blanks, as it is to be typed."""
    for place, word in enumerate(arguments):
        if word.removeprefix("--") not in LISTS or not word.startswith("--"):
            continue
        values = []
        for value in arguments[place + 1 :]:
            if value.startswith("--"):
                break
            values.append(value)
        if len(values) > 1:
            listed = ",".join(value.strip(",") for value in values)
            return f" Several values stand between commas, without a blank: {word} {listed}"
    return ""
