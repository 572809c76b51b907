"""The console that all output goes through. Imports rich: import it where something is about to be
printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import rich.console
from rich.segment import Segment
from rich.text import Text

from hsiaug.base.text import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, ProgressColumn, Task
    from rich.table import Table


class Console(rich.console.Console):
    """A rich console that reads no markup in what it prints, and lets no control character of it
    through.

    Names of classes, notes of plugins and messages of errors are data: ``[/]`` is shown as it is,
    and an escape sequence as ``\\x1b``. Styles are given by :class:`rich.text.Text` and by options,
    never inside a text.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    @property
    def is_terminal(self) -> bool:
        """Whether what is printed goes to a screen.

        ``FORCE_COLOR``, which notebooks and services of continuous integration set, asks for
        colour: it makes no screen of a file, in which a bar that moves leaves its escapes.
        """
        if self._force_terminal is None and self._environ.get("TTY_COMPATIBLE") != "1":
            isatty = getattr(self.file, "isatty", None)
            return super().is_terminal and isatty is not None and bool(isatty())
        return super().is_terminal

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text visible before anything is measured, so that columns keep their widths."""
        return super().render_str(visible(text, keep="\n"), **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """Make visible all that was not printed as a plain string. Control segments are rich's
        own.
        """
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield segment._replace(text=visible(segment.text, keep="\n"))


def live(console: rich.console.Console) -> bool:
    """Whether what it shows can be drawn again and again: on a terminal, and in a notebook that has
    widgets; never of one that is quiet.
    """
    if console.quiet:
        return False
    return console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None)


def log_console(*, quiet: bool = False) -> Console:
    """Standard error, for progress and remarks; in a notebook that has widgets, the cell's output,
    where a bar can move.

    Else each line would be an output of its own in the notebook, and stay there.
    """
    return Console(
        stderr=True, quiet=quiet, force_jupyter=None if find_spec("ipywidgets") else False
    )


def progress_bars(
    console: rich.console.Console,
    *after: ProgressColumn,
    before: Iterable[ProgressColumn] = (),
    below: Callable[[], Iterable[str]] = tuple,
    width: int = 40,
) -> Progress:
    """Bars that vanish once they are done, a line for each task: its description, which is data,
    and how far it is. Where the line is too long, the description gives way.

    Shows nothing where nothing can be drawn again.

    Parameters
    ----------
    before, after : iterable of ProgressColumn or ProgressColumn
        Columns on either side of description and bar.
    below : callable
        Gives lines to show under the bars.
    """
    from rich.progress import BarColumn, Progress, TextColumn

    leading = tuple(before)

    class Description(TextColumn):
        def render(self, task: Task) -> Text:
            text = super().render(task)
            text.no_wrap, text.overflow = True, "ellipsis"
            return text

    class Bars(Progress):
        def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
            table = super().make_tasks_table(tasks)
            # Rich narrows only columns that may wrap.
            for place, column in enumerate(table.columns):
                column.no_wrap = place != len(leading)
            return table

        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            yield from map(Text, below())

    text = Description("{task.description}", markup=False)
    columns = (*leading, text, BarColumn(bar_width=width), *after)
    return Bars(*columns, console=console, transient=True, disable=not live(console))
