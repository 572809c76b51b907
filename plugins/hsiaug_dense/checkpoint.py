"""Published SegFormer weights: a folder, the hub's cache, else downloaded, else a clear no within seconds."""

from __future__ import annotations

import json
from pathlib import Path

from hsiaug.api import DataUnavailableError, InputError
from hsiaug_nets.hub import told_to_stay_offline, why_out_of_reach

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
        folder = _cached(name) or _download(name)
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
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.utils import HFValidationError

    try:
        found = [try_to_load_from_cache(name, file) for file in (CONFIG, *WEIGHTS)]
    except HFValidationError as cause:
        raise InputError(
            "segformer.pretrained must be OWNER/NAME on Hugging Face, or a folder",
            value=repr(name),
            hint="Take one like nvidia/mit-b0, or correct the folder's path.",
        ) from cause
    config, *weights = found
    complete = isinstance(config, str) and any(isinstance(file, str) for file in weights)
    return Path(config).parent if complete else None


def _download(name: str) -> Path:
    _require_reachable(name)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import EntryNotFoundError

    try:
        folder = Path(hf_hub_download(name, CONFIG)).parent
        try:
            hf_hub_download(name, WEIGHTS[0])
        except EntryNotFoundError:
            hf_hub_download(name, WEIGHTS[1])
    except Exception as cause:
        raise _unavailable(name, f"{type(cause).__name__}: {str(cause)[:160]}") from cause
    return folder


def _require_reachable(name: str) -> None:
    if told_to_stay_offline():
        raise _unavailable(name, "HF_HUB_OFFLINE is set")
    from huggingface_hub import constants

    url = f"{constants.ENDPOINT}/{name}/resolve/main/{CONFIG}"
    answer = why_out_of_reach(url)
    if answer:
        raise _unavailable(name, answer)


def _unavailable(name: str, found: str) -> DataUnavailableError:
    return DataUnavailableError(
        f"the weights of {name} are not on this machine and cannot be downloaded",
        value=found,
        hint=f"On a connected machine: hf download {name} --local-dir FOLDER; bring the folder here and name it: "
        "--set segformer.pretrained=FOLDER. Or leave pretrained empty for random weights.",
    )
