"""A new plugin package, written from the templates beside this module."""

import re
import tempfile
from pathlib import Path
from string import Template

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry

TEMPLATES = Path(__file__).parent / "templates"


def write_package(kind: Kind, name: str, out: Path, task: str | None = None) -> Path:
    """Write ``out/hsiaug-NAME``, a package with one plugin that passes the conformance kit, and
    return that folder; ``hsiaug-`` before NAME is the package's.

    It appears whole or not at all. ``out`` is made where it is missing.

    Parameters
    ----------
    task : str or None
        That the plugin serves; None = the usual one of a card.

    Raises
    ------
    InputError
        For a protocol with a task, a name that cannot be a plugin's or that a plugin has, and a
        folder that is there or cannot be written.
    """
    # As people call the package.
    name = name.removeprefix("hsiaug-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-0123456789").rstrip("-")
        rule = (
            "NAME must be small letters and digits, with hyphens between words and a letter first"
        )
        raise InputError(rule, value=repr(name), hint=f"Write {near or 'my-plugin'}.")
    taken = [plugin for (_, other), plugin in registry().plugins.items() if other == name]
    if taken:
        rule = "NAME must be one that no plugin has"
        hint = "Take another; 'hsiaug plugins list' shows those that are taken."
        raise InputError(
            rule, value=f"{name!r}, a {taken[0].entry.kind} of {taken[0].distribution}", hint=hint
        )
    (default_task,) = Card.tasks
    masks = task not in (None, default_task)
    if kind == "protocol" and masks:
        rule = "`task` is an option of generators and classifiers"
        hint = "Write a protocol without it; with a method draw_tiles it serves masks too."
        raise InputError(rule, value=f"`kind` {kind} `task` {task}", hint=hint)
    module = f"hsiaug_{name.replace('-', '_')}"
    words = {
        "name": name,
        "kind": kind,
        "task": task or default_task,
        "package": f"hsiaug-{name}",
        "module": module,
        "target": "".join(word.capitalize() for word in (*name.split("-"), kind)),
    }
    folder = out / words["package"]
    files = {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{module}.py": f"{kind}{'_of_masks' if masks else ''}.py.txt",
        "tests/test_conformance.py": "test_conformance.py.txt",
        ".github/workflows/check.yml": "check.yml.txt",
    }
    with file_errors(
        f"`out` {out} must be a folder that can be written", "Make it, or give another."
    ):
        if out.parent.is_dir():
            out.mkdir(exist_ok=True)
        if folder.exists():
            rule = "the folder of the new package must not be there yet"
            raise InputError(rule, value=f"{folder}", hint="Remove it, or give another `out`.")
        with tempfile.TemporaryDirectory(
            dir=out, prefix=".hsiaug-new-", ignore_cleanup_errors=True
        ) as scratch:
            fresh = Path(scratch) / folder.name
            for path, template in files.items():
                (fresh / path).parent.mkdir(parents=True, exist_ok=True)
                text = Template((TEMPLATES / template).read_text("utf-8")).substitute(words)
                (fresh / path).write_text(text, encoding="utf-8")
            fresh.rename(folder)
    return folder
