"""The ``hsiaug`` command and its error messages."""

from __future__ import annotations

import errno
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from hsiaug import __version__
from hsiaug.base.errors import HsiaugError, InputError, shortage_of
from hsiaug.base.signals import exit_code, say_stopped
from hsiaug.base.text import shortened, visible
from hsiaug.cli.output import name_options, say

MAX_MESSAGE_CHARACTERS = 500
"""Characters of a message of typer at most."""
LISTS = ("generator", "classifier", "lambda", "times", "omega", "view", "train", "seeds", "added")
"""Options of which several values stand between commas."""


class _Commands(TyperGroup):
    """The commands; what a user typed is made visible and short in the messages of typer too, which
    quote all of it.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        names = super().list_commands(ctx)
        return [*COMMANDS] if ctx.parent is None else names

    def get_command(self, ctx: Any, name: str) -> Any:
        if ctx.parent is None and name in RENAMED:
            raise InputError(f"'hsiaug {name}' is now: hsiaug {RENAMED[name]}")
        command = super().get_command(ctx, name)
        if command is not None and command.help:
            _hide_types(command, ctx)
            # Lines of a docstring are as long as those of the code, and a terminal wraps them
            # itself; those of examples begin with blanks.
            command.help = re.sub(r"(?<=[^\s:])\n(?=\S)", " ", command.help)
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _hide_types(self, ctx)
        super().format_help(ctx, formatter)

    def make_context(self, *args: Any, **options: Any) -> Any:
        with _quoting():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _quoting(ctx, (*getattr(ctx, "_protected_args", ()), *ctx.args)):
                return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            say_stopped()
            raise typer.Exit(exit_code(stopped)) from None


def _hide_types(command: Any, ctx: Any) -> None:
    """Let the help name no type of Python, as ``<str>`` or ``<bool>``: what is to be typed stands
    in the metavariable.
    """
    for parameter in command.get_params(ctx):
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None
        elif parameter.metavar is None:
            parameter.metavar = ""


@contextmanager
def _quoting(group: Any = None, arguments: Sequence[str] = ()) -> Iterator[None]:
    """group: the context of a group that runs a command. arguments: what was typed behind its
    name.
    """
    try:
        yield
    except HsiaugError as error:
        HsiaugError.__init__(
            error, name_options(error.rule), value=error.value, hint=name_options(error.hint)
        )
        raise
    except Exception as error:
        message = getattr(error, "message", None)
        context = getattr(error, "ctx", None)
        if not (isinstance(message, str) and hasattr(error, "format_message")):
            raise
        # Typer's errors of usage, whichever module its version has them in.
        if group is not None and context not in (None, group) and context.parent is not group:
            # A group within this one has met it before.
            raise
        hint = _slip_hint(error, context, arguments) if arguments else ""
        sentence = shortened(visible(message), MAX_MESSAGE_CHARACTERS).removesuffix(".")
        error.message = f"{sentence}.{visible(hint)}" if hint else sentence  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_Commands,
    name="hsiaug",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Make synthetic samples for hyperspectral scenes with few labels, and measure whether they"
        " help."
    ),
    epilog=(
        "Your own files: [bold]hsiaug start FOLDER[/bold]. A scene to try: [bold]hsiaug benchmark"
        " indian_pines --generator smote,gaussian --classifier svm --seeds 7[/bold]"
    ),
)
COMMANDS = (
    *("start", "datasets", "benchmark", "report", "compare", "advise", "map", "label", "worth"),
    *("generate", "inspect", "serve", "plugins", "store"),
)
"""In the order of the help."""
RENAMED = {
    "show": "report --trial HASH",
    "cite": "report --cite",
    "split": "benchmark SCENE --dry-run --out split.png",
    "suggest": "label SCENE --number N --out picks.csv",
    "labels": "worth SCENE",
}
"""Earlier names of commands, and what to type now."""
NOW = {
    "--classes": "--set classes=NAME,…",
    "--unlabelled": "--set unlabelled=CODE,…",
    "--record": "hsiaug map HASH",
}
"""Earlier names of options, and what to type now."""
for name in COMMANDS:
    module = import_module(f"hsiaug.cli.{name}")
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name, cls=_Commands)
    else:
        # Named so as not to hide the built-in function.
        app.command(name)(getattr(module, "map_" if name == "map" else name))


def _version(version: bool) -> None:
    if version:
        typer.echo(f"hsiaug {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: bool = typer.Option(
        False,
        "--version",
        callback=_version,
        is_eager=True,
        metavar="",
        help="Show the version and exit.",
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line. Bad input gives one message on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # λ, or a letter of a file's name, where the terminal's encoding has no such sign.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt as stopped:
        # Before a command has begun, or where it has no words of its own for that.
        say_stopped()
        sys.exit(exit_code(stopped))
    except HsiaugError as error:
        fail(error)
    except BrokenPipeError:
        # Whoever read the output has had enough of it, as `head` has.
        _drop_output()
        sys.exit(1)
    except OSError as error:
        fail(_system_error(error))
    except Exception as error:
        # Want of memory, as every library has it.
        if (short := shortage_of(error)) is None:
            raise
        value = str(error).strip() or type(error).__name__
        fail(HsiaugError(short.rule, value=value, hint=short.hint))


def _system_error(error: OSError) -> HsiaugError:
    """The error of a call of the system that nothing else explained, in words."""
    reason = error.strerror or str(error)
    if (short := shortage_of(error)) is not None:
        return HsiaugError(short.rule, value=reason, hint=short.hint)
    if (named := error.filename) is not None:
        rule = f"{named} must be something that can be read or written"
        return HsiaugError(
            rule, value=reason, hint="Name another file or folder, or correct this one."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        _drop_output()
        temporary = tempfile.gettempdir()
        rule = f"files must have room, temporary ones too ({temporary})"
        return HsiaugError(
            rule, value=reason, hint="Free some space, or let TMPDIR name another folder."
        )
    if isinstance(error, FileNotFoundError):
        try:
            Path.cwd()
        except FileNotFoundError:
            hint = "Go to another folder (cd), and run the same command again."
            return HsiaugError("the current folder must be there", value="removed", hint=hint)
        rule = "a temporary folder (TMPDIR) must be something that can be read or written"
        return HsiaugError(
            rule, value=reason, hint="Let TMPDIR name another folder, or correct this one."
        )
    rule = "the system must let hsiaug read, write and start processes"
    return HsiaugError(rule, value=reason, hint="Look at permissions and limits (ulimit -a).")


def _drop_output() -> None:
    """Let nothing more be written to standard output, or Python would try again as it ends, and
    complain.
    """
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(error: HsiaugError) -> NoReturn:
    """End with an error's message on stderr, and exit code 2."""
    with suppress(OSError):
        typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
        say(str(error), err=True)
    sys.exit(2)


# What was meant: an option of another command, or a blank where a comma belongs


def _slip_hint(error: Exception, context: Any, arguments: Sequence[str]) -> str:
    """A sentence that mends an error of usage, with a blank before it; empty where none is known.

    Parameters
    ----------
    error : Exception
        The error of the library that reads the command line.
    context : Context or None
        Of the command that it is of.
    arguments : sequence of str
        What was typed, the command first.
    """
    option = getattr(error, "option_name", None)
    if isinstance(option, str) and context is not None:
        return _of_other_commands(option, context)
    if "unexpected extra argument" in str(getattr(error, "message", "")):
        return _without_blanks(arguments)
    return ""


def _of_other_commands(option: str, context: Any) -> str:
    """Which commands have an option."""
    if option in NOW:
        return f" It is now {NOW[option]}."
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
