"""Sentences of a user's own file."""

from pathlib import Path

import pytest

from hsiaug.api import InputError
from hsiaug.registry.card import build_params
from hsiaug_builtin.text import prompts_of
from hsiaug_builtin.text.prompts import checked_mode
from hsiaug_builtin.txt2hsi.plugin import Txt2Hsi

SENTENCES = 'Meadow = ["a smooth green meadow", "meadow beside a road"]\nMaize = "tall  maize"\n'


@pytest.fixture
def mode(tmp_path: Path) -> str:
    (tmp_path / "prompts.toml").write_text(SENTENCES)
    return f"file:{tmp_path / 'prompts.toml'}"


def test_the_sentences_of_a_file_are_the_prompts_of_its_classes(view_of, mode: str) -> None:
    prompts = prompts_of(view_of(), checked_mode(mode))
    assert prompts[1] == ("a smooth green meadow", "meadow beside a road")
    assert prompts[2] == ("tall maize",)
    # A class that the file leaves out is described by its name.
    assert prompts[3] == prompts_of(view_of(), "coarse")[3]


def test_other_sentences_are_other_parameters_and_so_other_trials(
    mode: str, tmp_path: Path
) -> None:
    def text() -> str:
        return str(build_params(Txt2Hsi.card, "cpu", {"text": mode}).text)

    first = text()
    assert first.startswith(f"{mode}#") and checked_mode(first) == first
    (tmp_path / "prompts.toml").write_text(f"# the same\n{SENTENCES}")
    assert text() == first
    (tmp_path / "prompts.toml").write_text(SENTENCES.replace("green", "dry"))
    assert text() != first
    with pytest.raises(InputError, match=r"must hold the sentences of checksum .*write file:"):
        checked_mode(first)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "must be a TOML file"),
        ("", "no class"),
        ("Meadow = 3", "Meadow = 3"),
        ('Meadow = ["a", ""]', "TOML file of sentences"),
        ("Meadow = []", "TOML file of sentences"),
        ("Meadow", "TOML file of sentences"),
    ],
)
def test_what_is_no_file_of_sentences_is_met_with_one_error(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "prompts.toml").write_text(content)
    with pytest.raises(InputError, match=message):
        checked_mode(f"file:{tmp_path / 'prompts.toml'}")


def test_the_home_of_a_user_that_there_is_not_is_no_file_of_sentences() -> None:
    with pytest.raises(InputError, match=r"must be a TOML file of sentences .* No such file"):
        checked_mode("file:~nobody-of-this-name/prompts.toml")


def test_a_class_that_the_scene_does_not_have_is_refused(view_of, tmp_path: Path) -> None:
    (tmp_path / "prompts.toml").write_text('Meadows = "green"')
    mode = checked_mode(f"file:{tmp_path / 'prompts.toml'}")
    with pytest.raises(InputError, match=r"'Meadows'.*Did you mean Meadow"):
        prompts_of(view_of(), mode)


def test_an_unknown_mode_is_refused_and_the_default_is_as_it_was() -> None:
    with pytest.raises(InputError, match=r"`text` must be one of .*Did you mean coarse"):
        build_params(Txt2Hsi.card, "cpu", {"text": "coarser"})
    assert build_params(Txt2Hsi.card).text == "both"
