"""Every command of the README and of docs/*.md is typed here, on small data: what a page says can
be done works.

What is typed in place of what, says the table in small_commands.py; a command for which it has no
row fails.
"""

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hsiaug.data.catalogue import find_entry, scene_names, status
from tests.docs import small_world
from tests.docs.pages import PAGES, ROOT, SHELLS, Block, Command, blocks, commands, commands_of
from tests.docs.small_commands import HERE, SMALL, small, taken_apart, words_of

OTHERS = {"pip", "make", "git", "export", "pytest", ".", "pre-commit", "python", "python3", "dask"}
"""First words of commands that are not hsiaug's. Of python, ``-m venv`` and modules of this
repository.
"""

TYPED = [command for page in PAGES for command in commands(page)]
OURS = [command for command in TYPED if words_of(command) is not None]
INSTALLED = {"shrunk-gauss", "specdm,specdm-squared", "edge:0.1"}
"""Plugins of the pages that are installed first, as test_write_a_generator.py does."""
PLACEHOLDER = {"record": "0000"}
DISTINCT: dict[tuple[str, ...], Command] = {}
MISSED: list[str] = []
for _command in OURS:
    try:
        DISTINCT.setdefault(small(_command, PLACEHOLDER), _command)
    except AssertionError as error:
        MISSED.append(str(error))


def typed(command: Command, world: Path, folder: Path) -> str:
    """Type a command of the pages in a copy of the world. Raises AssertionError, naming page, line
    and hint.
    """
    words = small(command, {"record": small_world.record_of(world)})
    try:
        return small_world.run(small_world.copy(world, folder), *words)
    except AssertionError as error:
        raise AssertionError(
            f"{command}: {shlex.join(command.words)}\ntyped as: hsiaug"
            f" {shlex.join(words)}\n{error}\ncorrect the page, or SMALL in {HERE}"
        ) from None


def test_the_table_covers_every_command() -> None:
    assert not MISSED, "\n".join(MISSED)


def test_every_row_of_the_table_is_in_use() -> None:
    parts = [
        (name, part, words[-1])
        for name, _, found in map(taken_apart, map(words_of, OURS))
        for part, words in found
    ]
    assert not [
        row
        for row in SMALL
        if not any(row[:2] == p[:2] and re.fullmatch(row[2], p[2]) for p in parts)
    ]


@pytest.mark.parametrize("command", list(DISTINCT.values()), ids=str)
def test_a_command_of_the_pages_works(command: Command, world: Path, tmp_path: Path) -> None:
    assert typed(command, world, tmp_path / "here").strip() or "--out" in command.words


def offline(words: tuple[str, ...]) -> bool:
    """Whether all scenes of a benchmark are part of the installation, so that it can be planned on
    any machine.
    """
    ref = words[words.index("--suite") + 1] if "--suite" in words else words[1]
    if ref == "my_suite.toml":
        return True
    if (path := ROOT / "benchmarks" / f"{Path(ref).stem}.toml").is_file():
        # A card of another scene is a file, which a fresh copy of the repository may lack.
        scenes = {scene for table in suite_tables(path) for scene in table.get("scenes", ())}
        return bool(scenes) and all(map(embedded, scenes))
    return embedded(ref)


def suite_tables(path: Path) -> list[dict[str, Any]]:
    table = tomllib.loads(path.read_text("utf-8"))
    return [table.get("defaults", {}), *table["run"]]


def embedded(scene: str) -> bool:
    return scene in scene_names() and status(find_entry(scene)) == "embedded"


def verbatim() -> list[Command]:
    """The benchmarks that can be planned here just as they stand on the page."""
    found: dict[tuple[str, ...], Command] = {}
    for command in OURS:
        words = words_of(command) or ()
        if words[0] == "benchmark" and offline(words) and not INSTALLED & set(words):
            found.setdefault(words, command)
    return list(found.values())


@pytest.mark.parametrize("command", verbatim(), ids=str)
def test_a_benchmark_of_the_pages_is_accepted_as_it_stands(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    suite, *_ = (block for block in blocks(ROOT / "docs" / "papers.md") if block.language == "toml")
    (tmp_path / "my_suite.toml").write_text(suite.text, "utf-8")
    words = [*(words_of(command) or ()), *(() if "--dry-run" in command.words else ("--dry-run",))]

    assert "trials to run" in small_world.run(tmp_path, *words)
    assert not (tmp_path / "hsiaug-results").exists()


@pytest.mark.parametrize("command", [c for c in TYPED if words_of(c) is None], ids=str)
def test_other_commands_are_known_ones(command: Command) -> None:
    first, *rest = command.words
    first = first.rpartition("/")[2]
    assert first in OTHERS, (
        f"{command}: {first!r} is no command that the pages may use; add it to OTHERS, or correct"
        " the page"
    )
    if first == "make":
        targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(rest) <= set(targets), f"{command}: the Makefile has no such target"
    if first == "python" and rest[0] == "-m" and rest[1].startswith("benchmarks"):
        assert find_spec(rest[1]), f"{command}: there is no {rest[1]}"


def test_no_command_hides_in_a_block_of_another_language() -> None:
    hidden = [
        f"{block}: give the block the language sh"
        for page in PAGES
        for block in blocks(page)
        if block.language not in (*SHELLS, "text", "python", "toml")
        and re.search(r"^hsiaug ", block.text, re.MULTILINE)
    ]
    assert not hidden, "\n".join(hidden)


def made_up(line: str) -> Command:
    (command,) = commands_of(Block("docs/made-up.md", 7, "sh", line))
    return command


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hsiaug benchmark indian_pines --genrator smote", "No such option"),
        ("hsiaug benchmark indian_pines --generator smotty", "Did you mean smote"),
        ("hsiaug benchmark indian_pines --set smote.k=3", "no such parameter"),
        ("hsiaug report \\\n  --by nothing", "--by"),
        ("hsiaug raport", "No such command"),
        ("hsiaug map", "Missing argument"),
    ],
)
def test_a_wrong_command_would_fail(line: str, said: str, world: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=said) as error:
        typed(made_up(line), world, tmp_path / "here")
    assert "docs/made-up.md:7" in str(error.value) and "correct the page" in str(error.value)
