"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hsiaug.errors import InputError

__all__ = ["Buffer", "Patch", "Protocol", "SceneRef", "StoreDir", "numbers", "overrides", "seeds", "words"]

SceneRef = Annotated[str, typer.Argument(help="A scene of 'hsiaug datasets list', or the TOML card of your own.")]
Protocol = Annotated[
    str,
    typer.Option(
        help="issd (default), issd:RATIO, kshot:K, blocks:B, random:RATIO (LEAKY), random-twin:PROTOCOL (LEAKY), "
        "fixed:FILE."
    ),
]
Buffer = Annotated[
    str | None,
    typer.Option(
        help="Labelled pixels left out round training pixels: none, centre (no test pixel in a training patch) or "
        "patch (no test patch meets a training patch). Each protocol has its own default."
    ),
]
Patch = Annotated[int, typer.Option(help="Side of the patches in pixels, odd.")]
StoreDir = Annotated[Path, typer.Option("--store", help="Folder of the records.")]


def words(text: str) -> list[str]:
    """Names between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(option: str, text: str) -> list[float]:
    """Numbers between commas. Raises InputError naming the option."""
    found = []
    for word in words(text):
        try:
            found.append(float(word))
        except ValueError:
            raise InputError(
                f"{option} must be numbers between commas",
                value=repr(word),
                mend=f"Write {option} 0.5,1 for example.",
            ) from None
    if not found:
        raise InputError(f"{option} must hold at least one number", value=repr(text), mend=f"Write {option} 0.5.")
    return found


def seeds(text: str) -> list[int]:
    """Draws: ``5`` = 0..4, ``100-109`` = that range, ``3,5,8-9`` = these. Raises InputError for anything else."""
    parts = words(text)
    if not parts or not all(re.fullmatch(r"\d+(-\d+)?", part) for part in parts):
        parts = []
    if len(parts) == 1 and "-" not in parts[0]:
        found = list(range(int(parts[0])))
    else:
        found = []
        for part in parts:
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    if not found:
        raise InputError(
            "--seeds must be a number of draws, or a range or list of draws",
            value=repr(text),
            mend="Write 5 for draws 0 to 4, 100-109, or 3,5,8-9.",
        )
    return list(dict.fromkeys(found))


def overrides(settings: list[str]) -> dict[str, dict[str, str]]:
    """{plugin: {parameter: text}} from ``PLUGIN.PARAMETER=VALUE``. Raises InputError for another form."""
    found: dict[str, dict[str, str]] = {}
    for setting in settings:
        match = re.fullmatch(r"([^.=]+)\.([^.=]+)=(.*)", setting)
        if match is None:
            raise InputError(
                "--set must be PLUGIN.PARAMETER=VALUE", value=repr(setting), mend="For example --set smote.k=3."
            )
        plugin, name, value = match.groups()
        found.setdefault(plugin, {})[name] = value
    return found
