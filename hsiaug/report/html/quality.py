"""What ``hsiaug inspect`` wrote of a generator's samples: numbers beside their floors, and its pictures."""

from __future__ import annotations

import errno
import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hsiaug.errors import InputError
from hsiaug.report.html.markup import details, escape, figure, items, plain_grid, scroller
from hsiaug.report.html.pictures import embedded_picture
from hsiaug.report.html.quality_schema import QualityFile
from hsiaug.report.labels import MISSING, measured, score_numbers, wrong_share

__all__ = ["Quality", "quality_block", "read_quality"]

PICTURES = {
    "spectra": "Mean spectra of every class: training, held-out and synthetic",
    "pca": "PCA clouds of training, held-out and synthetic samples",
    "attention": "Where the generator's words look",
    "contact_sheet": "Real pairs of image and mask, and synthetic ones",
    "nearest": "Synthetic tiles beside the training tiles that they are nearest to",
    "shifts": "Agreement of image and mask, the mask moved",
}
"""What may lie in a folder, as SVG or as PNG."""
TILES = ("attention", "contact_sheet", "nearest")
"""Pictures whose pixels are what is looked at: made smaller, noise would be averaged away."""
FORMAT = 1
WIDEST = 1400
"""Pixels across a chart as it is shown."""
MOST = 10_000
"""Pixels across tiles as they are shown: as many as they have."""
LARGEST = 50_000_000
"""Bytes of quality.json at most."""


@dataclass(frozen=True)
class Quality:
    """One folder: quality.json as read, and the pictures that lie beside it."""

    folder: Path
    report: Mapping[str, Any]

    @property
    def title(self) -> str:
        """``cvae λ=1 on indian_pines, issd:0.05, draw 100``."""
        said = self.report.get("provenance") or {}
        generator, scene, protocol = (said.get(key) or {} for key in ("generator", "scene", "protocol"))
        sweep = [
            f"{sign}={said[key]:g}" for key, sign in (("lambda", "λ"), ("omega", "ω")) if said.get(key) is not None
        ]
        name = " ".join([str(generator.get("name") or self.folder.name), *sweep])
        drawn = f"{protocol.get('name') or '?'}:{protocol.get('argument') or ''}".rstrip(":")
        return f"{name} on {scene.get('name') or '?'}, {drawn}, draw {said.get('seed') or '?'}"


def read_quality(folder: Path) -> Quality:
    """A folder that ``hsiaug inspect --out`` wrote. Raises InputError where there is none."""
    path = folder / "quality.json"
    try:
        text = _whole(path)
        report = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"--quality {folder} must be a folder that 'hsiaug inspect' wrote",
            value=getattr(error, "strerror", None) or "quality.json is not JSON",
            hint="Run 'hsiaug inspect SCENE --generator NAME --out DIR' first.",
        ) from error
    found = report.get("format") if isinstance(report, dict) else type(report).__name__
    if found != FORMAT:
        raise InputError(
            f"{path} must have format {FORMAT}",
            value=f"format {found!r}",
            hint="Read it with the version of hsiaug that wrote it, or run 'hsiaug inspect' again.",
        )
    try:
        known = QualityFile.model_validate_json(text)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise InputError(
            f"{path} must hold what 'hsiaug inspect' writes",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint="Run 'hsiaug inspect' again.",
        ) from cause
    return Quality(folder, known.model_dump(mode="json", by_alias=True))


def _whole(path: Path) -> str:
    """The text of a file. Raises OSError where it is none, or far larger than such a file can be."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
        raise OSError(errno.EINVAL, f"quality.json is no file of at most {LARGEST // 1_000_000} MB")
    return path.read_text(encoding="utf-8")


def quality_block(quality: Quality) -> str:
    """The verdict, the tables and the pictures of a folder."""
    report = quality.report
    parts = [items(escape(str(line)) for line in report.get("verdict") or ())]
    fidelity, reliability = (report.get(key) or {} for key in ("fidelity", "reliability"))
    measures = [*(fidelity.get("measures") or ()), *(reliability.get("measures") or ())]
    parts += [_measures(measures), _scores(reliability.get("scores") or ())]
    notes = [*(fidelity.get("notes") or ()), *(reliability.get("notes") or ())]
    if notes:
        parts.append(details("Notes", items(escape(str(note)) for note in notes)))
    return "".join([*parts, *_pictures(quality.folder)])


def _measures(measures: Sequence[Mapping[str, Any]]) -> str:
    if not measures:
        return ""
    rows = [
        (
            str(m.get("label") or m.get("name") or "?"),
            measured(m.get("value")),
            measured(m.get("floor")),
            *(str(m.get(key) or "") for key in ("unit", "better", "n")),
        )
        for m in measures
    ]
    header = ("measure", "synthetic", "floor (held-out)", "unit", "good is", "n")
    made = plain_grid("Fidelity: each number beside its floor, what real samples reach", header, rows, (0, 3, 4))
    said = [f"{escape(str(m.get('label') or '?'))}: {escape(str(m['note']))}" for m in measures if m.get("note")]
    return made + (items(said) if said else "")


def _scores(scores: Sequence[Mapping[str, Any]]) -> str:
    if not scores:
        return ""
    rows = [
        (
            str(s.get("label") or s.get("name") or "?"),
            *score_numbers(s),
            str(s.get("unit") or ""),
            measured(s.get("r")),
            wrong_share(s.get("wrong")),
            _span(s.get("wrong_interval")),
        )
        for s in scores
    ]
    header = ("score", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels %", "95 %")
    return plain_grid("Label reliability: between shuffled labels and real ones", header, rows, (0, 4))


def _span(interval: object) -> str:
    if not isinstance(interval, list) or len(interval) != 2:
        return MISSING
    return "–".join(measured(end) for end in interval)


def _pictures(folder: Path) -> list[str]:
    found = []
    for name, said in PICTURES.items():
        path = next((p for end in (".svg", ".png") if (p := folder / f"{name}{end}").is_file()), None)
        if path is not None:
            found.append(_picture(path, said))
    return found


def _picture(path: Path, said: str) -> str:
    if path.stem in TILES:
        return scroller(said, embedded_picture(path, said, MOST))
    return figure(embedded_picture(path, said, WIDEST), said, "sheet")
