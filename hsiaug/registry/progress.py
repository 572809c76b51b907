"""A bar for the progress of a plugin, which nothing that the plugin says can break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hsiaug.base.text import shortened, visible

if TYPE_CHECKING:
    from rich.console import Console

MAX_STEPS = 10**12
"""Larger numbers of steps of a plugin count as this."""
MAX_NOTE_CHARACTERS = 120


@contextmanager
def show_progress(err: Console, name: str) -> Iterator[Callable[..., None]]:
    """A progress of what has that name, which shows a bar with its steps, the time since its
    beginning and the time left on a terminal and in a notebook, and nothing elsewhere.
    """
    from rich.progress import MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

    from hsiaug.base.terminal import progress_bars

    columns = (MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with progress_bars(err, *columns) as bars:
        task = bars.add_task(visible(name), total=None)

        def progress(done: int, total: int, note: object = "") -> None:
            # What is no number, or has no text, is not shown.
            with suppress(Exception):
                steps = [min(max(int(number), 0), MAX_STEPS) for number in (done, total)]
                text = shortened(visible(str(note or "")), MAX_NOTE_CHARACTERS)
                bars.update(
                    task,
                    completed=steps[0],
                    total=steps[1],
                    description=f"{visible(name)} {text}".strip(),
                )

        yield progress
