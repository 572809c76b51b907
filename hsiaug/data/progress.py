"""What a download shows: a bar with speed and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hsiaug.data.files import megabytes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

__all__ = ["Bar", "Display", "open_display"]


class Bar(Protocol):
    """What pooch asks of a progress bar, and a way to take it down."""

    total: float

    def update(self, amount: float, /) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...
    def stop(self) -> None: ...


class Display(Protocol):
    """Where downloads are shown."""

    def start(self, file: str, size: int | None, host: str) -> Bar: ...
    def say(self, text: str) -> None: ...


def open_display(show: bool) -> Display:
    """A display on standard error, or a silent one."""
    if not show:
        return _Silent()
    from hsiaug.terminal import Console

    console = Console(stderr=True)
    return _Terminal(console) if console.is_terminal else _Lines(console)


class _NoBar:
    total: float = 0

    def update(self, amount: float, /) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class _Silent:
    def start(self, file: str, size: int | None, host: str) -> Bar:
        return _NoBar()

    def say(self, text: str) -> None: ...


@dataclass(frozen=True)
class _Lines:
    console: Console

    def start(self, file: str, size: int | None, host: str) -> Bar:
        self.say(f"Downloading {file} ({megabytes(size)}) from {host}")
        return _NoBar()

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class _Terminal:
    console: Console

    def start(self, file: str, size: int | None, host: str) -> Bar:
        from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

        from hsiaug.terminal import progress_bars

        progress = progress_bars(self.console, DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        progress.start()
        return _RichBar(progress, progress.add_task(f"{file} from {host}", total=size), size)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)


class _RichBar:
    """Adapts a rich progress bar to what pooch calls."""

    def __init__(self, progress: Progress, task: TaskID, size: int | None) -> None:
        self._progress, self._task, self._size = progress, task, size

    @property
    def total(self) -> float:
        return self._size or 0

    @total.setter
    def total(self, value: float) -> None:
        # Servers that do not tell the length report 0; the card's size is better then.
        self._progress.update(self._task, total=value or self._size)

    def update(self, amount: float, /) -> None:
        self._progress.advance(self._task, amount)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        self._progress.stop()
