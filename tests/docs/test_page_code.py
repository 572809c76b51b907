"""Python and TOML on the pages: programs run, parts of programs import what is there, cards and
suites are read.
"""

import ast
import builtins
import contextlib
import inspect
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hsiaug.bench.suite import read_suite
from hsiaug.data.catalogue import read_card, read_pair_card
from hsiaug_builtin.text import checked_mode
from tests.docs import small_world
from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.in_process import run_trials_here

OWN_TEST = ('"shrunk-gauss"', '"specdm-squared"')
"""In the programs that are modules of packages, which test_write_a_generator.py installs and runs.
"""
SMALL = {
    '"my-generator"': '"noise"',
    '"my-results"': '"hsiaug-results"',
    'hsiaug.benchmark("indian_pines"': 'hsiaug.benchmark("toy"',
    "lambdas=[0.5])": 'lambdas=[0.5], seeds=1, preset="tiny")',
    "lambdas=1)": 'lambdas=1, seeds=1, preset="tiny")',
    "patch=5)": "patch=5, seeds=1)",
}
"""What stands in for what is not on the machine of a test, and for what takes long."""


def of(language: str) -> list[Block]:
    """The blocks of the pages in a language; of those with the same text, the first."""
    found = [block for page in PAGES for block in blocks(page) if block.language == language]
    distinct = {block.text: block for block in reversed(found)}
    return [
        block
        for block in found
        if distinct[block.text] is block and not any(name in block.text for name in OWN_TEST)
    ]


def unknown(code: str) -> set[str]:
    """Names that a piece of code reads and never makes: it is part of a program where there are
    any.
    """
    nodes = list(ast.walk(ast.parse(code)))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    made = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    made |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    made |= {(alias.asname or alias.name).partition(".")[0] for n in imports for alias in n.names}
    return read - made - set(dir(builtins))


def executed(block: Block) -> dict[str, Any]:
    """The names that a program leaves behind; of part of one, its imports alone are carried out."""
    code = block.text
    for there, here in SMALL.items():
        code = code.replace(there, here)
    tree = ast.parse(code)
    if unknown(code):
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names: dict[str, Any] = {}
    exec(compile(tree, str(block), "exec"), names)
    return names


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_of_the_pages_runs(block, world, tmp_path, monkeypatch):
    run_trials_here(monkeypatch)
    with contextlib.chdir(small_world.copy(world, tmp_path / "here")):
        names = executed(block)
        for name, made in names.items():
            if name.startswith("test_") and not inspect.signature(made).parameters:
                made()


def card(path: Path) -> None:
    found = read_card(path)
    assert found.cube.file and found.labels.names


def pair_card(path: Path) -> None:
    assert read_pair_card(path).images.files


def suite(path: Path) -> None:
    assert read_suite(path).runs


def descriptions(path: Path) -> None:
    names = list(tomllib.loads(path.read_text("utf-8"))["descriptions"])
    head = f'name = "x"\n[cube]\nfile = "x.npy"\n[labels]\nfile = "y.npy"\nnames = {names}\n'
    path.write_text(head + path.read_text("utf-8"), "utf-8")
    assert set(read_card(path).descriptions) == set(names)


def sentences(path: Path) -> None:
    assert checked_mode(f"file:{path}").startswith("file:")


def entry_points(path: Path) -> None:
    groups = set(tomllib.loads(path.read_text("utf-8"))["project"]["entry-points"])
    assert groups and groups <= {"hsiaug", "hsiaug.tasks"}


READERS: dict[str, Callable[[Path], None]] = {
    "cube": card,
    "images": pair_card,
    "run": suite,
    "descriptions": descriptions,
    "project": entry_points,
    "Woods": sentences,
    "patches": sentences,
}
"""How a file is read, by a table that it has."""


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_toml_of_the_pages_is_what_it_claims_to_be(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(block.text, "utf-8")
    kinds = [read for table, read in READERS.items() if table in tomllib.loads(block.text)]
    assert kinds, f"{block}: no reader of {Path(__file__).name} knows such a file"
    kinds[0](path)


def shown(heading: str) -> list[str]:
    """The block of the quickstart that begins with a line."""
    page = ROOT / "docs" / "quickstart.md"
    (text,) = [block.text for block in blocks(page) if block.text.startswith(heading)]
    return text.splitlines()


def test_the_quickstart_shows_what_its_steps_print(world: Path, tmp_path: Path) -> None:
    here = small_world.copy(world, tmp_path / "here")
    said = small_world.run(here, "datasets", "add", "farm.npy", "--labels", "fields.csv")
    assert said.splitlines() == shown("found\tvalue")

    from hsiaug import __version__

    assert shown("hsiaug 0") == [f"hsiaug {__version__}"]
