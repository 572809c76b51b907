"""Texts to embeddings: one function over all encoders. Never one encoder in place of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from hsiaug.api import InputError, did_you_mean
from hsiaug_builtin.text.encoded import Encoded

ENCODERS = ("minilm", "openclip:MODEL@FILE")


def encode(texts: Sequence[str], encoder: str = "minilm") -> Encoded:
    """Encode all texts in one go; the same texts give the same result, whose arrays are the caller's own.

    encoder: ``minilm`` (installed with hsiaug), or ``openclip:MODEL@FILE`` (a checkpoint on this
    machine; for weights trained with QuickGELU name the model that says so, such as ViT-B-32-quickgelu).

    Raises InputError for an unknown encoder or empty texts, DataUnavailableError where weights are missing, PluginError
    where they are damaged or do not fit.
    """
    listed = tuple(texts)
    if not listed or not all(isinstance(text, str) and text.strip() for text in listed):
        raise InputError(
            "an encoder needs at least one text, and none that is empty",
            value=repr(listed)[:80],
            hint="Take the prompts from class_prompts.",
        )
    kept = _encode(listed, encoder)
    return replace(kept, tokens=kept.tokens.copy(), mask=kept.mask.copy(), pooled=kept.pooled.copy())


@cache
def _encode(texts: tuple[str, ...], encoder: str) -> Encoded:
    """Encode texts; kept for the process, because every fit on a scene reads the same few prompts."""
    if encoder == "minilm":
        from hsiaug_builtin.text.minilm import minilm

        return minilm(texts)
    kind, _, rest = encoder.partition(":")
    if kind == "openclip" and rest:
        from hsiaug_builtin.text.clip import clip

        return clip(rest, texts)
    raise InputError("unknown text encoder", value=repr(encoder), hint=did_you_mean(encoder, ENCODERS))
