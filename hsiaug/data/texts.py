"""Text files that somebody else wrote: their encoding, names of classes, XML, and TOML, whose
faults become one clear error.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from hsiaug.base.errors import HsiaugError, blame_shortage, did_you_mean
from hsiaug.base.files import read_plain
from hsiaug.base.text import some_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pydantic import BaseModel, ValidationError

    Model = TypeVar("Model", bound=BaseModel)

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
    visible = "".join(
        " " if char.isspace() else char
        for char in text
        # Soft hyphens and marks of the direction of writing have no shape.
        if char.isspace() or unicodedata.category(char) not in ("Cf", "Cc")
    )
    return " ".join(unicodedata.normalize("NFC", visible).split())


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


MAX_TOML_BYTES = 2**22
"""Bytes of a file at most."""
MOST_PARTS = 100
"""Parts of a dotted key at most: reading takes memory that grows with their square."""
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
LONG_KEY = re.compile(rf"[\s\[{{]*(?:[\w-]+\s*\.\s*){{{MOST_PARTS}}}")
"""A line that begins with a key of too many parts, none of them in quotes."""
BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys of TOML that need no quotes."""


def read_toml(path: Path, what: str, kind: type[HsiaugError]) -> dict[str, object]:
    """The top table of a TOML file.

    Parameters
    ----------
    what : str
        What it is called in messages, as "card" or "suite".

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    HsiaugError
        Of ``kind``, naming the file and what is wrong with it.
    """
    try:
        text = read_plain(path, MAX_TOML_BYTES).decode("utf-8")
        if any(LONG_KEY.match(QUOTED.sub("k", line)) for line in text.split("\n")):
            raise ValueError(f"a key of more than {MOST_PARTS} parts")
        table = tomllib.loads(text)
        _as_json(table)
        return table
    except FileNotFoundError:
        raise
    except RecursionError:
        value: object = "too many tables or lists inside each other"
    except (OSError, ValueError) as cause:  # also a whole number of more digits than Python reads
        blame_shortage(cause, kind, f"{what} {path}")
        value = cause.strerror if isinstance(cause, OSError) else cause
    raise kind(
        f"{what} {path} must be a TOML file",
        value=value,
        hint=f"Check the path, or correct the {what}.",
    )


def _as_json(table: dict[str, object]) -> str:
    """The table as JSON. Raises RecursionError where it is nested deeper than Python writes."""
    return json.dumps(table, default=str)


def validate_table(
    table: dict[str, object], schema: type[Model], path: Path, what: str, kind: type[HsiaugError]
) -> Model:
    """The model of a table of TOML.

    Parameters
    ----------
    path, what : Path or str
        How errors name the file.

    Raises
    ------
    HsiaugError
        Of ``kind``, where it breaks the schema.
    """
    from pydantic import ValidationError

    try:
        # Validated as JSON because strict mode takes a list for a tuple only there.
        return schema.model_validate_json(_as_json(table))
    except ValidationError as cause:
        raise _describe_errors(table, schema, f"{what} {path}", what, kind, cause) from cause


def _describe_errors(
    table: dict[str, object],
    schema: type[BaseModel],
    file: str,
    what: str,
    kind: type[HsiaugError],
    cause: ValidationError,
) -> HsiaugError:
    """One error for all that is wrong: a misspelt key first, for it explains why another one is
    missing.
    """
    errors = sorted(
        cause.errors(include_url=False), key=lambda error: error["type"] != "extra_forbidden"
    )
    first = errors[0]
    further = f" The {what} has {len(errors) - 1} more such errors." if len(errors) > 1 else ""
    key, value = _look_up(table, first["loc"])
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(str(first["loc"][-1]), _known_keys(first["loc"], schema))
        return kind(f"{file} must use known keys only", value=f"'{key}'", hint=hint + further)
    if first["type"] == "missing":
        return kind(f"{file} must give '{key}'", hint=f"Add '{key}' to the {what}.{further}")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    hint = f"Correct '{key}' in the {what}.{further}" if key else f"Correct the {what}.{further}"
    if first["type"] == "value_error":
        return kind(f"{file}: {f'[{key}] ' if key else ''}{message}", hint=hint)
    return kind(
        f"{file}: '{key}' is not valid ({message[:1].lower()}{message[1:]})",
        value=repr(value),
        hint=hint,
    )


def _look_up(table: dict[str, object], loc: tuple[int | str, ...]) -> tuple[str, object]:
    """The dotted key of an error, and the value there; tables of a list go by their name where they
    have one.

    pydantic appends type names to some locations.
    """
    key = ""
    value: object = table
    for step in loc:
        if isinstance(value, dict) and isinstance(step, str):
            key = f"{key}.{step}" if key else step
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
            name = value.get("name") if isinstance(value, dict) else None
            key = f"{key}[{name if isinstance(name, str) else step}]"
    return key, value


def _known_keys(loc: tuple[int | str, ...], schema: type[BaseModel]) -> list[str]:
    """The keys that may stand where the unknown one stands."""
    fields = schema.model_fields
    for step in loc[:-1]:
        if step in fields:
            fields = next(_models(fields[str(step)].annotation), schema).model_fields
    return list(fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among the parts of a type, as of ``tuple[Model, ...]``."""
    if hasattr(annotation, "model_fields"):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def toml_text(entries: Mapping[str, object], remarks: Mapping[str, str] | None = None) -> str:
    """A file of TOML, in which a mapping is a table.

    Parameters
    ----------
    remarks : mapping of str to str or None
        Sentences behind "#" above a key, by "table.key".
    """
    tables = {"": {key: value for key, value in entries.items() if not isinstance(value, dict)}}
    tables |= {table: values for table, values in entries.items() if isinstance(values, dict)}
    lines: list[str] = []
    for table, values in tables.items():
        lines += ["", f"[{table}]"] if table else []
        for key, value in values.items():
            remark = (remarks or {}).get(f"{table}.{key}")
            lines += [f"# {remark}"] if remark else []
            lines.append(f"{key if BARE.fullmatch(key) else _toml(key)} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A value of TOML; its basic strings are those of JSON."""
    if not isinstance(value, str) and isinstance(value, Sequence):
        parts = [_toml(item) for item in value]
        if sum(map(len, parts)) < 90:
            return f"[{', '.join(parts)}]"
        rows = [", ".join(parts[i : i + 8]) for i in range(0, len(parts), 8)]
        return "[\n" + "".join(f"    {row},\n" for row in rows) + "]"
    if isinstance(value, float):
        return repr(value)  # of NaN and infinity too
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
