"""What the filters of the page can choose, and which arm and classifier stands behind each cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hsiaug.report.cells import ArmCell
from hsiaug.report.html.anchors import TableSection
from hsiaug.trial.arm import EVERY_CONTROL

__all__ = ["filter_facts"]


def filter_facts(sections: Sequence[TableSection]) -> dict[str, Any]:
    """``tables``: scene and protocol by number of the table. ``cells``: arm and classifier by id. ``choices``: the values
    of every filter that has two or more.
    """
    tables = {section.anchor("table").removesuffix("-table"): _condition(section) for section in sections}
    cells = {section.cell_id(cell): _cell(section, cell) for section in sections for cell in section.listed}
    mine = [cell for cell in cells.values() if not cell["blind"]]
    values = {
        "scene": ("Scene", _once(table["scene"] for table in tables.values())),
        "protocol": ("Protocol", _once(table["protocol"] for table in tables.values())),
        "generator": ("Generator", _once(cell["generator"] for cell in mine if not cell["control"])),
        "classifier": ("Classifier", _once(cell["classifier"] for cell in mine)),
    }
    choices = [
        {"name": name, "shown": shown, "values": found}
        for name, (shown, found) in values.items()
        if len(found) > 1
    ]
    return {"tables": tables, "cells": cells, "choices": choices}


def _condition(section: TableSection) -> dict[str, str]:
    condition = section.table.condition
    return {"scene": condition.scene, "protocol": f"{condition.protocol}:{condition.argument}".rstrip(":")}


def _cell(section: TableSection, cell: ArmCell) -> dict[str, Any]:
    arm, labels = cell.arm, section.table.labels
    return {
        "generator": labels.get(arm.generator, arm.generator.name),
        "classifier": labels.get(cell.classifier, cell.classifier.name),
        "control": arm.generator.name in EVERY_CONTROL,
        "blind": cell in section.table.blind,
    }


def _once(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]
