"""What a row of a table opens: the draws of its arm, their records, and the command that runs them
again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from hsiaug.report.cells import ArmCell
from hsiaug.report.tables import ReportTable
from hsiaug.trial.store import Store


def arm_keys(table: ReportTable, number: str) -> dict[ArmCell, str]:
    """Names of the arms of a table within the page.

    Parameters
    ----------
    table : ReportTable
        The trials of one scene and protocol.
    number : str
        The name of the table within the page.
    """
    return {cell: f"{number}-a{place}" for place, cell in enumerate(table.every_cell.values())}


def arm_commands(keys: Mapping[ArmCell, str], store: Store | None, option: str) -> dict[str, str]:
    """The command that runs the draws of each arm again, by the name of the arm.

    Parameters
    ----------
    keys : dict
        Names of arms, as :func:`arm_keys` gives them.
    store : Store or None
        Where the records lie; without it there are no commands.
    option : str
        The option that names the store, with a blank before it.
    """
    if store is None:
        return {}
    commands = {}
    for cell, key in keys.items():
        record = store.sound(cell.trials[0].hash)
        if record and (command := str(record.get("command") or "")):
            commands[key] = _of_all_draws(command, [trial.seed for trial in cell.trials]) + option
    return commands


def _of_all_draws(command: str, seeds: Sequence[int]) -> str:
    words = shlex.split(command)
    if "--seeds" not in words[:-1]:
        return command
    words[words.index("--seeds") + 1] = _seeds(sorted(set(seeds)))
    return shlex.join(words)


def _seeds(seeds: Sequence[int]) -> str:
    """Numbers of draws as ``--seeds`` takes them: ``0-6``, or ``0-0,3-3``."""
    first, last = seeds[0], seeds[-1]
    if len(seeds) == last - first + 1:
        return f"{first}-{last}"
    return ",".join(f"{seed}-{seed}" for seed in seeds)
