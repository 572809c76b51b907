"""Sources as BibTeX: a card gives entries as publishers do, among words that say what they are to
it, or words alone.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hsiaug.base.text import visible

BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
FIELD = re.compile(rf"(\w+)\s*=\s*({BRACES}|\"(?:[^\"{{}}]|{BRACES})*\"|\w+)")
ENTRY = re.compile(rf"@(\w+)\s*\{{\s*([^\s,{{}}]+)\s*((?:,\s*{FIELD.pattern}\s*)+),?\s*\}}")
SPECIAL = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
)
COMBINING = dict(zip("'`^\"~cv", "\u0301\u0300\u0302\u0308\u0303\u0327\u030c", strict=True))
"""Accents of LaTeX as Unicode combines them."""
ACCENTED = re.compile(r"\\(?:([cv])(?:\{|\s)|(['`^\"~])\{?)\s*([A-Za-z])\}?")
VENUE = ("journal", "booktitle", "howpublished", "publisher")


@dataclass(frozen=True)
class BibtexEntry:
    """One BibTeX entry.

    Attributes
    ----------
    kind : str
        Without ``@``, in lower case.
    fields : dict of str to str
        Values in LaTeX without the outer braces.
    """

    kind: str
    key: str
    fields: dict[str, str]

    def __str__(self) -> str:
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])

    @property
    def plain(self) -> str:
        """Authors, title, venue, year, DOI and e-print on one line."""
        values = {
            name: re.sub(r"[{}]|\\(?=[&%#_$])", "", ACCENTED.sub(_letter, value))
            for name, value in self.fields.items()
        }
        *others, last = values.get("author", "").split(" and ")
        number = f"({values['number']})" if "number" in values else ""
        volume = f" {values['volume']}{number}" if "volume" in values else ""
        venue = next((values[name] + volume for name in VENUE if name in values), "")
        links = [
            f"{name}:{values[key]}"
            for name, key in (("doi", "doi"), ("arXiv", "eprint"))
            if key in values
        ]
        authors = f"{', '.join(others)} and {last}" if others else last
        said = dict.fromkeys([authors, values.get("title"), venue, values.get("year"), *links])
        return ", ".join(part for part in said if part)


def entries_of(source: str) -> list[BibtexEntry]:
    """The entries that stand in a text, between which BibTeX reads nothing; braces may nest three
    deep in a value.
    """
    return [_entry(found) for found in ENTRY.finditer(visible(" ".join(source.split())))]


def plain(source: str) -> str:
    """The text with each of its entries as one line of words."""
    return ENTRY.sub(lambda found: _entry(found).plain, " ".join(source.split()))


def bibtex(sources: Iterable[tuple[str, str]]) -> list[str]:
    """Entries of named sources, each below a comment with its name; a source without one becomes
    the note of a ``@misc``.

    An entry that several sources give stands once; another one of the same key gets the source's
    name too.
    """
    found: dict[str, tuple[BibtexEntry, list[str]]] = {}
    for name, source in sources:
        given = entries_of(source) or [
            BibtexEntry(
                "misc", _key(name), {"note": visible(" ".join(source.split())).translate(SPECIAL)}
            )
        ]
        for entry in given:
            key = entry.key
            if key in found and found[key][0] != entry:
                key = f"{key}-{_key(name)}"
                entry = BibtexEntry(entry.kind, key, entry.fields)
            found.setdefault(key, (entry, []))[1].append(name)
    return [
        f"% {', '.join(dict.fromkeys(map(_key, names)))}\n{entry}"
        for entry, names in found.values()
    ]


def software(versions: Sequence[str]) -> BibtexEntry:
    """hsiaug itself, in the versions that records name."""
    values = {
        "author": "{The hsiaug developers}",
        "title": "{hsiaug}: augmentation of hyperspectral scenes with few, unequal labels",
        "year": "2026",
        "note": f"Software, version {', '.join(versions) or 'unknown'}".translate(SPECIAL),
    }
    return BibtexEntry("misc", "hsiaug", values)


def _entry(found: re.Match[str]) -> BibtexEntry:
    values = {
        name.lower(): re.sub(r"^[{\"]|[}\"]$", "", value) for name, value in FIELD.findall(found[3])
    }
    return BibtexEntry(found[1].lower(), found[2], values)


def _letter(found: re.Match[str]) -> str:
    """A letter with its accent, as Unicode has it."""
    return unicodedata.normalize("NFC", found[3] + COMBINING[found[1] or found[2]])


def _key(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_:-]", "-", name)
