"""What is typed in a test in place of a command of the pages.

SMALL changes values, so that every option of the pages stays in use; a command for which it has no
row is an error.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from hsiaug.cli.main import app
from tests.docs.pages import Command

HERE = Path(__file__).name
HASH = r"[0-9a-f]{4,16}"
OWN = r"(my_scene|flight|farm)\.toml"
AS_IT_IS = "="
SMALL = (
    # command             argument or option  on the page                     typed in its place
    ("benchmark", "SCENE", rf"indian_pines|toy|hills|{OWN}", "flight.toml"),
    ("benchmark", "SCENE", r"oscd|my_pairs", "pairs.toml"),
    ("benchmark", "--suite", r"my_suite\.toml|benchmarks/\w+\.toml", "suite.toml"),
    ("benchmark", "--seeds", r".+", "1"),
    ("benchmark", "--lambda", r"0\.5,1,2,4,8|0:1\.5:0\.25", "0:0.5:0.5"),
    ("benchmark", "--lambda", r"1,3(,5)?", "0.5,1"),
    ("benchmark", "--protocol", r"places:100", "places:4"),
    ("benchmark", "--protocol", r"edge:0\.1", "issd:0.1"),  # test_own_protocols.py runs it itself
    ("benchmark", "--protocol", r"picks:8:picks\.csv", "picks:2:filled.csv"),
    ("benchmark", "--classifier", r"svm,filtered:svm", "svm"),
    ("benchmark", "--generator", r"pseudo,txt2hsi", "smote"),  # that trains on all other labels
    # test_write_a_generator.py runs these themselves.
    ("benchmark", "--generator", r"shrunk-gauss", "noise"),
    ("benchmark", "--generator", r"specdm,specdm-squared", "specdm"),
    ("benchmark", "--on", r"dask(:\S+)?|slurm", "local"),  # tests/cli/test_engines.py runs them
    ("benchmark", "--store", r"fresh", AS_IT_IS),
    ("worth", "SCENE", rf"indian_pines|{OWN}", "flight.toml"),
    ("store merge", "TARGET", r"all-results", AS_IT_IS),
    ("store merge", "SOURCE…", r"hsiaug-results", AS_IT_IS),
    ("generate", "SCENE", rf"indian_pines|{OWN}", "flight.toml"),
    ("generate", "SCENE", r"oscd", "pairs.toml"),
    ("generate", "-n", r"\d00", "6"),
    ("generate", "--show", r"track,pond", "Maize,Meadow"),
    ("generate", "--mask", r"plan\.png", AS_IT_IS),
    ("generate", "--prompt", r".*wheat.*", "bright maize beside meadow"),
    ("inspect", "SCENE", rf"indian_pines|{OWN}", "flight.toml"),
    ("inspect", "SCENE", r"oscd", "pairs.toml"),
    ("advise", "SCENE", rf"indian_pines|{OWN}", "flight.toml"),
    ("advise", "--budget", r"\d+[smh]", "5s"),
    ("label", "SCENE", rf"indian_pines|{OWN}|flight\.hdr", "flight.toml"),
    ("label", "--number", r"\d+", "4"),
    ("map", "SCENE", OWN, "flight.toml"),
    ("map", "SCENE", HASH, "{record}"),
    ("generate", "SCENE", HASH, "{record}"),
    ("inspect", "SCENE", HASH, "{record}"),
    ("report", "--trial", HASH, "{record}"),
    ("compare", "A", r".+/.+", AS_IT_IS),
    ("compare", "B", r".+/.+", AS_IT_IS),
    ("compare", "--store", r"my-results", "hsiaug-results"),
    ("start", "SCENE", r"\.", "flight.toml"),
    ("datasets info", "SCENE", r"\w+", AS_IT_IS),
    ("datasets info", "SCENE", OWN, "flight.toml"),
    ("datasets fetch", "SCENE…", r"salinas|ksc", "toy"),
    ("datasets add", "CUBE", r"flight\.(hdr|tif)|farm\.npy", AS_IT_IS),
    ("datasets add", "--labels", r"plots\.geojson|fields\.csv", AS_IT_IS),
    ("plugins info", "NAME", r"\S+", AS_IT_IS),
    ("plugins new", "NAME", r"my-\w+|shrunk-gauss|edge", AS_IT_IS),
    ("plugins check", "NAME", r"my-\w+|shrunk-gauss|edge", "noise"),  # is not installed here
    ("plugins check", "NAME", r"noise", AS_IT_IS),
)
ADDED = (
    # where a command of the page does not say it itself
    # (suites say for themselves what preset and draws they take)
    ("benchmark", "--preset", "tiny"),
    ("benchmark", "--device", "cpu"),
    ("benchmark", "--seeds", "1"),
    ("benchmark", "--jobs", "1"),
    ("worth", "--seeds", "1"),
    ("worth", "--jobs", "1"),
    ("advise", "--jobs", "1"),
    ("advise", "--budget", "5s"),
    ("datasets add", "--out", "mine.toml"),  # the world has a flight.toml already
)
ADDED_OF_PIXELS = (
    ("benchmark", "--patch", "5"),
    # Of the default classifiers one, which does not choose its view.
    ("benchmark", "--classifier", "svm"),
    ("benchmark", "--view", "raw"),
)
"""The same, where a command is about pixels."""
FILES = {"--labels", "--suite", "--store"}
"""Options whose value has to be there, so that they need a row."""
UNKNOWN = "-?"
GROUP = typer.main.get_command(app)


def words_of(command: Command) -> tuple[str, ...] | None:
    """The words behind ``hsiaug``, wherever that is installed; None for a command that is not
    hsiaug's.
    """
    words = list(command.words)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return tuple(words[1:]) if words[0].rpartition("/")[2] == "hsiaug" else None


def taken_apart(words: tuple[str, ...]) -> tuple[str, Any, list[tuple[str, list[str]]]]:
    """The name of a command, what the command line knows of it, and its parts in order: [(argument
    or option, words)].

    From what the command line does not know onwards, all is one part, which running it will refuse.
    """
    command, name, rest = GROUP, [], list(words)
    while rest and rest[0] in getattr(command, "commands", ()):
        command = command.commands[rest[0]]
        name.append(rest.pop(0))
    options = {text: p for p in command.params if p.param_type_name == "option" for text in p.opts}
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    parts: list[tuple[str, list[str]]] = []
    while rest:
        word = rest.pop(0)
        text, joined, _ = word.partition("=")
        if word.startswith("-") and text in options:
            takes = not (options[text].is_flag or joined) and rest
            parts.append((text, [word, rest.pop(0)] if takes else [word]))
        elif word.startswith("-") or not arguments:
            parts.append((UNKNOWN, [word, *rest]))
            break
        else:
            parts.append((arguments[0].metavar or arguments[0].name.upper(), [word]))
            if arguments[0].nargs == 1:
                arguments.pop(0)
    return " ".join(name), command, parts


def small(command: Command, facts: Mapping[str, str]) -> tuple[str, ...]:
    """What is typed in place of a command of the pages. Raises AssertionError where SMALL does not
    say it.
    """
    name, known, parts = taken_apart(words_of(command) or ())
    given = {part for part, _ in parts}
    done: list[list[str]] = []
    suite = False
    for part, words in parts:
        value = words[-1].partition("=")[2] if len(words) == 1 and "=" in words[0] else words[-1]
        rows = (row for row in SMALL if row[:2] == (name, part) and re.fullmatch(row[2], value))
        stand_in = next((row[3] for row in rows), None)
        needed = part in FILES or not part.startswith("-")
        if stand_in is None and needed:
            raise AssertionError(
                f"{command}: SMALL in {HERE} does not say what is typed in place of {value!r} as"
                f" {part} of 'hsiaug {name}'; add a row, or correct the page"
            )
        suite |= stand_in == "suite.toml"
        if stand_in is None or stand_in == AS_IT_IS:
            done.append(words)
        else:
            done.append([*([part] if part.startswith("-") else []), stand_in.format(**facts)])
    options = {text for p in known.params for text in p.opts}
    about_pixels = ["flight.toml"] in done and "--task" not in given
    for row, option, value in (*ADDED, *(ADDED_OF_PIXELS if about_pixels else ())):
        if (
            row == name
            and option in options
            and option not in given
            and not (suite and option in ("--preset", "--seeds"))
        ):
            done.append([option, value])
    if name == "serve" or (name == "label" and "--out" not in given):
        return (name, "--help")  # serves until it is stopped: tests/ui runs it
    # Options in one order, so that the same is not run twice; a sort keeps that of the arguments.
    done.sort(key=lambda words: words[0] if words[0].startswith("-") else "")
    return (*name.split(), *(word for words in done for word in words))
