"""The command line: quick, plain where nobody watches, with examples in its help."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hsiaug import __version__
from hsiaug.base.errors import InputError
from hsiaug.base.text import seeds_option
from hsiaug.bench.ranges import numbers, seeds, settings, words
from hsiaug.data import toy_scene
from tests.effort import loaded
from tests.in_process import hsiaug as typed
from tests.third_party import environment, hsiaug, install


def test_help_loads_little_and_nothing_heavy() -> None:
    # The goal is half a second; 450 modules without native code, nine tenths of them libraries',
    # take less, and seconds depend on the machine.
    modules = loaded("from hsiaug.cli.main import main; main()", "--help")
    assert len(modules) < 450
    assert not {"numpy", "scipy", "torch", "sklearn", "pydantic", "pooch", "matplotlib"} & modules


def test_python_m_hsiaug_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hsiaug", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"hsiaug {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "number", "offered"),
    [
        ("hsiaug ", 1, ["benchmark", "datasets", "report", "worth"]),
        ("hsiaug datasets ", 2, ["add", "fetch", "info", "list"]),
        ("hsiaug worth --pr", 2, ["--protocol"]),
    ],
)
def test_a_shell_completes_commands_and_options(
    typed: str, number: int, offered: list[str]
) -> None:
    asked = {"_HSIAUG_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(number)}
    command = [str(Path(sys.executable).with_name("hsiaug"))]
    done = subprocess.run(
        command, env=environment(**asked), capture_output=True, text=True, check=True
    )

    assert set(offered) <= set(done.stdout.split()) and done.stderr == ""


def test_a_shell_is_told_how_to_complete() -> None:
    command = [str(Path(sys.executable).with_name("hsiaug")), "--show-completion", "bash"]
    # Which shell typed the tests is none of their business.
    env = environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "_HSIAUG_COMPLETE=complete_bash" in done.stdout


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("show", "hsiaug report --trial HASH"),
        ("cite", "hsiaug report --cite"),
        ("split", "hsiaug benchmark SCENE --dry-run --out split.png"),
        ("suggest", "hsiaug label SCENE --number N --out picks.csv"),
        ("labels", "hsiaug worth SCENE"),
    ],
)
def test_an_earlier_name_of_a_command_says_the_new_one(before: str, now: str) -> None:
    answer = typed(before, "anything", "--seed", "3")
    assert answer.returncode == 2 and answer.stderr == f"error: 'hsiaug {before}' is now: {now}\n"


@pytest.mark.drawn
def test_a_dry_run_draws_the_map_of_its_first_split_and_writes_its_table(tmp_path: Path) -> None:
    outs = ("--dry-run", "--out", "split.png", "--out", "split.csv")
    typed("benchmark", "toy", "--patch", "5", *outs, cwd=tmp_path)
    rows = (tmp_path / "split.csv").read_text("utf-8").splitlines()

    assert rows[0] == "class,name,labelled,train,test,in_new_fields"
    with Image.open(tmp_path / "split.png") as image:
        assert image.width > 1000

    leaky = ("--protocol", "random:0.1", "--dry-run", "--out", "split.json")
    typed("benchmark", "toy", *leaky, cwd=tmp_path)
    assert json.loads((tmp_path / "split.json").read_text("utf-8"))["leaky"] is True
    refused = typed("benchmark", "toy", "--out", "split.png", cwd=tmp_path)
    assert refused.returncode == 2 and "--dry-run" in refused.stderr


def test_lists_numbers_draws_and_settings_are_read_as_documented() -> None:
    assert words("a, b,,c ") == ["a", "b", "c"] and words("") == []
    with pytest.raises(InputError, match="at least one name"):
        words(",")
    assert numbers("--lambda", "0,0.5,1") == [0, 0.5, 1]
    assert seeds("3") == [0, 1, 2]
    assert seeds("100-102") == [100, 101, 102]
    assert seeds("3,5,8-9") == [3, 5, 8, 9]
    assert seeds("7-7") == [7]
    assert settings(["a.b=1", "a.c=x=y"]) == {"a": {"b": "1", "c": "x=y"}}


@pytest.mark.parametrize(
    ("text", "draws"),
    [("1", [0]), ("7", [*range(7)]), ("3-3", [3]), ("0,3", [3, 0]), ("2-3,5,8-9", [2, 3, 5, 8, 9])],
)
def test_draws_are_written_as_they_are_typed(text: str, draws: list[int]) -> None:
    assert seeds_option(draws) == text and seeds(text) == sorted(draws)


def test_pixels_in_neither_mask_are_no_buffer(tmp_path: Path) -> None:
    labels = toy_scene().labels
    sides = np.where(labels > 0, np.arange(labels.shape[1])[None] // 16, 0)
    np.savez(
        tmp_path / "masks.npz", train=(labels > 0) & (sides == 0), test=(labels > 0) & (sides == 1)
    )
    fixed = ("--protocol", "fixed:masks.npz", "--dry-run", "--out", "split.md")
    answer = typed("benchmark", "toy", "--patch", "5", *fixed, cwd=tmp_path)
    table = (tmp_path / "split.md").read_text("utf-8")

    assert answer.returncode == 0, answer.stderr
    assert f"{((labels > 0) & (sides > 1)).sum()} left out (buffer none)" in table


def test_a_package_that_cannot_be_loaded_or_prints_leaves_the_list_whole(tmp_path: Path) -> None:
    install(tmp_path, "broken_plugin", "print('noise'); raise SystemError('broken on purpose')")
    late = "\n@hookimpl\ndef hsiaug_plugins(): return [Entry('generator', 'late', 'nowhere:Class')]"
    install(tmp_path, "late_plugin", "from hsiaug.api import Entry, hookimpl\nprint('more')" + late)
    answer = hsiaug("plugins", "list", env=environment(tmp_path))

    rows = [line.split("\t") for line in answer.stdout.splitlines()]
    said = {(name, source): summary for _, name, source, _, summary in rows}
    assert "broken on purpose" in said["–", "broken-plugin"]
    assert "nowhere" in said["late", "late-plugin 1.0"]
    assert "broken" not in said["smote", f"hsiaug {__version__}"]
    assert "noise" in answer.stderr and "more" in answer.stderr
