"""What ``hsiaug inspect`` wrote of a generator's samples: numbers beside their floors, and its pictures."""

from __future__ import annotations

import errno
import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from hsiaug.base.errors import InputError
from hsiaug.report.html.markup import details, escape, figure, items, plain_grid, scroller
from hsiaug.report.html.pictures import embedded_picture
from hsiaug.report.html.spectra import spectra_browser
from hsiaug.report.labels import MISSING, measured, score_numbers, wrong_share

__all__ = ["quality_block", "read_quality"]

PICTURES = {
    "spectra": "Mean spectra of every class: training, held-out and synthetic",
    "pca": "PCA clouds of training, held-out and synthetic samples",
    "contact_sheet": "Real pairs of image and mask, and synthetic ones",
    "nearest": "Synthetic tiles beside the training tiles that they are nearest to",
    "shifts": "Agreement of image and mask, the mask moved",
}
"""What may lie in a folder, as SVG or as PNG."""
TILES = ("contact_sheet", "nearest")
"""Pictures whose pixels are what is looked at: made smaller, noise would be averaged away."""
FORMAT = 1
WIDEST = 1400
"""Pixels across a chart as it is shown."""
MOST = 10_000
"""Pixels across tiles as they are shown: as many as they have."""
LARGEST = 50_000_000
"""Bytes of quality.json at most."""


def _text(value: object) -> object:
    """A number where a text belongs is one, as n = 12; nothing else is."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[float, Field(strict=True)]
T = TypeVar("T")
Many = Annotated[tuple[T, ...], BeforeValidator(lambda value: () if value is None else value)]
Block = Annotated[T, BeforeValidator(lambda value: {} if value is None else value)]


class _Method(BaseModel):
    name: Text = ""
    argument: Text = ""


class _Provenance(BaseModel):
    generator: Block[_Method] = _Method()
    scene: Block[_Method] = _Method()
    protocol: Block[_Method] = _Method()
    seed: Text = ""
    lam: Number | None = Field(default=None, alias="lambda")
    omega: Number | None = None


class _Measured(BaseModel):
    """A measure of fidelity, or a score of reliability; the latter has the lower half too."""

    label: Text = ""
    name: Text = ""
    value: Number | None = None
    floor: Number | None = None
    unit: Text = ""
    better: Text = ""
    n: Text = ""
    note: Text = ""
    ceiling: Number | None = None
    r: Number | None = None
    wrong: Number | None = None
    wrong_interval: tuple[Number, Number] | None = None
    beyond: Block[dict[str, Literal["≤", "≥"]]] = {}

    @property
    def shown(self) -> str:
        return self.label or self.name or "?"


class _Numbers(BaseModel):
    measures: Many[_Measured] = ()
    scores: Many[_Measured] = ()
    notes: Many[Text] = ()


class _QualityFile(BaseModel):
    """What quality.json holds, as far as the page shows it. It is read from a folder that anybody may have edited."""

    format: Literal[1]
    provenance: Block[_Provenance] = _Provenance()
    verdict: Many[Text] = ()
    fidelity: Block[_Numbers] = _Numbers()
    reliability: Block[_Numbers] = _Numbers()

    def title(self, folder: Path) -> str:
        """``cvae λ=1 on indian_pines, issd:0.05, draw 100``."""
        made, protocol = self.provenance, self.provenance.protocol
        sweep = [f"{sign}={value:g}" for sign, value in (("λ", made.lam), ("ω", made.omega)) if value is not None]
        drawn = f"{protocol.name or '?'}:{protocol.argument}".rstrip(":")
        name = " ".join([made.generator.name or folder.name, *sweep])
        return f"{name} on {made.scene.name or '?'}, {drawn}, draw {made.seed or '?'}"


def read_quality(folder: Path) -> _QualityFile:
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
        return _QualityFile.model_validate_json(text)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise InputError(
            f"{path} must hold what 'hsiaug inspect' writes",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint="Run 'hsiaug inspect' again.",
        ) from cause


def _whole(path: Path) -> str:
    """The text of a file. Raises OSError where it is none, or far larger than such a file can be."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
        raise OSError(errno.EINVAL, f"quality.json is no file of at most {LARGEST // 1_000_000} MB")
    return path.read_text(encoding="utf-8")


def quality_block(folder: Path, quality: _QualityFile) -> str:
    """The verdict, the tables and the pictures of a folder."""
    fidelity, reliability = quality.fidelity, quality.reliability
    parts = [items(map(escape, quality.verdict))]
    parts += [_measures([*fidelity.measures, *reliability.measures]), _scores(reliability.scores)]
    if notes := [*fidelity.notes, *reliability.notes]:
        parts.append(details("Notes", items(map(escape, notes))))
    browser = spectra_browser(folder / "spectra.csv")
    return "".join([*parts, browser, *_pictures(folder, but="spectra" if browser else "")])


def _measures(measures: Sequence[_Measured]) -> str:
    if not measures:
        return ""
    rows = [(m.shown, measured(m.value), measured(m.floor), m.unit, m.better, m.n) for m in measures]
    header = ("measure", "synthetic", "floor (held-out)", "unit", "good is", "n")
    made = plain_grid("Fidelity: each number beside its floor, what real samples reach", header, rows, (0, 3, 4))
    noted = [f"{escape(m.label or '?')}: {escape(m.note)}" for m in measures if m.note]
    return made + (items(noted) if noted else "")


def _scores(scores: Sequence[_Measured]) -> str:
    if not scores:
        return ""
    rows = [
        (s.shown, *score_numbers(vars(s)), s.unit, measured(s.r), wrong_share(s.wrong), _span(s.wrong_interval))
        for s in scores
    ]
    header = ("score", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels %", "95 %")
    return plain_grid("Label reliability: between shuffled labels and real ones", header, rows, (0, 4))


def _span(interval: tuple[float, float] | None) -> str:
    return MISSING if interval is None else "–".join(map(measured, interval))


def _pictures(folder: Path, but: str) -> list[str]:
    """but: the one that would repeat what stands above it, in half a megabyte."""
    found = []
    for name, caption in PICTURES.items():
        path = next((p for end in (".svg", ".png") if (p := folder / f"{name}{end}").is_file()), None)
        if path is not None and name != but:
            found.append(_picture(path, caption))
    return found


def _picture(path: Path, caption: str) -> str:
    if path.stem in TILES:
        return scroller(caption, embedded_picture(path, caption, MOST))
    return figure(embedded_picture(path, caption, WIDEST), caption, "sheet")
