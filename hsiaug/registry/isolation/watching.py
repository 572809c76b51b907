"""What plugins do outside of their package and the temporary folder: files that they open, programs
that they start, addresses that they call. Each is told once, as it happens.

A plugin in compiled code can do all of that unseen.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from hsiaug.data.catalogue import embedded_files
from hsiaug.registry.isolation.confinement import CODE

PROGRAMS = {"subprocess.Popen": 0, "os.system": 0, "os.exec": 0, "os.posix_spawn": 0}
"""Events of Python's that start a program, and the argument that names it."""
LONGEST = 300
"""Characters of what is told."""
MOST = 100
"""Things that are told of a process at most."""


def watch(ignored: Iterable[Path], tell: Callable[[str], object]) -> None:
    """Tell of each thing that this process does from now on outside of some folders.

    Parameters
    ----------
    ignored : iterable of Path
        Files and folders: of Python and its packages, of the system, of plugins, of temporary
        files. Ground truths of public scenes, which come with packages, are told of all the same.
    tell : callable
        Is given a sentence.
    """
    folders = tuple({str(Path(path).resolve()) for path in ignored})
    labels = {str(path) for path in embedded_files()}
    told: set[str] = set()
    telling = False

    def say(text: str) -> None:
        nonlocal telling
        if text not in told and len(told) < MOST:
            told.add(text)
            telling = True
            try:
                tell(text[:LONGEST])
            finally:
                telling = False

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if telling:
            return
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            inside = any(path == one or path.startswith(one + os.sep) for one in folders)
            if path in labels or not (inside or path.endswith(CODE)):
                say(f"opened {path}")
        elif event in PROGRAMS:
            say(f"started {os.fsdecode(_first(arguments[PROGRAMS[event]]))}")
        elif event == "socket.connect":
            say(f"called {arguments[1]}")

    sys.addaudithook(hear)


def _first(argument: object) -> str | bytes:
    """The program of an argument: a path, or a list of words."""
    if isinstance(argument, list | tuple):
        argument = argument[0] if argument else ""
    return argument if isinstance(argument, str | bytes) else str(argument)
