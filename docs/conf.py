"""Sphinx's settings for the site, which ``make docs`` builds.

Its source folder is the root of the repository, not ``docs``: so the README and the measured tables
are pages too, and one relative link serves the site and whoever reads the files in a Git viewer.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from hsiaug.data.cards import CardTable, SceneCard
from hsiaug.data.catalogue import find_entry, scene_names
from hsiaug.registry.lookup import registry
from hsiaug.report.bibtex import BibtexEntry, entries_of
from hsiaug.testing import CHECKS
from hsiaug.trial.record import described_fields

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

SITE = Path(__file__).parent / "site"
"""What is copied to the root of the site as it is."""
ARRAY = re.compile(
    r"~?(?:numpy\.)?ndarray\[tuple\[[^\]]*\], ~?(?:numpy\.)?dtype\[~?(?:numpy|typing)?\.?(\w+)\]\]"
)
CONSTANT = re.compile(r"= ((?:[a-z_]+\.)?[A-Z][A-Z_]+)\b")
QUALIFIED = re.compile(r"~?\b(?:[a-z_]+\.)+(?=[A-Z])")
ATTRIBUTE = re.compile(r"^(\w+(?:, \w+)*) : .+\n((?:    .+(?:\n|$))+)", re.MULTILINE)
MEANING = re.compile(r"(\w+(?:, \w+)*): (.+)")
EMPTY = re.compile(r"<th( class=\"[^\"]*\")?>(?:<p></p>)?</th>")
LINK = re.compile(r"(?<!!)(\[[^\]]*\])\(([^)#:\s]+)\)")
MADE = "<!-- made with the site -->"
"""Where a page gets what the program itself knows."""


def commands() -> str:
    """Every command and option as Markdown, from the program itself; its examples as code."""
    asked = ("-m", "typer", "hsiaug.cli.main", "utils", "docs", "--name", "hsiaug")
    text = subprocess.run(
        [sys.executable, *asked], check=True, capture_output=True, text=True
    ).stdout
    text = text.split("**Commands**:", 1)[1].split("\n## ", 1)[1]
    text = re.sub(r'<span style="font-weight: bold">(.*?)</span>', r"**\1**", text, flags=re.DOTALL)
    return re.sub(r"^ +(hsiaug .*)$", r"```sh\n\1\n```", f"## {text}", flags=re.MULTILINE)


def record_fields() -> str:
    """The fields of a record, a line each."""
    return "\n".join(f"- `{field}`: {text}" for field, text in described_fields())


def methods(kind: str) -> str:
    """The built-in generators or classifiers, by their cards: what each is, and its papers."""
    controls = "Controls"
    of_pixels, of_masks = (f"{kind.capitalize()}s of {what}" for what in ("pixels", "masks"))
    groups: dict[str, list[str]] = {controls: [], of_pixels: [], of_masks: []}
    for (of, name), plugin in sorted(registry().plugins.items()):
        if of == kind and plugin.distribution == "hsiaug":
            card = plugin.load().card
            title = of_pixels if "pixels" in card.tasks else of_masks
            if card.summary.startswith("Control"):
                title = controls
            summary = card.summary.removeprefix("Control: ")
            marks = ["Transductive."] * (card.scope == "scene") + [
                paper_link(entry) for entry in entries_of(card.paper)
            ]
            groups[title].append(f"- **`{name}`**: {summary}. {' '.join(marks)}")
    return "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in groups.items())


def protocols() -> str:
    """The built-in protocols: how each is written, and what it does."""
    lines = []
    for name in registry().names("protocol"):
        plugin = registry().plugins["protocol", name]
        if plugin.distribution == "hsiaug":
            kind: Any = plugin.load()
            leaky = " **LEAKY.**" * kind.leaky
            lines.append(f"- **`{name}`**: {kind.card.summary}.{leaky} Written {kind.usage}.")
    return "\n".join(lines)


def card_keys() -> str:
    """What the keys of a scene's card mean, from the docstrings of its tables."""
    lines = []
    tables: list[tuple[str, type[Any]]] = [("", SceneCard)]
    for table in ("cube", "labels", "sensor"):
        kind = SceneCard.model_fields[table].annotation
        assert kind is not None
        tables += [(f"{table}.", base) for base in kind.__mro__[:2] if base is not CardTable]
    for prefix, kind in tables:
        for names, meaning in ATTRIBUTE.findall(inspect.getdoc(kind) or ""):
            keys = ", ".join(f"`{prefix}{name}`" for name in names.split(", "))
            lines.append(f"- {keys}: {' '.join(meaning.split())}")
    return "\n".join(lines)


def public_scenes() -> str:
    """The scenes of the catalogue as a table of Markdown."""
    head = ("name", "sensor", "size", "classes", "labelled", "download", "values")
    lines = [f"| {' | '.join(head)} |", "|---|---|--:|--:|--:|--:|---|"]
    for card in (find_entry(name).card for name in scene_names()):
        bytes_ = (card.cube.size or 0) + (card.labels.size or 0)
        here = card.procedural or card.cube.package
        download = f"{bytes_ / 1e6:.0f} MB" if card.cube.urls else "none" if here else "by hand"
        cells = (
            f"`{card.name}`",
            "simulated" if card.procedural else card.sensor.name,
            "×".join(map(str, card.cube.shape or ())),
            len(card.labels.named_codes),
            f"{sum(card.labels.counts):,}" if card.labels.counts else "–",
            download,
            card.cube.units,
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def checks() -> str:
    """The rules of the conformance kit."""
    return "\n\n".join(
        f"### {kind.capitalize()}s\n\n" + "\n".join(f"- `{one.name}`: {one.rule}." for one in group)
        for kind, group in CHECKS.items()
    )


def paper_link(entry: BibtexEntry) -> str:
    """A link to a paper by its DOI, else its e-print; its title and year where it has neither."""
    title = f"{re.sub(r'[{}]', '', entry.fields['title'])}, {entry.fields['year']}"
    for key, address in (("doi", "https://doi.org/"), ("eprint", "https://arxiv.org/abs/")):
        if key in entry.fields:
            return f"[{title}]({address}{quote(entry.fields[key], safe='/')})."
    return f"{title}."


FILLED = {
    "docs/commands": commands,
    "docs/keys": card_keys,
    "docs/scenes": public_scenes,
    "docs/protocols": protocols,
    "docs/generators": partial(methods, "generator"),
    "docs/classifiers": partial(methods, "classifier"),
    "docs/results-format": record_fields,
    "docs/develop/plugins-check": checks,
}
"""What stands in place of MADE on a page."""


def read(app: Any, name: str, source: list[str]) -> None:
    """What Git viewers do by themselves, links to folders; links to pages that are copied; lists
    that the program holds; titles for measured tables.

    A link to a folder means its README, its table.md, or else its first Markdown file; without any,
    it stays dead. A notebook gets a line that leads to its file.
    """
    here = (Path(app.srcdir) / name).parent

    def link(found: re.Match[str]) -> str:
        text, target = found.groups()
        folder = here / target
        if folder.is_relative_to(SITE) and folder.suffix == ".html":
            address = os.path.relpath(folder.relative_to(SITE), Path(name).parent)
            return f'<a href="{address}">{text[1:-1]}</a>'
        pages = sorted(
            (p.name for p in folder.glob("*.md")),
            key=lambda p: (p != "README.md", p != "table.md", p),
        )
        return f"{text}({target.rstrip('/')}/{pages[0]})" if pages else found[0]

    if name.startswith("docs/notebooks/"):
        notebook = json.loads(source[0])
        notebook["cells"][0]["source"].append(
            f"\n\n{{download}}`This page as a notebook <{name.rpartition('/')[2]}.ipynb>`"
        )
        source[0] = json.dumps(notebook)
        return
    source[0] = LINK.sub(link, source[0])
    if name in FILLED:
        source[0] = source[0].replace(MADE, FILLED[name]())
    if name.startswith("benchmarks/results/") and name.count("/") == 3:
        text = (Path(app.srcdir) / "benchmarks" / "results" / "README.md").read_text("utf-8")
        found = re.findall(r"^- \[(.+)\]\((.+)\.md\)", text, re.MULTILINE)
        titles = {f"benchmarks/results/{page}": title for title, page in found}
        # Hundreds of rows of numbers would hide the guide from whoever searches.
        head = "---\nnosearch: true\n---\n\n"
        source[0] = f"{head}# {titles.get(name, name)}\n\n{re.sub('^# .*', '', source[0])}"


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
