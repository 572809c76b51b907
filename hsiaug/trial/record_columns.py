"""The numbers of a record by column, as tables, files and frames have them (see
docs/results-format.md).
"""

from functools import cache
from typing import Any

import numpy as np

from hsiaug.trial.record import COLUMNS
from hsiaug.trial.record_json import Record

PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones.
"""


def went_well(record: Record) -> bool:
    """Whether a record has metrics."""
    return record["status"] == "ok" and record.get("metrics") is not None


def numbers_of(record: Record) -> dict[str, float | None]:
    """The numbers of a record: every metric as a fraction, those of PARTS of the test pixels as
    ``aa_new``, AA over fixed classes as ``subset:NAME``; ``recall:1`` and ``recall_new:1`` of each
    class, as of every other metric that is a list of fractions, and ``recall_spread`` over recalls;
    ``steps`` of the classifier, and the columns that fields of a record declare.
    """
    metrics = record["metrics"] if went_well(record) else {}
    several = {**(metrics.get("fields") or {}), **(metrics.get("visibility") or {})}
    parts = {f"_{part}": several[part] for part in PARTS if isinstance(several.get(part), dict)}
    numbers: dict[str, float | None] = {f"has{part}": 1.0 for part in parts}
    for part, scores in {"": metrics, **parts}.items():
        for key, value in scores.items():
            if type(value) in (float, int):
                numbers[key + part] = value
            elif _is_of_each_class(value):
                numbers.update(zip(_class_names(key + part, len(value)), value, strict=True))
    for name, scores in (metrics.get("subsets") or {}).items():
        numbers[f"subset:{name}"] = scores.get("aa")
        numbers[f"oa subset:{name}"] = scores.get("oa")
    for column, field in COLUMNS.items():
        numbers[column.name] = column.value(record.get(field))
    steps = (record.get("optimiser_steps") or {}).get("fit_classifier")
    aside = (record.get("classifier_facts") or {}).get("aside_steps") or 0
    # Without the steps that only chose among samples.
    numbers["steps"] = None if steps is None else int(steps - aside)
    recalls = [
        value for name, value in numbers.items() if name.startswith("recall:") and value is not None
    ]
    numbers["recall_spread"] = float(np.std(recalls, ddof=1)) if len(recalls) > 1 else None
    return numbers


def _is_of_each_class(value: Any) -> bool:
    """Whether a metric is a list of fractions, one of each class, and none of a class that has no
    test pixel.
    """
    if not isinstance(value, list):
        return False
    kinds = {type(one) for one in value}
    return float in kinds and kinds <= {float, int, type(None)}


@cache
def _class_names(metric: str, classes: int) -> tuple[str, ...]:
    return tuple(f"{metric}:{c}" for c in range(1, classes + 1))
