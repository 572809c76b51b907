"""Commands that run again what records hold, made of the commands of these records."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsiaug.base.text import seeds_option
from hsiaug.metrics.significance import USUAL_DRAWS
from hsiaug.tasks import settings

if TYPE_CHECKING:
    from hsiaug.report.gains import ArmCell
    from hsiaug.report.tables import ReportTable

FRESH = 400
"""Splits that a benchmark chose on have lower numbers; others begin here."""
QUOTE_STORE = "quote"
USUAL = {
    "--times": f"{settings.TIMES:g}",
    "--protocol": f"{settings.PROTOCOL}:0.05",
    "--buffer": "centre",
    "--patch": str(settings.PATCH),
}
"""What a benchmark of pixels has where nothing is said."""
OF_A_RUN = ("--seeds", "--store")
"""Options that change no trial."""
Options = list[tuple[str, str]]


def to_repeat(command: str, store: str) -> str:
    """The command of a record, into a new store: in its own the trial is there already.

    Parameters
    ----------
    store : str
        Folder of the record.
    """
    start, options = _parsed(command)
    if not options:
        # Of another program: nothing is known of its options.
        return command
    kept = [one for one in options if one[0] != "--store"]
    return _joined(start, [*kept, ("--store", f"{store.rstrip('/')}-again")])


def quote_command(cell: ArmCell, table: ReportTable) -> str:
    """The command that runs a configuration on splits that did not choose it, into a store of their
    own; empty where there are none: where splits divide the same images, or seeds of the table drew
    the same pixels.
    """
    audits = table.splits.values()
    same_images = bool(audits) and all(
        audit.get("fields") == "places" and not any(audit.get("new_counts") or ())
        for audit in audits
    )
    if same_images or table.repeated:
        return ""
    start, options = _parsed(str(cell.trials["command"].iloc[0]))
    named = {name for name, _ in options}
    if not {"--generator", "--classifier", "--lambda"} <= named:
        return ""
    first = FRESH * (1 + max(table.trials["seed"].tolist()) // FRESH)
    seeds = range(first, first + max(USUAL_DRAWS, len(table.draws)))
    usual = USUAL if table.condition.task == "pixels" else {}
    kept = [one for one in options if one[0] not in OF_A_RUN and usual.get(one[0]) != one[1]]
    fresh = [("--seeds", seeds_option(seeds)), ("--store", QUOTE_STORE)]
    return _joined(start, [*kept, *fresh])


def _parsed(command: str) -> tuple[list[str], Options]:
    """The words before the first option, and the options with their values; none of a text that is
    not made of options with a value each.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return [command], []
    first = next((i for i, word in enumerate(words) if word.startswith("--")), len(words))
    names, values = words[first::2], words[first + 1 :: 2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        return words, []
    return words[:first], list(zip(names, values, strict=True))


def _joined(start: Iterable[str], options: Options) -> str:
    return shlex.join([*start, *(word for option in options for word in option)])
