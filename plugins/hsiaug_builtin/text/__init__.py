"""Class descriptions, prompt grammar and text encoders, for generators that read text.

prompts_of(view, "both")     {class id: prompts}: class names, sentences of the scene's card, or
what surrounds the labels encode(texts, "minilm")      per-token embeddings with the word of each
token, cached
"""

from __future__ import annotations

from hsiaug_builtin.text.encoded import Encoded
from hsiaug_builtin.text.encoders import checked_encoder, encode
from hsiaug_builtin.text.prompts import (
    MODES,
    checked_mode,
    class_words,
    prompts_of,
)

__all__ = [
    "MODES",
    "Encoded",
    "checked_encoder",
    "checked_mode",
    "class_words",
    "encode",
    "prompts_of",
]
