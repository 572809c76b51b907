"""Text files of any program: their encoding, and XML."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.base.files import read_plain
from hsiaug.base.text import some_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Encodings by the bytes that a text may begin with."""

MOST_NAMED = 8
"""Names that a sentence lists at most."""

OTHER = (
    "an encoding that is none of UTF-8, UTF-16 with its mark and code page 1252: save it as UTF-8"
)


def decode(content: bytes) -> str:
    """A text as UTF-8, UTF-16 with its mark, or else as code page 1252, which Windows writes in
    western Europe.

    Raises ValueError for what is none of them.
    """
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding)
    if b"\0" in content:
        raise ValueError(OTHER)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError as cause:
            raise ValueError(OTHER) from cause


def plain_name(text: str) -> str:
    """A name in one spelling: letters as one character each (NFC), single blanks between words,
    and no characters that cannot be seen.

    Programs write an umlaut as one character or as two, and blanks that do not break, or have no
    width: what looks alike is one name.
    """
    visible = "".join(" " if char.isspace() else char for char in text if not _unseen(char))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _unseen(char: str) -> bool:
    """Whether a character has no shape, as a soft hyphen or a mark of the direction of writing."""
    return unicodedata.category(char) in ("Cf", "Cc") and not char.isspace()


def spellings_note(texts: Iterable[str]) -> tuple[str, ...]:
    """A sentence where names are written in several spellings that count as one."""
    spellings = defaultdict[str, set[str]](set)
    for text in texts:
        spellings[plain_name(text)].add(text)
    several = [name for name, written in spellings.items() if len(written) > 1]
    if not several:
        return ()
    listed = some_of(list(map(repr, several)), MOST_NAMED)
    return (
        f"names of classes that differ in blanks or in how letters are coded count as one:"
        f" {listed}",
    )


def read_xml(path: Path, longest: int) -> Element:
    """The root of an XML file.

    Parameters
    ----------
    path : Path
        Of the file.
    longest : int
        Bytes that it may have.

    Raises
    ------
    ValueError
        For a longer file, and for one with a document type.
    xml.etree.ElementTree.ParseError
        For a damaged one.
    """
    from xml.etree import ElementTree

    text = decode(read_plain(path, longest))
    if "<!DOCTYPE" in text:  # entities could grow without bounds
        raise ValueError("a document type")
    return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
