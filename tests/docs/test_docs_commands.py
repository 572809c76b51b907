"""``benchmarks/docs_commands.py``: what its table says of a command, and that the table kept here
names no failure.
"""

import re

import pytest

from benchmarks.common import read_csv
from benchmarks.docs_commands import NOT_RUN, TABLE, TOGETHER, run, typed


@pytest.mark.parametrize(
    ("words", "limit", "said"),
    [
        ("--version", 600.0, ("ok", "0")),
        ("benchmark atlantis", 600.0, ("failed", "2")),
        ("--version", 0.0, ("stopped", "")),
    ],
)
def test_a_command_ends_well_or_fails_or_is_stopped(words, limit, said, tmp_path):
    outcome, code, _, last = run(["hsiaug", *words.split()], tmp_path, limit)

    assert (outcome, code) == said
    assert str(tmp_path) not in last and ("atlantis" in last) is (outcome == "failed")


def test_every_exception_is_that_of_a_command_of_the_pages() -> None:
    lines = [f"{page} {line}" for line, page in typed().items()]

    assert all(
        any(re.search(pattern, line) for line in lines) for pattern, _ in (*NOT_RUN, *TOGETHER)
    )


def test_no_command_of_the_table_failed() -> None:
    assert not [row["command"] for row in read_csv(TABLE) if row["outcome"] == "failed"]
