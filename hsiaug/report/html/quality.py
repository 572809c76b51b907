"""What ``hsiaug inspect`` wrote of a generator's samples: numbers beside their floors, and its pictures."""

from __future__ import annotations

import base64
import errno
import io
import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hsiaug.errors import InputError
from hsiaug.report.html.markup import details, escape, items, plain_grid
from hsiaug.report.html.quality_schema import QualityFile
from hsiaug.report.labels import MISSING

__all__ = ["Quality", "quality_block", "read_quality"]

PICTURES = {
    "spectra.png": "Mean spectra of every class: training, held-out and synthetic",
    "pca.png": "PCA clouds of training, held-out and synthetic samples",
    "attention.png": "Where the generator's words look",
    "contact_sheet.png": "Real pairs of image and mask, and synthetic ones",
    "nearest.png": "Synthetic tiles beside the training tiles that they are nearest to",
    "shifts.png": "Agreement of image and mask, the mask moved",
}
FORMAT = 1
WIDEST = 1400
"""Pixels across a picture; wider ones are made smaller."""
COLOURS = 64
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
            mend="Run 'hsiaug inspect SCENE --generator NAME --out DIR' first.",
        ) from error
    found = report.get("format") if isinstance(report, dict) else type(report).__name__
    if found != FORMAT:
        raise InputError(
            f"{path} must have format {FORMAT}",
            value=f"format {found!r}",
            mend="Read it with the version of hsiaug that wrote it, or run 'hsiaug inspect' again.",
        )
    try:
        known = QualityFile.model_validate_json(text)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise InputError(
            f"{path} must hold what 'hsiaug inspect' writes",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            mend="Run 'hsiaug inspect' again.",
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
            _number(m.get("value")),
            _number(m.get("floor")),
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
            *(_number(s.get(key)) for key in ("value", "ceiling", "floor")),
            str(s.get("unit") or ""),
            _number(s.get("r")),
            _number(s.get("wrong")),
            _span(s.get("wrong_interval")),
        )
        for s in scores
    ]
    header = ("score", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels %", "95 %")
    return plain_grid("Label reliability: between shuffled labels and real ones", header, rows, (0, 4))


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return MISSING
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _span(interval: object) -> str:
    if not isinstance(interval, list) or len(interval) != 2:
        return MISSING
    return "–".join(_number(end) for end in interval)


def _pictures(folder: Path) -> list[str]:
    return [_picture(folder / name, said) for name, said in PICTURES.items() if (folder / name).is_file()]


def _picture(path: Path, said: str) -> str:
    """The picture in few colours, which makes it a third as large."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return f'<p class="note">{escape(path.name)} cannot be read as a picture.</p>'
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)))
    out = io.BytesIO()
    image.quantize(COLOURS).save(out, format="PNG", optimize=True)
    data = base64.b64encode(out.getvalue()).decode()
    return (
        f'<figure class="sheet"><img src="data:image/png;base64,{data}" alt="{escape(said)}" width="{image.width}" '
        f'height="{image.height}"><figcaption>{escape(said)}</figcaption></figure>'
    )
