"""What killed processes leave behind, and files of others beside it."""

import os
import shutil
import uuid
from pathlib import Path

from hsiaug.base.temporary_folders import mark

__all__ = ["age", "files_of_others", "left_in", "paths_in"]


def left_in(folder: Path) -> Path:
    """The temporary folder of a process that was killed."""
    left = folder / f".0123.{uuid.uuid4().hex[:12]}"
    (left / "new").mkdir(parents=True)
    mark(left, f"temporary folder {left.name}")
    (left / "new" / "record.json").write_text('{"half":')
    return left


def age(folder: Path) -> None:
    """Let everything in a folder be as old as can be."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (0, 0), follow_symlinks=False)


def files_of_others(folder: Path) -> None:
    """Files that hsiaug did not write, some under names like its own."""
    for name in (".git", ".ssh", ".0123.0123456789ab", "documents", "0123456789abcdef"):
        (folder / name).mkdir(parents=True)
        (folder / name / "kept").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    os.mkfifo(folder / ".git" / ".hsiaug")
    # A mark that was copied with its folder, and a link to a folder that has one.
    marked = left_in(folder / "documents")
    shutil.copytree(marked, folder / ".copied")
    (folder / marked.name).symlink_to(marked)


def paths_in(folder: Path) -> set[str]:
    """Everything in a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
