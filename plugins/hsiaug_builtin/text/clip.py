"""Text towers of OpenCLIP: what they say of each token before pooling (Radford et al. 2021, arXiv:2103.00020;
Cherti et al. 2022, arXiv:2212.07143).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import DataUnavailableError, InputError, PluginError, did_you_mean
from hsiaug_builtin.text.encoded import Encoded, Tower

__all__ = ["Checkpoint", "clip_tower"]

CONFIG = "open_clip_config.json"


@dataclass(frozen=True)
class Checkpoint:
    """config: of the whole model, as open_clip writes it; weights: a .safetensors, .bin or .pt file."""

    config: dict[str, Any]
    weights: Path


def clip_tower(spec: str) -> Tower:
    """The tower of MODEL/TAG, MODEL@FILE or FOLDER (with an open_clip_config.json).

    Raises InputError for a name that does not exist, DataUnavailableError where weights cannot be had,
    PluginError for a tower that needs more files than its weights.
    """
    checkpoint = _find(spec)
    stat = checkpoint.weights.stat()
    checksum = _sha256(checkpoint.weights, stat.st_size, stat.st_mtime_ns)
    return Tower(("openclip", json.dumps(checkpoint.config, sort_keys=True), checksum), partial(_run, checkpoint))


def _find(spec: str) -> Checkpoint:
    model, at, file = spec.partition("@")
    if at:
        weights = Path(file).expanduser()
        if not weights.is_file():
            raise DataUnavailableError(
                f"openclip:{spec}: {weights} must be a file with the weights of {model}",
                hint="Correct the path; .safetensors, .bin and .pt are read.",
            )
        return Checkpoint(_readable(model, _config(model)), weights)
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return _folder(folder)
    if folder.is_file() or spec.startswith((".", "/", "~")):
        raise InputError(
            "openclip:PATH must be a folder; a single file does not say which model it holds",
            value=repr(spec),
            hint=f"For a file, name its model too: openclip:MODEL@{spec}, as in ViT-B-32@{spec}.",
        )
    from hsiaug_builtin.text.clip_weights import published_weights

    model, _, tag = spec.rpartition("/")
    if not model:
        model, tag = spec, ""
    config = _readable(model, _config(model))
    weights, quick_gelu = published_weights(model, tag)
    return Checkpoint({**config, "quick_gelu": True} if quick_gelu else config, weights)


def _config(model: str) -> dict[str, Any]:
    import open_clip

    config = open_clip.get_model_config(model) if ":" not in model else None
    if config is None:
        raise InputError(
            "openclip: unknown model",
            value=repr(model),
            hint=_same_case(model, open_clip.list_models()),
        )
    return dict(config)


def _readable(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The same, if its text tower and tokenizer are CLIP's own: others need files beyond the weights."""
    text = config.get("text_cfg", {})
    foreign = text.get("hf_model_name") or text.get("hf_tokenizer_name")
    if foreign or "multimodal_cfg" in config:
        raise PluginError(
            f"openclip:{name}: only models with CLIP's own tokenizer and text tower can be read",
            value=foreign or "a multimodal decoder",
            hint="Take one like ViT-B-32, ViT-L-14 or ViT-bigG-14.",
        )
    return config


def _same_case(name: str, known: list[str]) -> str:
    """:func:`did_you_mean` for names that are written in mixed case."""
    lower = {item.lower(): item for item in known}
    hint = did_you_mean(name, lower)
    if not hint.startswith("Did you mean"):
        return "open_clip.list_models() names them all; a usual one is ViT-B-32."
    near = hint.removeprefix("Did you mean ").rstrip("?").split(" or ")
    return f"Did you mean {' or '.join(lower[item] for item in near)}?"


def _folder(folder: Path) -> Checkpoint:
    found = sorted(path for kind in ("*.safetensors", "*.bin", "*.pt") for path in folder.glob(kind))
    preferred = [path for path in found if path.name == "open_clip_model.safetensors"] or found
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))["model_cfg"]
    except (OSError, ValueError, KeyError) as cause:
        raise DataUnavailableError(
            f"openclip:{folder} must hold {CONFIG} with a model_cfg, as open_clip repositories do",
            value=f"{type(cause).__name__}: {cause}",
            hint="Download the whole repository, or name model and file: openclip:MODEL@FILE.",
        ) from cause
    if not preferred:
        raise DataUnavailableError(
            f"openclip:{folder} must hold the weights (.safetensors, .bin or .pt)",
            hint="Download them into this folder.",
        )
    return Checkpoint(_readable(str(folder), config), preferred[0])


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(checkpoint: Checkpoint, texts: tuple[str, ...]) -> Encoded:
    import open_clip
    import torch

    text = checkpoint.config["text_cfg"]
    tokenizer = open_clip.SimpleTokenizer(
        context_length=text.get("context_length", 77), **text.get("tokenizer_kwargs", {})
    )
    pieces = [tokenizer.encode(t) for t in texts]
    longest = max(map(len, pieces)) + 2
    if longest > tokenizer.context_length:
        raise InputError(
            f"this text tower takes up to {tokenizer.context_length} tokens a text",
            value=f"{longest}",
            hint="Shorten the descriptions.",
        )
    net = _load(checkpoint)
    caught: list[Any] = []
    tower = getattr(net, "text", net)
    # The norm before pooling is where every token still has its own feature, in all towers of this kind.
    tower.ln_final.register_forward_hook(lambda _module, _input, output: caught.append(output))
    with torch.inference_mode():
        pooled = net.encode_text(tokenizer(list(texts)), normalize=True)
    if len(caught) != 1 or caught[0].ndim != 3:
        raise PluginError(
            f"{checkpoint.weights.name}: this text tower gives no features per token",
            hint="Take another model, like ViT-B-32.",
        )
    mask = np.arange(longest)[None, :] < np.array([len(p) + 2 for p in pieces])[:, None]
    return Encoded(
        tokens=_kept(caught[0], mask),
        mask=mask,
        pooled=pooled.float().numpy(),
    )


def _kept(features: Any, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    kept = features[:, : mask.shape[1]].float().numpy() * mask[:, :, None]
    return np.asarray(kept, dtype=np.float32)


def _load(checkpoint: Checkpoint) -> Any:
    import open_clip

    config = dict(checkpoint.config)
    kind = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
    net = kind(**config)
    try:
        # weights_only: a checkpoint that would run code when opened is refused.
        open_clip.load_checkpoint(net, str(checkpoint.weights), strict=True, weights_only=True)
    except Exception as cause:
        raise PluginError(
            f"{checkpoint.weights} must hold the weights of the model it is read as",
            value=f"{type(cause).__name__}: {str(cause)[:160]}",
            hint="Check that model and file belong together, or download the file again.",
        ) from cause
    return net.eval()
