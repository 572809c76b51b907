"""Texts to embeddings: one function over all encoders. Never one encoder in place of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from hsiaug.api import InputError, did_you_mean
from hsiaug_builtin.text.clip import checked_tower, clip
from hsiaug_builtin.text.encoded import Encoded

OPENCLIP = "openclip:"
ENCODERS = ("minilm", f"{OPENCLIP}MODEL@FILE", "one-hot")


def checked_encoder(encoder: str) -> str:
    """The same; a checkpoint with the checksum of its content, so that other weights are other
    parameters: ``openclip:ViT-B-32@weights.pt#1f2e…``.

    Raises
    ------
    InputError
        For an unknown encoder, and for a file that holds other weights than the checksum says.
    DataUnavailableError
        Where there is no such file.
    """
    tower = _tower(encoder)
    return encoder if tower is None else f"{OPENCLIP}{checked_tower(tower)}"


def _tower(encoder: str) -> str | None:
    """MODEL@FILE of an encoder of OpenCLIP, None for another. Raises InputError where there is no
    such encoder.
    """
    if encoder.startswith(OPENCLIP) and encoder != OPENCLIP:
        return encoder.removeprefix(OPENCLIP)
    if encoder not in ENCODERS:
        raise InputError(
            "unknown text encoder", value=repr(encoder), hint=did_you_mean(encoder, ENCODERS)
        )
    return None


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
    cached = _encode(listed, encoder)
    copies = {name: getattr(cached, name).copy() for name in ("tokens", "mask", "pooled", "word")}
    return replace(cached, **copies)


@cache
def _encode(texts: tuple[str, ...], encoder: str) -> Encoded:
    """Encode texts; kept for the process, because every fit on a scene reads the same few
    prompts.
    """
    tower = _tower(encoder)
    if tower is not None:
        return clip(tower, texts)
    if encoder == "minilm":
        from hsiaug_builtin.text.minilm import minilm

        return minilm(texts)
    return _one_hot(texts)


def _one_hot(texts: tuple[str, ...]) -> Encoded:
    """Each text as one token and one word: row i of the identity."""
    n = len(texts)
    table = np.eye(n, dtype=np.float32)
    words = tuple((text,) for text in texts)
    return Encoded(
        table[:, None], np.ones((n, 1), dtype=bool), table, words, np.zeros((n, 1), dtype=np.int16)
    )
