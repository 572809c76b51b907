"""The ``hsiaug`` command and its error messages."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

from hsiaug import __version__
from hsiaug.cli import advise, benchmark, compare, datasets, generate, inspect, map, plugins, report, show, split
from hsiaug.errors import HsiaugError

__all__ = ["app", "main"]

app = typer.Typer(
    name="hsiaug",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Augment hyperspectral scenes that have few, unequal labels, and measure honestly whether it helped.",
    epilog="Start with: [bold]hsiaug benchmark indian_pines --generator smote --lambda 0.5 --seeds 3[/bold]",
)
app.command()(advise.advise)
app.command()(benchmark.benchmark)
app.command()(compare.compare)
app.command()(generate.generate)
app.command()(inspect.inspect)
app.command("map")(map.map_)
app.command()(report.report)
app.command()(show.show)
app.command()(split.split)
app.add_typer(datasets.app, name="datasets")
app.add_typer(plugins.app, name="plugins")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hsiaug {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and leave."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line. Bad input, and a system that refuses, give one message on stderr and exit code 2."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except HsiaugError as error:
        _end(str(error))
    except OSError as error:
        # What is still to be printed is dropped, or the interpreter would try once more at its end.
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.__stdout__.fileno())  # type: ignore[union-attr]
        if isinstance(error, BrokenPipeError):
            # The reader has seen enough, as "head" does.
            sys.exit(1)
        _end(
            f"{error.filename or 'what is printed'} must be read or written; found {error.strerror or error}. "
            "Look at its folder and the space on its disk."
        )


def _end(message: str) -> NoReturn:
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(message, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
