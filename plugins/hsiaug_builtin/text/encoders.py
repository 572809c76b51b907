"""Texts to embeddings: one function over all encoders. Never one encoder in place of another."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from hsiaug.api import InputError, did_you_mean
from hsiaug_builtin.text import cache
from hsiaug_builtin.text.encoded import Encoded, Tower

__all__ = ["ENCODERS", "encode"]

ENCODERS = ("minilm", "scratch", "openclip:MODEL/TAG", "openclip:MODEL@FILE", "openclip:FOLDER")

LENGTH = 32
"""Tokens per text; more only where a text is longer, because nothing is cut off."""

MARKS = ("[PAD]", "[BOS]", "[EOS]")


def encode(texts: Sequence[str], encoder: str = "minilm") -> Encoded:
    """Encode all texts in one go; the same texts give the same result.

    encoder: ``minilm`` (installed with hsiaug, works offline), ``openclip:MODEL/TAG`` (published weights; are
    downloaded), ``openclip:MODEL@FILE`` (a checkpoint of your own), ``openclip:FOLDER`` (a downloaded open_clip
    repository), or ``scratch`` (ids over the words of just these texts, so give every text there will be).
    Embeddings are kept in memory and on disk, see :mod:`hsiaug_builtin.text.cache`.

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
        return _words(listed)
    tower = _tower(encoder)
    key = cache.key_of(*tower.identity, *listed)
    return cache.remembered(key, lambda: tower.run(listed))


def _tower(encoder: str) -> Tower:
    if encoder == "minilm":
        from hsiaug_builtin.text.minilm import minilm_tower

        return minilm_tower()
    kind, _, rest = encoder.partition(":")
    if kind == "openclip" and rest:
        from hsiaug_builtin.text.clip import clip_tower

        return clip_tower(rest)
    raise InputError("unknown text encoder", value=repr(encoder), hint=did_you_mean(encoder, ENCODERS))


def _words(texts: tuple[str, ...]) -> Encoded:
    """A closed vocabulary of whole words, whose embeddings the denoiser learns itself.

    [BOS] words [EOS] [PAD]… in lower case without punctuation; id 0 is [PAD], words are sorted.
    """
    listed = [re.findall(r"[^\W_]+", text.lower()) for text in texts]
    vocabulary = {
        word: i for i, word in enumerate((*MARKS, *sorted({word for words in listed for word in words})))
    }
    surface = tuple(("[BOS]", *words, "[EOS]") for words in listed)
    length = max(LENGTH, *(len(words) for words in surface))
    ids = np.zeros((len(texts), length), dtype=np.int64)
    for row, words in enumerate(surface):
        ids[row, : len(words)] = [vocabulary[word] for word in words]
    return Encoded(tokens=ids, mask=ids != vocabulary["[PAD]"], pooled=None)
