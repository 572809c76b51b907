"""Progress of a plugin as plain values: an error in it must fail neither the trial nor its
display.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING

from hsiaug.base.text import shortened, visible

if TYPE_CHECKING:
    from rich.console import Console

MAX_STEPS = 10**12
"""Larger numbers of steps of a plugin count as this."""

MAX_NOTE_CHARACTERS = 120


def progress_values(done: object, total: object, note: object = "") -> tuple[int, int, str]:
    """Steps done, steps in all, and the note as one line. What is no number counts as 0, what has
    no text as nothing.
    """
    return _steps(done), _steps(total), _line(note)


def _steps(value: object) -> int:
    try:
        number = float(value) if isinstance(value, Real) else 0.0
    except Exception:  # a number of the plugin's own making may raise anything
        return 0
    return int(min(max(number, 0.0), MAX_STEPS)) if not math.isnan(number) else 0


def _line(note: object) -> str:
    try:
        # Of a str of a class of its own the text alone: it has to cross to another process.
        text = str.__str__(note) if isinstance(note, str) else "" if note is None else str(note)
    except Exception:
        return ""
    return shortened(visible(str(text)), MAX_NOTE_CHARACTERS)


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

        def progress(done: int, total: int, note: str = "") -> None:
            done, total, note = progress_values(done, total, note)
            bars.update(
                task, completed=done, total=total, description=f"{visible(name)} {note}".strip()
            )

        yield progress
