"""Processes that tests start and wait for."""

import subprocess
from types import TracebackType
from typing import Any

__all__ = ["Process"]


class Process(subprocess.Popen[Any]):
    """Killed where the test fails within ``with``, at whose end ``Popen`` waits for ever: the time
    limit of a test so ends it, and names it.
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
