"""The text of a card that ``hsiaug datasets add`` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsiaug.data.cards import SceneCard

BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys of TOML that need no quotes."""


def card_text(card: SceneCard, remarks: Mapping[str, str], renamed: Mapping[str, str]) -> str:
    """TOML of all that is not at its default. remarks: sentences behind "#" above a key, by "table.key": why it has its
    value. renamed: other names of files.
    """
    entries = card.model_dump(exclude_defaults=True, exclude_none=True)
    entries["cube"]["units"] = card.cube.units
    for table in ("cube", "labels"):
        entries[table]["file"] = renamed.get(entries[table]["file"], entries[table]["file"])
    tables = {"": {key: value for key, value in entries.items() if not isinstance(value, dict)}}
    tables |= {table: values for table, values in entries.items() if isinstance(values, dict)}
    lines: list[str] = []
    for table, values in tables.items():
        lines += ["", f"[{table}]"] if table else []
        for key, value in values.items():
            remark = remarks.get(f"{table}.{key}")
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
    if isinstance(value, float):
        return repr(value)  # of NaN and infinity too
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
