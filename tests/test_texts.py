"""Texts that come from outside: what acts on a terminal is made visible, once, wherever they are
shown or written.
"""

import io
import json

import pytest
from rich.table import Table
from rich.text import Text

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.base.terminal import Console
from hsiaug.base.text import ascii_json, json_of, plotted, shortened, visible

HOSTILE = "\x1b]0;title\x07[/][red]\x9b31m\u202e\ud800\r\n\t\x7f"


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(*items: object) -> str:
    out = Terminal()
    Console(file=out, width=200, color_system=None).print(*items)
    return out.getvalue()


def test_control_characters_become_escapes_that_can_be_read() -> None:
    assert visible(HOSTILE) == r"\x1b]0;title\x07[/][red]\x9b31m\u202e\ud800\r\n\t\x7f"
    assert visible("a\tb\nc", keep="\t") == r"a	b\nc"


def test_letters_of_every_script_stay() -> None:
    for text in ("λ = 0.5", "été", "日本", "نص", "क्‍ष", "🛰️"):
        assert visible(text) == text


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert shortened("short") == "short"
    cut = shortened("a" * 500 + "b" * 500, 100)
    assert len(cut) == 100 and cut.startswith("aaa") and cut.endswith("bbb") and "…" in cut


def test_json_reads_back_as_the_same_text_and_holds_no_control_character() -> None:
    text = json_of({"name": HOSTILE}, indent=1)
    assert json.loads(text) == {"name": HOSTILE}
    assert visible(text, keep="\n") == text
    assert json.loads(ascii_json(json_of("é λ 日"))) == "é λ 日"


def test_a_name_in_a_picture_is_no_formula_and_is_not_left_out_of_the_legend() -> None:
    assert plotted(r"$\write18{id}$") == r"\$\write18{id}\$"
    assert plotted("_hidden").lstrip() == "_hidden" and not plotted("_hidden").startswith("_")
    assert len(plotted("x" * 3000)) < 100


@pytest.mark.parametrize(
    "name", ["[/]", "[red]a", "[link=http://example.org]a[/link]", "[@click=app.bell]b"]
)
def test_a_console_reads_no_markup_in_what_is_data(name: str) -> None:
    table = Table("class", title=name)
    table.add_row(name)

    for item in (name, table):
        assert name in shown(item)


@pytest.mark.parametrize("item", [HOSTILE, Text(HOSTILE)])
def test_no_control_character_reaches_a_terminal(item: object) -> None:
    table = Table("class")
    table.add_row(item)

    for said in (shown(item), shown(table)):
        assert not set("\x1b\x9b\x07\u202e\r\x7f") & set(said)


def test_a_message_is_one_short_line_whatever_it_quotes() -> None:
    error = InputError(
        f"{'f' * 5000} must be a file",
        value="9" * 5000 + HOSTILE,
        hint=did_you_mean("zz", map(str, range(10**4))),
    )

    assert len(str(error)) < 2000 and visible(str(error)) == str(error)
    assert "must be a file" in str(error) and "and 9960 more" in str(error)
