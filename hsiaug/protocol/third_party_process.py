"""What the process that imports the plugins of one other package answers: what they are, and what
they draw.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hsiaug.protocol.protocols import draw_areas, draw_train
from hsiaug.protocol.split_protocol import Buffer, SplitProtocol
from hsiaug.protocol.third_party import RADII, ToldText, packed
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, import_here
from hsiaug.registry.third_party import ToldCard, ToldPlugin, ToldProtocol

_data: Any = None


def _load(kind: Kind, name: str, target: str) -> Any:
    found = Found(Entry(kind, name, target), target.partition(":")[0], "")
    import_here([found])
    return found.load()


def _plugin(kind: Kind, name: str, target: str) -> Any:
    plugin = _load(kind, name, target)
    card: Card = plugin.card
    told: dict[str, Any] = {key: getattr(card, key) for key in ToldCard.model_fields}
    told["presets"] = {preset: dict(values) for preset, values in card.presets.items()}
    fields = dataclasses.fields(card.params)
    params = tuple({"name": item.name, "default": item.default, **item.metadata} for item in fields)
    protocol = None
    if isinstance(plugin, type) and issubclass(plugin, SplitProtocol):
        protocol = {key: getattr(plugin, key) for key in ToldProtocol.model_fields}
    return ToldPlugin.model_validate(
        {"card": told, "params": params, "protocol": protocol}
    ).model_dump()


def _params(kind: Kind, name: str, target: str, values: Mapping[str, object]) -> None:
    _load(kind, name, target).card.params(**values)


def _keep(data: Any) -> None:
    global _data
    _data = data


def _parse(name: str, target: str, argument: str, buffer: Buffer, folder: str) -> Any:
    made = _load("protocol", name, target).parse(argument, buffer, Path(folder))
    told = {
        key: getattr(made, key)
        for key in ("argument", "buffer", "canonical", "text", "short", "reads_spectra")
    }
    radii = {str(side): made.buffer_radius(side) for side in RADII}
    return ToldText(**told, radii=radii, identity=made.as_json()).model_dump()


def _draw(name: str, target: str, argument: str, buffer: Buffer, seed: int, patch: int) -> Any:
    drawn = draw_train(_data, _load("protocol", name, target).parse(argument, buffer), patch, seed)
    arrays = {key: getattr(drawn, key) for key in ("train", "dropped", "hidden", "labels", "asked")}
    arrays = {key: array for key, array in arrays.items() if array is not None}
    return {"arrays": packed(arrays), "notes": drawn.notes}


def _draw_tiles(
    name: str, target: str, argument: str, buffer: Buffer, seed: int, patch: int
) -> Any:
    drawn = draw_areas(_data, _load("protocol", name, target).parse(argument, buffer), patch, seed)
    sides = {"train": drawn.train, "test": drawn.test}
    arrays = {f"{side}{i}": mask for side, masks in sides.items() for i, mask in enumerate(masks)}
    return {"arrays": packed(arrays), "tiles": drawn.tiles}


ANSWERS: dict[str, Callable[..., Any]] = {
    "plugin": _plugin,
    "params": _params,
    "keep": _keep,
    "parse": _parse,
    "draw": _draw,
    "draw_tiles": _draw_tiles,
}
