"""The README and the pages of docs/, taken apart: blocks of code, commands, links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
SHELLS = ("sh", "console")
FENCE = re.compile(r"^(`{3,})([^\n]*)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A block of code. line: that of its first line. language: "" where the page says none."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command line as it stands on a page, its continuations joined."""

    page: str
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order; directives of the site, such as its contents, are none."""
    text = page.read_text("utf-8")
    found = []
    for fence in FENCE.finditer(text):
        language = fence[2].strip()
        if not language.startswith("{"):
            line = text.count("\n", 0, fence.start(3)) + 1
            found.append(Block(page.relative_to(ROOT).as_posix(), line, language, fence[3]))
    return found


def commands(page: Path) -> Iterator[Command]:
    """Every command of a page: each line of a block in ``sh``, and those behind ``$`` of one in
    ``console``.
    """
    for block in blocks(page):
        if block.language in SHELLS:
            yield from commands_of(block)


def commands_of(block: Block) -> Iterator[Command]:
    """The commands of one block."""
    typed, start = "", 0
    for number, line in enumerate(block.text.splitlines(), block.line):
        if block.language == "console" and not typed:
            if not line.startswith("$ "):
                continue
            line = line[2:]
        start = start if typed else number
        typed += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        words = shlex.split(typed, comments=True)
        typed = ""
        if words:
            yield Command(block.page, start, tuple(words))


def links(page: Path) -> list[str]:
    """Where the links and the pictures of a page lead, as written; code holds none."""
    prose = re.sub(r"`[^`\n]+`", "", FENCE.sub("", page.read_text("utf-8")))
    return LINK.findall(prose)
