"""A closed vocabulary of whole words, whose embeddings the denoiser learns itself."""

from __future__ import annotations

import re

import numpy as np

from hsiaug_text.encoded import Encoded

__all__ = ["LENGTH", "encode_words"]

LENGTH = 32
"""Tokens per text; more only where a text is longer, because nothing is cut off."""

MARKS = ("[PAD]", "[BOS]", "[EOS]")


def encode_words(texts: tuple[str, ...]) -> Encoded:
    """[BOS] words [EOS] [PAD]… in lower case without punctuation; id 0 is [PAD], words are sorted."""
    listed = [re.findall(r"[^\W_]+", text.lower()) for text in texts]
    vocabulary = {
        word: i for i, word in enumerate((*MARKS, *sorted({word for words in listed for word in words})))
    }
    surface = tuple(("[BOS]", *words, "[EOS]") for words in listed)
    length = max(LENGTH, *(len(words) for words in surface))
    ids = np.zeros((len(texts), length), dtype=np.int64)
    for row, words in enumerate(surface):
        ids[row, : len(words)] = [vocabulary[word] for word in words]
    return Encoded(
        tokens=None,
        ids=ids,
        vocabulary=len(vocabulary),
        mask=ids != vocabulary["[PAD]"],
        words=surface,
        encoder="scratch",
        pooled=None,
    )
