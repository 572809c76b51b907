"""Text towers of OpenCLIP: their output for each token, before pooling (Radford et al. 2021,
arXiv:2103.00020; Cherti et al. 2022, arXiv:2212.07143).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug_builtin.named_files import weights_file
from hsiaug_builtin.text.encoded import Encoded


def checked_tower(spec: str) -> str:
    """MODEL@FILE with the checksum of the file, so that other weights are another encoder.

    Raises
    ------
    DataUnavailableError
        Where there is no such file, or it is empty.
    InputError
        Where the file holds other weights than the checksum says.
    """
    return f"{spec.partition('@')[0]}@{_weights(spec)[1]}"


def clip(spec: str, texts: tuple[str, ...]) -> Encoded:
    """The texts, by the tower of MODEL@FILE, with a checksum or without; nothing is downloaded.

    Raises InputError for a model that does not exist and for a text that is too long, PluginError
    for weights of another model and for a tower that needs more files than its weights, and both
    errors of :func:`checked_tower`.
    """
    import open_clip
    import torch

    model = spec.partition("@")[0]
    text = _config(model)["text_cfg"]
    weights, _ = _weights(spec)
    tokenizer = open_clip.SimpleTokenizer(
        context_length=text.get("context_length", 77), **text.get("tokenizer_kwargs", {})
    )
    words = [tuple(tokenizer.pat.findall(tokenizer.clean_fn(t))) for t in texts]
    # Number of the word that each token is a piece of, between the marks of beginning and end.
    member = [
        [-1, *(i for i, word in enumerate(of_text) for _ in tokenizer.encode(word)), -1]
        for of_text in words
    ]
    longest = max(map(len, member))
    if longest > tokenizer.context_length:
        raise InputError(
            f"this text tower takes up to {tokenizer.context_length} tokens a text",
            value=f"{longest}",
            hint="Shorten the descriptions.",
        )
    net = _load(model, weights)
    caught: list[Any] = []
    tower = getattr(net, "text", net)
    # The norm before pooling is where every token still has its own feature, in all towers of this
    # kind.
    tower.ln_final.register_forward_hook(lambda _module, _input, output: caught.append(output))
    with torch.inference_mode():
        pooled = net.encode_text(tokenizer(list(texts)), normalize=True)
    if len(caught) != 1 or caught[0].ndim != 3:
        raise PluginError(
            f"{weights.name}: this text tower gives no features per token",
            hint="Take another model, like ViT-B-32.",
        )
    mask = np.arange(longest)[None, :] < np.array(list(map(len, member)))[:, None]
    tokens = caught[0][:, :longest].float().numpy() * mask[:, :, None]
    return Encoded(
        tokens=tokens.astype(np.float32),
        mask=mask,
        pooled=pooled.float().numpy(),
        words=tuple(words),
        word=np.array([row + [-1] * (longest - len(row)) for row in member], dtype=np.int16),
    )


def _weights(spec: str) -> tuple[Path, str]:
    """The file of MODEL@FILE, and its name with the checksum of its content."""
    model, _, name = spec.partition("@")
    file = weights_file(name, f"openclip:{model}@")
    if file is None or not file[0].stat().st_size:
        raise DataUnavailableError(
            f"openclip:{spec}: {name or 'the part behind @'} must be a file with the weights of"
            f" {model}",
            hint=(
                "Download published weights, for example with `hf download REPOSITORY"
                f" open_clip_model.safetensors`, and name the file: openclip:{model}@FILE. Or use"
                " minilm, which is installed."
            ),
        )
    return file


def _config(model: str) -> dict[str, Any]:
    """Settings of a model with CLIP's own text tower and tokenizer: others need files beyond the
    weights.
    """
    import open_clip

    config: dict[str, Any] | None = open_clip.get_model_config(model) if ":" not in model else None
    if config is None:
        raise InputError(
            "openclip: unknown model",
            value=repr(model),
            hint=(
                "Type openclip:MODEL@FILE; open_clip.list_models() names the models, such as"
                " ViT-B-32."
            ),
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


def _load(model: str, weights: Path) -> Any:
    import open_clip

    try:
        # weights_only: a checkpoint that would run code when opened is refused.
        net = open_clip.create_model(model, str(weights), weights_only=True)
    except MemoryError:
        raise
    except Exception as cause:
        raise PluginError(
            f"{weights} must hold the weights of the model it is read as",
            value=f"{type(cause).__name__}: {str(cause)[:160]}",
            hint="Check that model and file belong together, or download the file again.",
        ) from cause
    return net.eval()
