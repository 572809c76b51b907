"""On a terminal of 80 columns no word is broken, and commands can be copied."""

import io

from hsiaug.base.terminal import Console
from hsiaug.cli.output import print_facts, print_lines, print_table

WORDY = "without a generator the accuracy of these draws leaves no room for any gain at all"


def terminal(width: int = 80) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    return console, file


def test_sentences_are_wrapped_between_words_behind_their_label() -> None:
    console, file = terminal()
    print_facts(console, [("verdict", f"{WORDY}; {WORDY}")])
    lines = file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert " ".join(file.getvalue().split()) == f"verdict {WORDY}; {WORDY}"
    assert all(line.startswith(" " * 16) for line in lines[1:])


def test_a_command_stays_on_one_line() -> None:
    console, file = terminal()
    command = (
        "  hsiaug benchmark flight.toml --generator smote,mixup --classifier svm,cnn2d --seeds 10"
    )
    print_lines(console, [command])
    assert file.getvalue() == f"{command}\n"


def test_a_table_breaks_no_word_and_becomes_lines_where_it_is_too_wide() -> None:
    header = ("stage", "generator", "classifier", "interval", "over", "a further column")
    row = ("confirmed", "conditional_gaussian", "filtered:svm", "+0.1 to +2.0", "duplicate", WORDY)
    for width in (40, 60, 80, 120):
        console, file = terminal(width)
        print_table(console, header, [row])
        for word in " ".join((*header, *row)).split():
            assert word in file.getvalue(), (width, word)
