"""``hsiaug pretrain``: what a generator learns of other scenes before it sees its own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.output import say
from hsiaug.registry.progress import show_progress

__all__ = ["pretrain"]


def pretrain(
    scenes: Annotated[
        list[str], typer.Argument(metavar="SCENES…", help="Scenes to learn from, with all of their labels.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write, which must not exist.")],
    generator: Annotated[
        str | None, typer.Option(help="Generator that learns. Default: the only one that can.")
    ] = None,
    preset: options.Preset = "cpu",
    set_: options.Setting = None,
    device: options.Device = "auto",
) -> None:
    """Learn from other scenes, for a scene with few labels that is none of them.

    Classes of different scenes are brought together by their names and by the wavelengths of their bands. All labels of
    these scenes are used; a benchmark on any of them, or on a crop, refuses what was learnt.

    Examples:

      hsiaug pretrain indian_pines pavia_university --out prior

      hsiaug benchmark my_scene.toml --generator txt2hsi --set txt2hsi.prior=prior --set txt2hsi.weight=1
    """
    one_thread()
    from hsiaug.base.errors import InputError
    from hsiaug.base.files import file_errors
    from hsiaug.base.terminal import Console
    from hsiaug.data import load_scene
    from hsiaug.registry.card import build_params
    from hsiaug.trial.machine import resolve_device

    if out.exists():
        raise InputError(
            "--out must be a folder that does not exist yet",
            value=str(out),
            hint="Name another, or remove this one.",
        )
    name, plugin = _able(generator)
    model = plugin(build_params(plugin.card, preset, options.overrides_of(name, set_)))
    loaded = [load_scene(ref) for ref in scenes]
    with show_progress(Console(stderr=True), name) as progress:
        learnt = model.pretrain(loaded, seed=0, device=resolve_device(device, plugin.card), progress=progress)
    with file_errors(f"--out: cannot write {out}", "Choose a folder that can be written to."):
        out.parent.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole: a folder that is there can be used.
        with TemporaryDirectory(dir=out.parent, prefix=".pretrain-") as fresh:
            learnt.save(Path(fresh) / "learnt")
            (Path(fresh) / "learnt").rename(out)
    say(str(out))
    say(f"Next: hsiaug benchmark SCENE --generator {name} --set {name}.{plugin.card.pretrains}={out}", err=True)


def _able(wanted: str | None) -> tuple[str, Any]:
    """Name and class of the generator that learns. Raises InputError where it cannot, or must be named."""
    from hsiaug.base.errors import InputError
    from hsiaug.registry.lookup import registry

    plugins = registry()
    names = plugins.names("generator") if wanted is None else [wanted]
    found = {name: plugins.find("generator", name).load() for name in names}
    able = {name: plugin for name, plugin in found.items() if plugin.card.pretrains}
    if len(able) != 1:
        raise InputError(
            "--generator must be one that learns from other scenes",
            value=repr(wanted) if wanted else f"{len(able)} can",
            hint="'hsiaug plugins info NAME' says which parameter takes what a generator learnt.",
        )
    return next(iter(able.items()))
