"""Write the lists of the guide that hsiaug knows: generators, classifiers, protocols, scenes.

    python -m benchmarks.docs_lists

Each list is between ``<!-- list of NAME -->`` and ``<!-- end of list -->`` on its page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.common import HERE, check_usage
from hsiaug.data.catalogue import find_entry, scene_names
from hsiaug.registry.lookup import registry
from hsiaug.report.bibtex import BibtexEntry, entries_of

DOCS = HERE.parent / "docs"
BELOW_SIMPLER_ONES = "fixmatch", "spectralformer"
"""Classifiers that are installed but not listed: docs/classifiers.md says why."""
TITLES = {
    "generator": ("Generators of patches", "Generators of images with masks"),
    "classifier": ("Classifiers of pixels", "Classifiers for segmentation and change detection"),
}
"""Headings of plugins for pixels, and for masks."""
LIST = re.compile(r"<!-- list of (\w+) -->\n.*?<!-- end of list -->", re.DOTALL)


def main() -> None:
    for name in LISTS:
        page = DOCS / f"{name}.md"
        page.write_text(filled(page), encoding="utf-8")


def filled(page: Path) -> str:
    """A page with its list as it is now."""

    def with_list(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- list of {name} -->\n\n{LISTS[name]()}\n\n<!-- end of list -->"

    return LIST.sub(with_list, page.read_text(encoding="utf-8"))


def methods(kind: str) -> str:
    """The built-in generators or classifiers, by their cards: what each is, and its papers."""
    of_pixels, of_masks = TITLES[kind]
    groups: dict[str, list[str]] = {"Controls": [], of_pixels: [], of_masks: []}
    for (of, name), plugin in sorted(registry().plugins.items()):
        if of == kind and plugin.distribution == "hsiaug" and name not in BELOW_SIMPLER_ONES:
            card = plugin.load().card
            title = of_pixels if "pixels" in card.tasks else of_masks
            if card.summary.startswith("Control"):
                title = "Controls"
            words = [f"- **`{name}`**: {card.summary.removeprefix('Control: ')}."]
            words += ["Transductive."] * (card.scope == "scene")
            words += [paper_link(entry) for entry in entries_of(card.paper)]
            groups[title].append(" ".join(words))
    return "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in groups.items())


def paper_link(entry: BibtexEntry) -> str:
    """A link to a paper by its DOI, else its e-print; its title and year where it has neither."""
    title = f"{re.sub(r'[{}]', '', entry.fields['title'])}, {entry.fields['year']}"
    for key, address in (("doi", "https://doi.org/"), ("eprint", "https://arxiv.org/abs/")):
        if key in entry.fields:
            return f"[{title}]({address}{quote(entry.fields[key], safe='/')})."
    return f"{title}."


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


def scenes() -> str:
    """The scenes of the catalogue as a table."""
    head = ("name", "sensor", "size", "classes", "labelled", "download", "values")
    lines = [f"| {' | '.join(head)} |", "|---|---|--:|--:|--:|--:|---|"]
    for card in (find_entry(name).card for name in scene_names()):
        size = (card.cube.size or 0) + (card.labels.size or 0)
        here = card.procedural or card.cube.package
        cells = (
            f"`{card.name}`",
            "simulated" if card.procedural else card.sensor.name,
            "×".join(map(str, card.cube.shape or ())),
            len(card.labels.named_codes),
            f"{sum(card.labels.counts):,}" if card.labels.counts else "–",
            f"{size / 1e6:.0f} MB" if card.cube.urls else "none" if here else "by hand",
            card.cube.units,
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


LISTS: dict[str, Callable[[], str]] = {
    "classifiers": partial(methods, "classifier"),
    "generators": partial(methods, "generator"),
    "protocols": protocols,
    "scenes": scenes,
}
"""A page, and the list that it has."""

if __name__ == "__main__":
    check_usage(__doc__, 0, 0)
    main()
