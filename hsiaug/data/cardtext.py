"""The text of a card that ``hsiaug datasets add`` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsiaug.data.cards import SceneCard

__all__ = ["CardDraft", "nanometres"]

BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys of TOML that need no quotes."""


@dataclass(frozen=True)
class CardDraft:
    """What goes into a card; see :mod:`hsiaug.data.cards` for each key. None and () are left out.

    remarks: sentences behind "#" above a key, by "table.key": why it has its value.
    title to descriptions: of a public scene alone, see :meth:`of_public`.
    """

    name: str
    cube: str
    cube_key: str | None
    axes: str
    shape: tuple[int, int, int]
    bad_bands: tuple[int, ...]
    scale: float | None
    offset: float
    units: str
    labels: str
    labels_key: str | None
    names: tuple[str, ...]
    ids: tuple[int, ...]
    ignore: tuple[str | int, ...]
    counts: tuple[int, ...]
    gsd: float | None
    wavelengths: tuple[float, ...] | None
    remarks: tuple[tuple[str, str], ...] = ()
    title: str | None = None
    draws: str | None = None
    sensor: str | None = None
    subsets: tuple[tuple[str, tuple[str | int, ...]], ...] = ()
    descriptions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def of_public(self, card: SceneCard, cube_too: bool) -> CardDraft:
        """With what a public scene has that its files do not say; of its cube only where ``cube_too``."""
        known = {*self.names, *self.ids}
        subsets = [(name, tuple(item for item in items if item in known)) for name, items in card.subsets.items()]
        return replace(
            self,
            title=card.title if cube_too else None,
            draws=card.name,
            sensor=card.sensor.name if cube_too else None,
            subsets=tuple((name, items) for name, items in subsets if items),
            descriptions=tuple((name, text) for name, text in card.descriptions.items() if name in self.names),
            remarks=(*self.remarks, (".draws", "the public scene whose labels these are")),
        )

    def text(self) -> str:
        """TOML."""
        usual = self.ids == tuple(range(1, len(self.names) + 1))
        tables: dict[str, Sequence[tuple[str, object]]] = {
            "": [("name", self.name), ("title", self.title or None), ("draws", self.draws)],
            "cube": [
                ("file", self.cube),
                ("key", self.cube_key),
                ("axes", None if self.axes == "hwb" else self.axes),
                ("shape", self.shape),
                ("bad_bands", self.bad_bands),
                ("scale", self.scale),
                ("offset", self.offset or None),
                ("units", self.units),
            ],
            "labels": [
                ("file", self.labels),
                ("key", self.labels_key),
                ("names", self.names),
                ("ids", None if usual else self.ids),
                ("ignore", self.ignore),
                ("counts", self.counts),
            ],
            "sensor": [("name", self.sensor), ("gsd", self.gsd), ("wavelengths", self.wavelengths)],
            "subsets": self.subsets,
            "descriptions": self.descriptions,
        }
        why = dict(self.remarks)
        lines: list[str] = []
        for table, entries in tables.items():
            given = [(key, value) for key, value in entries if value is not None and value != ()]
            if given and table:
                lines += ["", f"[{table}]"]
            for key, value in given:
                remark = why.get(f"{table}.{key}")
                lines += [f"# {remark}"] if remark else []
                lines.append(f"{key if BARE.fullmatch(key) else _value(key)} = {_value(value)}")
        return "\n".join(lines) + "\n"


def nanometres(value: float) -> str:
    """A band centre as it is, without digits of binary arithmetic."""
    return f"{value:.10g}"


def _value(value: object) -> str:
    """A value of TOML; its basic strings are those of JSON."""
    if not isinstance(value, str) and isinstance(value, Sequence):
        parts = [_value(item) for item in value]
        if sum(map(len, parts)) < 90:
            return f"[{', '.join(parts)}]"
        rows = [", ".join(parts[i : i + 8]) for i in range(0, len(parts), 8)]
        return "[\n" + "".join(f"    {row},\n" for row in rows) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
