"""What reports read of a record: its numbers, and values that many records share, which packs keep once."""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple

from hsiaug.trial.record_json import Record, json_line, made_nothing

COUNTED = ("timings", "cpu_seconds", "optimiser_steps", "classifier_facts")
COMMON = ("scope", "transductive", "class_names", "environment", "scene_ref", "error")
"""Keys whose values many records share; beside them stands "view_shown", the name of the spectral view."""

MEASURED, MEASURED_REAL = "measured", "measured_real"
"""What a generator states of its samples in their provenance, and the same of left-out real ones; see docs/plugins.md."""


class Brief(NamedTuple):
    """Parts of a record. numbers: little-endian float64, NaN for what is no number.

    about: JSON of "spec", which is the specification without its seed; "ok", whether there are metrics; "empty", whether
    λ asked for no sample; "common", the values under COMMON; and "layout": for each part of the record that holds
    numbers its name, those of its numbers, and for how many classes a recall follows them. audit: JSON. Where any of this
    changes, raise the layout of the index: packs of before are then read record by record.
    """

    hash: str
    created: str
    seed: int
    about: str
    audit: str
    numbers: bytes

    @property
    def checksum(self) -> int:
        """CRC-32 of all but the hash."""
        text = f"{self.created} {self.seed} {self.about} {self.audit}"
        return zlib.crc32(self.numbers, zlib.crc32(text.encode()))


def brief_of(record: Record) -> Brief:
    """Take the parts of a record. Raises KeyError, TypeError, ValueError or AttributeError for what is none."""
    spec = dict(record["spec"])
    seed, ok = int(spec.pop("seed")), record["status"] == "ok" and record.get("metrics") is not None
    layout, values = [], list[Any]()
    for part, found in _parts(record, ok).items():
        recall = found.get("recall")
        recall = recall if isinstance(recall, list | tuple) else ()
        layout.append((part, list(found), len(recall)))
        values += (*found.values(), *recall)
    numbers = array("d", [value if type(value) in (float, int) else math.nan for value in values]).tobytes()
    view = (record.get("spectral_view") or {}).get("name")
    common = {key: record.get(key) for key in COMMON} | {"view_shown": view}
    about = {"spec": spec, "ok": ok, "empty": made_nothing(record), "common": common, "layout": layout}
    created, audit = str(record.get("created", "")), json_line(record.get("audit"))
    return Brief(record["hash"], created, seed, json_line(about), audit, numbers)


def _parts(record: Record, ok: bool) -> dict[str, Mapping[str, Any]]:
    """The parts that hold numbers, without lists of counts."""
    metrics, samples = (record["metrics"] if ok else {}), record.get("samples") or {}
    parts = {"": metrics}
    for several in ("fields", "visibility"):
        parts |= metrics.get(several) or {}
    parts |= {f"subset:{name}": one for name, one in (metrics.get("subsets") or {}).items()}
    parts |= {key: record.get(key) for key in COUNTED}
    stated = record.get("provenance") or {}
    parts |= {key: stated.get(key) for key in (MEASURED, MEASURED_REAL)}
    parts["samples"] = {kind: sum(samples[kind]) for kind in ("real", "synthetic") if samples}
    parts["record"] = {"peak_memory_mb": record.get("peak_memory_mb")}
    return {part: found for part, found in parts.items() if isinstance(found, dict) and found}
