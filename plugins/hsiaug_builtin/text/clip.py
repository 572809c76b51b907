"""Text towers of OpenCLIP: what they say of each token before pooling (Radford et al. 2021, arXiv:2103.00020;
Cherti et al. 2022, arXiv:2212.07143).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import DataUnavailableError, InputError, PluginError, did_you_mean
from hsiaug_builtin.text.encoded import Encoded

__all__ = ["clip"]


def clip(spec: str, texts: tuple[str, ...]) -> Encoded:
    """The texts, by the tower of MODEL/TAG or MODEL@FILE.

    Raises InputError for a name that does not exist and for a text that is too long, DataUnavailableError where weights
    cannot be had, PluginError for weights of another model and for a tower that needs more files than its weights.
    """
    import open_clip
    import torch

    model, weights, quick_gelu = _find(spec)
    text = _config(model)["text_cfg"]
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
    net = _load(model, weights, quick_gelu)
    caught: list[Any] = []
    tower = getattr(net, "text", net)
    # The norm before pooling is where every token still has its own feature, in all towers of this kind.
    tower.ln_final.register_forward_hook(lambda _module, _input, output: caught.append(output))
    with torch.inference_mode():
        pooled = net.encode_text(tokenizer(list(texts)), normalize=True)
    if len(caught) != 1 or caught[0].ndim != 3:
        raise PluginError(
            f"{weights.name}: this text tower gives no features per token",
            hint="Take another model, like ViT-B-32.",
        )
    mask = np.arange(longest)[None, :] < np.array([len(p) + 2 for p in pieces])[:, None]
    return Encoded(
        tokens=_kept(caught[0], mask),
        mask=mask,
        pooled=pooled.float().numpy(),
    )


def _find(spec: str) -> tuple[str, Path, bool]:
    """The model's name, the file of its weights, and whether they were trained with QuickGELU."""
    model, at, file = spec.partition("@")
    if at:
        weights = Path(file).expanduser()
        if not weights.is_file():
            raise DataUnavailableError(
                f"openclip:{spec}: {weights} must be a file with the weights of {model}",
                hint="Correct the path; .safetensors, .bin and .pt are read.",
            )
        return model, weights, False
    from hsiaug_builtin.text.clip_weights import published_weights

    model, _, tag = spec.rpartition("/")
    if not model:
        model, tag = spec, ""
    _config(model)
    return model, *published_weights(model, tag)


def _config(model: str) -> dict[str, Any]:
    """Of a model whose text tower and tokenizer are CLIP's own: others need files beyond the weights."""
    import open_clip

    config: dict[str, Any] | None = open_clip.get_model_config(model) if ":" not in model else None
    if config is None:
        raise InputError(
            "openclip: unknown model",
            value=repr(model),
            hint=_same_case(model, open_clip.list_models()),
        )
    text = config.get("text_cfg", {})
    foreign = text.get("hf_model_name") or text.get("hf_tokenizer_name")
    if foreign or "multimodal_cfg" in config:
        raise PluginError(
            f"openclip:{model}: only models with CLIP's own tokenizer and text tower can be read",
            value=foreign or "a multimodal decoder",
            hint="Take one like ViT-B-32, ViT-L-14 or ViT-bigG-14.",
        )
    return config


def _same_case(name: str, known: list[str]) -> str:
    """:func:`did_you_mean` for names that are written in mixed case."""
    lower = {item.lower(): item for item in known}
    hint = did_you_mean(name, lower)
    if not hint.startswith("Did you mean"):
        return "open_clip.list_models() names them all, as ViT-B-32; for a file, type openclip:MODEL@FILE."
    near = hint.removeprefix("Did you mean ").rstrip("?").split(" or ")
    return f"Did you mean {' or '.join(lower[item] for item in near)}?"


def _kept(features: Any, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    kept = features[:, : mask.shape[1]].float().numpy() * mask[:, :, None]
    return np.asarray(kept, dtype=np.float32)


def _load(model: str, weights: Path, quick_gelu: bool) -> Any:
    import open_clip

    try:
        # weights_only: a checkpoint that would run code when opened is refused.
        net = open_clip.create_model(model, str(weights), force_quick_gelu=quick_gelu, weights_only=True)
    except Exception as cause:
        raise PluginError(
            f"{weights} must hold the weights of the model it is read as",
            value=f"{type(cause).__name__}: {str(cause)[:160]}",
            hint="Check that model and file belong together, or download the file again.",
        ) from cause
    return net.eval()
