"""Numbers and names on the command line: bounded before any work, quoted in short, shown as they
are.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hsiaug.base.errors import InputError
from hsiaug.base.terminal import Console
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.cli.main import main
from hsiaug.cli.options import duration
from hsiaug.cli.output import print_table
from hsiaug.core.scene import Scene
from hsiaug.registry.card import Card, build_params, param
from hsiaug.registry.lookup import registry
from hsiaug.registry.progress import show_progress
from tests.in_process import hsiaug
from tests.test_texts import Terminal

LONG = "9" * 5000


@dataclass(frozen=True)
class Params:
    rate: float = param(0.5, "a number")
    count: int = param(3, "a whole number")
    word: str = param("a", "a text")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", LONG, "\x1b[31m", ""])
def test_a_parameter_is_a_finite_number(text: str) -> None:
    card = Card(name="one", version="1", summary="", params=Params)
    for name in ("rate", "count"):
        with pytest.raises(InputError, match=rf"one\.{name}") as error:
            build_params(card, overrides={name: text})
        assert len(str(error.value)) < 1000
    with pytest.raises(InputError, match=r"one\.word` must be a text"):
        build_params(card, overrides={"word": "\udcff"})
    with pytest.raises(InputError, match="whole number"):
        build_params(card, overrides={"count": "99999999999999999999"})
    assert build_params(card, overrides={"rate": "1e300", "count": "10"}) == Params(1e300, 10)


@pytest.mark.parametrize(
    "text", ["99999999999999999999h", "9" * 400 + "h", "0.0001s", "0s", "1e9h", "\u0663s", "2000h"]
)
def test_a_time_is_one_that_a_timer_takes(text: str) -> None:
    with pytest.raises(InputError, match="--timeout"):
        duration("--timeout", text)
    assert duration("--timeout", "1000h") == 3.6e6


def test_trials_are_counted_before_a_split_is_drawn(toy: Scene) -> None:
    many = [i / 1000 for i in range(1, 1001)]
    request = read_request(
        lambdas=many, omegas=many, seeds=range(1000), generators=["smote"], classifiers=["svm"]
    )
    with pytest.raises(InputError, match="at most 100,000 trials"):
        build_plan(toy, request, registry())


@pytest.mark.parametrize(
    "words",
    [
        ("benchmark", "toy", "--seeds", "1000000000"),
        ("benchmark", "toy", "--lambda", "1e9"),
        ("benchmark", "toy", "--jobs", LONG),
        ("benchmark", "toy", "--jobs", "1000000000"),
        ("benchmark", "toy", "--patch", LONG),
        ("benchmark", "x" * 300 + ".toml"),
        ("benchmark", "toy", "--seeds", "1", "--store", "x" * 300),
        ("generate", "toy", "--out", "a.npz", "--omega", "\x1b[31m"),
        ("worth", f"--{LONG}"),
        ("\x1b]0;title\x07[/]",),
        ("report", "--store", "x" * 300),
    ],
)
def test_bad_words_cost_one_short_clear_message(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = hsiaug(*words, cwd=tmp_path)

    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert (
        "Traceback" not in answer.stderr
        and len(answer.stderr) < 2000
        and "\x1b]" not in answer.stderr
    )
    assert not list(tmp_path.iterdir())


def test_letters_that_an_encoding_lacks_are_shown_as_escapes(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for words in (["benchmark", "toy", "--dry-run"], ["datasets", "list"]):
        answer = subprocess.run(
            [sys.executable, "-m", "hsiaug", *words],
            env=env,
            capture_output=True,
            cwd=tmp_path,
        )
        assert answer.returncode == 0 and b"Traceback" not in answer.stderr
        answer.stdout.decode("ascii")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_one_clear_error() -> None:
    # tests/bench/test_stores.py does the same with commands that read a store, or run.
    command = [sys.executable, "-m", "hsiaug", "datasets", "list"]
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 2 and answer.stderr.startswith("error: files must have"), (
        answer.stderr
    )
    assert len(answer.stderr.splitlines()) == 1


def test_what_does_not_fit_into_memory_is_one_clear_error(monkeypatch, capsys):
    def too_large(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 64.0 GiB")

    monkeypatch.setattr("hsiaug.cli.main.app", too_large)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and len(said.splitlines()) == 1
    assert (
        said.startswith("error: ")
        and "Unable to allocate 64.0 GiB" in said
        and "a crop of the scene" in said
    )


def test_a_reader_that_goes_away_and_a_closed_output_are_no_news(tmp_path: Path) -> None:
    command = f"{sys.executable} -m hsiaug"
    for line in (
        f"{command} datasets info indian_pines | true",
        f"{command} plugins info smote >&-",
    ):
        answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
        assert answer.stderr == "", answer.stderr


def test_an_entry_of_a_table_stays_one_field_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Console(), ("class", "n"), [("a\tb\nc\x1b[2J", "1")])

    assert capsys.readouterr().out == "class\tn\na\\tb\\nc\\x1b[2J\t1\n"


@pytest.mark.parametrize("note", ["[/]", "[/data/x]", "[red]", "\x1b[2J"])
def test_a_note_of_a_plugin_is_shown_as_it_is(note: str) -> None:
    out = Terminal()
    screen = Console(file=out, width=160, color_system=None)

    with show_progress(screen, "smote") as progress:
        progress("1", None, note)  # type: ignore[arg-type]
        screen.print("meanwhile")

    assert note.startswith("\x1b") or note in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
