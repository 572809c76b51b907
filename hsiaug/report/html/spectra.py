"""The browser of class spectra: the numbers that ``hsiaug inspect`` wrote, for the page's script to draw."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from hsiaug.report.html.markup import escape, json_for_script

__all__ = ["spectra_browser"]

LARGEST = 20_000_000
"""Bytes of spectra.csv at most."""
MOST_NUMBERS = 60_000
"""Means and standard deviations on the page at most: beyond that it has the picture alone."""


def spectra_browser(path: Path) -> str:
    """Where the script draws; empty without spectra.csv, and a sentence where that is not what inspect writes."""
    if not path.is_file():
        return ""
    try:
        found = _read(path)
    except (OSError, ValueError, KeyError, csv.Error):
        return f'<p class="note">{escape(path.name)} is not what inspect writes.</p>'
    numbers = sum(2 * len(one["mean"]) for sets in found["classes"].values() for one in sets.values())
    if not numbers or numbers > MOST_NUMBERS:
        return ""
    return f'<div class="spectra" data-spectra="{escape(json_for_script(found))}"></div>'


def _read(path: Path) -> dict[str, Any]:
    """``wavelengths`` in nm or ``null``, and ``classes``: name → set → n, means and standard deviations by band."""
    if path.stat().st_size > LARGEST:
        raise ValueError(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    classes: dict[str, dict[str, dict[str, Any]]] = {}
    axis: dict[int, float | None] = {}
    for row in rows:
        sets = classes.setdefault(row["class"], {})
        one = sets.setdefault(row["set"], {"n": int(row["n"]), "mean": [], "std": []})
        one["mean"].append(float(row["mean"]))
        one["std"].append(float(row["std"]))
        axis[int(row["band"])] = float(row["wavelength_nm"]) if row["wavelength_nm"] else None
    bands = sorted(axis)
    if any(len(one["mean"]) != len(bands) for sets in classes.values() for one in sets.values()):
        raise ValueError(path)
    known = [axis[band] for band in bands]
    return {"wavelengths": None if None in known else known, "classes": classes}
