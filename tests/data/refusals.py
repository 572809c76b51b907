"""The refusals of :mod:`hsiaug.data` as its source has them, and a desk at which what they tell a
user to type is typed.
"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hsiaug
import hsiaug.data
from hsiaug.base.errors import HsiaugError
from hsiaug.data import toy_scene
from hsiaug.data.adding import Added

ROOM = Path(hsiaug.data.__file__).parent
RAISED = {"SceneError", "InputError", "DataUnavailableError", "check_known", "need"}
GIVEN = {"kind", "error"}
"""What makes an error that leaves the room: classes and functions, and parameters that hold a class."""

FARM = toy_scene(seed=3, height=40, width=32, bands=12, classes=3)
CUBE, LABELS = FARM.cube, FARM.labels.astype(np.uint8)

SETTING = re.compile(r"`(\w+=(?:'[^']*'|\"[^\"]*\"))`")
COMMAND = re.compile(r"(python -c .+?|rio .+?), and name (\S+?)[.,;]*(?= |$)")

Site = tuple[str, int, int]
"""File, first and last line of the call that makes an error."""


@cache
def refusals() -> dict[str, Site]:
    """All refusals in the source: "module.function", with "#2" for the second of a function."""
    found: dict[str, Site] = {}
    for path in sorted(ROOM.rglob("*.py")):
        module = ".".join(path.relative_to(ROOM).with_suffix("").parts)
        for function, call in _calls(ast.parse(path.read_text("utf-8")), ""):
            number = sum(name.partition("#")[0] == f"{module}.{function}" for name in found) + 1
            name = f"{module}.{function}{f'#{number}' if number > 1 else ''}"
            found[name] = (str(path), call.lineno, call.end_lineno or call.lineno)
    return found


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        within = child.name if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Call) and getattr(child.func, "id", "") in RAISED | GIVEN:
            yield within, child
        yield from _calls(child, within)


def _site(frame: Any) -> str:
    """The refusal that a frame, or the next one above it in the room, is making; "" for none."""
    while frame is not None and not frame.f_code.co_filename.startswith(str(ROOM)):
        frame = frame.f_back
    if frame is None:
        return ""
    at = frame.f_code.co_filename, frame.f_lineno
    return next(
        (
            name
            for name, (file, first, last) in refusals().items()
            if file == at[0] and first <= at[1] <= last
        ),
        "",
    )


class Desk:
    """A folder with a scene, in which errors are answered as they say.

    Attributes
    ----------
    error : HsiaugError
        The last that was met.
    met : list of str
        The refusals that were met, in turn.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.met: list[str] = []
        self.error = HsiaugError("none yet")
        begin = HsiaugError.__init__

        def noted(error: HsiaugError, *args: Any, **facts: Any) -> None:
            begin(error, *args, **facts)
            error.site = _site(sys._getframe(1))  # type: ignore[attr-defined]

        patch.setattr(HsiaugError, "__init__", noted)
        patch.chdir(folder)
        self.cube()
        self.labels()

    def cube(self, array: np.ndarray = CUBE, name: str = "cube.npy") -> None:
        np.save(name, array)

    def labels(self, array: np.ndarray = LABELS, name: str = "labels.npy") -> None:
        np.save(name, array)

    def add(self, cube: Any = "cube.npy", labels: Any = "labels.npy", **options: Any) -> Added:
        """The scene of two files, or arrays."""
        return hsiaug.add_scene(cube, labels, "mine", overwrite=True, **options)

    @contextmanager
    def refused(self) -> Iterator[None]:
        """What is done within is refused."""
        with pytest.raises(HsiaugError) as caught:
            yield
        self.error = caught.value
        self.met.append(getattr(caught.value, "site", ""))
        assert self.error.hint

    def settings(self, which: int = 0) -> dict[str, str]:
        """A parameter that the error prints, with its value, as Python reads it."""
        return eval(f"dict({SETTING.findall(self.error.hint)[which]})")

    def python(self, **names: Any) -> Any:
        """What Python makes of the expression behind the first colon of the hint."""
        return eval(self.error.hint.partition(": ")[2].rstrip("."), dict(names))

    def meant(self) -> str:
        """The first name that the error proposes."""
        return self.error.hint.partition("Did you mean ")[2].rstrip("?").partition(" or ")[0]

    def types(self) -> str:
        """Type the command that the error prints; returns the file that it says to name."""
        found = COMMAND.search(self.error.hint)
        assert found is not None, self.error.hint
        self.shell(found[1])
        assert Path(found[2]).is_file(), found[2]
        return found[2]

    def shell(self, line: str) -> None:
        """Type a line, with this Python."""
        words = shlex.split(line)
        if words[:2] == ["python", "-c"]:
            exec(words[2], {})
        elif words[0] == "rio":
            from rasterio.rio.main import main_group

            main_group(words[1:], standalone_mode=False)
        elif words[0] == "hsiaug":
            from tests.in_process import hsiaug as command

            answer = command(*words[1:], cwd=self.folder)
            assert answer.returncode == 0, answer.stderr
        else:
            words = [sys.executable, *words[1:]] if words[0] == "python" else words
            subprocess.run(words, check=True)


Case = Callable[[Desk], object]
CASES: dict[str, Case] = {}
"""What brings each refusal about, and does what it says."""


def refusal(name: str) -> Callable[[Case], Case]:
    """Keep a function as the case of a refusal."""

    def keep(case: Case) -> Case:
        assert name not in CASES, name
        CASES[name] = case
        return case

    return keep
