"""Texts to embeddings: one function over all encoders. Never one encoder in place of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from hsiaug.api import InputError, did_you_mean
from hsiaug_builtin.text.encoded import Encoded

ENCODERS = ("minilm", "openclip:MODEL@FILE", "one-hot")


def encode(texts: Sequence[str], encoder: str = "minilm") -> Encoded:
    """Encode all texts in one go; the same texts give the same result, whose arrays are the
    caller's own.

    Parameters
    ----------
    encoder : str
        ``minilm`` (installed with hsiaug), ``openclip:MODEL@FILE`` (a checkpoint on this
        machine; for weights trained with QuickGELU name the model that says so, such as
        ViT-B-32-quickgelu), or ``one-hot`` (a token for each text, orthogonal to all others:
        tells texts apart and says nothing).

    Raises
    ------
    InputError
        For an unknown encoder or empty texts.
    DataUnavailableError
        Where weights are missing.
    PluginError
        Where they are damaged or do not fit.
    """
    listed = tuple(texts)
    if not listed or not all(isinstance(text, str) and text.strip() for text in listed):
        raise InputError(
            "an encoder needs at least one text, and none that is empty",
            value=repr(listed)[:80],
            hint="Take the prompts from prompts_of.",
        )
    kept = _encode(listed, encoder)
    own = {name: getattr(kept, name).copy() for name in ("tokens", "mask", "pooled", "word")}
    return replace(kept, **own)


@cache
def _encode(texts: tuple[str, ...], encoder: str) -> Encoded:
    """Encode texts; kept for the process, because every fit on a scene reads the same few
    prompts.
    """
    if encoder == "minilm":
        from hsiaug_builtin.text.minilm import minilm

        return minilm(texts)
    if encoder == "one-hot":
        return _one_hot(texts)
    kind, _, rest = encoder.partition(":")
    if kind == "openclip" and rest:
        from hsiaug_builtin.text.clip import clip

        return clip(rest, texts)
    raise InputError(
        "unknown text encoder", value=repr(encoder), hint=did_you_mean(encoder, ENCODERS)
    )


def _one_hot(texts: tuple[str, ...]) -> Encoded:
    """Each text as one token and one word: row i of the identity."""
    n = len(texts)
    table = np.eye(n, dtype=np.float32)
    words = tuple((text,) for text in texts)
    return Encoded(
        table[:, None], np.ones((n, 1), dtype=bool), table, words, np.zeros((n, 1), dtype=np.int16)
    )
