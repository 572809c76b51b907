"""Texts that come from outside (names, notes, messages), made safe to show, to quote and to write.

A class may be called anything, and so may a file or what a plugin says of its progress.
:func:`visible` is the one place where characters that act on a terminal, or reorder what is read,
become characters that can be seen; markup of rich is switched off in :mod:`hsiaug.base.terminal`,
and each format of a file escapes its own signs besides.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 with ESC, DEL, C1
    # order of writing, and no width
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\u2028\u2029"  # line and paragraph separator
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of a pair, which no file can hold; tags
)
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)", re.DOTALL)
"""Sequences that a terminal obeys: colours, titles, links, single commands."""
LONGEST_LINE = 160
"""Characters of a text on one line."""
FORMULA = re.compile(r"'*\s*[=+@-]")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
"""A number, which is not a formula although it may begin with a minus."""
DRAWN = 80
"""Characters of a name in a picture."""
QUOTED = 400
"""Characters of a value that a message quotes."""


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with every control character as its escape (``\x1b``, ``\n``, ``\u202e``), but for
    those of ``keep``.
    """
    return UNSEEN.sub(
        lambda match: (
            match[0] if match[0] in keep else match[0].encode("unicode_escape").decode("ascii")
        ),
        text,
    )


def one_line(text: object, longest: int = LONGEST_LINE) -> str:
    """A text without line breaks and without characters that move a cursor or hide others; cut
    where it is longer.
    """
    bare = ESCAPES.sub(" ", str(text))
    line = " ".join("".join(c if c.isprintable() else " " for c in bare).split())
    return line if len(line) <= longest else f"{line[:longest].rstrip()} (cut)"


def spreadsheet_text(text: str) -> str:
    """A text that no spreadsheet runs as a formula: what begins like one gets an apostrophe before
    it.
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def text_of_spreadsheet(cell: str) -> str:
    """The original text of a cell that :func:`spreadsheet_text` wrote.

    Parameters
    ----------
    cell : str
        A cell of a CSV file, in which texts that look like formulas begin with an apostrophe.

    Returns
    -------
    str
        The text.

    See Also
    --------
    user_file : finds a file that a user names.

    Examples
    --------
    >>> from hsiaug.api import text_of_spreadsheet
    >>> text_of_spreadsheet("'=wheat")
    '=wheat'
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def envi_text(text: str) -> str:
    """A text as a field of an ENVI header can hold it, which knows no escape of braces and
    commas.
    """
    return visible(text).translate(str.maketrans("{},", "();"))


def shortest(value: float) -> str:
    """A number in as few characters as give the very same number again: ``1``, ``0.5``,
    ``0.1234567``.
    """
    text = f"{value:g}"
    return text if float(text) == value else repr(float(value))


def nanometres(value: float) -> str:
    """A band centre as it is, without digits of binary arithmetic."""
    return f"{value:.10g}"


def setting(key: str, value: object) -> str:
    """A parameter with its value, as Python has it; on the command line it becomes an option."""
    return f"`{key}={str(value)!r}`"


def some_of(texts: Sequence[str], most: int, between: str = ", ") -> str:
    """The first of some texts, with "…" where there are more."""
    return between.join((*texts[:most], *(("…",) if len(texts) > most else ())))


def in_runs(
    numbers: Iterable[int], least: int = 3, *, between: str = ", ", through: str = "–"
) -> str:
    """Integers as text, with runs of at least a given length shortened: 0, 2, 3, 4 → ``0, 2–4``.

    Parameters
    ----------
    between, through : str
        What stands between two of them, and between the ends of a run.
    """
    groups = groupby(enumerate(sorted(set(numbers))), key=lambda item: item[1] - item[0])
    runs = [[number for _, number in group] for _, group in groups]
    return between.join(
        f"{run[0]}{through}{run[-1]}" if len(run) >= least else between.join(map(str, run))
        for run in runs
    )


def seeds_option(seeds: Iterable[int]) -> str:
    """Numbers of splits as ``--seeds`` takes them: ``7`` for the first seven, ``100-109``, ``0,3``.

    One number alone says how many splits, so that one split but the first is a range: ``3-3``.
    """
    listed = sorted(set(seeds))
    if listed == [*range(len(listed))]:
        return str(len(listed))
    return in_runs(listed, 1 if len(listed) == 1 else 2, between=",", through="-")


def shortened(text: str, most: int = QUOTED) -> str:
    """The text, or its beginning and end round an ellipsis where it has more than ``most``
    characters.
    """
    if len(text) <= most:
        return text
    head = (most - 3) * 2 // 3
    return f"{text[:head]} … {text[len(text) - (most - 3 - head) :]}"


def plotted(text: str) -> str:
    """A name as matplotlib shall draw it: on one line, no formula between dollar signs, not wider
    than a picture.

    A legend leaves out what begins with an underscore, which a space before it prevents.
    """
    plain = shortened(visible(text), DRAWN).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


def json_of(value: object, indent: int | None = None) -> str:
    """Strict JSON: no NaN, letters as they are, control characters as escapes that read back as the
    same text.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    # What json leaves as it is can stand in strings alone; line breaks between values are its own.
    return UNSEEN.sub(lambda match: match[0] if match[0] == "\n" else _json_escape(match[0]), text)


def ascii_json(text: str) -> str:
    """JSON with escapes for all letters but those of ASCII."""
    return re.sub(r"[^\x00-\x7f]", lambda match: _json_escape(match[0]), text)


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]
