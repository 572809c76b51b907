"""Text files of any program: their encoding, and XML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Encodings by the bytes that a text may begin with."""

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

    with path.open("rb") as file:
        content = file.read(longest + 1)
    if len(content) > longest:
        raise ValueError(f"more than {longest:,} bytes")
    text = decode(content)
    if "<!DOCTYPE" in text:  # entities could grow without bounds
        raise ValueError("a document type")
    return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
