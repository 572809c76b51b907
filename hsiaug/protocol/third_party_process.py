"""The process that imports the plugins of one other package, and says in JSON what they are and what they draw."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hsiaug.base.errors import HsiaugError
from hsiaug.base.processes import end_with_parent
from hsiaug.protocol.protocols import draw_areas, draw_train
from hsiaug.protocol.split_protocol import Buffer, SplitProtocol
from hsiaug.protocol.third_party import RADII, ToldText, packed
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, ask_entries, import_here
from hsiaug.registry.third_party import ToldCard, ToldPlugin, ToldProtocol

_data: Any = None


def serve(pipe: Connection) -> None:
    """Answer questions until the other end of the pipe is closed."""
    # Ctrl-C reaches both; the other process then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    # What a package prints is no answer.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # Of other packages none, until this process is asked for one's plugins.
    import_here(())
    me = os.getpid()
    while True:
        try:
            question, values = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        answer = _answer(ANSWERS[question], values)
        if os.getpid() != me:
            # A copy of this process, which a plugin forked.
            os._exit(0)
        with suppress(OSError):
            pipe.send_bytes(answer)


def _answer(compute: Callable[..., Any], values: tuple[Any, ...]) -> bytes:
    try:
        return json.dumps({"said": compute(*values)}).encode()
    except HsiaugError as error:
        failure = (type(error).__name__, error.rule, None if error.value is None else str(error.value), error.hint)
    except BaseException as error:
        rule = "a package must say what its plugins are, without an exception"
        hint = "Repair or uninstall it; all other plugins still work."
        failure = ("PluginError", rule, _text(error), hint)
    return json.dumps({"failure": dict(zip(("kind", "rule", "value", "hint"), failure, strict=True))}).encode()


def _text(error: BaseException) -> str:
    with suppress(Exception):
        return traceback.format_exception_only(error)[-1].strip()
    return type(error).__name__


def _entries(name: str, value: str) -> Any:
    entries, error, trace = ask_entries(name, value)
    return {"entries": [dataclasses.asdict(entry) for entry in entries], "error": error, "trace": trace}


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
    return ToldPlugin.model_validate({"card": told, "params": params, "protocol": protocol}).model_dump()


def _params(kind: Kind, name: str, target: str, values: Mapping[str, object]) -> None:
    _load(kind, name, target).card.params(**values)


def _keep(data: Any) -> None:
    global _data
    _data = data


def _parse(name: str, target: str, argument: str, buffer: Buffer, folder: str) -> Any:
    made = _load("protocol", name, target).parse(argument, buffer, Path(folder))
    told = {
        key: getattr(made, key) for key in ("argument", "buffer", "canonical", "text", "short", "reads_spectra")
    }
    radii = {str(side): made.buffer_radius(side) for side in RADII}
    return ToldText(**told, radii=radii, identity=made.as_json()).model_dump()


def _draw(name: str, target: str, argument: str, buffer: Buffer, seed: int, patch: int) -> Any:
    drawn = draw_train(_data, _load("protocol", name, target).parse(argument, buffer), patch, seed)
    arrays = {key: getattr(drawn, key) for key in ("train", "dropped", "hidden", "labels", "asked")}
    arrays = {key: array for key, array in arrays.items() if array is not None}
    return {"arrays": packed(arrays), "notes": drawn.notes}


def _draw_tiles(name: str, target: str, argument: str, buffer: Buffer, seed: int, patch: int) -> Any:
    drawn = draw_areas(_data, _load("protocol", name, target).parse(argument, buffer), patch, seed)
    sides = {"train": drawn.train, "test": drawn.test}
    arrays = {f"{side}{i}": mask for side, masks in sides.items() for i, mask in enumerate(masks)}
    return {"arrays": packed(arrays), "tiles": drawn.tiles}


ANSWERS: dict[str, Callable[..., Any]] = {
    "entries": _entries,
    "plugin": _plugin,
    "params": _params,
    "keep": _keep,
    "parse": _parse,
    "draw": _draw,
    "draw_tiles": _draw_tiles,
}
