"""Writing a new card and what belongs to it: proven first, then all files at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors, link
from hsiaug.core.scene import Scene
from hsiaug.data.loading import load_scene

__all__ = ["Picture", "Save", "write_card"]

Save = Callable[[Path], object]
"""Writes one derived file under the name that it is told."""

Picture = Callable[[Scene, Path], object]
"""Draws a scene into a PNG."""


def write_card(
    out: Path,
    text: Callable[[Mapping[str, str]], str],
    derived: dict[str, Save],
    picture: Picture | None,
    inputs: tuple[Path, ...],
    overwrite: bool,
) -> tuple[Scene, tuple[Path, ...]]:
    """Everything under temporary names, then the proof, then the final names: a kill leaves the old scene or the new.

    text: of the card, with other names of the files that it is given. derived: by file name, what else is written into
    the card's folder. inputs: files that are never replaced.
    Returns the scene as loaded from the card, and the files, the card first.
    Raises InputError where a file is in the way or the folder cannot be written to, SceneError where the card does not
    give a scene; then nothing is left behind.
    """
    folder, token = out.parent, uuid.uuid4().hex[:8]
    look = f"{out.stem}_look.png"
    finals = {name: folder / name for name in (*derived, *((look,) if picture else ()))}
    for final in finals.values():
        mine = any(final.exists() and final.samefile(path) for path in inputs if path.exists())
        if mine or (final.exists() and not overwrite):
            raise InputError(
                f"{final}, which is to be written, must not exist yet",
                value="one of the scene's own files" if mine else "a file",
                hint="Use another `out`." if mine else "Use another `out`, or add `overwrite`.",
            )
    temporary = {name: folder / f".{token}_{name}" for name in (*finals, out.name)}
    card, final_card = temporary[out.name], folder / f".{token}_final_{out.name}"
    with (
        file_errors(f"`out` {out} must lie in a folder that can be written to", "Name another one."),
        ExitStack() as stack,
    ):
        for path in (*temporary.values(), final_card):
            stack.callback(path.unlink, missing_ok=True)
        for name, save in derived.items():
            save(temporary[name])
        card.write_text(text({name: path.name for name, path in temporary.items()}), encoding="utf-8")
        scene = load_scene(card)
        if picture:
            picture(scene, temporary[look])
        final_card.write_text(text({}), encoding="utf-8")
        if any(final.exists() for final in finals.values()):
            # From here on the card is of the new scene, under whichever of their names its files are found.
            cleanup = stack.pop_all()
            try:
                card.replace(out)
            except OSError:
                cleanup.close()
                raise
            for name, final in finals.items():
                link(temporary[name], again := folder / f".{token}_again_{name}")
                again.replace(final)
            final_card.replace(out)
            cleanup.close()
        else:
            for name, final in finals.items():
                temporary[name].replace(final)
            final_card.replace(out)
    return scene, (out, *finals.values())
