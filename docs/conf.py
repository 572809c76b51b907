"""Sphinx's settings for the site, which ``make docs`` builds.

Its source folder is the root of the repository, not ``docs``: so the README and the measured tables
are pages too, and one relative link serves the site and whoever reads the files in a Git viewer.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# The trees of the pages last to the end of the process: to look for garbage among them again and
# again takes two fifths of its time. Without, it takes 1.3 GB of memory instead of 0.4.
gc.disable()

project = "hsiaug"
author = "The hsiaug developers"
project_copyright = author

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "docs/*.md",
    "docs/reference/*.rst",
    "docs/develop/*.md",
    "docs/evidence/*.md",
    "docs/notebooks/*.ipynb",
    "benchmarks/results/**.md",
    "examples/*/README.md",
]
# Folders that need not be walked through.
exclude_patterns = [".*", "build", "dist", "hsiaug*", "plugins", "tests", "benchmarks/scenes"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",  # a page for each public function and class: docs/reference
    "sphinx.ext.napoleon",  # docstrings with sections of numpydoc
    "sphinx_copybutton",
]

# Equations between $ and $$. They become MathML, which browsers draw without a script.
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "mathml"

# Notebooks are shown with the outputs that lie in their files: a test runs them and compares.
nb_execution_mode = "off"

# Headings get the anchors that Git viewers give them, down to the fourth level.
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 60
napoleon_google_docstring = False
napoleon_use_rtype = False
templates_path = ["templates"]
copybutton_prompt_text = ">>> |\\.\\.\\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = False
add_module_names = False

html_theme = "furo"
html_title = "hsiaug"
html_copy_source = False
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["hsiaug.css"]
html_js_files = ["access.js"]
html_extra_path = ["site"]  # index.html, from the root of the site to its first page

ARRAY = re.compile(
    r"~?(?:numpy\.)?ndarray\[tuple\[[^\]]*\], ~?(?:numpy\.)?dtype\[~?(?:numpy|typing)?\.?(\w+)\]\]"
)
CONSTANT = re.compile(r"= ((?:[a-z_]+\.)?[A-Z][A-Z_]+)\b")
QUALIFIED = re.compile(r"~?\b(?:[a-z_]+\.)+(?=[A-Z])")
MEANING = re.compile(r"(\w+(?:, \w+)*): (.+)")
EMPTY = re.compile(r"<th( class=\"[^\"]*\")?>(?:<p></p>)?</th>")


def read(app: Any, name: str, source: list[str]) -> None:
    """Give a notebook a line that leads to its file."""
    if name.startswith("docs/notebooks/"):
        notebook = json.loads(source[0])
        notebook["cells"][0]["source"].append(
            f"\n\n{{download}}`This page as a notebook <{name.rpartition('/')[2]}.ipynb>`"
        )
        source[0] = json.dumps(notebook)


def as_list(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """The docstrings' way of explaining names, ``name: meaning`` continued by four spaces, as
    reStructuredText lists.
    """
    if what == "module":
        return
    inside, done = False, []
    for line in lines:
        found = MEANING.match(line)
        if bool(found) != inside and not line.startswith("    "):
            done.append("")
        inside = bool(found) or (inside and line.startswith("    "))
        done.append(
            f"* **{found[1]}**: {found[2]}" if found else f"  {line.strip()}" if inside else line
        )
    lines[:] = done


def without_annotated(text: str) -> str:
    """A type as callers think of it: ``Annotated[int, ...]``, which says how a value is checked, is
    ``int``.
    """
    while (start := text.find("Annotated[")) >= 0:
        inner = start + len("Annotated[")
        depth = 1
        comma = -1
        end = inner
        while depth:
            sign = text[end]
            depth += (sign in "[({") - (sign in "])}")
            if depth == 1 and sign == "," and comma < 0:
                comma = end
            end += 1
        text = text[:start] + text[inner:comma] + text[end:]
    return text


def shorter(
    app: Any, what: str, name: str, obj: object, options: object, signature: str, result: str
) -> Any:
    """Types as the code writes them: NDArray[float32] for what it resolves to, and names without
    their modules.
    """

    def value(found: re.Match[str]) -> str:
        """The value of a constant that is a default, since a reader of a page cannot look it up."""
        module = sys.modules[getattr(obj, "__module__", "hsiaug")]
        place, _, constant = found[1].rpartition(".")
        holder = getattr(module, place, None) if place else module
        return f"= {getattr(holder, constant)!r}" if hasattr(holder, constant) else found[0]

    def plain(text: str | None) -> str | None:
        if not text or text == "(*args, **kwargs)":  # the latter of a protocol, which nobody calls
            return "" if text else None
        text = CONSTANT.sub(value, text)
        text = without_annotated(ARRAY.sub(r"NDArray[\1]", text))
        text = QUALIFIED.sub("", text).replace("<factory>", "{}")
        return re.sub(r"<class '(\w+)'>", r"\1", text)

    return plain(signature), plain(result)


def levels(app: Any, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """For readers of screens: captions of the contents are headings, and say of which level; an
    empty corner of a table is no header.
    """
    context["body"] = EMPTY.sub(r"<td\1></td>", str(context.get("body", "")))
    contents = str(context.get("furo_navigation_tree", ""))
    context["furo_navigation_tree"] = contents.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )


def inline_equation(writer: Any, node: Any) -> None:
    writer.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def display_equation(writer: Any, node: Any) -> None:
    writer.body.append(f'<div class="equation">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def skip_constructor(
    app: Any, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """A class is documented with its parameters: ``__init__`` would repeat them."""
    return True if name == "__init__" else None


def setup(app: Any) -> None:
    app.add_html_math_renderer("mathml", (inline_equation, None), (display_equation, None))
    app.connect("html-page-context", levels, priority=900)  # after the theme's own
    app.connect("autodoc-process-signature", shorter)
    app.connect("autodoc-skip-member", skip_constructor)
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", as_list)
