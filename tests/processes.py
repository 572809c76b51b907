"""Processes that tests start and wait for."""

import subprocess
from types import TracebackType
from typing import Any

__all__ = ["Process"]


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
