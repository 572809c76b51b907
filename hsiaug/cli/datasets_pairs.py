"""What ``hsiaug datasets`` says of sets of image–mask pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsiaug.data.pair_sets import PairEntry

__all__ = ["describe_pairs", "pair_row", "pairs_json"]


def pair_row(entry: PairEntry) -> dict[str, Any]:
    """A row of ``datasets list``."""
    from hsiaug.data.pair_sets import pairs_status

    card = entry.card
    return {
        "name": card.name,
        "tasks": card.task,
        "size": None,
        "bands": len(card.images.bands) or None,
        "classes": len(card.masks.names),
        "labelled px": None,
        "GSD": card.images.gsd,
        "status": pairs_status(entry),
    }


def pairs_json(entry: PairEntry) -> dict[str, Any]:
    """The card, and what of it is here."""
    from hsiaug.data.pair_sets import pairs_status

    return {
        **entry.card.model_dump(mode="json"),
        "status": pairs_status(entry),
        "folders": [str(entry.folder)],
        "places_here": entry.here(),
        "missing": entry.missing(),
    }


def describe_pairs(entry: PairEntry) -> Iterator[str]:
    """Lines for people."""
    from hsiaug.data.pair_sets import pairs_status, shortly

    card, here, incomplete = entry.card, entry.here(), entry.missing()
    images, masks = card.images, card.masks
    yield f"{card.name}: {card.title}" if card.title else card.name
    if entry.taken_for:
        yield f"note         {entry.taken_for}"
    some = f", {len(incomplete)} places incomplete or missing" if incomplete else ""
    yield f"status       {pairs_status(entry)}{some}"
    yield f"task         {card.task}"
    yield from (f"images       {pattern}" for pattern in images.files)
    yield f"values       raw × {images.scale:g} + {images.offset:g}, {images.units}"
    yield f"bands        {', '.join(images.bands) or 'as in the files'}"
    if images.wavelengths:
        yield f"wavelengths  {min(images.wavelengths):g}–{max(images.wavelengths):g} nm"
    yield f"GSD          {'–' if images.gsd is None else f'{images.gsd:g} m'}"
    yield from (f"masks        {pattern}" for pattern in masks.files or masks.by_class)
    for heading, text in (("home page", card.homepage), ("licence", card.licence)):
        if text:
            yield f"{heading:<12} {text}"
    yield f"place in     {entry.folder}"
    for archive in card.archives:
        yield f"archive      {archive.name}"
        yield f"  md5        {archive.md5}"
        yield from (f"  mirror     {url}" for url in archive.urls)
    for part, names in here.items():
        if entry.named[part]:
            yield f"{part + ' here':<12} {len(names)}: {', '.join(names[:24])}{', …' if len(names) > 24 else ''}".rstrip()
    for place, files in incomplete.items():
        yield f"missing      {place}: {shortly(files)}"
    yield ""
    yield "id\tclass\tcodes in file"
    codes = masks.codes or tuple((c,) for c in range(1, len(masks.names) + 1))
    for class_id, (name, listed) in enumerate(zip(masks.names, codes, strict=True), start=1):
        yield f"{class_id}\t{name}\t{'all but 0' if masks.by_class else ', '.join(map(str, listed))}"
    if masks.ignore:
        yield f"ignored      {', '.join(map(str, masks.ignore))}"
