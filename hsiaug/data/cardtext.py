"""The text of a card that ``hsiaug datasets add`` writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CardDraft", "nanometres"]


@dataclass(frozen=True)
class CardDraft:
    """What goes into a card; see :mod:`hsiaug.data.cards` for each key. None and () are left out.

    remarks: sentences behind "#" above a key, by "table.key": why it has its value.
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

    def text(self) -> str:
        """TOML."""
        usual = self.ids == tuple(range(1, len(self.names) + 1))
        tables: dict[str, list[tuple[str, object]]] = {
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
            "sensor": [("gsd", self.gsd), ("wavelengths", self.wavelengths)],
        }
        why = dict(self.remarks)
        lines = [f"name = {_value(self.name)}"]
        for table, entries in tables.items():
            given = [(key, value) for key, value in entries if value is not None and value != ()]
            if given:
                lines += ["", f"[{table}]"]
            for key, value in given:
                remark = why.get(f"{table}.{key}")
                lines += [f"# {remark}"] if remark else []
                lines.append(f"{key} = {_value(value)}")
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
