"""Published SegFormer weights: a folder, the hub's cache, else downloaded, else a clear no within seconds."""

from __future__ import annotations

import json
from pathlib import Path

from hsiaug.api import DataUnavailableError, InputError
from hsiaug_builtin.nets.hub import cached, download

__all__ = ["checkpoint_folder"]

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Names that the weights may have, the safest format first."""


def checkpoint_folder(name: str) -> Path:
    """The folder with config and weights of a Hugging Face name, or the folder that ``name`` is itself.

    Raises InputError for a checkpoint of another kind of network, DataUnavailableError where none can be had.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        hint = (
            f"On a connected machine: hf download {name} --local-dir FOLDER; bring the folder here and name it: "
        )
        hint += "`segformer.pretrained=FOLDER`. Or leave pretrained empty for random weights."
        folder = _cached(name) or download(name, lambda: _downloaded(name), name, CONFIG, hint=hint)
    if not (folder / CONFIG).is_file() or not any((folder / file).is_file() for file in WEIGHTS):
        raise DataUnavailableError(
            f"{folder} must hold {CONFIG} and {' or '.join(WEIGHTS)}",
            hint="Download the whole repository into this folder.",
        )
    kind = json.loads((folder / CONFIG).read_text("utf-8")).get("model_type")
    if kind != "segformer":
        raise InputError(
            f"segformer.pretrained must name a SegFormer, which {name} is not",
            value=f"model_type {kind!r}",
            hint="Take one like nvidia/mit-b0 or nvidia/segformer-b0-finetuned-ade-512-512.",
        )
    return folder


def _cached(name: str) -> Path | None:
    from huggingface_hub.utils import HFValidationError

    try:
        config, weights = cached(name, [CONFIG]), cached(name, WEIGHTS)
    except HFValidationError as cause:
        raise InputError(
            "segformer.pretrained must be OWNER/NAME on Hugging Face, or a folder",
            value=repr(name),
            hint="Take one like nvidia/mit-b0, or correct the folder's path.",
        ) from cause
    return config.parent if config and weights else None


def _downloaded(name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import EntryNotFoundError

    folder = Path(hf_hub_download(name, CONFIG)).parent
    try:
        hf_hub_download(name, WEIGHTS[0])
    except EntryNotFoundError:
        hf_hub_download(name, WEIGHTS[1])
    return folder
