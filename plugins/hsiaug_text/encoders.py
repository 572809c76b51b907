"""Texts to embeddings: one function over all encoders. Never one encoder in place of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hsiaug.api import InputError, did_you_mean
from hsiaug_text import cache
from hsiaug_text.encoded import Encoded, Tower

__all__ = ["ENCODERS", "encode"]

ENCODERS = ("minilm", "scratch", "openclip:MODEL/TAG", "openclip:MODEL@FILE", "openclip:FOLDER")


def encode(texts: Sequence[str], encoder: str = "minilm") -> Encoded:
    """Encode all texts in one go; the same texts give the same result.

    encoder: ``minilm`` (installed with hsiaug, works offline), ``openclip:MODEL/TAG`` (published weights; are
    downloaded), ``openclip:MODEL@FILE`` (a checkpoint of your own), ``openclip:FOLDER`` (a downloaded open_clip
    repository), or ``scratch`` (ids over the words of just these texts, so give every text there will be).
    Embeddings are kept in memory and on disk, see :mod:`hsiaug_text.cache`.

    Raises InputError for an unknown encoder or empty texts, DataUnavailableError at once where weights cannot be
    had, PluginError where they are damaged or do not fit.
    """
    listed = tuple(texts)
    if not listed or not all(isinstance(text, str) and text.strip() for text in listed):
        raise InputError(
            "an encoder needs at least one text, and none that is empty",
            value=repr(listed)[:80],
            hint="Take the prompts from class_prompts.",
        )
    if encoder == "scratch":
        from hsiaug_text.scratch import encode_words

        return encode_words(listed)
    tower = _tower(encoder)
    key = cache.key_of(*tower.identity, *listed)
    return replace(cache.remembered(key, lambda: tower.run(listed)), encoder=encoder)


def _tower(encoder: str) -> Tower:
    if encoder == "minilm":
        from hsiaug_text.minilm import minilm_tower

        return minilm_tower()
    kind, _, rest = encoder.partition(":")
    if kind == "openclip" and rest:
        from hsiaug_text.clip import clip_tower

        return clip_tower(rest)
    raise InputError("unknown text encoder", value=repr(encoder), hint=did_you_mean(encoder, ENCODERS))
