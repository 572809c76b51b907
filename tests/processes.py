"""Processes that tests start and wait for."""

import contextlib
import json
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Process", "children", "descendants", "scheduler_address"]


class Process(subprocess.Popen[Any]):
    """A process that is killed where the test fails within ``with``.

    ``Popen`` would wait for its end, for ever where it hangs, and a test that has reached its time
    limit would never be reported.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


def children(pid: int) -> list[int]:
    """The processes that a process has started, on Linux."""
    found: list[int] = []
    # A thread may end meanwhile, and so may the process, also while its threads are listed.
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """These, and all that they have started in turn."""
    found = children(pid)
    return [*found, *(one for child in found for one in descendants(child))]


def scheduler_address(file: Path, scheduler: subprocess.Popen[Any]) -> str:
    """The address that a scheduler of Dask writes into a file once it takes calls."""
    while not file.exists() or not file.read_text().endswith("}"):
        assert scheduler.poll() is None
        time.sleep(0.05)
    return str(json.loads(file.read_text())["address"])
