"""What ``hsiaug inspect`` says of txt2hsi's samples on Indian Pines, draw by draw, for claim C7."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, hsiaug, read_csv, say, write_csv
from benchmarks.txt2hsi_arms import LAMBDA
from hsiaug.metrics.significance import MeanStd, mean_std

__all__ = ["looked_at", "quality_table"]

FILE = HERE / "results" / "txt2hsi_claims" / "quality.csv"
DRAWS = range(10, 15)
COLUMNS = ("protocol", "draw", "name", "label", "value", "beside")


def looked_at(store: Path) -> list[dict[str, Any]]:
    """One row per protocol, draw and measure, from ``hsiaug inspect``; kept in quality.csv."""
    if FILE.is_file():
        return read_csv(FILE)
    rows: list[dict[str, Any]] = []
    for protocol, lam in LAMBDA.items():
        for draw in DRAWS:
            with tempfile.TemporaryDirectory() as folder:
                words = [
                    "inspect",
                    "indian_pines",
                    "--generator",
                    "txt2hsi",
                    "--protocol",
                    protocol,
                ]
                words += [
                    "--seed",
                    str(draw),
                    "--lambda",
                    f"{lam:g}",
                    "--store",
                    str(store),
                    "--out",
                    f"{folder}/look",
                ]
                hsiaug(words)
                answer = json.loads(
                    Path(folder, "look", "quality.json").read_text(encoding="utf-8")
                )
            rows += _quality_rows(protocol, draw, answer)
            say(f"looked at {protocol}, draw {draw}")
    write_csv(FILE, rows)
    return rows


def _quality_rows(protocol: str, draw: int, answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def row(name: str, label: str, value: Any, beside: Any) -> dict[str, Any]:
        shown = [None if v is None else float(f"{v:.4g}") for v in (value, beside)]
        return dict(zip(COLUMNS, (protocol, draw, name, label, *shown), strict=True))

    for m in answer["fidelity"]["measures"]:
        yield row(m["name"], m["label"], m["value"], m["floor"])
    for s in answer["reliability"]["scores"]:
        yield row(f"label {s['name']}", s["label"], s["value"], s["ceiling"])
        yield row(
            f"wrong labels by {s['name']}",
            f"{s['label']}: equivalent share of wrong labels",
            s["wrong"],
            0.0,
        )


def quality_table(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], protocol: str
) -> Iterator[Sequence[str]]:
    """Mean ± std of a measure and of the floor (or ceiling) that it stands beside."""
    for name in names:
        own = [r for r in rows if r["protocol"] == protocol and r["name"] == name]
        pairs = [
            (float(r["value"]), float(r["beside"])) for r in own if r["value"] not in ("", None)
        ]
        if pairs:
            value, beside = (mean_std(part) for part in zip(*pairs, strict=True))
            yield (own[0]["label"], _shown(value), _shown(beside), str(len(pairs)))


def _shown(value: MeanStd) -> str:
    return f"{value.mean:.3g}" + ("" if value.std is None else f" ± {value.std:.2g}")
