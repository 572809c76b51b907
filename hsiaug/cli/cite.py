"""``hsiaug report --cite``: the methods paragraph of a benchmark, and BibTeX of what it used."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hsiaug.registry.card import Card
    from hsiaug.registry.hookspecs import Kind
    from hsiaug.report import Report


def write_citations(report: Report, out: Sequence[Path]) -> None:
    """What a paper has to say of a report's benchmarks, and whom it has to cite: a paragraph for
    each table, from the records alone, then BibTeX of hsiaug, of the scenes and of the methods, as
    far as these are on this machine.

    Parameters
    ----------
    out : sequence of Path
        Files: ``.bib`` has the entries, ``.md`` or ``.txt`` paragraphs and entries; without one,
        all is printed.
    """
    from hsiaug.base.errors import InputError
    from hsiaug.base.files import check_target, write_text_whole
    from hsiaug.base.text import visible
    from hsiaug.cli.output import say, say_written
    from hsiaug.report.bibtex import bibtex, software
    from hsiaug.report.paper import methods_paragraph, versions_of
    from hsiaug.report.render import markdown_text

    for path in out:
        check_target(path, (".bib", ".md", ".txt"))
    if not report.tables:
        records = f"none in {report.where}"
        raise InputError(
            "there must be a record to cite", value=records, hint="Run a benchmark first."
        )
    entries = "\n\n".join(
        [
            "% Needs \\usepackage{url}, and \\usepackage[utf8]{inputenc} (the default since 2018).",
            str(software(versions_of(report.tables).get("hsiaug", []))),
            *bibtex(_sources(report)),
            *_without_paper(report),
        ]
    )
    paragraphs = [methods_paragraph(table) for table in report.tables]
    for path in out:
        ending = path.suffix.lower()
        safe = markdown_text if ending == ".md" else visible
        said = [] if ending == ".bib" else [safe(text) for text in paragraphs]
        write_text_whole(path, "\n\n".join([*said, entries]) + "\n")
    if out:
        say_written(out)
        return
    for line in "\n\n".join([*map(visible, paragraphs), entries]).splitlines():
        say(line)


def _sources(report: Report) -> Iterator[tuple[str, str]]:
    """(name, source) of each scene and method, as the cards on this machine have them."""
    from hsiaug.base.errors import HsiaugError
    from hsiaug.data.catalogue import files_of, find_entry
    from hsiaug.data.loading import public_files
    from hsiaug.report.trials import unlike

    refs = [
        (table.condition.scene, str(ref or ""))
        for table in report.tables
        for ref in unlike(table.trials["scene_ref"])
    ]
    for scene, ref in dict.fromkeys(refs):
        with suppress(HsiaugError, ValueError):  # a set of pairs, or files that are not here
            entry = find_entry(ref)
            card = entry.card
            if not card.citation and not entry.public and not card.procedural:
                # A card of one's own that was written without what the catalogue says of its files.
                (cube, *_), (labels, *_) = (files_of(entry, spec) for spec in card.files)
                public = public_files(cube, labels)
                card = public.card if public else card
            if card.citation and not card.procedural:
                yield scene, card.citation
    yield from ((card.name, card.paper) for card in _cards(report) if card.paper)


def _without_paper(report: Report) -> list[str]:
    """A comment on what ran and has no paper of its own: its package is what describes it."""
    from hsiaug.base.text import visible
    from hsiaug.trial.arm import NONE

    said = [
        f"% {card.name}: {visible(' '.join(card.summary.split())).replace('@', '')}"
        for card in _cards(report)
        if not card.paper and card.name != NONE
    ]
    heading = "% Of these no paper is known; cite the software that has them, as hsiaug above:"
    return ["\n".join([heading, *said])] if said else []


def _cards(report: Report) -> Iterator[Card]:
    """The cards of all generators and classifiers that ran, as far as these are on this machine."""
    from hsiaug.base.errors import HsiaugError
    from hsiaug.registry.lookup import registry

    used: dict[tuple[Kind, str], None] = {}
    for table in report.tables:
        used |= {("generator", arm.generator.name): None for arm in table.arms}
        used |= {("classifier", method.name): None for method in table.classifiers}
    for kind, name in used:
        # A plugin that is not on this machine: its records say what it was.
        with suppress(HsiaugError):
            yield registry().find(kind, name).card
