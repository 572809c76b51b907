"""What comes prepared with hsiaug, so that the embedded scene need not be learnt by each user.

A shipped state is what `learn_scene` gave for the same pixels, parameters and version; it is found
by a checksum of these, like any prepared state, and so never used for another scene. Its files have
a checksum too: a state that is damaged is learnt anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

from hsiaug.api import TrainView, checksum_of_pixels
from hsiaug_builtin.txt2hsi.params import PREPARE_VERSION, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import PreparedScene

FOLDER = Path(__file__).with_name("shipped")
CHECKSUM = "sha256.txt"
"""File in the folder of a state: the checksum of its arrays."""
ORIGIN = "shipped"


@dataclass(frozen=True)
class ShippedState:
    """What comes with hsiaug for a scene.

    Attributes
    ----------
    prepared : PreparedScene or None
        The state; None where there is none, or where it cannot be used.
    fault : str
        Why the state that is there cannot be used.
    """

    prepared: PreparedScene | None = None
    fault: str = ""


def key_of(view: TrainView, params: Txt2HsiParams) -> str:
    """The name of a scene's state, by all that determines it."""
    preparing = {
        item.name: getattr(params, item.name)
        for item in fields(params)
        if item.metadata["preparing"] and item.name != "shipped"
    }
    identity = [PREPARE_VERSION, preparing, view.patch, checksum_of_pixels(view)]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def load_shipped(
    view: TrainView, params: Txt2HsiParams, device: str, folder: Path = FOLDER
) -> ShippedState:
    """The shipped state of a scene.

    Parameters
    ----------
    view : TrainView
        Without labels.
    params : Txt2HsiParams
        Those that preparing reads; the defaults of all others.
    device : str
        Where it is to compute.
    folder : Path
        Of all shipped states.

    """
    place = folder / key_of(view, params)
    if not place.is_dir():
        return ShippedState()
    try:
        stated = (place / CHECKSUM).read_text("utf-8").strip()
        if stated != _checksum(place):
            return ShippedState(fault="its checksum differs")
        prepared = PreparedScene.restore(place, device)
    except Exception as error:
        # Whatever a damaged file makes of the readers: the state is learnt again.
        return ShippedState(fault=f"{type(error).__name__}: {error}")
    return ShippedState(replace(prepared, params=params, origin=ORIGIN))


def save_shipped(
    prepared: PreparedScene, view: TrainView, params: Txt2HsiParams, folder: Path = FOLDER
) -> Path:
    """Write a state that is to be shipped; the folder that holds it."""
    place = folder / key_of(view, params)
    place.mkdir(parents=True, exist_ok=True)
    prepared.save(place)
    (place / CHECKSUM).write_text(_checksum(place) + "\n", "utf-8")
    return place


def _checksum(place: Path) -> str:
    return hashlib.sha256((place / "state.safetensors").read_bytes()).hexdigest()
