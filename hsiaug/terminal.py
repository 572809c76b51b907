"""The console that all output goes through. Imports rich: import it where something is about to be printed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import rich.console
from rich.segment import Segment
from rich.text import Text

from hsiaug.text import visible

__all__ = ["Console"]


class Console(rich.console.Console):
    """A rich console that reads no markup in what it prints, and lets no control character of it through.

    Names of classes, notes of plugins and messages of errors are data: ``[/]`` is shown as it is, and an escape
    sequence as ``\\x1b``. Styles are given by :class:`rich.text.Text` and by options, never inside a text.
    """

    def __init__(
        self,
        *,
        file: IO[str] | None = None,
        stderr: bool = False,
        width: int | None = None,
        color_system: Any = "auto",
    ) -> None:
        super().__init__(
            file=file,
            stderr=stderr,
            width=width,
            color_system=color_system,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """Before anything is measured, so that columns keep their widths."""
        return super().render_str(visible(text, keep="\n"), **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """What was no plain string, and so not made visible before. Control segments are rich's own."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield segment._replace(text=visible(segment.text, keep="\n"))
