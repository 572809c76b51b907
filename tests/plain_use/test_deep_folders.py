"""Folders that a plugin nests deeper than a path can name are removed as any others."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsiaug.base.temporary_folders import PluginsFolder, remove_tree, sweep
from tests.leavings import left_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
DEEP = 2500
"""More than Python's calls, and the names that a path can have."""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A folder of somebody's, to which a link leads."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("mine")
    yield tmp_path / "kept"
    assert (tmp_path / "kept" / "file").read_text() == "mine"


def nest(folder: Path, link: Path) -> None:
    """Nest folders, with a link and a file in the last."""
    inner = os.open(folder, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("d", dir_fd=inner)
        outer, inner = inner, os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.symlink(link, "link", dir_fd=inner)
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
    os.close(inner)


def test_a_folder_is_removed_however_deep_it_is(tmp_path: Path, kept: Path) -> None:
    (deep := tmp_path / "deep").mkdir()
    nest(deep, kept)
    remove_tree(deep)
    assert not deep.exists()


def test_what_a_plugin_leaves_is_removed_though_it_is_deep(kept: Path) -> None:
    with PluginsFolder() as folder:
        nest(Path(folder), kept)
    assert not Path(folder).exists()


def test_what_a_killed_process_left_is_swept_though_it_is_deep(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsiaug.base.temporary_folders.ABANDONED", -1.0)
    left = left_in(tmp_path)
    nest(left / "new", kept)
    sweep(tmp_path)
    assert not left.exists()
