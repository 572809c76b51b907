"""Measures of the samples that trials learn from, kept in a store beside its records.

A file is named by the hash of the samples, which covers all that they depend on, so that measures
of other samples are never taken for these.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hsiaug.base.files import read_plain, write_text_whole
from hsiaug.base.text import json_of

FORMAT = 1
"""Raise when a measure is computed otherwise than before: it is then measured anew."""
MAX_MEASURES_BYTES = 2**20
"""Bytes of a file at most."""


@dataclass(frozen=True)
class SampleMeasure:
    """A measure of synthetic samples.

    Attributes
    ----------
    value : float or None
        Value of the samples; None where it is not defined.
    beside : float or None
        What it is read against: the value of held-out real samples in their place, that of
        training samples, or chance.
    """

    label: str
    unit: str
    value: float | None
    beside: float | None


def measures_path(store: Path, samples: str) -> Path:
    """The file of the measures of samples of that hash."""
    return store / "quality" / f"{samples}.json"


def read_measures(store: Path, samples: str) -> dict[str, SampleMeasure]:
    """The measures of samples by name; none where they were not measured, or otherwise than now."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(read_plain(measures_path(store, samples), MAX_MEASURES_BYTES))
        if content["format"] == FORMAT:
            return {name: SampleMeasure(**row) for name, row in content["measures"].items()}
    return {}


def write_measures(
    store: Path,
    samples: str,
    measures: Mapping[str, SampleMeasure],
    provenance: Mapping[str, object],
) -> Path:
    """Write measures beside those that are there, with what the samples came from."""
    path = measures_path(store, samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    every = {**read_measures(store, samples), **measures}
    content = {
        "format": FORMAT,
        "provenance": dict(provenance),
        "measures": {name: asdict(measure) for name, measure in every.items()},
    }
    return write_text_whole(path, json_of(content, indent=1) + "\n")
