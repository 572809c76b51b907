"""The keys of all formats that are read, and what becomes of each: the table of docs/keys.md, whose
rows are those of ``keys.csv``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ENVI, GEOTIFF, BESIDE = "ENVI header", "GeoTIFF", ".aux.xml"
METADATA = "METADATA.XML of EnMAP, DESIS"
XARRAY = "DataArray"


@dataclass(frozen=True)
class KeyRule:
    """What becomes of some keys of a format.

    Attributes
    ----------
    format : str
        As one of the constants above, or the name of a product.
    keys : tuple of str
        As the format has them; of an ENVI header in small letters. Of HDF5, "ITEM" is a dataset and
        "ITEM@NAME" an attribute. "*" stands for any part of a name.
    outcome : {"applied", "ignored"}
        Whether they change what is read.
    why : str
        As what they are read, or why they are not.
    """

    format: str
    keys: tuple[str, ...]
    outcome: str
    why: str


@cache
def key_rules() -> tuple[KeyRule, ...]:
    """All keys that are known, by format; of several rules that fit a key the first counts."""
    with Path(__file__).with_name("keys.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        KeyRule(row["format"], tuple(row["keys"].split("; ")), row["outcome"], row["why"])
        for row in rows
    )


def key_table() -> str:
    """The rules as a table of Markdown."""
    lines = ["| file | key | | what becomes of it |", "|---|---|---|---|"]
    for rule in key_rules():
        keys = ", ".join(f"`{key}`" for key in rule.keys)
        lines.append(f"| {rule.format} | {keys} | {rule.outcome} | {rule.why} |")
    return "\n".join(lines)


def rule_of(format: str, key: str) -> KeyRule | None:
    """The rule for a key of a format; None where none is known.

    Parameters
    ----------
    format : str
        That of a kind of product, as "Tanager (ortho)", has the rules of "Tanager" too.
    """
    formats = format, format.partition(" (")[0]
    for rule in key_rules():
        if rule.format in formats and any(_fits(pattern, key) for pattern in rule.keys):
            return rule
    return None


def _fits(pattern: str, key: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^@]*"), key) is not None
