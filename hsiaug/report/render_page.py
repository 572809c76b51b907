"""Sections as one self-contained page of HTML, and as a notebook shows them. Whatever is put into a
template is escaped, and control characters become escapes that can be seen. Style, scripts and
templates are those of ``html/``.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hsiaug.base.text import visible
from hsiaug.report.figures.files import figure_bytes, picture_source
from hsiaug.report.render import shown
from hsiaug.report.section import Frame, Section, SectionFigure, escaped, flat

HTML = Path(__file__).parent / "html"
SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what an earlier one has."""
TONES = {"better": "good", "worse": "bad"}
WORD = re.compile(r"\b(better|worse)\b")


def html_page(
    title: str, sections: Sequence[Section], files: Mapping[str, str] | None = None
) -> str:
    """One self-contained page of HTML of these sections, which fetches nothing.

    Parameters
    ----------
    sections : sequence of Section
        Each with its ``id``.
    files : mapping of str to str or None
        Texts that can be saved from the page, by the names of their files.
    """
    # One script, so that one checksum covers all that may run.
    script = Markup("".join((HTML / name).read_text(encoding="utf-8") for name in SCRIPTS))
    packed = [
        (name, base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        for name, text in (files or {}).items()
    ]
    return (
        _templates()
        .get_template("page.html")
        .render(
            title=title,
            style=Markup((HTML / "page.css").read_text(encoding="utf-8")),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            sections=sections,
            data=packed,
        )
    )


def notebook_html(sections: Iterable[Section]) -> str:
    """All sections, one after the other, as a notebook shows them."""
    return _templates().get_template("notebook.html").render(sections=flat(sections))


def markup_of(macro: str, *about: object) -> Markup:
    """What a macro of ``macros.html`` makes of something that the page alone shows."""
    made = getattr(_templates().get_template("macros.html").module, macro)
    return Markup(made(*about))


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HTML / "templates"),
        autoescape=True,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    made.globals |= {"drawn": _drawn, "shown": shown, "table": frame_html}
    return made


def _visible(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _drawn(figure: SectionFigure) -> tuple[str, str, str]:
    """A figure: what it shows with how to read it, and the sources of an ``img`` across a page and
    on a small screen, where that has one of its own.
    """
    across = figure.draw(2)
    wide = picture_source(figure_bytes(across, "svg"))
    small = picture_source(figure_bytes(figure.draw(1), "svg")) if figure.narrow else ""
    return f"{figure.caption}: {across.get_label()}", wide, small


def frame_html(made: Frame) -> Markup:
    """A table whose rows the page's script sorts; verdicts are coloured."""
    frame = escaped(made.frame, _entry)
    table = frame.to_html(escape=False, index=False, border=0, classes="sortable", justify="unset")
    # The first cell of each row names it.
    table = re.sub(r"(<tr>\s*)<td>(.*?)</td>", r'\1<th scope="row">\2</th>', table)
    opened = f'<table class="sortable" aria-label="{escape(visible(made.heading or "Table"))}">'
    table = table.replace(' style="text-align: unset;"', "")
    return Markup(re.sub("<table [^>]*>", lambda _: opened, table, count=1))


def _entry(text: str) -> str:
    """An entry with its verdict as a badge."""

    def badge(word: re.Match[str]) -> str:
        return f'<span class="badge {TONES[word[0]]}">{word[0]}</span>'

    return WORD.sub(badge, str(escape(visible(text))))
